"""The kit's promises over the real broker: sequence per stream, two relays, a stale relay, redelivery after a crash."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from asyncpg import InterfaceError
from sqlalchemy import text

from contracts.campaigns import TargetReached
from contracts.envelope import Envelope
from contracts.suppliers import DeliveryCompleted
from services.kit.create_topics import create_topics
from services.kit.intents import Executor
from services.kit.relay import Relay, TopicAheadError
from services.kit.runtime import Runtime
from services.kit.service import Answer, Intent, Purpose
from services.kit.settings import KitSettings
from services.kit.statements import fetch
from services.kit.transaction import work_on
from tests.fixtures.harness import SYSTEM, Harness
from tests.fixtures.infra import PARTS
from tests.fixtures.kit_service import CALLS, KIT_SERVICE, SWITCH, Calls, kit_database

WAIT_SECONDS_MAX = 20


@pytest_asyncio.fixture
async def kit() -> AsyncIterator[Harness]:
    SWITCH.update(mended=False, known=False)
    harness = Harness(KIT_SERVICE, await kit_database())
    yield harness
    await harness.close()


@pytest_asyncio.fixture
async def prefix() -> str:
    made = f"t{uuid4().hex[:8]}."
    await create_topics(PARTS.infra.kafka_bootstrap, prefix=made)
    return made


def relay(kit: Harness, prefix: str, instance: str, **fields: Any) -> Relay:
    return Relay(
        service="campaigns",
        direct=kit.direct,
        bootstrap=PARTS.infra.kafka_bootstrap,
        instance=instance,
        prefix=prefix,
        **fields,
    )


async def test_a_statement_by_the_driver_stands_and_falls_with_the_transaction_it_is_in(kit: Harness) -> None:
    admit = "INSERT INTO inbox (consumer, message_id) VALUES (:consumer, :id) RETURNING message_id"
    first, second = uuid4(), uuid4()

    async def give_up_in(transaction: Any) -> None:
        async with transaction as connection:
            await fetch(connection, admit, consumer="driver", id=second)
            raise ZeroDivisionError

    async with kit.engine.begin() as connection:
        await fetch(connection, admit, consumer="driver", id=first)
    for transaction in (kit.engine.begin(), kit.direct.transaction()):
        with pytest.raises(ZeroDivisionError):
            await give_up_in(transaction)
    kept = await kit.direct.fetch("SELECT message_id FROM inbox WHERE consumer = :consumer", consumer="driver")
    assert [row["message_id"] for row in kept] == [first]


async def test_connections_are_used_again_and_no_more_are_opened_than_allowed(kit: Harness) -> None:
    asked = "SELECT pg_backend_pid() AS pid FROM pg_sleep(0.01)"
    answers = await asyncio.gather(*[kit.direct.fetch(asked) for _ in range(6)])
    assert len({rows[0]["pid"] for rows in answers}) == 2
    await kit.direct.close()
    with pytest.raises(InterfaceError):
        await kit.direct.fetch(asked)


async def publish(kit: Harness, campaign: UUID, count: int) -> None:
    """Write events through a Work, each in its own transaction, as a service does."""
    for number in range(count):
        async with work_on(kit.engine, KIT_SERVICE, [str(campaign)]) as work:
            work.for_cause(
                Envelope(id=uuid4(), type="test", source="test", time=work.now, key=str(campaign), actor=SYSTEM)
            )
            work.publish(TargetReached(campaign_id=campaign, held_units=number + 1, target_units=1))


async def read_topic(topic: str) -> list[tuple[str, int, str]]:
    """Every record of a topic as (stream, seq, id), in offset sequence per partition."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=PARTS.infra.kafka_bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        partitions = sorted(consumer.assignment())
        ends = await consumer.end_offsets(partitions)
        wanted, found = sum(ends.values()), []
        while len(found) < wanted:
            for records in (await consumer.getmany(timeout_ms=2000)).values():
                for record in records:
                    headers = {name: value.decode() for name, value in record.headers}
                    found.append((headers["stream"], int(headers["seq"]), headers["ce_id"]))
        return found
    finally:
        await consumer.stop()


def first_occurrences(records: list[tuple[str, int, str]]) -> dict[str, list[int]]:
    seen: dict[str, list[int]] = {}
    for stream, seq, _ in records:
        if seq not in seen.setdefault(stream, []):
            seen[stream].append(seq)
    return seen


async def until(condition: Any) -> None:
    for _ in range(WAIT_SECONDS_MAX * 20):
        if await condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the condition did not come true in time")


