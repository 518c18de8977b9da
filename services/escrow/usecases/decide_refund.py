"""Decide refunds: a refund is owed from the decision on, and its call to Stripe is recorded with it.

Decision and execution are two records. Nobody approves an automatic refund and nobody can stop one. What is refunded is
read from escrow's own ledger, never from a list in a message.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from contracts.campaigns import CommitmentWithdrawn
from contracts.envelope import derived_id
from contracts.escrow import RefundDecided, RefundReason
from contracts.suppliers import IssueDecided
from contracts.terms import CloseReason
from services.escrow.domain import postings
from services.escrow.domain.ledger import commitment_account
from services.escrow.domain.psp import PaymentFacts
from services.escrow.domain.refunds import GOODWILL, REFUNDS_PER_TRANSACTION_MAX, told_reason
from services.escrow.store.book import book_of
from services.escrow.store.ledger import open_ledger
from services.escrow.store.tables import Campaign, RefundDecision, Reservation
from services.escrow.usecases.post_transfers import balances, post, relied, write_transfers
from services.escrow.usecases.record_campaign import known_campaign
from services.escrow.usecases.refund_in_dispute import refund_when_ended
from services.escrow.usecases.settle_campaign import settle_if_done
from services.kit.work import Early, Work

CLOSE_REFUNDS_DEADLINE = "close_refunds"
REFUND_RETRY_DEADLINE = "refund_retry"
REFUND_FAILED_CASE = "refund_failed"
CLOSE_REASONS: dict[str, RefundReason] = {
    "target_not_reached": "target_not_reached",
    "supplier_declined": "supplier_declined",
    "acceptance_timeout": "acceptance_timeout",
    "fulfillment_failed": "fulfillment_failed",
    "cancelled": "cancelled",
    "rejected": "cancelled",
}


async def refund_withdrawn(work: Work, message: CommitmentWithdrawn, reservation: Reservation) -> None:
    """A participant left with funds held: all of it, at once."""
    await refund_held(work, reservation, "withdrawn", relied_on=relied(work.cause.id))


async def refund_upheld(work: Work, message: IssueDecided) -> None:
    """An issue is decided; upheld means the participant gets back what is still kept for them."""
    await known_campaign(work, message.campaign_id)
    book = book_of(work)
    issue = await book.issues.get(message.issue_id)
    reservation = await book.reservations.get(message.commitment_id)
    if issue is None or reservation is None:
        raise Early(f"issue {message.issue_id} or its commitment is not known here yet")
    if issue.verdict is not None:
        return
    issue.verdict, issue.decided_event_id = message.verdict, work.cause.id
    if message.verdict != "upheld":
        return
    refunded = await refund_held(
        work, reservation, "quality_issue", relied_on=relied(issue.reported_event_id, work.cause.id)
    )
    if not refunded and reservation.state == "released":
        work.open_case(
            "issue_upheld_after_release",
            scope=str(message.campaign_id),
            subject=str(message.commitment_id),
            facts={"issue_id": message.issue_id, "amount_minor": reservation.amount_minor},
        )


async def refund_closed(work: Work, campaign_id: UUID, reason: CloseReason) -> None:
    """A campaign closed: refund every commitment with a balance, in bounded transactions."""
    campaign = await known_campaign(work, campaign_id)
    campaign.close_reason, campaign.closed_event_id = reason, work.cause.id
    await refund_next(work, campaign.campaign_id, step=1)


async def refund_next(work: Work, campaign_id: UUID, *, step: int) -> None:
    """Decide the next refunds of a closed campaign; the last step looks whether all is settled."""
    campaign = await known_campaign(work, campaign_id)
    if campaign.closing_done or campaign.close_reason is None:
        return
    commitment_ids = await _with_balance(work, campaign_id)
    book = book_of(work)
    await book.load_commitments(commitment_ids)
    scope = str(campaign_id)
    accounts = [
        commitment_account(name, commitment_id)
        for commitment_id in commitment_ids
        for name in ("escrow", "reserve", "refund_payable")
    ]
    await balances(work, scope, accounts)
    # One question for all of them: a statement for each took half of the time that deciding thousands takes.
    ledger = await open_ledger(work, [scope])
    # Named by the close and not by the step: a recovery that takes the same step again decides nothing new.
    decided_by = campaign.closed_event_id or work.cause.id
    await ledger.load_causes(f"ref:{_decision_id(decided_by, account)}" for account in accounts)
    for commitment_id in commitment_ids[:REFUNDS_PER_TRANSACTION_MAX]:
        reservation = await book.reservations.get(commitment_id)
        if reservation is None:
            raise LookupError(f"commitment {commitment_id} holds money without a reservation")
        reason = CLOSE_REASONS[campaign.close_reason]
        await refund_held(work, reservation, reason, relied_on=relied(campaign.closed_event_id), decided_by=decided_by)
    if len(commitment_ids) > REFUNDS_PER_TRANSACTION_MAX:
        work.schedule(
            CLOSE_REFUNDS_DEADLINE,
            scope=scope,
            subject=f"{campaign_id}:{step + 1}",
            due_at=work.now,
            payload={"campaign_id": scope, "step": step + 1},
            grace_seconds=0,
        )
        return
    campaign.closing_done = True
    await settle_if_done(work, campaign_id)


async def refund_held(
    work: Work,
    reservation: Reservation,
    reason: RefundReason,
    *,
    relied_on: tuple[UUID, ...],
    decided_by: UUID | None = None,
) -> bool:
    """Owe back all that is kept for a commitment, in escrow or in the reserve; False when nothing is. `decided_by` is what
    the decision's id derives from: the message in hand when not given."""
    scope = str(reservation.campaign_id)
    payment = await book_of(work).payments.get(reservation.funded_by) if reservation.funded_by else None
    if payment is None or payment.payment_intent_id is None:
        return False
    escrow = commitment_account("escrow", reservation.commitment_id)
    reserve = commitment_account("reserve", reservation.commitment_id)
    kept = await balances(work, scope, [escrow, reserve])
    decided = False
    for account, from_reserve in ((escrow, False), (reserve, True)):
        amount_minor = kept[account]
        if amount_minor <= 0:
            continue
        decision_id = _decision_id(decided_by or work.cause.id, account)
        await post(
            work,
            postings.refund_decided(
                scope,
                reservation.commitment_id,
                amount_minor,
                decision_id=decision_id,
                reason=reason,
                from_reserve=from_reserve,
                facts=postings.Facts(work.now, relied_on),
            ),
        )
        before = reservation.state
        reservation.state = "refunded"
        await owe_refund(
            work, reservation, amount_minor, reason,
            decision_id=decision_id, payment_intent_id=payment.payment_intent_id, before=before,
        )  # fmt: skip
        decided = True
    if not decided:
        await refund_when_ended(work, reservation, reason)
    return decided


