"""The bodies of answers about audit records."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from services.gateway.schemas.answers import Answer


class AuditRecordView(Answer):
    """One audit record: who did what, when, why, and what it changed. `place` and `hash` stand in the service's chain;
    they are null for about a second, until the record is sealed."""

    id: str
    service: str
    at: datetime
    actor_id: str
    actor_role: str
    action: str
    scope: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str | None
    cause_id: UUID | None
    trace_id: str | None
    place: int | None
    hash: str | None


class AuditRecordList(Answer):
    """A part of the audit records, the newest first."""

    data: list[AuditRecordView]
    next_cursor: str | None
