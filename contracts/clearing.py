"""Commands and events of clearing, in the escrow service: plans, their approvals, the transfer, the latch."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from contracts.common import Hash, Text
from contracts.envelope import Command, Event, register
from contracts.ledger import PlanKind, ReleaseCondition
from contracts.money import AmountMinor, Currency, PositiveAmountMinor


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
class ApproveClearingPlan(Command):
    """Second approval, by another escrow auditor, of exactly the plan with this hash."""

    type: ClassVar[str] = "escrow.approve_clearing_plan.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    plan_id: UUID
    plan_hash: Hash


@register
class RetryPlanTransfer(Command):
    """Try a refused transfer of a plan in SENDING again, after its cause was mended."""

    type: ClassVar[str] = "escrow.retry_plan_transfer.v1"
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
class ClearingPlanCleared(Event):
    """Every line is cleared in the ledger; the transfer follows."""

    type: ClassVar[str] = "escrow.clearing_plan_cleared.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    plan_id: UUID


@register
class ClearingPlanStopped(Event):
    """A line could no longer be cleared, or the plan was given up; the latch is free."""

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
    """Money came back from the supplier's account."""

    type: ClassVar[str] = "escrow.transfer_reversed.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    plan_id: UUID
    amount_minor: PositiveAmountMinor
    currency: Currency
    reversal_id: str
