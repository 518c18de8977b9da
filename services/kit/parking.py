"""Messages that wait: a gap before them, an unknown subject, a blocked stream, or a failure of their own (poison).

Nothing is dropped: a parked row keeps headers and body until it is handled or two people discard it; a copy of poison
goes to the consumer's `.dead` topic for people. What it cannot do is mend a message.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.envelope import Envelope
from contracts.topics import dead_topic
from services.kit import telemetry
from services.kit.buffers import OutboxRow
from services.kit.database import is_transient, sql
from services.kit.gate import Gate, lock, store
from services.kit.received import Received, Unreadable
from services.kit.service import Service
from services.kit.transaction import begin, finish_work, make_work
from services.kit.work import Work

if TYPE_CHECKING:
    from services.kit.batch import BatchHandler

ATTEMPTS_MAX = 3
"""Tries of a message that fails by itself, crashes of the process counted, before it is parked as poison."""
DRAIN_ROWS_MAX = 500
ERROR_CHARACTERS_MAX = 2000

log = telemetry.logger("kit.parking")

_PARK = sql(
    "INSERT INTO parked (consumer, message_id, stream, seq, topic, key, headers, payload, reason, error) "
    "VALUES (:consumer, :id, :stream, :seq, :topic, :key, CAST(:headers AS jsonb), :payload, :reason, :error) "
    "ON CONFLICT (consumer, message_id) DO UPDATE SET "
    "reason = CASE WHEN EXCLUDED.reason = 'poison' THEN 'poison' ELSE parked.reason END, "
    "error = COALESCE(EXCLUDED.error, parked.error)"
)


async def park(work: Work, consumer: str, received: Received, *, reason: str, error: str | None = None) -> None:
    """Keep a message for later. A message parked already stays as it is."""
    envelope = received.envelope
    await _insert(
        work.connection,
        consumer,
        identity=envelope.id,
        envelope=envelope,
        topic=received.topic,
        body=received.body,
        reason=reason,
        error=error,
    )


async def _insert(
    connection: AsyncConnection,
    consumer: str,
    *,
    identity: UUID,
    envelope: Envelope,
    topic: str,
    body: bytes | None,
    reason: str,
    error: str | None,
) -> None:
    await connection.execute(
        _PARK,
        {
            "consumer": consumer,
            "id": identity,
            "stream": envelope.stream,
            "seq": envelope.seq,
            "topic": topic,
            "key": envelope.key,
            "headers": json.dumps(envelope.to_headers()),
            "payload": body,
            "reason": reason,
            "error": error[:ERROR_CHARACTERS_MAX] if error else None,
        },
    )


async def unpark(work: Work, consumer: str, ids: Sequence[UUID]) -> None:
    """Remove messages that are handled now."""
    await work.connection.execute(
        sql("DELETE FROM parked WHERE consumer = :consumer AND message_id = ANY(CAST(:ids AS uuid[]))"),
        {"consumer": consumer, "ids": list(ids)},
    )


async def poison(work: Work, service: Service, received: Received, gate: Gate | None, error: str) -> None:
    """A message cannot be handled: park it, open a case, and block, mark stale or skip its stream by the policy."""
    envelope = received.envelope
    consumer = service.consumer
    await park(work, consumer, received, reason="poison", error=error)
    if gate is not None:
        if service.poison_policy == "skip":
            gate.advance(envelope)
        else:
            gate.set_state("blocked")
    blocking = gate is not None and service.poison_policy == "block"
    work.for_cause(envelope).open_case(
        "poison",
        scope=envelope.key,
        subject=f"{consumer}/{envelope.stream or envelope.id}",
        severity="critical" if blocking else "high",
        blocking=blocking,
        facts={"message_id": str(envelope.id), "type": envelope.type, "seq": envelope.seq, "error": error[:200]},
    )
    work.buffers.outbox.append(_dead_copy(consumer, envelope, received.body))
    telemetry.error_span(f"poison {envelope.type}", envelope)
    log.error("kit.message.poison", consumer=consumer, type=envelope.type, message_id=str(envelope.id))


def _dead_copy(consumer: str, envelope: Envelope, body: bytes | None) -> OutboxRow:
    """A copy for people, a new one each time the message fails; nothing decides by it."""
    headers = envelope.to_headers()
    for name in ("stream", "seq"):
        headers.pop(name, None)
    return OutboxRow(
        message_id=uuid4(),
        topic=dead_topic(consumer.split("-")[0]),
        key=envelope.key,
        type=envelope.type,
        stream=None,
        seq=None,
        headers=headers,
        payload=(body or b"").decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")[:100_000],
    )


async def park_unreadable(owner: BatchHandler, record: Unreadable) -> None:
    """A record whose headers are not ours: parked by its place, with a case; nothing else waits for it."""
    service = owner.service
    envelope = Envelope(
        id=record.id, type="unreadable", source=record.topic, time=telemetry.EPOCH, key=record.key or "unreadable"
    )
    async with begin(owner.engine, service) as connection:
        work = await make_work(connection, service, [envelope.key])
        await poison(work, service, Received(record.topic, envelope, record.body), None, record.error)
        await finish_work(work, service)


async def count_attempt(owner: BatchHandler, identity: UUID) -> int:
    """Commit one more try of a message before it is made; returns the count."""
    async with owner.engine.begin() as connection:
        return int(
            (
                await connection.execute(
                    sql(
                        "INSERT INTO attempt (consumer, message_id, count) VALUES (:consumer, :id, 1) "
                        "ON CONFLICT (consumer, message_id) DO UPDATE SET count = attempt.count + 1 RETURNING count"
                    ),
                    {"consumer": owner.service.consumer, "id": identity},
                )
            ).scalar_one()
        )


async def fail_alone(owner: BatchHandler, received: Received, error: BaseException) -> None:
    """A message failed by itself: try again up to the bound, then park it as poison."""
    last = error
    while await count_attempt(owner, received.envelope.id) < ATTEMPTS_MAX:
        try:
            owner._committed(await owner._apply_once([received], from_parked=False))
        except Exception as again:
            if is_transient(again):
                raise
            last = again
        else:
            return
    await park_poison(owner, received, f"{type(last).__name__}: {last}")


async def park_poison(owner: BatchHandler, received: Received, error: str) -> None:
    """Park one message as poison in a transaction of its own."""
    service, envelope = owner.service, received.envelope
    async with begin(owner.engine, service) as connection:
        gates = await lock(connection, service.consumer, {envelope.stream} if envelope.stream else set())
        work = await make_work(connection, service, [envelope.key])
        gate = gates.get(envelope.stream or "")
        if gate is None or gate.judge(envelope) == "handle":
            await poison(work, service, received, gate, error)
            if gate is None:
                await _mark_handled(connection, service.consumer, envelope.id)
        else:
            await park(work, service.consumer, received, reason="behind")
        await finish_work(work, service)
        await store(connection, service.consumer, gates.values())


async def _mark_handled(connection: AsyncConnection, consumer: str, identity: UUID) -> None:
    await connection.execute(
        sql("INSERT INTO inbox (consumer, message_id) VALUES (:consumer, :id) ON CONFLICT DO NOTHING"),
        {"consumer": consumer, "id": identity},
    )


async def apply_suspects(owner: BatchHandler, batch: Sequence[Received]) -> None:
    """The first batch after a start. Messages tried before (a crash came in between) are taken one by one, each try
    counted before it is made; the rest is counted once and applied together."""
    ids = [received.envelope.id for received in batch]
    async with owner.engine.begin() as connection:
        rows = await connection.execute(
            sql(
                "SELECT message_id, count AS tries FROM attempt "
                "WHERE consumer = :consumer AND message_id = ANY(CAST(:ids AS uuid[]))"
            ),
            {"consumer": owner.service.consumer, "ids": ids},
        )
        counts: dict[UUID, int] = {row.message_id: row.tries for row in rows}
        await connection.execute(
            sql(
                "INSERT INTO attempt (consumer, message_id, count) SELECT :consumer, id, 1 "
                "FROM unnest(CAST(:ids AS uuid[])) AS id ON CONFLICT DO NOTHING"
            ),
            {"consumer": owner.service.consumer, "ids": list(dict.fromkeys(ids))},
        )
    if not counts:
        await owner.apply_halving(batch)
    else:
        for received in batch:
            if counts.get(received.envelope.id, 0) >= ATTEMPTS_MAX:
                await park_poison(owner, received, "the process ended three times while this message was handled")
                continue
            await count_attempt(owner, received.envelope.id)
            await owner.apply_halving([received])
            await _forget_attempts(owner, [received.envelope.id])
    await _forget_attempts(owner, ids)


async def _forget_attempts(owner: BatchHandler, ids: Sequence[UUID]) -> None:
    """These messages are handled: their tries count no more, whatever a later message of the batch does."""
    async with owner.engine.begin() as connection:
        await connection.execute(
            sql("DELETE FROM attempt WHERE consumer = :consumer AND message_id = ANY(CAST(:ids AS uuid[]))"),
            {"consumer": owner.service.consumer, "ids": list(ids)},
        )


async def drain(owner: BatchHandler, stream: str) -> None:
    """Try the parked messages of a stream in sequence, as far as they go."""
    async with owner.engine.connect() as connection:
        rows = (
            await connection.execute(
                sql(
                    "SELECT topic, key, headers, payload FROM parked "
                    "WHERE consumer = :consumer AND stream = :stream AND discard_approved_by IS NULL "
                    "ORDER BY seq LIMIT :rows_max"
                ),
                {"consumer": owner.service.consumer, "stream": stream, "rows_max": DRAIN_ROWS_MAX},
            )
        ).all()
    await apply_rows(owner, [received_of(row) for row in rows])


async def apply_rows(owner: BatchHandler, waiting: Sequence[Received]) -> None:
    """Apply parked messages together; if that fails, one by one, and the one that fails is poison (again)."""
    if not waiting:
        return
    try:
        await owner.apply_parked(waiting)
    except Exception as error:
        if is_transient(error):
            return
        if len(waiting) == 1:
            await _block_again(owner, waiting[0], error)
            return
        for received in waiting:
            try:
                await owner.apply_parked([received])
            except Exception as single:
                if not is_transient(single):
                    await _block_again(owner, received, single)
                return


async def _block_again(owner: BatchHandler, received: Received, error: BaseException) -> None:
    service, envelope = owner.service, received.envelope
    async with begin(owner.engine, service) as connection:
        gates = await lock(connection, service.consumer, {envelope.stream} if envelope.stream else set())
        work = await make_work(connection, service, [envelope.key])
        for gate in gates.values():
            gate.reopen()
        await poison(work, service, received, gates.get(envelope.stream or ""), f"{type(error).__name__}: {error}")
        await finish_work(work, service)
        await store(connection, service.consumer, gates.values())


def received_of(row: Any) -> Received:
    """A parked row as a received message."""
    return Received(row.topic, Envelope.from_headers(row.headers, key=row.key), row.payload)
