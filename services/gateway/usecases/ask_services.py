"""Questions that a request asks other services, and the answers that come back on `gateway.replies`.

A question is a signed command; its id is what the answer names. Answers are kept by nobody: one that no request here waits
for belongs to another gateway, or came too late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.audit_trail import AuditRecordsShape
from contracts.envelope import Actor, Message, Reply
from contracts.errors import Rejected
from contracts.notices import NoticesTold
from contracts.transparency import CommitmentProven
from services.gateway.auth.identity import Identity
from services.gateway.store.operations import hold_clock
from services.kit.outbox import Outgoing, enqueue_commands

ANSWER_SECONDS_MAX = 10.0

Futures = dict[UUID, "asyncio.Future[Any]"]


class Questions:
    """The questions that are waited for in this process."""

    def __init__(self) -> None:
        self._waiting: Futures = {}

    def take(self, reply: Reply) -> None:
        """Hand an answer to who waits for it."""
        if not isinstance(reply, AuditRecordsShape | NoticesTold | CommitmentProven):
            return
        future = self._waiting.get(reply.question_id)
        if future is not None and not future.done():
            future.set_result(reply)

    @contextmanager
    def waiting(self, identities: Iterable[UUID]) -> Iterator[Futures]:
        """Wait for answers to these questions; ask them inside."""
        loop = asyncio.get_running_loop()
        futures = {identity: loop.create_future() for identity in identities}
        self._waiting.update(futures)
        try:
            yield futures
        finally:
            for identity in futures:
                self._waiting.pop(identity, None)


async def put_questions(
    connection: AsyncConnection,
    key: Ed25519PrivateKey,
    questions: Mapping[UUID, Message],
    identity: Identity,
    *,
    correlation_id: UUID,
    traceparent: str | None = None,
) -> None:
    """Write questions, by their ids, in the caller's transaction as commands of a signed-in account. Raises
    Rejected(clock_moving)."""
    clock = await hold_clock(connection)
    if clock.paused:
        raise Rejected("clock_moving")
    outgoing = [
        Outgoing(
            id=question_id,
            message=message,
            actor=Actor(id=str(identity.subject_id), role=identity.role),
            received_at=clock.now,
            correlation_id=correlation_id,
            traceparent=traceparent,
            session=str(identity.session_id),
        )
        for question_id, message in questions.items()
    ]
    await enqueue_commands(connection, outgoing, key)


async def answered(futures: Futures) -> set[UUID]:
    """Wait for the answers within the bound; the questions that stayed without one."""
    if futures:
        await asyncio.wait(futures.values(), timeout=ANSWER_SECONDS_MAX)
    return {identity for identity, future in futures.items() if not future.done()}
