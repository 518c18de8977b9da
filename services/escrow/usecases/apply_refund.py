"""Apply what is known of a refund: from the call's answer, a webhook, or reading it again.

A refund is paid when Stripe says `succeeded`; pending stays owed. A failure opens a case, also when it comes after the
success; then the amount is owed again. Bounded further attempts are made without a person; a success closes the case.
"""

from __future__ import annotations

from typing import cast
from uuid import UUID

from contracts.escrow import RefundFailed, RefundPending, RefundSent
from services.escrow.domain import postings
from services.escrow.domain.psp import OddObjectError, RefundFacts, refund_facts
from services.escrow.domain.refunds import (
    GOODWILL,
    REFUND_RETRY_DELAY,
    SETTLED_STATES,
    DecisionState,
    may_retry,
    refund_step,
    told_reason,
)
from services.escrow.store.book import book_of
from services.escrow.store.disputes import takes_no_refund
from services.escrow.store.objects import PspObject
from services.escrow.store.tables import RefundDecision
from services.escrow.usecases.complete_plan import refund_of_plan_owed_again, refund_of_plan_paid
from services.escrow.usecases.decide_refund import REFUND_FAILED_CASE, REFUND_RETRY_DEADLINE, intend_refund
from services.escrow.usecases.post_transfers import note_object, post
from services.escrow.usecases.refund_in_dispute import make_room
from services.escrow.usecases.settle_campaign import settle_if_done
from services.kit.service import Answer, Intent
from services.kit.work import Work, intent_id

NO_OBJECT = ""
"""The refund id of an attempt that Stripe refused before it made an object."""


async def post_refund(work: Work, intent: Intent, answer: Answer) -> None:
    """The answer of a refund's call."""
    decision = await book_of(work).decisions.get(UUID(intent.request["decision_id"]))
    if decision is None:
        return
    if answer.outcome == "done":
        try:
            facts = refund_facts(answer.body)
        except OddObjectError as error:
            _mismatch(work, decision, str(answer.body.get("id")), reason=str(error))
            return
        # Not authoritative: a repeated key brings back the first answer, which a webhook may have overtaken.
        await apply_refund(work, decision, facts, ordinal=intent.ordinal, authoritative=False)
        return
    if intent.ordinal < decision.ordinal or decision.state in (*SETTLED_STATES, "failed"):
        return
    decision.ordinal = intent.ordinal
    code = str((answer.body.get("error") or {}).get("code") or "refused")
    await _failed(work, decision, NO_OBJECT, why=code)


async def apply_refund(
    work: Work, decision: RefundDecision, facts: RefundFacts, *, ordinal: int, authoritative: bool
) -> None:
    """Apply a refund's status. `ordinal` is the attempt that made it; `authoritative` as in `refund_step`."""
    if (facts.amount_minor, facts.currency) != (decision.amount_minor, decision.currency):
        _mismatch(work, decision, facts.id, reason="amount or currency differ")
        return
    step = refund_step(
        cast(DecisionState, decision.state),
        facts.status,
        known_refund=ordinal >= decision.ordinal and decision.refund_id in (None, facts.id),
        authoritative=authoritative,
    )
    if step in ("none", "mismatch"):
        if step == "mismatch":
            _mismatch(work, decision, facts.id, reason="another attempt of this decision succeeded")
        return
    decision.ordinal = max(decision.ordinal, ordinal)
    if step == "read_again":
        read_refund_again(work, decision, facts.id)
        return
    decision.refund_id = facts.id
    note_object(
        work,
        PspObject(
            facts.id,
            str(decision.campaign_id),
            "refund",
            intent_id("refund", str(decision.decision_id), decision.ordinal),
            decision.commitment_id,
            decision.amount_minor,
        ),
    )
    if step == "pending":
        _pending(work, decision)
    elif step == "paid":
        await _paid(work, decision)
    else:
        await _failed(work, decision, facts.id, why="failed", after_paid=step == "failed_after_paid")


def read_refund_again(work: Work, decision: RefundDecision, refund_id: str) -> None:
    """Record that the refund is to be read at Stripe: the message in hand may have been overtaken."""
    work.intend(
        "object_read",
        object_id=f"{refund_id}:{work.cause.id}",
        ordinal=1,
        scope=str(decision.campaign_id),
        request={"kind": "refund", "path": f"/v1/refunds/{refund_id}"},
    )


async def retry_refund(work: Work, decision_id: UUID) -> None:
    """Try a failed refund again, as a new attempt of the same decision."""
    decision = await book_of(work).decisions.get(decision_id)
    if decision is None or decision.state != "failed" or not may_retry(decision.ordinal):
        return
    if await takes_no_refund(work, decision.commitment_id):
        # The bank has the money; the end of the dispute decides whether it is still owed.
        return
    try_again(work, decision)


def try_again(work: Work, decision: RefundDecision) -> None:
    """The next attempt of a failed refund."""
    _move(work, decision, "decided")
    decision.ordinal += 1
    decision.refund_id = None
    intend_refund(work, decision)


