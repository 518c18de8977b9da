"""Erase a person: recorded at once, carried out when nothing of theirs is open any more, by a sweep of the gateway.

A request rests for a while first, so that it can be taken back, and so that everything the person has just done is seen
by the read model that it is judged by. Carrying it out is one transaction: the key, the rows, the sessions, the tombstone
that makes the other services erase theirs, and the audit record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contracts.envelope import PLATFORM_SCOPE, SYSTEM, Envelope
from contracts.gateway import PersonRecorded
from services.gateway.auth.identity import Identity
from services.gateway.auth.people import PEOPLE_TOPIC
from services.gateway.auth.sessions import Sessions
from services.gateway.store import erasures
from services.gateway.store.operations import read_clock
from services.gateway.store.own_records import OwnRecord, record
from services.gateway.store.read_model import ReadModel, Row
from services.kit import telemetry
from services.kit.buffers import OutboxRow
from services.kit.clock import wall_now
from services.kit.database import DATABASE_ERRORS
from services.kit.flush import insert_outbox

SWEEP_SECONDS = 30.0

log = telemetry.logger("gateway.erasure")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person's erasure stands: when it was asked for, when it may be carried out at the earliest (wall time), and
    what it waits for."""

    requested_at: datetime | None
    not_before: datetime | None
    waits_for: Sequence[Row]


class Erasure:
    """Takes requests and carries them out. One per process; several gateways never carry out one request twice."""

    def __init__(
        self,
        engine: AsyncEngine,
        reads: ReadModel,
        sessions: Sessions,
        *,
        rest_seconds: float,
        kick: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._reads = reads
        self._sessions = sessions
        self._rest = timedelta(seconds=rest_seconds)
        self._kick = kick

    async def request(self, identity: Identity, traceparent: str | None) -> Standing:
        """Record a person's request; a second one changes nothing."""
        now = wall_now()
        async with self._engine.begin() as connection:
            subject_id = identity.subject_id
            if await erasures.insert_request(connection, subject_id, now=now, not_before=now + self._rest):
                asked = _told("person.erasure_requested", subject_id, "none", "requested")
                await record(connection, asked, identity=identity, traceparent=traceparent)
        return await self.standing(identity.subject_id)

    async def withdraw(self, identity: Identity, traceparent: str | None) -> bool:
        """Take a request back; False when there is none."""
        async with self._engine.begin() as connection:
            found = await erasures.delete_request(connection, identity.subject_id)
            if found:
                told = _told("person.erasure_withdrawn", identity.subject_id, "requested", "none")
                await record(connection, told, identity=identity, traceparent=traceparent)
        return found

    async def standing(self, subject_id: UUID) -> Standing:
        """Where a person's erasure stands; what it would wait for is told before it is asked for, too."""
        async with self._engine.connect() as connection:
            row: Any = await erasures.request_of(connection, subject_id)
        found = await erasures.waits(self._reads, subject_id)
        return Standing(row.requested_at if row else None, row.not_before if row else None, found)

    async def run(self, stopping: asyncio.Event) -> None:
        """Sweep until told to stop."""
        while not stopping.is_set():
            try:
                await self.step()
            except DATABASE_ERRORS as error:
                log.warning("gateway.erasure.later", error=type(error).__name__)
            try:
                await asyncio.wait_for(stopping.wait(), timeout=self._sweep_seconds())
            except TimeoutError:
                continue

    def _sweep_seconds(self) -> float:
        return min(SWEEP_SECONDS, max(0.1, self._rest.total_seconds()))

    async def step(self) -> int:
        """Carry out what is due and waits for nothing; returns how many people were erased."""
        async with self._engine.connect() as connection:
            due = await erasures.due_requests(connection, now=wall_now())
        erased = 0
        for subject_id in due:
            if not await erasures.waits(self._reads, subject_id):
                erased += await self._carry_out(subject_id)
        return erased

    async def _carry_out(self, subject_id: UUID) -> bool:
        now = wall_now()
        async with self._engine.begin() as connection:
            if not await erasures.lock_request(connection, subject_id):
                return False
            if await erasures.newest_act(connection, subject_id, since=now - self._rest):
                return False
            hashes = await erasures.erase_rows(connection, subject_id, now=now)
            await insert_outbox(connection, [await _tombstone(connection, subject_id)])
            await record(connection, _told("person.erased", subject_id, "requested", "erased"), identity=None)
            for hashed in hashes:
                await self._sessions.tell_ended(connection, hashed)
        for hashed in hashes:
            self._sessions.forget(hashed)
        self._kick()
        log.info("gateway.erasure.done", sessions=len(hashes))
        return True


def _told(action: str, subject_id: UUID, before: str, after: str) -> OwnRecord:
    return OwnRecord(action, PLATFORM_SCOPE, str(subject_id), {"erasure": before}, {"erasure": after})


async def _tombstone(connection: AsyncConnection, subject_id: UUID) -> OutboxRow:
    """An empty record under the person's key: whoever kept something of the person destroys it, and compaction removes
    what the topic held before."""
    clock = await read_clock(connection)
    key = str(subject_id)
    envelope = Envelope(id=uuid4(), type=PersonRecorded.type, source="gateway", time=clock.now, key=key, actor=SYSTEM)
    return OutboxRow(
        message_id=envelope.id, topic=PEOPLE_TOPIC, key=key, type=envelope.type, stream=None, seq=None,
        headers=envelope.to_headers(), payload="",
    )  # fmt: skip
