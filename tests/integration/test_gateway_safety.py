"""Answers and connections held against the security page: their types, their ends, what reading may change, and how many
sessions somebody has. Over real HTTP, and over a bare connection where a client library would mend the request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from services.gateway.domain.policy import ROLE_OF, RULES, Rule
from services.gateway.settings import GatewaySettings
from services.gateway.store import session_list
from tests.integration.gateway_accounts import Browser, invited
from tests.integration.gateway_passkeys import SoftPasskey
from tests.integration.gateway_people import People
from tests.integration.gateway_support import Stage, gateway_settings, make_stage

pytestmark = pytest.mark.asyncio

READS = [rule for rule in RULES if rule.access == "read"]
RECORDED = {"audit_list", "audit_export", "my_data"}
"""Reads that ask the other services, and are recorded themselves: that is the one trace that reading leaves."""
COUNTED = "('rate_window', 'session', 'stack_clock', 'relay_lease')"
"""Tables that also change by themselves, or that note coarsely that a session was used."""


@pytest_asyncio.fixture(scope="module")
async def people() -> AsyncIterator[People]:
    async with make_stage(codes_free_per_account=1_000) as stage:
        yield await People(stage).prepare()


@pytest_asyncio.fixture(scope="module")
async def stage(people: People) -> Stage:
    return people.stage


async def kept(stage: Stage) -> dict[str, int]:
    """How many rows each of the gateway's own tables has."""
    tables = await stage.rows(
        "SELECT table_name FROM information_schema.tables "
        f"WHERE table_schema = 'public' AND table_name NOT IN {COUNTED}"
    )
    counts = {}
    for table in tables:
        (row,) = await stage.rows(f'SELECT count(*) AS count FROM "{table.table_name}"')
        counts[table.table_name] = row.count
    return counts


async def test_reading_changes_nothing_whoever_reads(people: People) -> None:
    before = await kept(people.stage)
    assert {"account", "operation", "outbox", "member_invitation", "passkey", "mail_code"} <= before.keys()
    assert {rule.operation for rule in READS} >= RECORDED
    for rule in READS:
        for person in ROLE_OF if rule.operation not in RECORDED else ():
            await people.ask(rule, person)
    assert await kept(people.stage) == before


@pytest.mark.parametrize("rule", READS, ids=lambda rule: rule.operation)
async def test_every_answer_says_what_it_is_in_which_characters_and_leads_nowhere_else(
    people: People, rule: Rule
) -> None:
    for person in ("anonymous", "owner", "operations"):
        answer = await people.ask(rule, person)
        assert not answer.is_redirect, rule.operation
        media_type, _, character_set = answer.headers["content-type"].partition(";")
        assert media_type in {
            "application/json", "application/pdf", "application/problem+json", "text/csv", "text/event-stream", "text/html",
        }  # fmt: skip
        if media_type.endswith("json"):
            answer.json()
        elif media_type == "application/pdf":
            assert answer.content.startswith(b"%PDF-"), rule.operation
        else:
            assert character_set.strip() == "charset=utf-8", f"{rule.operation}: {answer.headers['content-type']}"


async def bare(stage: Stage, request: bytes) -> bytes:
    """What a connection answers to these very bytes, until it is closed or nothing more comes."""
    address = urlsplit(stage.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(request)
        await writer.drain()
        found = b""
        try:
            while piece := await asyncio.wait_for(reader.read(65_536), timeout=1.0):
                found += piece
        except TimeoutError:
            return found
        return found
    finally:
        writer.close()


HIDDEN = b"GET /version HTTP/1.1\r\nHost: gateway\r\n\r\n"


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 60\r\n",
        b"Content-Length: 4\r\nContent-Length: 60\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Content-Length: +4\r\n",
    ],
)
async def test_a_request_whose_end_can_be_read_in_two_ways_is_answered_once_and_refused(
    stage: Stage, lengths: bytes
) -> None:
    body = b"0\r\n\r\n" + HIDDEN
    answer = await bare(stage, b"POST /v1/csp-reports HTTP/1.1\r\nHost: gateway\r\n" + lengths + b"\r\n" + body)
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    assert answer.startswith(b"HTTP/1.1 400"), answer
    assert b'"generation"' not in answer


async def test_a_plain_request_over_a_bare_connection_is_answered(stage: Stage) -> None:
    answer = await bare(stage, HIDDEN)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b'"generation"' in answer


async def test_a_connection_is_never_lifted_to_another_protocol(stage: Stage) -> None:
    handshake = (
        b"GET /v1/me HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert not (await bare(stage, handshake)).startswith(b"HTTP/1.1 101")


async def test_signing_out_has_the_browser_forget_what_pages_kept(stage: Stage) -> None:
    browser, _ = await invited(stage)
    cookie = browser.cookie
    ended = await browser.send("DELETE", "/v1/session")
    assert ended.headers["clear-site-data"] == '"storage"'
    assert "Max-Age=0" in ended.headers["set-cookie"]
    assert (await stage.client(Cookie=cookie).get("/v1/me")).status_code == 401


async def test_a_session_past_the_bound_ends_the_one_used_longest_ago(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_list.end_sessions_beyond, "__kwdefaults__", {"kept": 3})
    first, _ = await invited(stage)
    passkey = SoftPasskey(stage.url)
    assert (await first.add_passkey(passkey)).status_code == 201
    later = [Browser(stage) for _ in range(3)]
    for browser in later:
        assert (await browser.prove(passkey, "/v1/sign-in/passkey")).status_code == 200
    assert (await first.get("/v1/me")).status_code == 401
    assert [(await browser.get("/v1/me")).status_code for browser in later] == [200, 200, 200]
    assert len((await later[-1].get("/v1/sessions")).json()["data"]) == 3


async def test_production_is_served_over_https_alone(stage: Stage) -> None:
    changed = gateway_settings(stage.database, stage.settings.kafka_prefix).model_dump()
    production = changed | {"profile": "production", "stripe_kind": "stripe", "passkey_domain": "alpmera.example"}
    for origins in ((), ("http://alpmera.example",), ("https://alpmera.example", "http://alpmera.example")):
        with pytest.raises(ValueError, match="ALPMERA_PUBLIC_ORIGINS"):
            GatewaySettings(**(production | {"public_origins": origins}))
    assert GatewaySettings(**(production | {"public_origins": ("https://alpmera.example",)})).profile == "production"


async def test_whoever_uses_up_somebodys_codes_does_not_keep_their_passkey_out(stage: Stage) -> None:
    browser, email = await invited(stage)
    passkey = SoftPasskey(stage.url)
    assert (await browser.add_passkey(passkey)).status_code == 201
    assert (await stage.client().post("/v1/sign-in/code", json={"email": email})).status_code == 200
    await stage.execute("UPDATE sign_in_guard SET tries = 5000, last_at = now()")
    asked = [await stage.client().post("/v1/sign-in/code", json={"email": email}) for _ in range(2)]
    assert asked[-1].status_code == 429
    assert (await Browser(stage).prove(passkey, "/v1/sign-in/passkey")).status_code == 200
