"""Commands and events of clearing, in the escrow service: plans, their approvals, the transfer, the latch."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.common import Hash, Text
from contracts.envelope import Command, Event, register
from contracts.ledger import AccountPreview, HandKind, LinePreview, PlanKind, ReleaseCondition
from contracts.money import AmountMinor, Currency, PositiveAmountMinor

PLAN_LINES_BY_HAND_MAX = 2_000
"""Most commitments that one plan by hand names."""

PLAN_EVIDENCE_MAX = 20
WANTED_AMOUNT_MAX = 10**18
"""Bound of an amount as it is asked for. Wider than any amount that is accepted, so that a wrong one is refused with its
own code and leaves a record, and does not only fail to be read."""

PlanReason = Literal[
    "quality_issue",
    "delivery_failure",
    "delay_exit",
    "partial",
    "refund_failed",
    "chargeback",
    "wrong_posting",
    "transfer_refused",
]
"""Why an act by hand is done; which of them fit a kind is escrow's rule."""

EvidenceReference = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9:._/#-]{0,119}$")]
"""Where the evidence lies: an id, a digest, a bank's reference. One word, so that nothing personal is written into it."""


class WantedLine(BaseModel):
    """A commitment and the amount its maker asks for, as asked; escrow judges it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    commitment_id: UUID
    amount_minor: Annotated[int, Field(strict=True, ge=-WANTED_AMOUNT_MAX, le=WANTED_AMOUNT_MAX)]


@register
class SubmitClearingPlan(Command):
    """Make a clearing plan from the records and submit it; the maker's submission is the first approval."""

    type: ClassVar[str] = "escrow.submit_clearing_plan.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    plan_id: UUID
    plan_kind: PlanKind
    reason: Text


@register
class SubmitPlanByHand(Command):
    """Submit a plan for an act on money by hand; the maker's submission is the first approval.

    It names what it is about: lines with their currency, an earlier plan (`target_plan_id`: the transfer that is recovered
    or given up), or a transfer's position in the campaign's ledger (`target_position`: what a correction takes back).
    """

    type: ClassVar[str] = "escrow.submit_plan_by_hand.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    plan_id: UUID
    plan_kind: HandKind
    reason: Text
    reason_code: PlanReason | None = None
    lines: Annotated[tuple[WantedLine, ...], Field(max_length=PLAN_LINES_BY_HAND_MAX)] = ()
    currency: Currency | None = None
    evidence: Annotated[tuple[EvidenceReference, ...], Field(max_length=PLAN_EVIDENCE_MAX)] = ()
    target_plan_id: UUID | None = None
    target_position: Annotated[int, Field(strict=True, ge=1, le=2**53)] | None = None


@register
class ApproveClearingPlan(Command):
    """Second approval, by another escrow auditor, of exactly the plan with this hash."""

    type: ClassVar[str] = "escrow.approve_clearing_plan.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    plan_id: UUID
    plan_hash: Hash


@register
class RetryPlanTransfer(Command):
    """Try a refused transfer (or reversal) of a plan in SENDING again, after its cause was mended."""

    type: ClassVar[str] = "escrow.retry_plan_transfer.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    plan_id: UUID


@register
class TakePlanBack(Command):
    """Take back an own plan that nobody has approved yet; it moves nothing any more."""

    type: ClassVar[str] = "escrow.take_plan_back.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    plan_id: UUID


@register
class CloseGranted(Event):
    """Escrow's latch is set to close: no clearing plan can begin."""

    type: ClassVar[str] = "escrow.close_granted.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID


@register
class CloseDenied(Event):
    """A clearing plan holds the latch; the campaign cannot close."""

    type: ClassVar[str] = "escrow.close_denied.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    plan_id: UUID


