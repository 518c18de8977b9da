"""The bodies about disputes, for staff."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts.common import Hash
from contracts.disputes import DisputeEvidence, DisputeStatus
from services.gateway.schemas.answers import Answer, MoneyView
from services.gateway.schemas.bodies import Body


class EvidenceSubmissionBody(Body):
    """Send exactly the evidence with this hash to the bank."""

    evidence_hash: Hash


class DisputeView(Answer):
    """A dispute of a payment. `evidence` is what the records say now, `evidence_hash` its hash; `prepared_hash` names
    what was prepared last, and only while both are the same would exactly this be sent. `paper_digest` is the SHA-256 of
    the prepared file, which goes along."""

    id: UUID
    psp_dispute_id: str
    campaign_id: UUID
    commitment_id: UUID
    amount: MoneyView
    state: Literal["open", "won", "lost", "inquiry_closed"]
    status: DisputeStatus
    reason: str
    opened_at: datetime
    evidence_due_by: datetime | None
    evidence_state: Literal["prepared", "submitted", "refused"] | None
    evidence: DisputeEvidence
    evidence_hash: str
    prepared_hash: str | None
    prepared_by: str | None
    submitted_by: str | None
    paper_digest: str | None


class DisputeRow(Answer):
    """A dispute in a list."""

    id: UUID
    campaign_id: UUID
    commitment_id: UUID
    amount: MoneyView
    state: Literal["open", "won", "lost", "inquiry_closed"]
    status: DisputeStatus
    opened_at: datetime
    evidence_due_by: datetime | None
    evidence_state: Literal["prepared", "submitted", "refused"] | None


class DisputeList(Answer):
    """Disputes, the newest first."""

    data: list[DisputeRow]
    next_cursor: None = None
