"""Durable deadlines: a row written with the state, acted on 60 s of stack time after it is due, re-checked by its handler.

Claimed under the scope's head lock, so that a deadline and a message about the same campaign are decided one after the
other. Two instances may both see a due row; only one settles it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.envelope import SYSTEM, Envelope, derived_id
from services.kit import telemetry
from services.kit.database import is_transient, retry_delay_seconds, sql
from services.kit.service import Deadline, Service
from services.kit.transaction import begin, finish_work, make_work

DUE_ROWS_MAX = 200
IDLE_POLL_SECONDS = 0.5
FAILURES_MAX = 3

log = telemetry.logger("kit.deadlines")

_DUE = sql(
    "SELECT id, scope FROM deadline WHERE settled_at IS NULL AND acts_at <= (SELECT stack_now()) ORDER BY acts_at LIMIT :rows_max"
)
_CLAIM = sql(
    "SELECT id, kind, scope, subject, due_at, payload, traceparent, correlation_id, stack_now() AS now FROM deadline "
    "WHERE id = ANY(CAST(:ids AS uuid[])) AND settled_at IS NULL AND acts_at <= (SELECT stack_now()) "
    "ORDER BY due_at, id FOR UPDATE SKIP LOCKED"
)


class Deadlines:
    """Acts on due deadlines of one service."""

    def __init__(self, service: Service, engine: AsyncEngine, *, after_commit: Callable[[], None]) -> None:
        self.service = service
        self.engine = engine
        self.after_commit = after_commit
        self._failures: dict[str, int] = {}
        self._kick = asyncio.Event()

    def kick(self) -> None:
        """The clock may have been moved."""
        self._kick.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Look for due deadlines until told to stop."""
        attempt = 0
        while not stopping.is_set():
            try:
                acted = await self.step()
                attempt = 0
            except Exception as error:
                if not is_transient(error):
                    raise
                attempt += 1
                await asyncio.sleep(retry_delay_seconds(attempt))
                continue
            if acted == 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._kick.wait(), timeout=IDLE_POLL_SECONDS)
                self._kick.clear()

    async def step(self) -> int:
        """Act on what is due now, in one transaction; a deadline that fails by itself becomes a case."""
        async with self.engine.connect() as connection:
            due = (await connection.execute(_DUE, {"rows_max": DUE_ROWS_MAX})).all()
        if not due:
            return 0
        try:
            return await self._act([row.id for row in due], {row.scope for row in due})
        except Exception as error:
            if is_transient(error) or len(due) == 1:
                if not is_transient(error):
                    return await self._failed(due[0], error)
                raise
        acted = 0
        for row in due:
            try:
                acted += await self._act([row.id], {row.scope})
            except Exception as error:
                if is_transient(error):
                    raise
                acted += await self._failed(row, error)
        return acted

    async def _act(self, ids: list[object], scopes: set[str]) -> int:
        async with begin(self.engine, self.service) as connection:
            work = await make_work(connection, self.service, scopes)
            rows = (await connection.execute(_CLAIM, {"ids": ids})).all()
            for row in rows:
                work.for_cause(self._envelope(row))
                if self.service.on_deadline is not None:
                    await self.service.on_deadline(
                        work, Deadline(row.id, row.kind, row.scope, row.subject, row.due_at, row.payload)
                    )
            await connection.execute(
                sql(
                    "UPDATE deadline SET settled_at = :now, outcome = 'acted' "
                    "WHERE id = ANY(CAST(:ids AS uuid[])) AND acts_at <= :now"
                ),
                {"now": work.now, "ids": [row.id for row in rows]},
            )
            await finish_work(work, self.service)
        self.after_commit()
        return len(rows)

    def _envelope(self, row: object) -> Envelope:
        due_at = row.due_at  # type: ignore[attr-defined]
        return Envelope(
            id=derived_id(row.id, f"due:{due_at.isoformat()}"),  # type: ignore[attr-defined]
            type=f"{self.service.name}.deadline.{row.kind}",  # type: ignore[attr-defined]
            source=self.service.name,
            time=row.now,  # type: ignore[attr-defined]
            key=row.scope,  # type: ignore[attr-defined]
            correlation_id=row.correlation_id,  # type: ignore[attr-defined]
            actor=SYSTEM,
            traceparent=row.traceparent,  # type: ignore[attr-defined]
        )

    async def _failed(self, row: object, error: BaseException) -> int:
        identity = row.id  # type: ignore[attr-defined]
        count = self._failures.get(str(identity), 0) + 1
        self._failures[str(identity)] = count
        log.error("kit.deadline.failed", service=self.service.name, error=f"{type(error).__name__}: {error}"[:500])
        if count < FAILURES_MAX:
            await asyncio.sleep(retry_delay_seconds(count))
            return 0
        async with begin(self.engine, self.service) as connection:
            scope = row.scope  # type: ignore[attr-defined]
            work = await make_work(connection, self.service, [scope])
            rows = (await connection.execute(_CLAIM, {"ids": [identity]})).all()
            for claimed in rows:
                work.for_cause(self._envelope(claimed)).open_case(
                    "deadline_failed",
                    scope=scope,
                    subject=f"{claimed.kind}/{claimed.subject}",
                    severity="critical",
                    facts={"kind": claimed.kind, "error": type(error).__name__},
                )
            await connection.execute(
                sql("UPDATE deadline SET settled_at = stack_now(), outcome = 'failed' WHERE id = :id"),
                {"id": identity},
            )
            await finish_work(work, self.service)
        self.after_commit()
        return len(rows)