def _decision_id(decided_by: UUID, account: str) -> UUID:
    return derived_id(decided_by, f"refund:{account}")


async def owe_what_came_back(
    work: Work, reservation: Reservation, amount_minor: int, reason: RefundReason, *, decision_id: UUID
) -> None:
    """A dispute's money came back and belongs to the person; the end of the dispute made it owed, so nothing more is
    posted. Raises LookupError for a commitment without a payment."""
    payment = await book_of(work).payments.get(reservation.funded_by) if reservation.funded_by else None
    if payment is None or payment.payment_intent_id is None:
        raise LookupError(f"commitment {reservation.commitment_id} has a dispute and no payment")
    before, reservation.state = reservation.state, "refunded"
    await owe_refund(
        work, reservation, amount_minor, reason,
        decision_id=decision_id, payment_intent_id=payment.payment_intent_id, before=before,
    )  # fmt: skip


async def owe_late_receipt(work: Work, reservation: Reservation, facts: PaymentFacts, *, decision_id: UUID) -> None:
    """Money came for a reservation that is over; the receipt itself made it owed, so nothing more is posted."""
    await owe_refund(
        work, reservation, facts.amount_minor, "late_receipt",
        decision_id=decision_id, payment_intent_id=facts.id, before=reservation.state,
    )  # fmt: skip


async def owe_refund(  # noqa: PLR0913 - facts of one decision, all named
    work: Work,
    reservation: Reservation,
    amount_minor: int,
    reason: str,
    *,
    decision_id: UUID,
    payment_intent_id: str,
    before: str,
    plan_id: UUID | None = None,
) -> None:
    """Record a refund that the ledger owes already, tell it, and record its call. `before`: the reservation's state."""
    book = book_of(work)
    campaign = await book.campaigns.get(reservation.campaign_id)
    if campaign is not None:
        await _count_open(work, campaign)
    decided_event_id = work.publish(
        RefundDecided(
            campaign_id=reservation.campaign_id,
            commitment_id=reservation.commitment_id,
            participant_id=reservation.participant_id,
            amount_minor=amount_minor,
            currency=reservation.currency,
            decision_id=decision_id,
            reason=told_reason(reason),
            plan_id=plan_id,
            goodwill=reason == GOODWILL,
        )
    )
    decision = book.decisions.add(
        RefundDecision(
            decision_id=decision_id,
            campaign_id=reservation.campaign_id,
            commitment_id=reservation.commitment_id,
            participant_id=reservation.participant_id,
            amount_minor=amount_minor,
            currency=reservation.currency,
            reason=reason,
            payment_intent_id=payment_intent_id,
            plan_id=plan_id,
            decided_event_id=decided_event_id,
            decided_at=work.now,
            changed_at=work.now,
        )
    )
    intend_refund(work, decision)
    work.audit(
        "escrow.refund.decided",
        scope=str(reservation.campaign_id),
        subject=str(reservation.commitment_id),
        before={"state": before},
        after={"state": reservation.state, "decision_id": str(decision_id), "amount_minor": amount_minor},
        reason=reason,
    )


async def _count_open(work: Work, campaign: Campaign) -> None:
    campaign.refunds_open += 1
    scope = await book_of(work).scope(campaign.campaign_id)
    scope.settled_at = None


def intend_refund(work: Work, decision: RefundDecision) -> None:
    """Record the call for the decision's present attempt."""
    work.intend(
        "refund",
        object_id=str(decision.decision_id),
        ordinal=decision.ordinal,
        scope=str(decision.campaign_id),
        request={
            "decision_id": str(decision.decision_id),
            "campaign_id": str(decision.campaign_id),
            "commitment_id": str(decision.commitment_id),
            "payment_intent": decision.payment_intent_id,
            "amount_minor": decision.amount_minor,
            "currency": decision.currency,
        },
    )


async def _with_balance(work: Work, campaign_id: UUID) -> list[UUID]:
    """Commitments with money in escrow or reserve by the ledger, one more than one transaction takes."""
    await write_transfers(work)
    found = await work.connection.execute(
        text(
            "SELECT DISTINCT split_part(account, ':', 2)::uuid AS commitment_id FROM ledger_account "
            "WHERE scope = :scope AND class IN ('escrow', 'reserve') AND balance_minor > 0 "
            "ORDER BY commitment_id LIMIT :rows_max"
        ),
        {"scope": str(campaign_id), "rows_max": REFUNDS_PER_TRANSACTION_MAX + 1},
    )
    return [row.commitment_id for row in found]
