"""Bad requests: each gets a problem with a stable code and what to do next, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from contracts.errors import PROBLEMS
from services.gateway.middleware import BODY_BYTES_MAX
from tests.integration.gateway_support import Stage, make_stage

NOBODYS_ID = "0197a3c0-0000-7000-8000-0000000000ff"

pytestmark = pytest.mark.asyncio

TOO_DEEP = "[" * 5_000 + "]" * 5_000


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage(waiting_requests_max=2) as made:
        yield made


@pytest_asyncio.fixture(scope="module")
async def joined(stage: Stage) -> tuple[httpx.AsyncClient, str, str]:
    client, _ = await stage.participant()
    campaign_id, terms_hash = await stage.open_campaign()
    return client, f"/v1/campaigns/{campaign_id}/commitments", terms_hash


def body(own_hash: str, **changes: Any) -> dict[str, Any]:
    return {"quantity": 1, "terms_hash": own_hash, "confirmation_token": "ctoken_ok"} | changes


async def refused(stage: Stage, client: httpx.AsyncClient, path: str, content: Any, **headers: str) -> httpx.Response:
    """Send a body as it is; nothing may be written because of it."""
    await stage.commands()
    raw = content if isinstance(content, str | bytes) else json.dumps(content)
    answer = await client.post(
        path,
        content=raw,
        headers={"Idempotency-Key": uuid4().hex, "Content-Type": "application/json", "Prefer": "wait=0"} | headers,
    )
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["detail"] == PROBLEMS[problem["code"]].next_step
    assert await stage.commands() == []
    stored = await stage.rows("SELECT count(*) AS count FROM operation")
    assert stored[0].count == 0
    return answer


@pytest.mark.parametrize("content", ["", "{", "nonsense", '{"quantity": 1', b"\xff\xfe\x00", TOO_DEEP, "[1,]"])
async def test_a_body_that_is_not_json_is_malformed(stage: Stage, joined: Any, content: Any) -> None:
    client, path, _ = joined
    answer = await refused(stage, client, path, content)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"quantity": "2"}, "/quantity"),
        ({"quantity": 1.5}, "/quantity"),
        ({"quantity": 2.0}, "/quantity"),
        ({"quantity": True}, "/quantity"),
        ({"quantity": None}, "/quantity"),
        ({"quantity": 0}, "/quantity"),
        ({"quantity": -1}, "/quantity"),
        ({"quantity": 10**30}, "/quantity"),
        ({"terms_hash": "ABC"}, "/terms_hash"),
        ({"confirmation_token": ""}, "/confirmation_token"),
        ({"confirmation_token": "x" * 300}, "/confirmation_token"),
        ({"unit_price_minor": 1}, "/unit_price_minor"),
        ({"participant_id": str(uuid4())}, "/participant_id"),
    ],
)
async def test_a_field_that_does_not_fit_is_named(
    stage: Stage, joined: Any, changes: dict[str, Any], pointer: str
) -> None:
    client, path, terms_hash = joined
    answer = await refused(stage, client, path, body(terms_hash, **changes))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "validation_failed")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


async def test_missing_fields_are_all_named_at_once(stage: Stage, joined: Any) -> None:
    client, path, _ = joined
    problem = (await refused(stage, client, path, {})).json()
    assert {error["pointer"] for error in problem["errors"]} == {"/quantity", "/terms_hash", "/confirmation_token"}


@pytest.mark.parametrize("text", ["\\u0000", "before\\u0000after", "\\ud800"])
async def test_text_that_cannot_be_stored_is_refused(stage: Stage, joined: Any, text: str) -> None:
    client, path, terms_hash = joined
    raw = json.dumps(body(terms_hash)).replace("ctoken_ok", text)
    answer = await refused(stage, client, path, raw)
    assert answer.json()["code"] in {"validation_failed", "malformed_request"}


async def test_a_secret_does_not_come_back_in_a_problem(stage: Stage, joined: Any) -> None:
    client, path, terms_hash = joined
    answer = await refused(stage, client, path, body(terms_hash, confirmation_token="ctoken_secret" * 40))
    assert "ctoken_secret" not in answer.text


async def test_a_body_of_another_kind_is_malformed(stage: Stage, joined: Any) -> None:
    client, path, terms_hash = joined
    answer = await refused(stage, client, path, body(terms_hash), **{"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["facts"]) == (400, {"content_type": "application/json"})


async def test_a_body_beyond_the_limit_is_refused_with_and_without_its_length(stage: Stage, joined: Any) -> None:
    client, path, terms_hash = joined
    big = json.dumps(body(terms_hash, confirmation_token="x" * (BODY_BYTES_MAX + 1)))
    answer = await refused(stage, client, path, big)
    assert (answer.status_code, answer.json()["facts"]) == (413, {"bytes_max": BODY_BYTES_MAX})

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(big), 8_192):
            yield big[start : start + 8_192].encode()

    streamed = await client.post(path, content=pieces(), headers={"Idempotency-Key": uuid4().hex})
    assert (streamed.status_code, streamed.json()["code"]) == (413, "payload_too_large")


@pytest.mark.parametrize(
    "path", [f"/v1/campaigns/{NOBODYS_ID}/commitments", "/v1/campaigns/1/commitments", "/v1/campaigns/../commitments"]
)
async def test_a_campaign_that_does_not_exist_is_not_found(stage: Stage, joined: Any, path: str) -> None:
    client, _, terms_hash = joined
    answer = await refused(stage, client, path, body(terms_hash))
    assert (answer.status_code, answer.json()["code"]) in {(404, "not_found"), (405, "method_not_allowed")}


@pytest.mark.parametrize("act", ["payment", "withdrawal", "issues"])
async def test_somebody_elses_commitment_is_not_found(stage: Stage, joined: Any, act: str) -> None:
    client, _, _ = joined
    content = {"payment": {"confirmation_token": "ctoken_x"}, "withdrawal": {}, "issues": {"description": "broken"}}
    answer = await refused(stage, client, f"/v1/commitments/{uuid4()}/{act}", content[act])
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_an_address_that_is_none_is_not_found_and_a_wrong_method_is_told(stage: Stage, joined: Any) -> None:
    client, path, _ = joined
    for unknown in ("/v1", "/v1/", "/v1/nothing", "/v1/campaigns/", "/v1/commitments/not-an-id"):
        answer = await client.get(unknown)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), unknown
    wrong = await client.put(path, json={})
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert wrong.headers["allow"] == "GET, POST"
    elsewhere = await client.get("/v1/float/top-ups")
    assert (elsewhere.status_code, elsewhere.headers["allow"]) == (405, "POST")
    for method, status in (("HEAD", 200), ("OPTIONS", 405)):
        assert (await client.request(method, "/v1/me")).status_code == status


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/campaigns?state=NOWHERE", 422),
        ("/v1/campaigns?limit=0", 422),
        ("/v1/campaigns?limit=201", 422),
        ("/v1/campaigns?limit=many", 422),
        ("/v1/campaigns?cursor=%00", 400),
        ("/v1/commitments?state=locked", 422),
        ("/v1/operations?ids=", 422),
        ("/v1/operations?ids=one,two", 422),
        ("/v1/operations", 422),
    ],
)
async def test_a_list_asked_for_wrongly_is_refused(stage: Stage, joined: Any, path: str, status: int) -> None:
    client, _, _ = joined
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.json()["code"] in {"validation_failed", "malformed_request"}


async def test_every_answer_names_its_request_and_keeps_the_browser_safe(stage: Stage, joined: Any) -> None:
    client, path, _ = joined
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
    for answer in (
        await client.get("/v1/me", headers={"X-Request-Id": "mine-1", "traceparent": trace}),
        await client.post(path, content="{", headers={"X-Request-Id": "mine-1", "traceparent": trace}),
    ):
        assert answer.headers["x-request-id"] == "mine-1"
        assert answer.headers["traceparent"].split("-")[1] == trace.split("-")[1]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] in {"private, no-store", "no-store"}
    forged = await client.get("/v1/me", headers={"X-Request-Id": "a b<script>"})
    assert "script" not in forged.headers["x-request-id"]


async def test_past_the_bound_nobody_waits_and_nothing_is_stored(stage: Stage, joined: Any) -> None:
    client, path, terms_hash = joined
    headers = {"Prefer": "wait=3"}
    waiting = [
        asyncio.create_task(
            client.post(path, json=body(terms_hash), headers=headers | {"Idempotency-Key": uuid4().hex})
        )
        for _ in range(2)
    ]
    for _ in range(200):
        stored = await stage.rows("SELECT count(*) AS count FROM operation")
        if stored[0].count == 2:
            break
        await asyncio.sleep(0.02)
    key = uuid4().hex
    turned_away = await client.post(path, json=body(terms_hash), headers=headers | {"Idempotency-Key": key})
    assert (turned_away.status_code, turned_away.json()["code"]) == (503, "too_many_waiting")
    assert turned_away.headers["retry-after"] == "1"
    not_waiting = await client.post(
        path, json=body(terms_hash), headers={"Idempotency-Key": key, "Prefer": "respond-async, wait=0"}
    )
    assert not_waiting.status_code == 202
    assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [202, 202]
    assert {UUID(answer.result().json()["id"]).version for answer in waiting} == {5}
