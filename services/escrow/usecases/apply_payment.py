"""Apply what is known of a payment intent: from the call's answer, a webhook, a cancellation, or reading it again.

All four lead here, so the sequence in which they come does not matter: the state moves only forward, success is believed
whenever it is told, and the ledger's unique cause makes a second posting a no-op. Money for a reservation that is over
is never held; it is owed back at once.
"""

from __future__ import annotations

from typing import cast
from uuid import UUID

from contracts.envelope import derived_id
from contracts.escrow import (
    FundsHeld,
    LateFundsReceived,
    PaymentActionAddress,
    PaymentActionRequired,
    PaymentDeclined,
)
from services.escrow.domain import postings
from services.escrow.domain.payments import PaymentState, ReservationState, payment_state_after, receipt
from services.escrow.domain.psp import OddObjectError, PaymentFacts, decline_code, payment_facts
from services.escrow.store.book import book_of
from services.escrow.store.objects import PspObject
from services.escrow.store.tables import Payment, Reservation
from services.escrow.usecases.audit_steps import audit_payment
from services.escrow.usecases.decide_refund import owe_late_receipt
from services.escrow.usecases.end_reservation import cancel_payment, finish_end
from services.escrow.usecases.post_transfers import note_object, post, relied
from services.escrow.usecases.start_payment import RESERVATION_DEADLINE
from services.kit.service import Answer, Intent
from services.kit.work import Work


async def post_payment(work: Work, intent: Intent, answer: Answer) -> None:
    """The answer of the call that creates and confirms, or of the one that cancels."""
    book = book_of(work)
    payment = await book.payments.get(UUID(intent.request["payment_id"]))
    if payment is None:
        return
    body = dict(answer.body.get("payment_intent") or (answer.body if answer.outcome == "done" else {}))
    if body:
        try:
            facts = payment_facts(body)
        except OddObjectError as error:
            _mismatch(work, payment, str(body.get("id")), reason=str(error))
            return
        await apply_payment(work, payment, facts)
        return
    # Refused before a payment intent was made: a token that is used up or unknown.
    if payment_state_after(cast(PaymentState, payment.state), "failed") == "declined":
        await _declined(work, payment, decline_code(answer.body.get("error")))


async def apply_payment(work: Work, payment: Payment, facts: PaymentFacts) -> None:
    """Apply a payment intent's state to its payment."""
    if (facts.amount_minor, facts.currency) != (payment.amount_minor, payment.currency):
        _mismatch(work, payment, facts.id, reason="amount or currency differ")
        return
    if payment.payment_intent_id not in (None, facts.id):
        # A second object for one payment can only come from a call that was thought to have made none.
        if facts.status == "succeeded":
            await _receive(work, payment, facts)
        return
    payment.payment_intent_id = facts.id
    new = payment_state_after(cast(PaymentState, payment.state), facts.status)
    if new is None:
        return
    if new == "declined":
        await _declined(work, payment, facts.decline_code)
        return
    _move(work, payment, new)
    if new == "succeeded":
        payment.charge_id = facts.charge_id
        await _receive(work, payment, facts)
    elif new == "canceled":
        await _canceled(work, payment)
    else:
        await _ask(work, payment, facts)


