"""Collect: a reservation and a confirmation token meet, in either sequence, and a payment is recorded as an intent.

Nothing is called here; an executor does that after the commit. Refused while a blocking case holds the campaign or the
platform, when the campaign does not collect, and when the float has no room for the processor's fee.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from contracts.campaigns import CommitmentRefused, CommitmentReserved
from contracts.errors import Rejected
from contracts.escrow import PaymentStarted, ReservationEnded, UsePaymentMethod
from services.escrow.domain.payments import COLLECTING_STATES, OPEN_PAYMENT_STATES, may_start_payment
from services.escrow.store.book import book_of
from services.escrow.store.tables import Payment, Reservation, WaitingMethod
from services.escrow.usecases.admit_payment import PAUSED, admit_payment, refuses_another_card
from services.escrow.usecases.audit_steps import audit_reservation
from services.escrow.usecases.record_campaign import known_campaign
from services.kit.work import Work, intent_id

RESERVATION_DEADLINE = "reservation"
WAITING_DEADLINE = "waiting_method"
WAITING_KEPT = timedelta(hours=1)
"""How long a confirmation token waits for its reservation; both commands leave the gateway in one transaction."""


async def await_funds(work: Work, message: CommitmentReserved) -> None:
    """Units are reserved: wait for their funds, or begin at once when the token is here already."""
    book = book_of(work)
    await known_campaign(work, message.campaign_id)
    if await book.reservations.get(message.commitment_id) is not None:
        return
    reservation = book.reservations.add(
        Reservation(
            commitment_id=message.commitment_id,
            campaign_id=message.campaign_id,
            participant_id=message.participant_id,
            amount_minor=message.amount_minor,
            currency=message.currency,
            reserved_until=message.reserved_until,
            reserved_event_id=work.cause.id,
        )
    )
    waiting = await book.waiting.get(message.commitment_id)
    refusal = await collection_refusal(work, message.campaign_id) or await admit_payment(work, message.amount_minor)
    if refusal is not None:
        _refuse(work, reservation, code=PAUSED if refusal == PAUSED else None)
    else:
        work.schedule(
            RESERVATION_DEADLINE,
            scope=str(message.campaign_id),
            subject=str(message.commitment_id),
            due_at=message.reserved_until,
        )
        if waiting is not None and waiting.participant_id == message.participant_id:
            await _start(work, reservation, waiting.attempt, waiting.confirmation_token, waiting.return_url)
    if waiting is not None:
        await drop_waiting(work, message.commitment_id)


async def use_payment_method(work: Work, message: UsePaymentMethod) -> None:
    """Pay a reservation, or keep the token until the reservation is known. Raises Rejected."""
    if work.actor.id != str(message.participant_id):
        raise Rejected("not_allowed")
    book = book_of(work)
    reservation = await book.reservations.get(message.commitment_id)
    if reservation is None:
        await _keep_waiting(work, message)
        return
    if reservation.participant_id != message.participant_id or reservation.campaign_id != message.campaign_id:
        raise Rejected("payment_not_expected")
    payments = await book.payments_of(message.commitment_id)
    code = may_start_payment(
        reservation.state,  # type: ignore[arg-type]  # the column's CHECK holds exactly these states
        open_payments=sum(payment.state in OPEN_PAYMENT_STATES for payment in payments),
        attempt=message.attempt,
        used={payment.attempt for payment in payments},
    )
    if code is not None:
        raise Rejected(code)
    if work.received_at >= reservation.reserved_until:
        raise Rejected("payment_expired")
    refusal = await collection_refusal(work, message.campaign_id) or await refuses_another_card(work)
    if refusal is not None:
        raise Rejected(refusal)
    await _start(work, reservation, message.attempt, message.confirmation_token, message.return_url)


async def forget_refused(work: Work, message: CommitmentRefused) -> None:
    """The join was refused: a token that waited for it is deleted."""
    await drop_waiting(work, message.commitment_id)


async def drop_waiting(work: Work, commitment_id: UUID) -> None:
    """Delete a waiting token, if there is one."""
    book = book_of(work)
    if await book.waiting.get(commitment_id) is not None:
        await book.waiting.drop(commitment_id)
        work.unschedule(WAITING_DEADLINE, subject=str(commitment_id))


async def collection_refusal(work: Work, campaign_id: UUID) -> str | None:
    """Why no payment may be started for this campaign now, or None."""
    book = book_of(work)
    scope = await book.scope(campaign_id)
    if work.is_frozen(str(campaign_id)) or scope.paused:
        return "campaign_frozen"
    if scope.campaign_state not in COLLECTING_STATES or scope.latch is not None:
        return "campaign_not_open"
    if await book.collections_frozen():
        return "collections_frozen"
    return None


def _refuse(work: Work, reservation: Reservation, *, code: str | None) -> None:
    reservation.state, reservation.end_reason = "ended", "refused"
    audit_reservation(work, reservation, before="open")
    work.publish(
        ReservationEnded(
            campaign_id=reservation.campaign_id,
            commitment_id=reservation.commitment_id,
            participant_id=reservation.participant_id,
            reason="refused",
            code=code,
        )
    )


async def _keep_waiting(work: Work, message: UsePaymentMethod) -> None:
    waiting = book_of(work).waiting
    if await waiting.get(message.commitment_id) is not None:
        raise Rejected("payment_under_way")
    waiting.add(
        WaitingMethod(
            commitment_id=message.commitment_id,
            campaign_id=message.campaign_id,
            participant_id=message.participant_id,
            attempt=message.attempt,
            confirmation_token=message.confirmation_token,
            return_url=message.return_url,
        )
    )
    work.schedule(
        WAITING_DEADLINE,
        scope=str(message.campaign_id),
        subject=str(message.commitment_id),
        due_at=work.now + WAITING_KEPT,
    )


async def _start(work: Work, reservation: Reservation, attempt: int, token: str, return_url: str) -> None:
    object_id = f"{reservation.commitment_id}:{attempt}"
    payment_id = intent_id("payment", object_id, 1)
    work.intend(
        "payment",
        object_id=object_id,
        ordinal=1,
        scope=str(reservation.campaign_id),
        request={
            "payment_id": str(payment_id),
            "campaign_id": str(reservation.campaign_id),
            "commitment_id": str(reservation.commitment_id),
            "amount_minor": reservation.amount_minor,
            "currency": reservation.currency,
            "return_url": return_url,
        },
        secret=token,
    )
    await book_of(work).add_payment(
        Payment(
            payment_id=payment_id,
            campaign_id=reservation.campaign_id,
            commitment_id=reservation.commitment_id,
            attempt=attempt,
            amount_minor=reservation.amount_minor,
            currency=reservation.currency,
            started_at=work.now,
            changed_at=work.now,
        )
    )
    work.publish(
        PaymentStarted(
            campaign_id=reservation.campaign_id,
            commitment_id=reservation.commitment_id,
            participant_id=reservation.participant_id,
            intent_id=payment_id,
            attempt=attempt,
        )
    )