async def test_two_relays_keep_the_sequence_of_each_stream(kit: Harness, prefix: str) -> None:
    campaigns = [uuid4() for _ in range(5)]
    stopping = asyncio.Event()
    relays = [relay(kit, prefix, f"instance-{n}", lease_seconds=1) for n in range(2)]
    tasks = [asyncio.create_task(each.run(stopping)) for each in relays]
    await asyncio.gather(*(publish(kit, campaign, 20) for campaign in campaigns))

    async def all_sent() -> bool:
        return (await kit.rows("SELECT count(*) AS n FROM outbox WHERE published_at IS NULL"))[0].n == 0

    await until(all_sent)
    stopping.set()
    await asyncio.gather(*tasks)
    seen = first_occurrences(await read_topic(prefix + "campaigns.events"))
    assert seen == {f"campaigns:{campaign}": list(range(1, 21)) for campaign in campaigns}


async def test_a_standby_takes_over_and_a_stale_relay_marks_nothing(kit: Harness, prefix: str) -> None:
    campaign = uuid4()
    await publish(kit, campaign, 3)
    old, young = relay(kit, prefix, "old", lease_seconds=0.2), relay(kit, prefix, "young", lease_seconds=30)
    assert await old._hold_lease()
    async with kit.engine.connect() as connection:
        ids = [row.id for row in await connection.execute(text("SELECT id FROM outbox"))]
    await asyncio.sleep(0.3)
    assert await young.step() == 3
    async with kit.engine.begin() as connection:
        await connection.execute(text("UPDATE outbox SET published_at = NULL"))
    await old._mark(ids)
    unmarked = await kit.rows("SELECT count(*) AS n FROM outbox WHERE published_at IS NULL")
    assert unmarked[0].n == 3
    old._renewed_at = 0
    assert not await old._hold_lease()
    await young._drop_producer()


async def test_a_relay_refuses_a_topic_that_knows_more_than_its_outbox(kit: Harness, prefix: str) -> None:
    campaign = uuid4()
    await publish(kit, campaign, 2)
    first = relay(kit, prefix, "one")
    assert await first.step() == 2
    await first._drop_producer()
    async with kit.owner.begin() as connection:
        await connection.execute(text("DELETE FROM outbox"))
    await publish(kit, campaign, 1)
    with pytest.raises(TopicAheadError):
        await relay(kit, prefix, "one").step()


async def test_a_running_service_handles_what_lies_in_its_topics_from_the_earliest(kit: Harness, prefix: str) -> None:
    """A service deployed after events exist sees all of them, and what it tells goes out again."""
    campaign = uuid4()
    producer = Harness(KIT_SERVICE, await kit_database())
    batch = [
        producer.wrap(DeliveryCompleted(campaign_id=campaign, supplier_id=uuid4(), delivered=n)) for n in range(1, 31)
    ]
    await _send(prefix, batch)
    settings = KitSettings(
        database_url=kit.database.app,
        kafka=PARTS.infra.kafka_bootstrap,
        kafka_cluster_id=PARTS.infra.kafka_cluster_id,
        kafka_prefix=prefix,
        instance="running",
    )
    running = Runtime(KIT_SERVICE, settings, kit.engine)
    await running.start()
    try:

        async def all_told() -> bool:
            rows = await kit.rows("SELECT count(*) AS n FROM outbox WHERE published_at IS NOT NULL")
            return bool(rows[0].n == 30)

        await until(all_told)
        assert (await running.ready())["broker"]
    finally:
        await running.stop()
        await producer.close()
    assert first_occurrences(await read_topic(prefix + "campaigns.events")) == {
        f"campaigns:{campaign}": list(range(1, 31))
    }


async def _send(prefix: str, batch: list[Any]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=PARTS.infra.kafka_bootstrap)
    await producer.start()
    try:
        for received in batch:
            headers = [(name, value.encode()) for name, value in received.envelope.to_headers().items()]
            await producer.send_and_wait(
                prefix + "suppliers.events", value=received.body, key=received.envelope.key.encode(), headers=headers
            )
    finally:
        await producer.stop()


async def _intend(kit: Harness, campaign: UUID, purpose: str = "probe") -> None:
    async with work_on(kit.engine, KIT_SERVICE, [str(campaign)]) as work:
        work.for_cause(Envelope(id=uuid4(), type="test", source="test", time=work.now, key=str(campaign), actor=SYSTEM))
        work.intend(purpose, object_id=str(campaign), ordinal=1, scope=str(campaign), request={}, secret="hidden")


async def test_an_intent_is_called_once_posted_once_and_forgets_its_secret(kit: Harness) -> None:
    CALLS.__init__()  # type: ignore[misc]
    campaign = uuid4()
    await _intend(kit, campaign)
    published = await kit.execute()
    assert len(CALLS.keys) == 1
    assert [type(each.message) for each in published] == [TargetReached]
    rows = await kit.rows("SELECT state, secret FROM intent")
    assert [(row.state, row.secret) for row in rows] == [("answered", None)]
    assert await kit.execute() == []


