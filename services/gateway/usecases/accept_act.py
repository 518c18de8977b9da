"""Accept acts: store key, operation and commands in one transaction, many acts at once.

Concurrent requests are coalesced: the next transaction takes all acts that arrived while the last one was committed.
Each act keeps its own answer: accepted, repeated, refused because its key was used for another request. It decides no
business rule; the services do, from the commands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.envelope import Actor, Command, canonical_json
from contracts.errors import Rejected
from services.gateway.auth.identity import Identity
from services.gateway.domain.operation import Operation, operation_id, resource_id
from services.gateway.store import operations as store
from services.gateway.usecases.coalesce import Coalescer
from services.gateway.usecases.freeze_addresses import freeze_addresses
from services.kit.outbox import Outgoing, enqueue_commands
from services.kit.statements import Direct, Driver

ACTS_PER_TRANSACTION_MAX = 200
ACTS_QUEUED_MAX = 2_000
TRANSACTIONS_AT_ONCE_MAX = 2
KEY_CHARACTERS_MIN = 8
KEY_CHARACTERS_MAX = 255

Commands = Callable[[Operation], Sequence[Command]]
"""Makes an act's commands, when the number of its payment attempt is known."""


@dataclass(frozen=True)
class Act:
    """An act as asked for: who, what, under which key, and the commands it stands for."""

    identity: Identity
    key: str
    kind: str
    request_hash: bytes
    commands: Commands = field(repr=False)
    resource_id: UUID | None = None
    """What the act is about; None when it creates it, which then has the derived id."""
    campaign_id: UUID | None = None
    baseline: int = 0
    issue_text: str | None = field(default=None, repr=False)
    address_id: UUID | None = None
    """Whose copy is frozen for what the act creates."""
    traceparent: str | None = None

    @cached_property
    def id(self) -> UUID:
        """The operation's id, a function of actor and key."""
        return operation_id(self.identity.subject_id, self.key)

    @cached_property
    def created_id(self) -> UUID:
        """The id of what the act creates, when it creates something."""
        return resource_id(self.id)


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted act; `replayed` when the same request had been accepted before."""

    operation: Operation
    replayed: bool


def check_key(key: str | None) -> str:
    """The Idempotency-Key of a request. Raises Rejected when it is missing or cannot be used."""
    if key is None:
        raise Rejected("idempotency_key_missing")
    fits = KEY_CHARACTERS_MIN <= len(key) <= KEY_CHARACTERS_MAX and all("!" <= character <= "~" for character in key)
    if not fits:
        raise Rejected("idempotency_key_invalid")
    return key


def request_hash(method: str, path: str, body: object) -> bytes:
    """What makes two requests the same: method, address and body, whatever its spacing."""
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), canonical_json(body)))).digest()


class ActWriter:
    """Stores acts. One per process."""

    def __init__(self, direct: Direct, key: Ed25519PrivateKey, *, kick: Callable[[], None]) -> None:
        self._direct = direct
        self._key = key
        self._kick = kick
        self._coalescer: Coalescer[Act, Accepted] = Coalescer(
            self._store,
            batch_max=ACTS_PER_TRANSACTION_MAX,
            queue_max=ACTS_QUEUED_MAX,
            workers=TRANSACTIONS_AT_ONCE_MAX,
        )

    async def accept(self, act: Act) -> Accepted:
        """Store one act. Raises Rejected (clock_moving, idempotency_key_reused, payment_not_expected,
        address_unknown, address_out_of_region)."""
        return await self._coalescer.submit(act)

    async def is_known(self, act: Act) -> bool:
        """Whether an act with this actor and key was accepted before."""
        return act.id in await self.stored([act.id])

    async def stored(self, ids: Sequence[UUID]) -> dict[UUID, store.Stored]:
        """Accepted acts by their ids."""
        async with self._direct.transaction() as connection:
            return await store.stored_operations(connection, ids)

    async def drain(self) -> None:
        """Wait for acts that are being stored."""
        await self._coalescer.drain()

    async def _store(self, acts: Sequence[Act]) -> Sequence[Accepted | Exception]:
        async with self._direct.transaction() as connection:
            clock = await store.hold_clock(connection)
            if clock.paused:
                return [Rejected("clock_moving") for _ in acts]
            answers = await self._store_on(connection, acts, clock.now)
        self._kick()
        return answers

    async def _store_on(self, connection: Driver, acts: Sequence[Act], now: datetime) -> list[Accepted | Exception]:
        unusable = await freeze_addresses(connection, acts, now)
        numbered = await _with_attempts(connection, acts, now)
        wanted: dict[UUID, Operation] = {}
        news: list[store.NewOperation] = []
        for act, operation in zip(acts, numbered, strict=True):
            if operation is not None and operation.id not in wanted and operation.id not in unusable:
                wanted[operation.id] = operation
                news.append(store.NewOperation(operation, act.key, act.request_hash))
        stored = await store.insert_operations(connection, news, now=now) if news else set()
        known_ids = [act.id for act in acts if act.id not in stored]
        known = await store.stored_operations(connection, known_ids) if known_ids else {}
        answers: list[Accepted | Exception] = []
        fresh: list[tuple[Act, Operation]] = []
        for act in acts:
            if act.id in stored:
                stored.discard(act.id)
                fresh.append((act, wanted[act.id]))
                answers.append(Accepted(wanted[act.id], replayed=False))
            elif act.id in unusable:
                answers.append(unusable[act.id])
            else:
                answers.append(_repeated(act, known, fresh))
        await self._enqueue(connection, fresh, now)
        return answers

    async def _enqueue(self, connection: Driver, fresh: Sequence[tuple[Act, Operation]], now: datetime) -> None:
        outgoing: list[Outgoing] = []
        texts: list[tuple[UUID, UUID, str]] = []
        for act, operation in fresh:
            actor = Actor(id=str(act.identity.subject_id), role=act.identity.role)
            for identity, command in zip(operation.command_ids, act.commands(operation), strict=True):
                outgoing.append(
                    Outgoing(
                        id=identity,
                        message=command,
                        actor=actor,
                        received_at=now,
                        correlation_id=operation.id,
                        traceparent=act.traceparent,
                        session=str(act.identity.session_id),
                    )
                )
            if act.issue_text is not None:
                texts.append((operation.resource_id, act.identity.subject_id, act.issue_text))
        if texts:
            await store.insert_issue_texts(connection, texts)
        await enqueue_commands(connection, outgoing, self._key)


async def _with_attempts(connection: Driver, acts: Sequence[Act], now: datetime) -> list[Operation | None]:
    """The operations of these acts; those that pay again get their number, or None when their key is known already or
    no number is left."""
    payments = [act for act in acts if act.kind == "pay_commitment"]
    known = await store.stored_operations(connection, [act.id for act in payments]) if payments else {}
    operations: list[Operation | None] = []
    for act in acts:
        operation = _operation(act, now)
        if act.kind == "pay_commitment":
            number = None if act.id in known else await store.next_attempt(connection, operation.resource_id)
            operations.append(replace(operation, attempt=number) if number is not None else None)
        else:
            operations.append(operation)
    return operations


def _operation(act: Act, now: datetime) -> Operation:
    return Operation(
        id=act.id,
        actor_id=act.identity.subject_id,
        kind=act.kind,
        resource_id=act.resource_id or act.created_id,
        campaign_id=act.campaign_id or (act.created_id if act.kind == "draft_campaign" else None),
        attempt=1,
        baseline=act.baseline,
        received_at=now,
    )


def _repeated(
    act: Act, known: dict[UUID, store.Stored], fresh: Sequence[tuple[Act, Operation]]
) -> Accepted | Exception:
    before = known.get(act.id)
    if before is None:
        twin = next(((other, operation) for other, operation in fresh if other.id == act.id), None)
        if twin is None:
            return Rejected("payment_not_expected")
        before = store.Stored(twin[1], twin[0].request_hash)
    if before.request_hash != act.request_hash:
        return Rejected("idempotency_key_reused")
    return Accepted(before.operation, replayed=True)
