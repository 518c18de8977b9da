"""End a reservation that holds no funds: its time is over, the participant left, or the campaign closed.

A payment under way is cancelled at Stripe first, and its state there decides; a payment that was never called is
stopped here at once. Units are freed by campaigns on `ReservationEnded`, which is told exactly once.
"""

from __future__ import annotations

from typing import cast
from uuid import UUID

from contracts.escrow import ReservationEnded
from services.escrow.domain.payments import OPEN_PAYMENT_STATES, EndReason
from services.escrow.store.book import book_of
from services.escrow.store.tables import Payment, Reservation
from services.escrow.usecases.audit_steps import audit_payment, audit_reservation
from services.escrow.usecases.settle_campaign import settle_if_done
from services.escrow.usecases.start_payment import RESERVATION_DEADLINE
from services.kit.work import Work


async def expire_reservation(work: Work, commitment_id: UUID) -> None:
    """The reservation's time is over: end it, unless a payment is under way; then that payment's end decides."""
    reservation = await book_of(work).reservations.get(commitment_id)
    if reservation is None or reservation.state != "open":
        return
    await begin_end(work, reservation, "expired")


async def begin_end(work: Work, reservation: Reservation, reason: EndReason) -> None:
    """Stop awaiting funds. Only an expiring reservation still holds money that comes before its payment is cancelled."""
    before = reservation.state
    reservation.state = "expiring" if reason == "expired" else "ending"
    reservation.end_reason = reason
    audit_reservation(work, reservation, before=before)
    if reason != "expired":
        work.unschedule(RESERVATION_DEADLINE, subject=str(reservation.commitment_id))
    for payment in await book_of(work).payments_of(reservation.commitment_id):
        if payment.state in OPEN_PAYMENT_STATES:
            await cancel_payment(work, payment)
    await finish_end(work, reservation)


async def finish_end(work: Work, reservation: Reservation) -> None:
    """Tell the end, once no payment of the reservation is under way any more."""
    if reservation.state not in ("expiring", "ending"):
        return
    payments = await book_of(work).payments_of(reservation.commitment_id)
    if any(payment.state in OPEN_PAYMENT_STATES for payment in payments):
        return
    before = reservation.state
    reservation.state = "ended"
    work.publish(
        ReservationEnded(
            campaign_id=reservation.campaign_id,
            commitment_id=reservation.commitment_id,
            participant_id=reservation.participant_id,
            reason=cast(EndReason, reservation.end_reason or "expired"),
        )
    )
    audit_reservation(work, reservation, before=before)
    await settle_if_done(work, reservation.campaign_id)


async def cancel_payment(work: Work, payment: Payment) -> None:
    """Cancel a payment at Stripe; one that was never called is stopped here. A call in flight is left to its answer."""
    if payment.state == "started" and await book_of(work).stop_unattempted(payment.payment_id):
        payment.state, payment.changed_at = "canceled", work.now
        audit_payment(work, payment, before="started")
        return
    if payment.payment_intent_id is None:
        return
    work.intend(
        "payment_cancel",
        object_id=str(payment.payment_id),
        ordinal=1,
        scope=str(payment.campaign_id),
        request={
            "payment_id": str(payment.payment_id),
            "campaign_id": str(payment.campaign_id),
            "commitment_id": str(payment.commitment_id),
            "payment_intent_id": payment.payment_intent_id,
        },
    )