async def _receive(work: Work, payment: Payment, facts: PaymentFacts) -> None:
    book = book_of(work)
    reservation = await book.reservations.get(payment.commitment_id)
    if reservation is None:
        _mismatch(work, payment, facts.id, reason="no reservation")
        return
    intent = facts.intent_id or payment.payment_id
    source = facts.charge_id or facts.id
    for object_id, kind in ((facts.id, "payment_intent"), (facts.charge_id, "charge")):
        if object_id is not None:
            note_object(
                work,
                PspObject(
                    object_id,
                    str(payment.campaign_id),
                    kind,
                    intent,
                    payment.commitment_id,
                    facts.amount_minor,
                    facts.charge_id,
                ),
            )
    scope = await book.scope(payment.campaign_id)
    verdict = receipt(
        cast(ReservationState, reservation.state),
        funded=reservation.funded_by is not None,
        closed=scope.latch == "close" or scope.campaign_state in ("CLOSED", "COMPLETED"),
    )
    build = postings.lock if verdict == "hold" else postings.late_receipt
    posting = build(
        str(payment.campaign_id),
        payment.commitment_id,
        facts.amount_minor,
        intent_id=intent,
        object_id=source,
        facts=postings.Facts(work.now, relied(reservation.reserved_event_id)),
    )
    if not await post(work, posting):
        return
    if verdict == "hold":
        _hold(work, payment, reservation, facts)
        return
    scope.settled_at = None
    work.publish(
        LateFundsReceived(
            campaign_id=payment.campaign_id,
            commitment_id=payment.commitment_id,
            participant_id=reservation.participant_id,
            amount_minor=facts.amount_minor,
            currency=facts.currency,
            intent_id=intent,
        )
    )
    await owe_late_receipt(work, reservation, facts, decision_id=derived_id(intent, "late_receipt"))
    await finish_end(work, reservation)


def _hold(work: Work, payment: Payment, reservation: Reservation, facts: PaymentFacts) -> None:
    before = reservation.state
    reservation.state, reservation.end_reason = "held", None
    reservation.funded_by, reservation.held_at = payment.payment_id, work.now
    work.unschedule(RESERVATION_DEADLINE, subject=str(reservation.commitment_id))
    work.publish(
        FundsHeld(
            campaign_id=payment.campaign_id,
            commitment_id=payment.commitment_id,
            participant_id=reservation.participant_id,
            amount_minor=facts.amount_minor,
            currency=facts.currency,
            intent_id=facts.intent_id or payment.payment_id,
            payment_intent_id=facts.id,
        )
    )
    work.audit(
        "escrow.funds.held",
        scope=str(payment.campaign_id),
        subject=str(payment.commitment_id),
        before={"state": before},
        after={"state": "held", "amount_minor": facts.amount_minor, "payment_intent": facts.id},
    )


async def _ask(work: Work, payment: Payment, facts: PaymentFacts) -> None:
    reservation = await book_of(work).reservations.get(payment.commitment_id)
    if reservation is None:
        return
    if reservation.state != "open":
        await cancel_payment(work, payment)
        return
    if payment.state != "action_required":
        return
    work.publish(
        PaymentActionRequired(
            campaign_id=payment.campaign_id,
            commitment_id=payment.commitment_id,
            participant_id=reservation.participant_id,
            intent_id=facts.intent_id or payment.payment_id,
            payment_intent_id=facts.id,
        )
    )
    if facts.redirect_url:
        work.reply(
            PaymentActionAddress(
                campaign_id=payment.campaign_id,
                commitment_id=payment.commitment_id,
                participant_id=reservation.participant_id,
                redirect_url=facts.redirect_url,
            )
        )


async def _declined(work: Work, payment: Payment, code: str) -> None:
    payment.decline_code = code
    _move(work, payment, "declined")
    await _no_funds(work, payment, code)


async def _canceled(work: Work, payment: Payment) -> None:
    await _no_funds(work, payment, "canceled")


async def _no_funds(work: Work, payment: Payment, code: str) -> None:
    reservation = await book_of(work).reservations.get(payment.commitment_id)
    if reservation is None:
        return
    if reservation.state == "open":
        work.publish(
            PaymentDeclined(
                campaign_id=payment.campaign_id,
                commitment_id=payment.commitment_id,
                participant_id=reservation.participant_id,
                intent_id=payment.payment_id,
                decline_code=code,
                retry_until=reservation.reserved_until,
            )
        )
    await finish_end(work, reservation)


def _move(work: Work, payment: Payment, state: PaymentState) -> None:
    before = payment.state
    payment.state, payment.changed_at = state, work.now
    audit_payment(work, payment, before=before)


def _mismatch(work: Work, payment: Payment, object_id: str, *, reason: str) -> None:
    work.open_case(
        "psp_mismatch",
        scope=str(payment.campaign_id),
        subject=object_id,
        severity="critical",
        blocking=True,
        facts={"payment_id": payment.payment_id, "commitment_id": payment.commitment_id, "why": reason},
    )
