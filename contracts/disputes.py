"""Events of a card dispute, in the escrow service: a participant's bank asks about a payment, or takes it back.

A dispute is named by Stripe's id. It lies over a commitment's state and changes it only when it is lost before release.
Nothing here says what the person told the bank; the reason is the bank's own code.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contracts.common import Hash
from contracts.envelope import Command, Event, canonical_json, register
from contracts.money import AmountMinor, Currency, PositiveAmountMinor

DisputeId = Annotated[str, Field(min_length=1, max_length=255)]
DisputeStatus = Literal[
    "warning_needs_response",
    "warning_under_review",
    "warning_closed",
    "needs_response",
    "under_review",
    "won",
    "lost",
    "prevented",
]
"""Stripe's own words; those with `warning_` are an inquiry's, which moves no money."""

DisputeOutcome = Literal["won", "lost", "inquiry_closed"]


class DisputeEvent(Event):
    """What every event of a dispute names."""

    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    dispute_id: DisputeId


@register
class DisputeOpened(DisputeEvent):
    """A bank disputes a payment, asks about it, or takes its decision up again (`round` above 1). `frozen_minor` is what
    of the commitment's money was still with us and is frozen now; `amount_minor` is what is disputed."""

    type: ClassVar[str] = "escrow.dispute_opened.v1"
    round: Annotated[int, Field(ge=1)]
    amount_minor: PositiveAmountMinor
    frozen_minor: AmountMinor
    currency: Currency
    status: DisputeStatus
    reason: Annotated[str, Field(max_length=100)]
    evidence_due_by: datetime | None


@register
class DisputeMoved(DisputeEvent):
    """The dispute's status at Stripe changed, without money: an inquiry became a dispute, evidence is under review."""

    type: ClassVar[str] = "escrow.dispute_moved.v1"
    status: DisputeStatus
    evidence_due_by: datetime | None


@register
class DisputeFundsWithdrawn(DisputeEvent):
    """Stripe took the disputed funds. `from_hold_minor` of them were frozen with us, the platform lost the rest; the fee
    is the platform's."""

    type: ClassVar[str] = "escrow.dispute_funds_withdrawn.v1"
    amount_minor: PositiveAmountMinor
    from_hold_minor: AmountMinor
    fee_minor: AmountMinor
    currency: Currency


@register
class DisputeFundsReinstated(DisputeEvent):
    """Stripe gave the funds back. `to_hold_minor` of them are the commitment's again, the rest is the platform's."""

    type: ClassVar[str] = "escrow.dispute_funds_reinstated.v1"
    amount_minor: PositiveAmountMinor
    to_hold_minor: AmountMinor
    currency: Currency


@register
class DisputeEnded(DisputeEvent):
    """The dispute is over. `charged_back`: it was lost before release, and the commitment ends with it. `returned_minor`
    went back from the frozen amount; `settled_decision_ids` are refunds that nobody owes any more, because the bank has
    given the person the money."""

    type: ClassVar[str] = "escrow.dispute_ended.v1"
    outcome: DisputeOutcome
    charged_back: bool
    returned_minor: AmountMinor
    currency: Currency
    settled_decision_ids: tuple[UUID, ...] = ()


EvidenceText = Annotated[str, Field(min_length=1, max_length=20_000)]
"""As long as Stripe takes one field of evidence."""


class DisputeEvidence(BaseModel):
    """What is told to the bank, in the fields that Stripe has for it. Built from records; no name and no address is in
    it, because the bank knows its card's owner."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    product_description: EvidenceText
    refund_policy_disclosure: EvidenceText
    cancellation_policy_disclosure: EvidenceText
    access_activity_log: EvidenceText
    uncategorized_text: EvidenceText
    service_date: Annotated[str, Field(max_length=100)] | None = None
    shipping_date: Annotated[str, Field(max_length=100)] | None = None
    shipping_tracking_number: Annotated[str, Field(max_length=500)] | None = None

    def hash(self) -> str:
        """SHA-256 over the canonical JSON: what the second person submits is exactly what was prepared."""
        return hashlib.sha256(canonical_json(self.model_dump(mode="json"))).hexdigest()


EVIDENCE_PAPER_BYTES_MAX = 384 * 1024
"""Of a paper as it travels: a message holds a mebibyte, and base64 makes four bytes of three. Stripe would take more."""
_PAPER_BEGINS = b"%PDF-"


def paper_bytes(paper: str) -> bytes:
    """A paper out of its base64. Raises ValueError when it is not a PDF, or too long."""
    try:
        content = base64.b64decode(paper, validate=True)
    except binascii.Error as error:
        raise ValueError("a paper travels as base64") from error
    if not content.startswith(_PAPER_BEGINS) or len(content) > EVIDENCE_PAPER_BYTES_MAX:
        raise ValueError("a paper is a PDF within its bound")
    return content


def _checked(paper: str) -> str:
    paper_bytes(paper)
    return paper


EvidencePaper = Annotated[str, AfterValidator(_checked), Field(max_length=EVIDENCE_PAPER_BYTES_MAX * 4 // 3 + 4)]
"""A PDF in base64."""


@register
class PrepareDisputeEvidence(Command):
    """Keep the evidence for a dispute, as operations read it from the records, and the same as a paper. Nothing is sent
    yet. The paper says what the fields say and nothing besides."""

    type: ClassVar[str] = "escrow.prepare_dispute_evidence.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    dispute_id: DisputeId
    evidence: DisputeEvidence
    paper: Annotated[EvidencePaper | None, Field(repr=False)] = None


@register
class SubmitDisputeEvidence(Command):
    """Send the prepared evidence with this hash to the bank; an escrow auditor does, once."""

    type: ClassVar[str] = "escrow.submit_dispute_evidence.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    dispute_id: DisputeId
    evidence_hash: Hash


@register
class DisputeEvidencePrepared(DisputeEvent):
    """Evidence is kept and waits for its submission. Texts and paper leave escrow to Stripe only; `paper_digest` is the
    SHA-256 of the paper's bytes."""

    type: ClassVar[str] = "escrow.dispute_evidence_prepared.v1"
    evidence_hash: Hash
    prepared_by: str
    paper_digest: Hash | None = None


@register
class DisputeEvidenceSubmitted(DisputeEvent):
    """The call that sends the evidence is recorded."""

    type: ClassVar[str] = "escrow.dispute_evidence_submitted.v1"
    evidence_hash: Hash
    prepared_by: str
    submitted_by: str
    paper_digest: Hash | None = None


@register
class DisputeEvidenceRefused(DisputeEvent):
    """Stripe did not take the evidence; a case is open."""

    type: ClassVar[str] = "escrow.dispute_evidence_refused.v1"
    evidence_hash: Hash
    code: str
