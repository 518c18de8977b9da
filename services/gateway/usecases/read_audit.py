"""Read the audit records of all services: ask each one, wait for the answers, put them together.

A question is a signed command like every other, so that the services decide again who may read; the answers come back on
`gateway.replies`. That somebody read, and what, is itself recorded. A service that does not answer in time is named; half
a trail is never shown as a whole one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contracts.audit_trail import AUDIT_ROWS_MAX, AuditFilter, AuditRecord, ReadAuditShape
from contracts.envelope import PLATFORM_SCOPE, message_class
from contracts.errors import Rejected
from contracts.topics import SERVICES
from services.gateway.auth.identity import Identity
from services.gateway.domain.audit_pages import Position, Told, merge
from services.gateway.store.own_records import OwnRecord, record
from services.gateway.usecases.ask_services import Questions, answered, put_questions
from services.kit.audit_trail import read_records

READERS_AT_ONCE_MAX = 8
OWN = "gateway"

Row = tuple[str, AuditRecord]


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody wants to read: which records, of which services."""

    identity: Identity
    wanted: AuditFilter
    services: tuple[str, ...] = SERVICES
    traceparent: str | None = None


class AuditTrail:
    """Asks and waits. One per process."""

    def __init__(
        self, engine: AsyncEngine, key: Ed25519PrivateKey, questions: Questions, *, kick: Callable[[], None]
    ) -> None:
        self._engine = engine
        self._key = key
        self._kick = kick
        self._questions = questions
        self._readers = 0

    async def read(self, question: Question, position: Position, *, limit: int) -> tuple[list[Row], Position]:
        """The next records after a position, the newest first, and the position after them.

        Raises Rejected: clock_moving, too_many_waiting, service_unavailable (with the silent services).
        """
        if self._readers >= READERS_AT_ONCE_MAX:
            raise Rejected("too_many_waiting")
        self._readers += 1
        try:
            told = await self._ask(question, position, min(limit, AUDIT_ROWS_MAX))
        finally:
            self._readers -= 1
        return merge(told, position, limit)

    async def _ask(self, question: Question, position: Position, limit: int) -> Mapping[str, Told]:
        asked = [name for name in question.services if name not in position.ended]
        others = {uuid4(): name for name in asked if name != OWN}
        with self._questions.waiting(others) as futures:
            told: dict[str, Told] = {}
            async with self._engine.begin() as connection:
                if OWN in asked:
                    before_id = position.before.get(OWN)
                    told[OWN] = Told(*await read_records(connection, question.wanted, before_id=before_id, limit=limit))
                await self._send(connection, question, others, position, limit)
            self._kick()
            silent = await answered(futures)
            if silent:
                raise Rejected("service_unavailable", silent=sorted(others[identity] for identity in silent))
            for identity, future in futures.items():
                answer = future.result()
                told[others[identity]] = Told(answer.records, answer.more)
            return told

    async def _send(
        self,
        connection: AsyncConnection,
        question: Question,
        others: Mapping[UUID, str],
        position: Position,
        limit: int,
    ) -> None:
        identity, reading = question.identity, uuid4()
        questions = {
            message_id: _question(service)(wanted=question.wanted, before_id=position.before.get(service), limit=limit)
            for message_id, service in others.items()
        }
        await put_questions(
            connection, self._key, questions, identity, correlation_id=reading, traceparent=question.traceparent
        )
        if not position.before:
            wanted = question.wanted.model_dump(mode="json", exclude_none=True)
            read = OwnRecord(
                "audit.read", PLATFORM_SCOPE, str(identity.subject_id), after={"wanted": wanted}, cause_id=reading
            )
            await record(connection, read, identity=identity, traceparent=question.traceparent)


def _question(service: str) -> type[ReadAuditShape]:
    cls = message_class(f"{service}.read_audit.v1")
    if cls is None or not issubclass(cls, ReadAuditShape):
        raise KeyError(f"{service} tells no audit records")
    return cls
