"""Own events about refunds and settlement: the decisions, their calls, their states, the campaign's counts."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from contracts.escrow import (
    CampaignSettled,
    RefundDecided,
    RefundFailed,
    RefundOwedAgain,
    RefundPaidOutside,
    RefundPending,
    RefundSent,
)
from services.escrow.domain import postings
from services.escrow.domain.ledger import commitment_account
from services.escrow.domain.refunds import GOODWILL, REFUND_RETRY_DELAY, DecisionState, may_retry
from services.escrow.recover.folding import Folding
from services.escrow.store.objects import PspObject
from services.escrow.store.tables import RefundDecision, Reservation
from services.escrow.usecases.decide_refund import REFUND_RETRY_DEADLINE, intend_refund
from services.escrow.usecases.post_transfers import balances, note_object
from services.kit.work import intent_id

OWED = ("decided", "pending", "failed")


async def refund_decided(fold: Folding, event: RefundDecided) -> None:
    """The decision, its call, and what it makes of the reservation."""
    if await fold.book.decisions.get(event.decision_id) is not None:
        return
    reservation = await fold.reservation(event.commitment_id)
    reason = GOODWILL if event.goodwill else event.reason
    await _post_decided(fold, event)
    before = reservation.state
    if await _ends_commitment(fold, event):
        reservation.state = "refunded"
    decision = fold.book.decisions.add(
        RefundDecision(
            decision_id=event.decision_id,
            campaign_id=event.campaign_id,
            commitment_id=event.commitment_id,
            participant_id=event.participant_id,
            amount_minor=event.amount_minor,
            currency=event.currency,
            reason=reason,
            payment_intent_id=await _paid_by(fold, event, reservation),
            plan_id=event.plan_id,
            decided_event_id=fold.event.id,
            decided_at=fold.work.now,
            changed_at=fold.work.now,
        )
    )
    campaign = await fold.campaign(event.campaign_id)
    campaign.refunds_open += 1
    (await fold.book.scope(fold.scope)).settled_at = None
    if event.plan_id is not None:
        (await fold.plan(event.plan_id)).calls_open += 1
    intend_refund(fold.work, decision)
    fold.work.audit(
        "escrow.refund.decided",
        scope=fold.scope,
        subject=str(event.commitment_id),
        before={"state": before},
        after={
            "state": reservation.state,
            "decision_id": str(event.decision_id),
            "amount_minor": event.amount_minor,
        },
        reason=reason,
    )


async def refund_pending(fold: Folding, event: RefundPending) -> None:
    """Stripe has it."""
    decision = await fold.decision(event.decision_id)
    _note(fold, decision, event.refund_id)
    _move(fold, decision, "pending")


async def refund_sent(fold: Folding, event: RefundSent) -> None:
    """Paid."""
    decision = await fold.decision(event.decision_id)
    _note(fold, decision, event.refund_id)
    await fold.post_if_missing(
        postings.refund_sent(
            fold.scope,
            event.commitment_id,
            event.amount_minor,
            refund_id=event.refund_id,
            facts=postings.Facts(fold.work.now, (decision.decided_event_id,)),
        )
    )
    await _paid(fold, decision, "paid")


async def refund_failed(fold: Folding, event: RefundFailed) -> None:
    """Failed, perhaps after it was paid; owed again."""
    decision = await fold.decision(event.decision_id)
    if event.refund_id:
        _note(fold, decision, event.refund_id)
    fold.answer(intent_id("refund", str(decision.decision_id), decision.ordinal), "refused")
    if decision.state == "paid":
        await fold.post_if_missing(
            postings.refund_failed(
                fold.scope,
                event.commitment_id,
                event.amount_minor,
                refund_id=event.refund_id,
                facts=postings.Facts(fold.work.now, (decision.decided_event_id,)),
            )
        )
        await _owed_again(fold, decision)
        if decision.plan_id is not None:
            (await fold.plan(decision.plan_id)).calls_open += 1
    _move(fold, decision, "failed")
    if may_retry(decision.ordinal):
        fold.work.schedule(
            REFUND_RETRY_DEADLINE,
            scope=fold.scope,
            subject=str(decision.decision_id),
            due_at=fold.work.now + REFUND_RETRY_DELAY,
        )


async def refund_paid_outside(fold: Folding, event: RefundPaidOutside) -> None:
    """Paid another way."""
    decision = await fold.decision(event.decision_id)
    decision.outside_plan_id = event.plan_id
    await _paid(fold, decision, "paid_outside")


async def refund_owed_again(fold: Folding, event: RefundOwedAgain) -> None:
    """A correction took the payment outside back."""
    decision = await fold.decision(event.decision_id)
    decision.outside_plan_id = None
    await _owed_again(fold, decision)
    _move(fold, decision, "failed")


async def campaign_settled(fold: Folding, event: CampaignSettled) -> None:
    """Nothing is owed any more."""
    campaign = await fold.campaign(event.campaign_id)
    campaign.closing_done, campaign.refunded_minor = True, event.refunded_minor
    (await fold.book.scope(fold.scope)).settled_at = fold.work.now
    fold.work.audit(
        "escrow.campaign.settled",
        scope=fold.scope,
        subject=fold.scope,
        before={"settlement": "settling"},
        after={"settlement": "settled", "refunded_minor": event.refunded_minor},
    )


async def charge_back(fold: Folding, decision_id: UUID) -> None:
    """The person's bank gave the money: this refund is owed no longer."""
    decision = await fold.decision(decision_id)
    fold.work.unschedule(REFUND_RETRY_DEADLINE, subject=str(decision_id))
    if decision.state in OWED:
        (await fold.campaign(decision.campaign_id)).refunds_open -= 1
    _move(fold, decision, "charged_back")
    await _plan_paid(fold, decision)


