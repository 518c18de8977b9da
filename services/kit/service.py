"""What a service is to the kit: its topics, its handlers, its intents, its loops. Pure declaration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from contracts.common import CaseClosedShape, CaseOpenedShape
from contracts.envelope import Command, Envelope, Message, message_class
from services.kit.work import Work

if TYPE_CHECKING:
    from services.kit.runtime import Runtime

PoisonPolicy = Literal["block", "stale", "skip"]
"""What becomes of a stream after a message that cannot be handled: a decider blocks it, a projection blocks it and is
marked stale, notifications pass over the message. A case opens each time."""

Outcome = Literal["done", "refused", "retry", "conflict", "mismatch", "stored_error", "unknown"]


@dataclass(frozen=True, slots=True)
class Deadline:
    """A due deadline, as its handler sees it."""

    id: UUID
    kind: str
    scope: str
    subject: str
    due_at: datetime
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said. `done` and `refused` are final and are posted; the rest is tried again or stopped:
    `retry` (asked to wait), `conflict` (the key is in use), `unknown` (no answer came), `stored_error` (an error that the
    key will repeat for ever), `mismatch` (the key was used with other parameters: our bug)."""

    outcome: Outcome
    body: Mapping[str, Any] = field(default_factory=dict)
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """A recorded call to the outside. `str(id)` is its idempotency key; `secret` is gone once it is answered."""

    id: UUID
    purpose: str
    object_id: str
    ordinal: int
    scope: str
    request: Mapping[str, Any]
    secret: str | None
    state: str
    attempts: int
    recorded_at: datetime
    first_attempted_at: datetime | None
    cause_id: UUID | None
    correlation_id: UUID | None
    received_at: datetime | None
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Purpose:
    """How intents of one purpose are called, found again and posted. `call` and `find` run outside any transaction;
    `post` runs in one, with the scope's head locked, and must be a no-op when it is repeated."""

    call: Callable[[Intent], Awaitable[Answer]]
    find: Callable[[Intent], Awaitable[Answer | None]]
    post: Callable[[Work, Intent, Answer], Awaitable[None]]
    runs_while_frozen: bool = False
    calls_per_second: Callable[[], int] | None = None
    """How fast this process may call, read from the settings at the first claim; None: as fast as there is room. Intents of
    a paced purpose leave places free for those of the others, for which people wait."""


Handled = Sequence[tuple[Envelope, Message]]
Handlers = Mapping[type[Message], Callable[[Work, Any], Awaitable[None]]]


@dataclass(frozen=True)
class Service:
    """A service, declared once in its `handlers.py`. See the fields' uses in `kit.batch`, `kit.deadlines`,
    `kit.intents` and `kit.runtime`."""

    name: str
    topics: tuple[str, ...]
    handlers: Handlers = field(default_factory=dict)
    """What is done with a message of each class. A message of a class that is not here passes its gate on its headers
    alone; its body is not read."""
    handle_batch: Callable[[Work, Handled], Awaitable[None]] | None = None
    """Takes every message of a batch, whatever its class, in place of handlers (a projection)."""
    preload: Callable[[Work, Handled], Awaitable[None]] | None = None
    finish: Callable[[Work], Awaitable[None]] | None = None
    scopes_of: Callable[[Envelope, Message], Iterable[str]] | None = None
    on_deadline: Callable[[Work, Deadline], Awaitable[None]] | None = None
    on_committed: Callable[[Work], None] | None = None
    """Called after the commit of a batch, for waking waiters; must not fail and must not wait."""
    on_tombstone: Callable[[Work, str, str], Awaitable[None]] | None = None
    """(work, topic, key): an empty body on a compacted topic, meaning erased."""
    purposes: Mapping[str, Purpose] = field(default_factory=dict)
    preload_answers: Callable[[Work, Sequence[tuple[Intent, Answer]]], Awaitable[None]] | None = None
    """Bulk-load what posting these answers will read."""
    poison_policy: PoisonPolicy = "block"
    head_table: str = "stream_head"
    loops: tuple[Callable[[Runtime], Awaitable[None]], ...] = ()
    intents_in_flight_max: int = 16
    search_path: str | None = None
    """Schema for unqualified names inside this consumer's transactions (a projection's generation)."""
    rest_seconds: float = 0.0
    """How long the consumer rests after each batch, for a service that no waiting person's act goes through."""
    group: str | None = None
    """Consumer group and gate name; the service's name when not given."""

    @property
    def consumer(self) -> str:
        """The consumer group, which is also the name its gates and inbox use."""
        return self.group or self.name

    def concerns(self, message_type: str) -> bool:
        """Whether a message of this type needs more than its gate here: it has a handler, asks something of the kit, or
        tells of a case. A type that this code does not know concerns nobody."""
        known = self._concerns.get(message_type)
        if known is None:
            known = self._concerns[message_type] = self._is_concerned(message_class(message_type))
        return known

    @cached_property
    def _concerns(self) -> dict[str, bool]:
        return {}

    def _is_concerned(self, cls: type[Message] | None) -> bool:
        if cls is None:
            return False
        return (
            self.handle_batch is not None
            or cls in self.handlers
            or issubclass(cls, (Command, CaseOpenedShape, CaseClosedShape))
        )
