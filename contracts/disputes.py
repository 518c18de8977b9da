"""Events of a card dispute, in the escrow service: a participant's bank asks about a payment, or takes it back.

A dispute is named by Stripe's id. It lies over a commitment's state and changes it only when it is lost before release.
Nothing here says what the person told the bank; the reason is the bank's own code.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.envelope import Event, register
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
