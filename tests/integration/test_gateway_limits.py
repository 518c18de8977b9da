"""Limits on how often somebody may ask: told in every answer, shared by gateways, never waiting for the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from services.gateway.domain.limits import LIMITS
from services.gateway.problems import ProblemError
from services.gateway.usecases.count_windows import EXCHANGE_SECONDS, WINDOWS_MAX, ExactWindows, GatheredWindows
from services.gateway.usecases.limit_rates import RateLimits
from tests.integration.gateway_support import Stage, gateway_settings, make_stage, serving

pytestmark = pytest.mark.asyncio

SECRET = b"k" * 32
FEW = {"account": "8/hour", "commit": "3/hour", "report": "2/hour", "sign_in_address": "40/hour"}
HOUR = 3600


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage(rate_limits=FEW) as made:
        yield made


@pytest_asyncio.fixture
async def engine(stage: Stage) -> AsyncIterator[AsyncEngine]:
    made = create_async_engine(stage.database.app)
    yield made
    await made.dispose()


async def join(client: httpx.AsyncClient) -> httpx.Response:
    body = {"quantity": 1, "terms_hash": "0" * 64, "confirmation_token": "ctoken_ok"}
    headers = {"Idempotency-Key": uuid4().hex, "Prefer": "wait=0"}
    return await client.post(f"/v1/campaigns/{uuid4()}/commitments", json=body, headers=headers)


async def test_every_answer_tells_what_is_left_and_past_the_limit_when_there_is_more(stage: Stage) -> None:
    client, _ = await stage.participant()
    for left in range(7, -1, -1):
        answer = await client.get("/v1/me")
        assert answer.status_code == 200
        assert answer.headers["ratelimit-policy"] == '"account";q=8;w=3600'
        assert answer.headers["ratelimit"].startswith(f'"account";r={left};t=')
    refused = await client.get("/v1/me")
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (429, "rate_limited")
    seconds = int(refused.headers["retry-after"])
    assert 1 <= seconds <= HOUR
    assert problem["facts"] == {
        "limit": "account", "requests_max": 8, "window_seconds": HOUR, "retry_after_seconds": seconds,
    }  # fmt: skip
    assert refused.headers["ratelimit"] == f'"account";r=0;t={seconds}'
    other, _ = await stage.participant()
    assert (await other.get("/v1/me")).status_code == 200


async def test_joins_have_a_limit_of_their_own_and_a_refused_one_leaves_nothing_behind(stage: Stage) -> None:
    client, _ = await stage.participant()
    assert [(await join(client)).status_code for _ in range(3)] == [404, 404, 404]
    refused = await join(client)
    assert (refused.status_code, refused.json()["facts"]["limit"]) == (429, "commit")
    assert (await client.get("/v1/me")).status_code == 200
    assert await stage.rows("SELECT id FROM operation") == []


async def test_nobody_gets_around_a_limit_by_writing_another_address(stage: Stage) -> None:
    client = stage.client()
    sent = [
        await client.post("/v1/csp-reports", json=[], headers={"X-Forwarded-For": f"203.0.113.{number}"})
        for number in range(3)
    ]
    assert [answer.status_code for answer in sent] == [204, 204, 429]


async def test_gateways_share_what_they_counted(stage: Stage) -> None:
    client, _ = await stage.participant()
    for _ in range(6):
        await client.get("/v1/me")
    await asyncio.sleep(EXCHANGE_SECONDS + 0.5)
    settings = gateway_settings(
        stage.database, stage.settings.kafka_prefix, rate_limits=FEW,
        people_key_gateway=stage.settings.people_key_gateway,
    )  # fmt: skip
    async with serving(settings) as url, httpx.AsyncClient(base_url=url, headers=client.headers) as elsewhere:
        assert (await elsewhere.get("/v1/me")).status_code == 200
        await asyncio.sleep(EXCHANGE_SECONDS + 0.5)
        assert (await elsewhere.get("/v1/me")).headers["ratelimit"].startswith('"account";r=0;')
        assert (await elsewhere.get("/v1/me")).status_code == 429
    # Back here: the first request makes the gateway ask what the other one counted meanwhile.
    assert (await client.get("/v1/me")).status_code == 200
    await asyncio.sleep(EXCHANGE_SECONDS + 0.5)
    assert (await client.get("/v1/me")).status_code == 429


async def test_the_table_names_nobody(stage: Stage) -> None:
    client, subject_id = await stage.participant()
    await client.get("/v1/me")
    await asyncio.sleep(EXCHANGE_SECONDS + 0.5)
    rows = await stage.rows("SELECT key, hits, expires_at FROM rate_window")
    assert rows
    assert {len(bytes(row.key)) for row in rows} == {16}
    assert not [row for row in rows if str(subject_id) in str(row) or "127.0.0.1" in str(row)]


async def test_a_request_is_counted_without_asking_the_database(engine: AsyncEngine) -> None:
    asked: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    limits = RateLimits("production", {}, secret=SECRET)
    limits.use(engine)
    for _ in range(10):
        assert await limits.hit("commit", "somebody") is not None
    with pytest.raises(ProblemError) as refused:
        await limits.hit("commit", "somebody")
    assert refused.value.code == "rate_limited"
    assert asked == []
    await limits.exchange()
    assert len(asked) == 2


async def test_what_a_second_gateway_lets_through_is_bounded_by_one_exchange(engine: AsyncEngine) -> None:
    clock = [1_000_020.0]
    here, there = (GatheredWindows(secret=SECRET, seconds=lambda: clock[0]) for _ in range(2))
    key = uuid4().hex

    async def take(windows: GatheredWindows, times: int) -> int:
        return sum([await windows.acquire_sliding_window_entry(key, 10, 60) for _ in range(times)])

    assert await take(here, 6) == 6
    assert await take(there, 20) == 10
    await here.exchange(engine)
    await there.exchange(engine)
    assert (await take(here, 1), await take(there, 5)) == (1, 0)
    await here.exchange(engine)
    assert await take(here, 5) == 0
    clock[0] += 60
    # The hits of the window before still weigh as much as of it lies within the last minute.
    assert await take(here, 20) == 0
    clock[0] += 50
    assert 0 < await take(here, 20) < 10


async def test_a_count_for_secrets_is_exact_among_many_at_once(engine: AsyncEngine) -> None:
    gateways = [RateLimits("production", {"sign_in_account": "5/hour"}, secret=SECRET) for _ in range(3)]
    for gateway in gateways:
        gateway.use(engine)
    whose = uuid4().hex

    async def attempt(number: int) -> Any:
        return await gateways[number % 3].hit_exactly("sign_in_account", whose)

    ended = await asyncio.gather(*(attempt(number) for number in range(30)), return_exceptions=True)
    assert sum(1 for each in ended if not isinstance(each, BaseException)) == 5
    assert all(isinstance(each, ProblemError) for each in ended if isinstance(each, BaseException))


async def test_without_its_database_a_gateway_counts_alone() -> None:
    nowhere = create_async_engine("postgresql+asyncpg://nobody:x@127.0.0.1:1/none")
    limits = RateLimits("production", {"commit": "2/hour"}, secret=SECRET)
    limits.use(nowhere)
    stopping = asyncio.Event()
    running = asyncio.create_task(limits.run(stopping))
    await limits.hit("commit", "somebody")
    await asyncio.sleep(EXCHANGE_SECONDS + 0.3)
    await limits.hit("commit", "somebody")
    with pytest.raises(ProblemError):
        await limits.hit("commit", "somebody")
    stopping.set()
    await running
    await nowhere.dispose()


async def test_memory_is_bounded_and_what_is_over_is_forgotten(engine: AsyncEngine, stage: Stage) -> None:
    clock = [1_000_000.0]
    windows = GatheredWindows(secret=SECRET, seconds=lambda: clock[0])
    for number in range(WINDOWS_MAX + 10):
        await windows.acquire_sliding_window_entry(str(number), 10, 60)
    assert await windows.reset() == WINDOWS_MAX
    await windows.acquire_sliding_window_entry("x", 10, 60)
    await windows.exchange(engine)
    clock[0] += 1_000
    await stage.execute("UPDATE rate_window SET expires_at = expires_at - interval '1 day' WHERE hits = 1")
    await windows.remove_ended(engine)
    assert await windows.reset() == 0
    remaining = await stage.rows(
        "SELECT count(*) AS count FROM rate_window WHERE expires_at < now() - interval '1 hour'"
    )
    assert remaining[0].count == 0


async def test_an_exact_window_gives_back_what_is_cleared(engine: AsyncEngine) -> None:
    windows = ExactWindows(engine, secret=SECRET)
    key = uuid4().hex
    assert await windows.check()
    assert await windows.acquire_sliding_window_entry(key, 1, HOUR)
    assert not await windows.acquire_sliding_window_entry(key, 1, HOUR)
    await windows.clear_sliding_window(key, HOUR)
    assert await windows.acquire_sliding_window_entry(key, 1, HOUR)


async def test_every_profile_limits_the_same_things_and_production_most() -> None:
    assert LIMITS["production"].keys() == LIMITS["local"].keys() == LIMITS["test"].keys()
    for name, limit in LIMITS["production"].items():
        amount, unit = limit.split("/")
        generous, same = LIMITS["local"][name].split("/")
        assert (unit, int(amount) < int(generous)) == (same, True)