async def end_by_bank(work: Work, decision: RefundDecision) -> None:
    """A lost dispute gave the person what this refund owed them: it is owed no longer. The caller settles."""
    work.unschedule(REFUND_RETRY_DEADLINE, subject=str(decision.decision_id))
    await work.close_case(REFUND_FAILED_CASE, subject=str(decision.decision_id), resolution="charged back")
    _move(work, decision, "charged_back")
    campaign = await book_of(work).campaigns.get(decision.campaign_id)
    if campaign is not None:
        campaign.refunds_open -= 1
    if decision.plan_id is not None:
        await refund_of_plan_paid(work, decision.plan_id)


def _pending(work: Work, decision: RefundDecision) -> None:
    _move(work, decision, "pending")
    work.publish(
        RefundPending(
            campaign_id=decision.campaign_id,
            commitment_id=decision.commitment_id,
            participant_id=decision.participant_id,
            amount_minor=decision.amount_minor,
            currency=decision.currency,
            decision_id=decision.decision_id,
            refund_id=decision.refund_id or NO_OBJECT,
        )
    )


async def _paid(work: Work, decision: RefundDecision) -> None:
    settled_by_bank = decision.state == "charged_back"
    had_failed = decision.state == "failed" or decision.ordinal > 1
    refund_id = decision.refund_id or NO_OBJECT
    await make_room(work, decision, refund_id)
    posted = await post(
        work,
        postings.refund_sent(
            str(decision.campaign_id),
            decision.commitment_id,
            decision.amount_minor,
            refund_id=refund_id,
            facts=postings.Facts(work.now, (decision.decided_event_id,)),
        ),
    )
    if not posted:
        return
    _move(work, decision, "paid")
    work.publish(
        RefundSent(
            campaign_id=decision.campaign_id,
            commitment_id=decision.commitment_id,
            participant_id=decision.participant_id,
            amount_minor=decision.amount_minor,
            currency=decision.currency,
            decision_id=decision.decision_id,
            refund_id=refund_id,
            reason=told_reason(decision.reason),
            goodwill=decision.reason == GOODWILL,
        )
    )
    if had_failed:
        work.unschedule(REFUND_RETRY_DEADLINE, subject=str(decision.decision_id))
        await work.close_case(REFUND_FAILED_CASE, subject=str(decision.decision_id), resolution="paid")
    campaign = await book_of(work).campaigns.get(decision.campaign_id)
    if campaign is not None:
        campaign.refunds_open -= 0 if settled_by_bank else 1
        campaign.refunded_minor += decision.amount_minor
        await settle_if_done(work, decision.campaign_id)
    if decision.plan_id is not None and not settled_by_bank:
        await refund_of_plan_paid(work, decision.plan_id)


async def _failed(work: Work, decision: RefundDecision, refund_id: str, *, why: str, after_paid: bool = False) -> None:
    if after_paid:
        await post(
            work,
            postings.refund_failed(
                str(decision.campaign_id),
                decision.commitment_id,
                decision.amount_minor,
                refund_id=refund_id,
                facts=postings.Facts(work.now, (decision.decided_event_id,)),
            ),
        )
        campaign = await book_of(work).campaigns.get(decision.campaign_id)
        if campaign is not None:
            campaign.refunds_open += 1
            campaign.refunded_minor -= decision.amount_minor
            (await book_of(work).scope(decision.campaign_id)).settled_at = None
        if decision.plan_id is not None:
            await refund_of_plan_owed_again(work, decision.plan_id)
    _move(work, decision, "failed")
    work.publish(
        RefundFailed(
            campaign_id=decision.campaign_id,
            commitment_id=decision.commitment_id,
            participant_id=decision.participant_id,
            amount_minor=decision.amount_minor,
            currency=decision.currency,
            decision_id=decision.decision_id,
            refund_id=refund_id,
        )
    )
    work.open_case(
        REFUND_FAILED_CASE,
        scope=str(decision.campaign_id),
        subject=str(decision.decision_id),
        facts={
            "commitment_id": decision.commitment_id,
            "amount_minor": decision.amount_minor,
            "refund_id": refund_id,
            "attempt": decision.ordinal,
            "why": why,
            **({"plan_id": decision.plan_id} if decision.plan_id else {}),
        },
    )
    if may_retry(decision.ordinal):
        work.schedule(
            REFUND_RETRY_DEADLINE,
            scope=str(decision.campaign_id),
            subject=str(decision.decision_id),
            due_at=work.now + REFUND_RETRY_DELAY,
        )


def _move(work: Work, decision: RefundDecision, state: DecisionState) -> None:
    before = decision.state
    decision.state, decision.changed_at = state, work.now
    work.audit(
        "escrow.refund.moved",
        scope=str(decision.campaign_id),
        subject=str(decision.decision_id),
        before={"state": before},
        after={"state": state, "refund_id": decision.refund_id, "attempt": decision.ordinal},
        reason=decision.reason,
    )


def _mismatch(work: Work, decision: RefundDecision, object_id: str, *, reason: str) -> None:
    work.open_case(
        "psp_mismatch",
        scope=str(decision.campaign_id),
        subject=object_id,
        severity="critical",
        facts={"decision_id": decision.decision_id, "commitment_id": decision.commitment_id, "why": reason},
    )
