"""Sessions, roles and whose things are whose: over real HTTP, with cookies as a browser sends them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import create_async_engine

from contracts.gateway import PersonRecorded
from services.gateway.app import bare_app
from services.gateway.auth.sessions import Sessions
from services.gateway.domain.policy import POLICY
from services.gateway.openapi import document
from services.kit.people import unseal
from tests.integration.gateway_support import Stage, gateway_settings, make_stage, serving

NOBODYS_ID = "0197a3c0-0000-7000-8000-0000000000ff"

pytestmark = pytest.mark.asyncio

COOKIE = "__Host-session"


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        yield made


async def browser(stage: Stage, email: str = "maya@demo.test") -> tuple[str, str]:
    """The cookie and the CSRF token a browser holds after signing in."""
    answer = await stage.client().post("/v1/dev/sign-in", json={"email": email})
    header = answer.headers["set-cookie"]
    assert re.fullmatch(rf"{COOKIE}=[\w-]{{43}}; Path=/; Secure; HttpOnly; SameSite=Lax", header)
    return header.split(";")[0], answer.json()["csrf_token"]


async def test_a_session_is_a_secret_that_is_stored_hashed(stage: Stage) -> None:
    answer = await stage.client().post("/v1/dev/sign-in", json={"email": "maya@demo.test"})
    token = answer.json()["token"]
    rows = await stage.rows(
        "SELECT session_id FROM session WHERE token_hash = :hash", hash=hashlib.sha256(token.encode()).digest()
    )
    assert len(rows) == 1
    stored = await stage.rows("SELECT count(*) AS count FROM session WHERE csrf_token = :token", token=token)
    assert stored[0].count == 0
    assert answer.headers["cache-control"] == "no-store"


async def test_an_unknown_address_cannot_sign_in(stage: Stage) -> None:
    answer = await stage.client().post("/v1/dev/sign-in", json={"email": "nobody@demo.test"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_cookie_reads_and_does_not_write_without_the_sessions_csrf_token(stage: Stage) -> None:
    cookie, csrf = await browser(stage)
    reader = stage.client(Cookie=cookie)
    me = await reader.get("/v1/me")
    assert (me.status_code, me.json()["csrf_token"]) == (200, csrf)

    path, body = f"/v1/commitments/{uuid4()}/withdrawal", {}
    key = {"Idempotency-Key": uuid4().hex}
    for headers in ({}, {"X-Alpmera-CSRF": "wrong"}, {"X-Alpmera-CSRF": ""}):
        refused = await reader.post(path, json=body, headers=key | headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    allowed = await reader.post(path, json=body, headers=key | {"X-Alpmera-CSRF": csrf})
    assert (allowed.status_code, allowed.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
async def test_a_write_from_another_origin_is_refused_whatever_its_token(stage: Stage, headers: dict[str, str]) -> None:
    cookie, csrf = await browser(stage)
    answer = await stage.client(Cookie=cookie).post(
        f"/v1/commitments/{NOBODYS_ID}/withdrawal",
        json={},
        headers={"Idempotency-Key": uuid4().hex, "X-Alpmera-CSRF": csrf} | headers,
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")


async def test_a_write_from_our_own_origin_is_taken(stage: Stage) -> None:
    cookie, csrf = await browser(stage)
    answer = await stage.client(Cookie=cookie).post(
        f"/v1/commitments/{NOBODYS_ID}/withdrawal",
        json={},
        headers={"Idempotency-Key": uuid4().hex, "X-Alpmera-CSRF": csrf, "Origin": stage.url},
    )
    assert answer.json()["code"] == "not_found"


async def test_signing_out_ends_the_session_at_once_here_and_at_other_gateways(stage: Stage) -> None:
    answer = await stage.client().post("/v1/dev/sign-in", json={"email": "theo@demo.test"})
    token = answer.json()["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    # The second gateway signs with its own key and reads the same database; it has the session in its cache.
    async with (
        serving(gateway_settings(stage.database, stage.settings.kafka_prefix)) as other_url,
        httpx.AsyncClient(base_url=other_url, headers=bearer) as elsewhere,
    ):
        assert (await elsewhere.get("/v1/me")).status_code == 200
        here = stage.client(token)
        assert (await here.get("/v1/me")).status_code == 200
        ended = await here.delete("/v1/session")
        assert ended.status_code == 204
        assert "Max-Age=0" in ended.headers["set-cookie"]
        assert (await here.get("/v1/me")).json()["code"] == "not_signed_in"
        for _ in range(100):
            answer = await elsewhere.get("/v1/me")
            if answer.status_code == 401:
                break
        assert answer.status_code == 401


async def test_a_session_ends_when_it_is_idle_or_too_old(stage: Stage) -> None:
    engine = create_async_engine(stage.database.app)
    sessions = Sessions(engine, cache_seconds=0)
    for column, change in (("last_seen_at", "interval '31 minutes'"), ("expires_at", "interval '13 hours'")):
        answer = await stage.client().post("/v1/dev/sign-in", json={"email": "ana@alpmera.test"})
        token = answer.json()["token"]
        assert await sessions.identity(token) is not None
        await stage.execute(
            f"UPDATE session SET {column} = {column} - {change} WHERE token_hash = :hash",
            hash=hashlib.sha256(token.encode()).digest(),
        )
        assert await sessions.identity(token) is None
    assert await sessions.identity("x" * 5000) is None
    await engine.dispose()


async def test_an_address_is_sealed_in_the_table_and_on_its_way_and_nowhere_plain(stage: Stage) -> None:
    email = f"{uuid4().hex}@people.test"
    answer = await stage.client().post(
        "/v1/dev/participants", json={"participants": [{"external_id": uuid4().hex, "email": email}]}
    )
    subject_id = answer.json()["participants"][0]["subject_id"]
    people = [sent for sent in await stage.commands() if isinstance(sent.message, PersonRecorded)]
    (recorded,) = [sent for sent in people if str(sent.message.subject_id) == subject_id]
    assert recorded.topic == "gateway.people"
    key = stage.settings.people_key_notifications.get_secret_value()
    assert unseal(key, recorded.message.sealed["notifications"])["email"] == email
    for table in ("account", "outbox", "session", "operation"):
        found = await stage.rows(
            f"SELECT count(*) AS count FROM {table} AS row WHERE row::text LIKE :email", email=f"%{email}%"
        )
        assert found[0].count == 0, table


async def test_a_scripts_participant_is_the_same_person_each_time(stage: Stage) -> None:
    external_id = uuid4().hex
    body = {"participants": [{"external_id": external_id}, {"external_id": f"{external_id}-b"}]}
    first = (await stage.client().post("/v1/dev/participants", json=body)).json()["participants"]
    again = (await stage.client().post("/v1/dev/participants", json=body)).json()["participants"]
    assert [each["subject_id"] for each in first] == [each["subject_id"] for each in again]
    assert len({each["token"] for each in first + again}) == 4
    assert first[0]["subject_id"] != first[1]["subject_id"]


async def test_production_has_no_sign_in_without_proof(stage: Stage) -> None:
    paths = {getattr(route, "path", "") for route in bare_app(local=False).routes}
    assert not any("/dev/" in path for path in paths)
    transport = httpx.ASGITransport(app=bare_app(local=False))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        answer = await client.post("/v1/dev/sign-in", json={"email": "maya@demo.test"})
    assert answer.status_code == 404


async def test_every_address_that_is_not_public_asks_who_is_there(stage: Stage) -> None:
    anonymous = stage.client()
    asked = 0
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            if POLICY[operation["operationId"]].public:
                continue
            address = re.sub(r"\{\w+\}", str(uuid4()), path)
            answer = await anonymous.request(
                method, address, json={} if method == "post" else None, params={"ids": str(uuid4())}
            )
            assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in"), path
            asked += 1
    assert asked > 25


@pytest.mark.parametrize(
    ("email", "path"),
    [
        ("maya@demo.test", "/v1/campaigns"),
        ("dock@emeraldsupply.test", "/v1/campaigns"),
        ("gus@alpmera.test", "/v1/campaigns"),
        ("olga@alpmera.test", f"/v1/campaigns/{NOBODYS_ID}/review"),
        ("maya@demo.test", f"/v1/campaigns/{NOBODYS_ID}/review"),
        ("olga@alpmera.test", f"/v1/campaigns/{NOBODYS_ID}/commitments"),
        ("dock@emeraldsupply.test", f"/v1/campaigns/{NOBODYS_ID}/commitments"),
        ("olga@alpmera.test", f"/v1/campaigns/{NOBODYS_ID}/clearing-plans"),
        ("maya@demo.test", f"/v1/clearing-plans/{NOBODYS_ID}/approval"),
        ("gus@alpmera.test", f"/v1/clearing-plans/{NOBODYS_ID}/approval"),
        ("maya@demo.test", "/v1/float/top-ups"),
        ("ana@alpmera.test", f"/v1/invitations/{NOBODYS_ID}/acceptance"),
        ("maya@demo.test", f"/v1/campaigns/{NOBODYS_ID}/deliveries"),
        ("ben@alpmera.test", f"/v1/issues/{NOBODYS_ID}/decision"),
        ("gus@alpmera.test", f"/v1/campaigns/{NOBODYS_ID}/failure-sign-offs"),
    ],
)
async def test_a_role_that_may_not_act_is_told_so_and_nothing_is_written(stage: Stage, email: str, path: str) -> None:
    await stage.commands()
    client = await stage.sign_in(email)
    answer = await client.post(path, json={}, headers={"Idempotency-Key": uuid4().hex})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert await stage.commands() == []


@pytest.mark.parametrize(
    "path", ["/v1/staff/overview", "/v1/cases", "/v1/suppliers", f"/v1/clearing-plans/{NOBODYS_ID}"]
)
@pytest.mark.parametrize("email", ["maya@demo.test", "dock@emeraldsupply.test"])
async def test_staff_pages_are_for_staff(stage: Stage, email: str, path: str) -> None:
    client = await stage.sign_in(email)
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
