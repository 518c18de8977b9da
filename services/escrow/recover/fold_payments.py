"""Own events about payments, reservations, the float: each sets the rows that the use case set when it told the event.

A state is set as the event says it, with the audit record that the step leaves; nothing is decided. What the event does
not say comes from the input that caused it, from the ledger's own transfer, or from Stripe.
"""

from __future__ import annotations

from uuid import UUID

from contracts.envelope import PLATFORM_SCOPE
from contracts.escrow import (
    FloatToppedUp,
    FundsHeld,
    LateFundsReceived,
    PaymentActionRequired,
    PaymentDeclined,
    PaymentStarted,
    ReservationEnded,
)
from services.escrow.domain import postings
from services.escrow.domain.payments import OPEN_PAYMENT_STATES
from services.escrow.recover.errors import RecoverError
from services.escrow.recover.folding import Folding, Receipt
from services.escrow.store.objects import PspObject
from services.escrow.store.recovering import unnamed_top_up
from services.escrow.store.tables import Payment, Reservation, TopUp
from services.escrow.usecases.audit_steps import audit_payment, audit_reservation
from services.escrow.usecases.post_transfers import note_object, relied
from services.escrow.usecases.start_payment import RESERVATION_DEADLINE, drop_waiting
from services.kit.work import intent_id


async def reserve(fold: Folding, commitment_id: UUID) -> None:
    """Make the reservation that later events speak of from the input that told it, when it is not known."""
    known = fold.inputs.reserved.get(commitment_id)
    if known is None or await fold.book.reservations.get(commitment_id) is not None:
        return
    envelope, told = known
    fold.book.reservations.add(
        Reservation(
            commitment_id=commitment_id,
            campaign_id=told.campaign_id,
            participant_id=told.participant_id,
            amount_minor=told.amount_minor,
            currency=told.currency,
            reserved_until=told.reserved_until,
            reserved_event_id=envelope.id,
        )
    )
    fold.work.schedule(RESERVATION_DEADLINE, scope=fold.scope, subject=str(commitment_id), due_at=told.reserved_until)


async def payment_started(fold: Folding, event: PaymentStarted) -> None:
    """The payment, and its call; the token comes from the command, which is kept for seven days."""
    await reserve(fold, event.commitment_id)
    reservation = await fold.reservation(event.commitment_id)
    if await fold.book.payments.get(event.intent_id) is not None:
        return
    method = fold.inputs.methods.get((event.commitment_id, event.attempt))
    fold.work.intend(
        "payment",
        object_id=f"{event.commitment_id}:{event.attempt}",
        ordinal=1,
        scope=fold.scope,
        request={
            "payment_id": str(event.intent_id),
            "campaign_id": fold.scope,
            "commitment_id": str(event.commitment_id),
            "amount_minor": reservation.amount_minor,
            "currency": reservation.currency,
            "return_url": method.return_url if method else "",
        },
        secret=method.confirmation_token if method else None,
    )
    await fold.book.add_payment(
        Payment(
            payment_id=event.intent_id,
            campaign_id=event.campaign_id,
            commitment_id=event.commitment_id,
            attempt=event.attempt,
            amount_minor=reservation.amount_minor,
            currency=reservation.currency,
            started_at=fold.work.now,
            changed_at=fold.work.now,
        )
    )
    await drop_waiting(fold.work, event.commitment_id)


async def payment_action_required(fold: Folding, event: PaymentActionRequired) -> None:
    """The bank was to ask the person."""
    payment = await fold.payment(event.commitment_id, event.intent_id)
    payment.payment_intent_id = event.payment_intent_id
    _move(fold, payment, "action_required")
    fold.answer(event.intent_id)


async def payment_declined(fold: Folding, event: PaymentDeclined) -> None:
    """Declined, or cancelled while another attempt may follow."""
    payment = await fold.payment(event.commitment_id, event.intent_id)
    payment.decline_code = event.decline_code
    _move(fold, payment, "canceled" if event.decline_code == "canceled" else "declined")
    fold.answer(event.intent_id, "refused")


async def reservation_ended(fold: Folding, event: ReservationEnded) -> None:
    """The end is told when no payment is under way any more: whatever was open then had been cancelled."""
    await reserve(fold, event.commitment_id)
    reservation = await fold.reservation(event.commitment_id)
    for payment in await fold.book.payments_of(event.commitment_id):
        if payment.state in OPEN_PAYMENT_STATES:
            _move(fold, payment, "canceled")
            fold.answer(payment.payment_id)
            fold.answer(intent_id("payment_cancel", str(payment.payment_id), 1))
    _end(fold, reservation, event.reason)


