"""The sweeper: looks after gates that are not open. Drains what may go on, asks for missing events, opens overdue cases."""

from __future__ import annotations

import asyncio
from typing import Any

from contracts.envelope import SYSTEM, Envelope, derived_id, message_class
from contracts.topics import commands_topic
from services.kit import parking, telemetry
from services.kit.batch import BatchHandler
from services.kit.database import is_transient, sql
from services.kit.transaction import begin, finish_work, make_work

SWEEP_SECONDS = 1.0
GAP_PATIENCE_SECONDS = 30
EARLY_CASE_SECONDS = 300
GATES_MAX = 200

log = telemetry.logger("kit.sweeper")

_NOT_OPEN = sql(
    """
    SELECT stream, last_seq, state, extract(epoch FROM clock_timestamp() - state_since) AS seconds,
        extract(epoch FROM clock_timestamp() - republish_asked_at) AS asked_seconds
    FROM gate WHERE consumer = :consumer AND state IN ('gap', 'early', 'resuming') ORDER BY state_since LIMIT :gates_max
    """
)


class Sweeper:
    """Sweeps the gates of one consumer."""

    def __init__(
        self,
        owner: BatchHandler,
        *,
        gap_patience_seconds: float = GAP_PATIENCE_SECONDS,
        early_case_seconds: float = EARLY_CASE_SECONDS,
    ) -> None:
        self.owner = owner
        self.gap_patience_seconds = gap_patience_seconds
        self.early_case_seconds = early_case_seconds

    async def run(self, stopping: asyncio.Event) -> None:
        """Sweep until told to stop."""
        while not stopping.is_set():
            try:
                await self.step()
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("kit.sweeper.transient", error=type(error).__name__)
            await asyncio.sleep(SWEEP_SECONDS)

    async def step(self) -> int:
        """One sweep; returns how many gates were looked at."""
        service = self.owner.service
        async with self.owner.engine.connect() as connection:
            rows = (await connection.execute(_NOT_OPEN, {"consumer": service.consumer, "gates_max": GATES_MAX})).all()
        for row in rows:
            if row.state == "resuming":
                await self._resume(row.stream)
                continue
            await parking.drain(self.owner, row.stream)
            if row.state == "gap" and row.seconds > self.gap_patience_seconds:
                if row.asked_seconds is None or row.asked_seconds > self.gap_patience_seconds:
                    await self._ask_again(row)
            elif row.state == "early" and row.seconds > self.early_case_seconds:
                await self._early_case(row)
        await self._resume_messages()
        return len(rows)

    async def _resume(self, stream: str) -> None:
        """An operator has mended the cause: handle what is parked, from the first; then close the case."""
        service = self.owner.service
        await self._pass_discarded(stream)
        await parking.drain(self.owner, stream)
        async with begin(self.owner.engine, service) as connection:
            state = (
                await connection.execute(
                    sql("SELECT state FROM gate WHERE consumer = :consumer AND stream = :stream FOR UPDATE"),
                    {"consumer": service.consumer, "stream": stream},
                )
            ).scalar_one()
            if state == "blocked":
                return
            await connection.execute(
                sql(
                    "UPDATE gate SET state = 'open', state_since = clock_timestamp() "
                    "WHERE consumer = :consumer AND stream = :stream AND state = 'resuming'"
                ),
                {"consumer": service.consumer, "stream": stream},
            )
            scope = stream.split(":", 1)[1]
            work = await make_work(connection, service, [scope])
            work.for_cause(self._cause(stream, "resumed", work.now))
            for kind in ("poison", "forked_stream", "early_overdue"):
                await work.close_case(kind, subject=f"{service.consumer}/{stream}", resolution="resumed")
            await finish_work(work, service)
        self.owner.after_commit()

    async def _pass_discarded(self, stream: str) -> None:
        """Messages that two people discarded are passed by the gate as if handled."""
        service = self.owner.service
        async with begin(self.owner.engine, service) as connection:
            await connection.execute(
                sql(
                    """
                    UPDATE gate SET last_seq = parked.seq, last_event_id = parked.message_id FROM parked
                    WHERE gate.consumer = :consumer AND gate.stream = :stream AND parked.consumer = gate.consumer
                        AND parked.stream = gate.stream AND parked.seq = gate.last_seq + 1
                        AND parked.discard_approved_by IS NOT NULL
                    """
                ),
                {"consumer": service.consumer, "stream": stream},
            )

    async def _resume_messages(self) -> None:
        """Commands have no stream: those an operator marked as mended are tried again by themselves."""
        service = self.owner.service
        async with self.owner.engine.connect() as connection:
            rows = (
                await connection.execute(
                    sql(
                        "SELECT message_id, topic, key, headers, payload FROM parked WHERE consumer = :consumer "
                        "AND stream IS NULL AND reason = 'behind' AND discard_approved_by IS NULL LIMIT :rows_max"
                    ),
                    {"consumer": service.consumer, "rows_max": GATES_MAX},
                )
            ).all()
        for row in rows:
            await parking.apply_rows(self.owner, [parking.received_of(row)])
            await self._close_if_gone(row)

    async def _close_if_gone(self, row: Any) -> None:
        service = self.owner.service
        async with begin(self.owner.engine, service) as connection:
            left = (
                await connection.execute(
                    sql("SELECT EXISTS (SELECT FROM parked WHERE consumer = :consumer AND message_id = :id)"),
                    {"consumer": service.consumer, "id": row.message_id},
                )
            ).scalar_one()
            if left:
                return
            work = await make_work(connection, service, [row.key])
            work.for_cause(self._cause(f"-:{row.key}", f"resumed:{row.message_id}", work.now))
            await work.close_case("poison", subject=f"{service.consumer}/{row.message_id}", resolution="resumed")
            await finish_work(work, service)
        self.owner.after_commit()

    def _cause(self, stream: str, label: str, now: Any) -> Envelope:
        scope = stream.split(":", 1)[1]
        from_stream = derived_id(telemetry.NAMESPACE, f"{self.owner.service.consumer}/{stream}/{label}/{now}")
        return Envelope(
            id=from_stream, type=f"{self.owner.service.name}.sweep", source=self.owner.service.name,
            time=now, key=scope, actor=SYSTEM,
        )  # fmt: skip

    async def _ask_again(self, row: Any) -> None:
        """Ask the producer of a stream to send the missing events again from its kept outbox."""
        service = self.owner.service
        producer, scope = row.stream.split(":", 1)
        cls: Any = message_class(f"{producer}.republish_events.v1")
        if cls is None:
            return
        async with begin(self.owner.engine, service) as connection:
            first = (
                await connection.execute(
                    sql("SELECT min(seq) FROM parked WHERE consumer = :consumer AND stream = :stream"),
                    {"consumer": service.consumer, "stream": row.stream},
                )
            ).scalar_one()
            if first is None:
                return
            work = await make_work(connection, service, [scope])
            work.for_cause(self._cause(row.stream, f"gap:{row.last_seq}", work.now))
            work.send(
                cls(
                    stream=row.stream, from_seq=row.last_seq + 1, to_seq=max(first - 1, row.last_seq + 1),
                    requested_by=service.consumer,
                ),
                commands_topic(producer),
            )  # fmt: skip
            await connection.execute(
                sql(
                    "UPDATE gate SET republish_asked_at = clock_timestamp() "
                    "WHERE consumer = :consumer AND stream = :stream"
                ),
                {"consumer": service.consumer, "stream": row.stream},
            )
            await finish_work(work, service)
        self.owner.after_commit()

    async def _early_case(self, row: Any) -> None:
        service = self.owner.service
        scope = row.stream.split(":", 1)[1]
        async with begin(self.owner.engine, service) as connection:
            work = await make_work(connection, service, [scope])
            work.for_cause(self._cause(row.stream, "early", work.now)).open_case(
                "early_overdue",
                scope=scope,
                subject=f"{service.consumer}/{row.stream}",
                facts={"last_seq": row.last_seq},
            )
            await finish_work(work, service)
        self.owner.after_commit()