async def test_an_intent_without_an_answer_is_tried_again_with_the_same_key(kit: Harness) -> None:
    CALLS.__init__()  # type: ignore[misc]
    CALLS.answers = [Answer("unknown"), Answer("conflict", retry_after_seconds=0), Answer("done")]
    await _intend(kit, uuid4())
    for _ in range(3):
        async with kit.engine.begin() as connection:
            await connection.execute(text("UPDATE intent SET not_before = NULL"))
        await kit.execute()
    assert len(CALLS.keys) == 3
    assert len(set(CALLS.keys)) == 1
    assert CALLS.posted == ["done"]


async def test_an_old_attempt_is_looked_for_before_anything_is_called_again(kit: Harness) -> None:
    CALLS.__init__()  # type: ignore[misc]
    CALLS.answers = [Answer("unknown")]
    await _intend(kit, uuid4())
    await kit.execute()
    await kit.advance(hours=24)
    CALLS.found = Answer("done", {"found": True})
    async with kit.engine.begin() as connection:
        await connection.execute(text("UPDATE intent SET not_before = NULL"))
    await kit.execute()
    assert len(CALLS.keys) == 1
    assert CALLS.posted == ["done"]


async def test_changed_parameters_stop_the_intent_with_a_case(kit: Harness) -> None:
    CALLS.__init__()  # type: ignore[misc]
    CALLS.answers = [Answer("mismatch")]
    await _intend(kit, uuid4())
    await kit.execute()
    assert [row.state for row in await kit.rows("SELECT state FROM intent")] == ["stopped"]
    assert [case.kind for case in await kit.cases()] == ["intent_mismatch"]


async def test_a_stored_error_leads_to_a_new_ordinal(kit: Harness) -> None:
    CALLS.__init__()  # type: ignore[misc]
    CALLS.answers = [Answer("stored_error"), Answer("done")]
    await _intend(kit, uuid4())
    await kit.execute()
    rows = await kit.rows("SELECT ordinal, state FROM intent ORDER BY ordinal")
    assert [(row.ordinal, row.state) for row in rows] == [(1, "stopped"), (2, "answered")]
    assert len(set(CALLS.keys)) == 2


async def test_an_answer_that_asks_to_wait_holds_every_intent_of_its_purpose_and_no_other(kit: Harness) -> None:
    CALLS.__init__()  # type: ignore[misc]
    waiting = Calls()
    waiting.answers = [Answer("retry", retry_after_seconds=0.4)]
    probe = Purpose(waiting.call, waiting.find, waiting.post, calls_per_second=lambda: 20)
    service = replace(KIT_SERVICE, purposes={"mass": probe, **KIT_SERVICE.purposes})
    executor = Executor(service, kit.engine, instance="test", after_commit=lambda: None)
    for purpose in ("mass", "mass", "mass", "mass", "probe"):
        await _intend(kit, uuid4(), purpose)
    await executor.step()
    await executor.idle()
    # The burst of this pace is two calls; one of them was told to wait, so the other two are not even claimed.
    assert (len(waiting.keys), len(CALLS.keys)) == (2, 1)
    assert await executor.step() == 0
    rows = await kit.rows("SELECT attempts, count(*) AS n FROM intent WHERE purpose = 'mass' GROUP BY 1 ORDER BY 1")
    assert [(row.attempts, row.n) for row in rows] == [(0, 2), (1, 2)]

    async def all_called() -> bool:
        await executor.step()
        await executor.idle()
        return waiting.posted == ["done"] * 4

    began = time.monotonic()
    await until(all_called)
    assert time.monotonic() - began > 0.3
    assert len(set(waiting.keys)) == 4


async def test_thousands_that_wait_for_their_pace_hold_up_no_other_call(kit: Harness) -> None:
    CALLS.__init__()  # type: ignore[misc]
    stuck = asyncio.Event()

    async def hang(_: Intent) -> Answer:
        await stuck.wait()
        return Answer("unknown")

    mass = Purpose(hang, CALLS.find, CALLS.post, calls_per_second=lambda: 10_000)
    service = replace(KIT_SERVICE, purposes={"mass": mass, **KIT_SERVICE.purposes})
    executor = Executor(service, kit.engine, instance="test", after_commit=lambda: None)
    for _ in range(2 * service.intents_in_flight_max):
        await _intend(kit, uuid4(), "mass")
    while await executor.step():
        pass
    await _intend(kit, uuid4())
    assert await executor.step() == 1
    stuck.set()
    await executor.idle()
    assert CALLS.posted == ["done"]