async def funds_held(fold: Folding, event: FundsHeld) -> None:
    """Paid and held."""
    payment = await fold.payment(event.commitment_id, event.intent_id)
    reservation = await fold.reservation(event.commitment_id)
    receipt = _received(fold, payment, event.intent_id)
    await fold.post_if_missing(
        postings.lock(
            fold.scope,
            event.commitment_id,
            event.amount_minor,
            intent_id=event.intent_id,
            object_id=receipt.charge_id or receipt.payment_intent_id,
            facts=postings.Facts(fold.work.now, relied(reservation.reserved_event_id)),
        )
    )
    before = reservation.state
    reservation.state, reservation.end_reason = "held", None
    reservation.funded_by, reservation.held_at = payment.payment_id, fold.work.now
    fold.work.unschedule(RESERVATION_DEADLINE, subject=str(reservation.commitment_id))
    fold.work.audit(
        "escrow.funds.held",
        scope=fold.scope,
        subject=str(event.commitment_id),
        before={"state": before},
        after={"state": "held", "amount_minor": event.amount_minor, "payment_intent": event.payment_intent_id},
    )


async def late_funds_received(fold: Folding, event: LateFundsReceived) -> None:
    """Paid too late: never held, owed back from the same moment."""
    payment = await fold.payment(event.commitment_id, event.intent_id)
    reservation = await fold.reservation(event.commitment_id)
    receipt = _received(fold, payment, event.intent_id)
    fold.late[event.commitment_id] = receipt.payment_intent_id
    await fold.post_if_missing(
        postings.late_receipt(
            fold.scope,
            event.commitment_id,
            event.amount_minor,
            intent_id=event.intent_id,
            object_id=receipt.charge_id or receipt.payment_intent_id,
            facts=postings.Facts(fold.work.now, relied(reservation.reserved_event_id)),
        )
    )
    (await fold.book.scope(fold.scope)).settled_at = None


async def float_topped_up(fold: Folding, event: FloatToppedUp) -> None:
    """The float grew; which object it was the ledger says."""
    top_up = await fold.book.top_ups.get(event.top_up_id)
    if top_up is None:
        top_up = fold.book.top_ups.add(
            TopUp(
                top_up_id=event.top_up_id,
                amount_minor=event.amount_minor,
                currency=event.currency,
                recorded_at=fold.work.now,
            )
        )
        fold.work.intend(
            "top_up",
            object_id=str(event.top_up_id),
            ordinal=1,
            scope=PLATFORM_SCOPE,
            request={
                "top_up_id": str(event.top_up_id),
                "amount_minor": event.amount_minor,
                "currency": event.currency,
            },
        )
    await fold.book.flush()
    object_id = await unnamed_top_up(fold.work.connection, event.amount_minor)
    if object_id is None:
        # Told, and its transfer is not: Stripe's list brings both again, and the event twice says the same.
        return
    before = top_up.state
    top_up.state, top_up.topup_id = "succeeded", object_id
    intent = intent_id("top_up", str(event.top_up_id), 1)
    note_object(fold.work, PspObject(object_id, PLATFORM_SCOPE, "topup", intent, None, event.amount_minor))
    fold.answer(intent)
    fold.work.audit(
        "escrow.float.topped_up",
        scope=PLATFORM_SCOPE,
        subject=str(event.top_up_id),
        before={"state": before},
        after={"state": "succeeded", "topup": object_id, "amount_minor": event.amount_minor},
    )


def _received(fold: Folding, payment: Payment, intent: UUID) -> Receipt:
    """Set what a succeeded payment carries, and whose its objects are."""
    receipt = fold.receipts.get(intent)
    if receipt is None:
        raise RecoverError("recover_payment_unknown", f"Stripe knows no payment of the call {intent}")
    payment.payment_intent_id = payment.payment_intent_id or receipt.payment_intent_id
    if payment.payment_intent_id == receipt.payment_intent_id:
        payment.charge_id = receipt.charge_id
        if payment.state != "succeeded":
            _move(fold, payment, "succeeded")
    objects = ((receipt.payment_intent_id, "payment_intent"), (receipt.charge_id, "charge"))
    for object_id, kind in objects:
        if object_id is not None:
            note_object(
                fold.work,
                PspObject(
                    object_id, fold.scope, kind, intent, payment.commitment_id, payment.amount_minor, receipt.charge_id
                ),
            )
    fold.answer(intent)
    fold.answer(intent_id("payment_cancel", str(payment.payment_id), 1))
    return receipt


def _move(fold: Folding, payment: Payment, state: str) -> None:
    before = payment.state
    if before == state:
        return
    payment.state, payment.changed_at = state, fold.work.now
    audit_payment(fold.work, payment, before=before)


def _end(fold: Folding, reservation: Reservation, reason: str) -> None:
    before = reservation.state
    reservation.state, reservation.end_reason = "ended", reason
    audit_reservation(fold.work, reservation, before=before)
    fold.work.unschedule(RESERVATION_DEADLINE, subject=str(reservation.commitment_id))