@register
class ClearingPlanSubmitted(Event):
    """A plan awaits its second approval."""

    type: ClassVar[str] = "escrow.clearing_plan_submitted.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    plan_id: UUID
    plan_kind: PlanKind
    plan_hash: Hash
    maker_id: str
    reason: str
    supplier_id: UUID
    gross_minor: AmountMinor
    reserve_minor: AmountMinor
    fee_minor: AmountMinor
    net_minor: AmountMinor
    currency: Currency
    line_count: int
    conditions: tuple[ReleaseCondition, ...]
    preview: tuple[AccountPreview, ...] = ()


@register
class PlanByHandSubmitted(Event):
    """A plan for an act by hand awaits its second approval. `amount_minor`: what it moves in all."""

    type: ClassVar[str] = "escrow.plan_by_hand_submitted.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    plan_id: UUID
    plan_kind: HandKind
    plan_hash: Hash
    maker_id: str
    reason: str
    reason_code: PlanReason
    evidence: tuple[EvidenceReference, ...]
    target_plan_id: UUID | None = None
    target_position: int | None = None
    supplier_id: UUID | None = None
    amount_minor: PositiveAmountMinor
    currency: Currency
    line_count: int
    conditions: tuple[ReleaseCondition, ...]
    preview: tuple[AccountPreview, ...]


@register
class ClearingPlanLinesTold(Event):
    """The lines of a submitted plan, each with its account before and after; a large plan is told in several parts."""

    type: ClassVar[str] = "escrow.clearing_plan_lines_told.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    plan_id: UUID
    currency: Currency
    lines: tuple[LinePreview, ...]


@register
class ClearingPlanApproved(Event):
    """Two different people have approved; clearing begins."""

    type: ClassVar[str] = "escrow.clearing_plan_approved.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    plan_id: UUID
    plan_hash: Hash
    maker_id: str
    approver_id: str


@register
class ClearingPlanProgressed(Event):
    """A part of a plan's lines was worked off: how many were applied so far, and how many became cases instead."""

    type: ClassVar[str] = "escrow.clearing_plan_progressed.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    plan_id: UUID
    lines_applied: int
    lines_failed: int


@register
class ClearingPlanCompleted(Event):
    """A plan by hand is done: its lines are in the ledger, and what it called for at Stripe has happened."""

    type: ClassVar[str] = "escrow.clearing_plan_completed.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    plan_id: UUID
    plan_kind: HandKind
    lines_applied: int
    lines_failed: int
    amount_minor: AmountMinor
    currency: Currency


@register
class ClearingPlanCleared(Event):
    """Every line is in the ledger; what is to be called at Stripe follows."""

    type: ClassVar[str] = "escrow.clearing_plan_cleared.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    plan_id: UUID


@register
class ClearingPlanStopped(Event):
    """A line could no longer be cleared, the plan was given up, or its maker took it back (`taken_back`); the latch is
    free."""

    type: ClassVar[str] = "escrow.clearing_plan_stopped.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    plan_id: UUID
    code: str


@register
class TransferRefused(Event):
    """Stripe refused the transfer; the plan stays in SENDING with a case."""

    type: ClassVar[str] = "escrow.transfer_refused.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    plan_id: UUID
    code: str


@register
class FundsReleased(Event):
    """The transfer to the supplier was made and the fee taken."""

    type: ClassVar[str] = "escrow.funds_released.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    plan_id: UUID
    plan_kind: PlanKind
    supplier_id: UUID
    net_minor: AmountMinor
    fee_minor: AmountMinor
    currency: Currency
    transfer_id: str
    released_commitment_ids: tuple[UUID, ...]
    reserve_commitment_ids: tuple[UUID, ...] = ()


@register
class TransferReversed(Event):
    """Money came back from the supplier's account: owed to the supplier again, or recovered by an approved plan."""

    type: ClassVar[str] = "escrow.transfer_reversed.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    plan_id: UUID
    amount_minor: PositiveAmountMinor
    currency: Currency
    reversal_id: str
    recovered: bool = False
