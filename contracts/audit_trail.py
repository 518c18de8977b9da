"""Reading the audit records: the question that the gateway sends each service, and the answer that comes back.

The records stay where they were written and sealed; nobody keeps a copy. Question and answer travel like everything else:
a signed command to the service, a reply that is kept for one day. Records carry random ids only, never a name.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.envelope import Command, Reply, register

AUDIT_SCOPE = "audit"
"""The key of questions and answers, so that no campaign's messages wait for them."""

AUDIT_ROLES: frozenset[str] = frozenset({"escrow_auditor", "risk_analyst", "founder"})
"""Who may read audit records; the gateway and each service hold to it."""

AUDIT_ROWS_MAX = 500
"""Records in one answer."""

Word = Annotated[str, Field(min_length=1, max_length=200)]


class AuditFilter(BaseModel):
    """Which records are asked for; what is None does not matter. `action` is matched from its beginning, so that
    `commitment.` means every record of commitments. `from_at` is inside, `to_at` outside of the span (stack time)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scope: Word | None = None
    subject: Word | None = None
    actor_id: Word | None = None
    actor_role: Word | None = None
    action: Word | None = None
    from_at: datetime | None = None
    to_at: datetime | None = None


class AuditRecord(BaseModel):
    """One record as its service keeps it. `place` and `hash` are its place in the service's chain, None until it is
    sealed, which takes about a second."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int
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


class ReadAuditShape(Command):
    """Tell the audit records that fit a filter, the newest first: at most `limit`, older than the record `before_id`."""

    wanted: AuditFilter
    before_id: Annotated[int, Field(ge=1)] | None = None
    limit: Annotated[int, Field(ge=1, le=AUDIT_ROWS_MAX)] = AUDIT_ROWS_MAX

    @property
    def scope(self) -> str:
        """The message key."""
        return AUDIT_SCOPE


class AuditRecordsShape(Reply):
    """The answer to the question `question_id`. `more`: there are older records that fit."""

    question_id: UUID
    records: tuple[AuditRecord, ...]
    more: bool

    @property
    def scope(self) -> str:
        """The message key."""
        return AUDIT_SCOPE


@register
class CampaignsReadAudit(ReadAuditShape):
    """Ask the campaigns service for audit records."""

    type: ClassVar[str] = "campaigns.read_audit.v1"
    service: ClassVar[str] = "campaigns"


@register
class CampaignsAuditRecords(AuditRecordsShape):
    """Audit records of the campaigns service."""

    type: ClassVar[str] = "campaigns.audit_records.v1"
    service: ClassVar[str] = "campaigns"


@register
class EscrowReadAudit(ReadAuditShape):
    """Ask the escrow service for audit records."""

    type: ClassVar[str] = "escrow.read_audit.v1"
    service: ClassVar[str] = "escrow"


@register
class EscrowAuditRecords(AuditRecordsShape):
    """Audit records of the escrow service."""

    type: ClassVar[str] = "escrow.audit_records.v1"
    service: ClassVar[str] = "escrow"


@register
class SuppliersReadAudit(ReadAuditShape):
    """Ask the suppliers service for audit records."""

    type: ClassVar[str] = "suppliers.read_audit.v1"
    service: ClassVar[str] = "suppliers"


@register
class SuppliersAuditRecords(AuditRecordsShape):
    """Audit records of the suppliers service."""

    type: ClassVar[str] = "suppliers.audit_records.v1"
    service: ClassVar[str] = "suppliers"


@register
class NotificationsReadAudit(ReadAuditShape):
    """Ask the notifications service for audit records."""

    type: ClassVar[str] = "notifications.read_audit.v1"
    service: ClassVar[str] = "notifications"


@register
class NotificationsAuditRecords(AuditRecordsShape):
    """Audit records of the notifications service."""

    type: ClassVar[str] = "notifications.audit_records.v1"
    service: ClassVar[str] = "notifications"
