"""Commands to and events of the escrow service: payments, the ledger, refunds, clearing, transfers to suppliers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.envelope import Command, Event, Reply, register
from contracts.ledger import LedgerTransfer
from contracts.money import AmountMinor, Currency, PositiveAmountMinor, SignedAmountMinor

RefundReason = Literal[
    "target_not_reached",
    "supplier_declined",
    "acceptance_timeout",
    "withdrawn",
    "cancelled",
    "fulfillment_failed",
    "quality_issue",
    "delivery_failure",
    "delay_exit",
    "partial",
    "duplicate",
    "chargeback",
    "correction",
    "late_receipt",
]


@register
class UsePaymentMethod(Command):
    """Pay a reservation with this confirmation token. The token is a secret: commands are kept seven days, events never carry it."""

    type: ClassVar[str] = "escrow.use_payment_method.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    confirmation_token: Annotated[str, Field(min_length=1, max_length=255, repr=False)]
    return_url: Annotated[str, Field(max_length=2000)]
    attempt: Annotated[int, Field(ge=1, le=20)] = 1


@register
class TopUpFloat(Command):
    """Add the platform's own money to Stripe's balance, so that cover holds beside the processor's fees."""

    type: ClassVar[str] = "escrow.top_up_float.v1"
    service: ClassVar[str] = "escrow"
    top_up_id: UUID
    amount_minor: PositiveAmountMinor
    currency: Currency


@register
class ReceivePspEvent(Command):
    """A verified Stripe event, as received. Kept 30 days on its own topic."""

    type: ClassVar[str] = "escrow.receive_psp_event.v1"
    service: ClassVar[str] = "escrow"
    scope_id: str
    psp_event_id: str
    psp_event_type: str
    body: dict[str, Any]

    @property
    def scope(self) -> str:
        """The message key: the campaign named in the object's metadata, else `platform`."""
        return self.scope_id


@register
class FundsHeld(Event):
    """The payment succeeded and the ledger holds it."""

    type: ClassVar[str] = "escrow.funds_held.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    amount_minor: PositiveAmountMinor
    currency: Currency
    intent_id: UUID
    payment_intent_id: str


@register
class PaymentStarted(Event):
    """A payment for a reservation is under way."""

    type: ClassVar[str] = "escrow.payment_started.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    intent_id: UUID
    attempt: int


@register
class PaymentDeclined(Event):
    """The card was declined; another may be tried until the reservation ends."""

    type: ClassVar[str] = "escrow.payment_declined.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    intent_id: UUID
    decline_code: str
    retry_until: datetime


@register
class PaymentActionRequired(Event):
    """The bank asks the participant to confirm. The address travels on `gateway.replies` only."""

    type: ClassVar[str] = "escrow.payment_action_required.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    intent_id: UUID
    payment_intent_id: str


@register
class PaymentActionAddress(Reply):
    """Where the waiting browser goes to confirm the payment. A secret: one day, never in an event."""

    type: ClassVar[str] = "escrow.payment_action_address.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    redirect_url: Annotated[str, Field(max_length=4000, repr=False)]


@register
class ReservationEnded(Event):
    """The reservation ended without held funds; campaigns frees the units. `code` tells why it was refused
    where that is not a check: `collections_paused` when the float had no room for the processor's fee."""

    type: ClassVar[str] = "escrow.reservation_ended.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    reason: Literal["expired", "left", "refused", "canceled"]
    code: str | None = None


@register
class LateFundsReceived(Event):
    """Money arrived for an ended or already funded reservation: never held, it goes straight back."""

    type: ClassVar[str] = "escrow.late_funds_received.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    amount_minor: PositiveAmountMinor
    currency: Currency
    intent_id: UUID


@register
class RefundDecided(Event):
    """A refund is owed from now on. `goodwill`: it is the platform's own money, after a release; its reason is then the
    nearest of the fixed ones, `correction`."""

    type: ClassVar[str] = "escrow.refund_decided.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    amount_minor: PositiveAmountMinor
    currency: Currency
    decision_id: UUID
    reason: RefundReason
    plan_id: UUID | None = None
    goodwill: bool = False


@register
class RefundPending(Event):
    """Stripe has the refund but has not paid it; it stays owed."""

    type: ClassVar[str] = "escrow.refund_pending.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    amount_minor: PositiveAmountMinor
    currency: Currency
    decision_id: UUID
    refund_id: str


@register
class RefundSent(Event):
    """Stripe says `succeeded`: the refund is paid."""

    type: ClassVar[str] = "escrow.refund_sent.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    amount_minor: PositiveAmountMinor
    currency: Currency
    decision_id: UUID
    refund_id: str
    reason: RefundReason
    goodwill: bool = False


@register
class RefundFailed(Event):
    """A refund failed, perhaps after it had succeeded; the amount is owed again and a case is open."""

    type: ClassVar[str] = "escrow.refund_failed.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    amount_minor: PositiveAmountMinor
    currency: Currency
    decision_id: UUID
    refund_id: str


@register
class RefundPaidOutside(Event):
    """A refund that Stripe could not pay was paid another way, with proof, approved by two people."""

    type: ClassVar[str] = "escrow.refund_paid_outside.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    amount_minor: PositiveAmountMinor
    currency: Currency
    decision_id: UUID
    plan_id: UUID
    reason: RefundReason
    goodwill: bool = False


@register
class RefundOwedAgain(Event):
    """What was recorded as paid outside was taken back by a correction: the refund is owed again, with its case."""

    type: ClassVar[str] = "escrow.refund_owed_again.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    amount_minor: PositiveAmountMinor
    currency: Currency
    decision_id: UUID
    plan_id: UUID


@register
class CampaignSettled(Event):
    """Every refund of a closed campaign is paid; nothing is owed any more."""

    type: ClassVar[str] = "escrow.campaign_settled.v1"
    service: ClassVar[str] = "escrow"
    campaign_id: UUID
    refunded_minor: AmountMinor
    currency: Currency


@register
class FloatToppedUp(Event):
    """The platform's float grew."""

    type: ClassVar[str] = "escrow.float_topped_up.v1"
    service: ClassVar[str] = "escrow"
    top_up_id: UUID
    amount_minor: PositiveAmountMinor
    currency: Currency


@register
class FloatGauged(Event):
    """What the float carries was measured, and something changed: whether new funds are collected (`admits`), or a figure.

    `available` is the platform's own money that can be used now, `worst_case_fees` what the payments under way may still cost,
    `buffer` what is kept back for disputes, `room` what is left of the first after the other two, `next_fee` what one more
    unit of the dearest campaign that collects may cost. The first and the fourth may lie below zero.
    """

    type: ClassVar[str] = "escrow.float_gauged.v1"
    service: ClassVar[str] = "escrow"
    currency: Currency
    available_minor: SignedAmountMinor
    worst_case_fees_minor: AmountMinor
    buffer_minor: AmountMinor
    room_minor: SignedAmountMinor
    next_fee_minor: AmountMinor
    admits: bool


@register
class LedgerTransfersPosted(Event):
    """Ledger transfers of one scope, whole and hashed, in sequence: what left the database and so protects the chain."""

    type: ClassVar[str] = "escrow.ledger_transfers_posted.v1"
    service: ClassVar[str] = "escrow"
    scope_id: str
    transfers: tuple[LedgerTransfer, ...]

    @property
    def scope(self) -> str:
        """The message key."""
        return self.scope_id
