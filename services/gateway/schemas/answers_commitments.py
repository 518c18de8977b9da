"""The bodies of answers about commitments, their deliveries and issues."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts.terms import CampaignState
from services.gateway.schemas.answers import Answer, MoneyView, NextAction

CommitmentState = Literal["PENDING_FUNDS", "LOCKED", "FUNDS_FAILED", "WITHDRAWN", "REFUNDED", "RELEASED", "REFUSED"]


class PaymentView(Answer):
    """How far the payment is."""

    state: Literal["awaited", "started", "declined", "action_required", "held", "ended"]
    attempt: int
    decline_code: str | None
    retry_until: datetime | None


class RefundView(Answer):
    """A refund: paid only when its state is `sent`, or `paid_outside` (another way than the card, with proof);
    `charged_back` when the bank gave the money back instead."""

    state: Literal["decided", "pending", "sent", "failed", "paid_outside", "charged_back"]
    amount: MoneyView
    reason: str | None
    decided_at: datetime | None
    sent_at: datetime | None


class CommitmentDispute(Answer):
    """What the participant's bank does about the payment: it asks (an inquiry), disputes it, or has decided."""

    state: Literal["open", "won", "lost", "inquiry_closed"]
    inquiry: bool
    amount: MoneyView
    opened_at: datetime
    decided_at: datetime | None


class DeliveryView(Answer):
    """How far the delivery is."""

    state: Literal["dispatched", "delivered"]
    tracking: str | None
    inspection_until: datetime | None


class IssueView(Answer):
    """A reported fault."""

    id: UUID
    campaign_id: UUID
    commitment_id: UUID
    state: Literal["open", "upheld", "rejected"]
    description: str | None
    reported_at: datetime
    decided_at: datetime | None


class ActsView(Answer):
    """What the participant can do now."""

    pay: bool
    withdraw: bool
    report_issue: bool


class CommitmentView(Answer):
    """A participant's commitment."""

    id: UUID
    reference: str | None
    campaign_id: UUID
    campaign_title: str
    campaign_state: CampaignState
    quantity: int
    unit_price: MoneyView
    amount: MoneyView
    terms_hash: str | None
    state: CommitmentState
    state_words: str
    money_now: str
    payment: PaymentView
    next_action: NextAction | None
    refund: RefundView | None
    delivery: DeliveryView | None
    issue: IssueView | None
    dispute: CommitmentDispute | None
    reserved_until: datetime | None
    created_at: datetime
    locked_at: datetime | None
    acts: ActsView


class IssueState(Answer):
    """An issue's id and state."""

    id: UUID
    state: Literal["open", "upheld", "rejected"]


class CommitmentRow(Answer):
    """A commitment as staff and the campaign's supplier see it, without who made it."""

    id: UUID
    reference: str | None
    quantity: int
    amount: MoneyView | None
    state: CommitmentState
    state_words: str
    delivery: DeliveryView | None
    issue: IssueState | None
    in_dispute: bool


class ShipmentView(Answer):
    """Commitments that were recorded as dispatched or delivered."""

    campaign_id: UUID
    commitment_ids: list[UUID]
    event: Literal["dispatched", "delivered"]


class CommitmentList(Answer):
    """A part of a list of commitments."""

    data: list[CommitmentView]
    next_cursor: str | None


class CommitmentRowList(Answer):
    """A part of a campaign's commitments."""

    data: list[CommitmentRow]
    next_cursor: str | None


class IssueList(Answer):
    """Issues."""

    data: list[IssueView]
    next_cursor: None = None