async def _post_decided(fold: Folding, event: RefundDecided) -> None:
    """The posting of a decision that the relay told without its transfer; late money and what a dispute gave back have
    none."""
    if event.goodwill or event.reason == "late_receipt":
        return
    names = {name: commitment_account(name, event.commitment_id) for name in ("escrow", "reserve")}
    kept = await balances(fold.work, fold.scope, list(names.values()))
    for name, account in names.items():
        if kept[account] == event.amount_minor or (event.plan_id and kept[account] > event.amount_minor):
            await fold.post_if_missing(
                postings.refund_decided(
                    fold.scope,
                    event.commitment_id,
                    event.amount_minor,
                    decision_id=event.decision_id,
                    reason=event.reason,
                    from_reserve=name == "reserve",
                    plan_id=event.plan_id,
                    facts=postings.Facts(fold.work.now, (fold.event.id,)),
                )
            )
            return


async def _ends_commitment(fold: Folding, event: RefundDecided) -> bool:
    if event.goodwill or event.reason in ("late_receipt", "partial"):
        return False
    if event.plan_id is None:
        return True
    accounts = [commitment_account(name, event.commitment_id) for name in ("escrow", "reserve")]
    return not any((await balances(fold.work, fold.scope, accounts)).values())


async def _paid_by(fold: Folding, event: RefundDecided, reservation: Reservation) -> str:
    if event.reason == "late_receipt" and event.commitment_id in fold.late:
        return fold.late[event.commitment_id]
    payment = await fold.payment(event.commitment_id, reservation.funded_by)
    return payment.payment_intent_id or ""


def _note(fold: Folding, decision: RefundDecision, refund_id: str) -> None:
    if decision.state == "failed" and decision.refund_id != refund_id:
        # Another attempt was made meanwhile, which no event tells.
        decision.ordinal += 1
        intend_refund(fold.work, decision)
    decision.refund_id = refund_id
    intent = intent_id("refund", str(decision.decision_id), decision.ordinal)
    note_object(
        fold.work,
        PspObject(refund_id, fold.scope, "refund", intent, decision.commitment_id, decision.amount_minor),
    )
    fold.answer(intent)


async def _paid(fold: Folding, decision: RefundDecision, state: DecisionState) -> None:
    by_bank = decision.state == "charged_back"
    fold.work.unschedule(REFUND_RETRY_DEADLINE, subject=str(decision.decision_id))
    campaign = await fold.campaign(decision.campaign_id)
    campaign.refunds_open -= 0 if by_bank else 1
    campaign.refunded_minor += decision.amount_minor
    _move(fold, decision, state)
    if not by_bank:
        await _plan_paid(fold, decision)


async def _plan_paid(fold: Folding, decision: RefundDecision) -> None:
    if decision.plan_id is not None:
        plan = await fold.plan(decision.plan_id)
        plan.calls_open = max(plan.calls_open - 1, 0)


async def _owed_again(fold: Folding, decision: RefundDecision) -> None:
    campaign = await fold.campaign(decision.campaign_id)
    campaign.refunds_open += 1
    campaign.refunded_minor -= decision.amount_minor
    (await fold.book.scope(fold.scope)).settled_at = None


def _move(fold: Folding, decision: RefundDecision, state: DecisionState) -> None:
    before = cast(DecisionState, decision.state)
    if before == state:
        return
    decision.state, decision.changed_at = state, fold.work.now
    fold.work.audit(
        "escrow.refund.moved",
        scope=fold.scope,
        subject=str(decision.decision_id),
        before={"state": before},
        after={"state": state, "refund_id": decision.refund_id, "attempt": decision.ordinal},
        reason=decision.reason,
    )
