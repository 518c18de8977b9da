"""What a Work gathers and the edge writes in bulk: messages, deadlines, intents, cases, audit rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.envelope import Envelope


@dataclass(slots=True)
class OutboxRow:
    """One message to be sent, as it will stand in the outbox."""

    message_id: UUID
    topic: str
    key: str
    type: str
    stream: str | None
    seq: int | None
    headers: dict[str, str]
    payload: str


@dataclass(slots=True)
class DeadlineRow:
    """One deadline to be written."""

    kind: str
    scope: str
    subject: str
    due_at: datetime
    payload: dict[str, Any]
    traceparent: str | None
    correlation_id: UUID | None
    grace_seconds: int


@dataclass(slots=True)
class IntentRow:
    """One intent to be recorded."""

    id: UUID
    purpose: str
    object_id: str
    ordinal: int
    scope: str
    request: dict[str, Any]
    secret: str | None
    cause: Envelope


@dataclass(slots=True)
class Buffers:
    """What a Work has gathered and the edge writes in bulk before the commit."""

    outbox: list[OutboxRow] = field(default_factory=list)
    deadlines: dict[tuple[str, str], DeadlineRow] = field(default_factory=dict)
    unscheduled: set[tuple[str, str]] = field(default_factory=set)
    intents: dict[UUID, IntentRow] = field(default_factory=dict)
    cases: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    audits: list[dict[str, Any]] = field(default_factory=list)


def acts_at(row: DeadlineRow) -> datetime:
    """When a deadline acts: its due moment plus the grace."""
    return row.due_at + timedelta(seconds=row.grace_seconds)
