"""Own events about plans, the latch and transfers: what two people approved comes back as they approved it.

A plan's lines come from the events that told them before its approval. Which of them are worked off the ledger says, at
the end of the stream. A state that no event tells (a transfer that was about to be called) is left at the one before; the
call has the same key again, and Stripe's list is read before anything is called.
"""

from __future__ import annotations

from uuid import UUID

from contracts.clearing import (
    ClearingPlanApproved,
    ClearingPlanCleared,
    ClearingPlanCompleted,
    ClearingPlanLinesTold,
    ClearingPlanProgressed,
    ClearingPlanStopped,
    ClearingPlanSubmitted,
    CloseGranted,
    FundsReleased,
    PlanByHandSubmitted,
    TransferRefused,
    TransferReversed,
)
from contracts.envelope import PLATFORM_SCOPE
from contracts.ledger import LineSource, PlanLine
from services.escrow.domain import postings
from services.escrow.domain.plan_rules import rule_of
from services.escrow.recover.folding import Folding
from services.escrow.store.objects import PspObject
from services.escrow.store.plans import insert_lines, lines_of, plans_of
from services.escrow.store.tables import Plan
from services.escrow.usecases.audit_steps import audit_reservation
from services.escrow.usecases.clear_plan import CLEAR_DEADLINE
from services.escrow.usecases.decide_refund import CLOSE_REFUNDS_DEADLINE
from services.escrow.usecases.judge_release import payee
from services.escrow.usecases.post_transfers import note_object, relied
from services.escrow.usecases.record_plan_step import audit_plan
from services.escrow.usecases.send_plan import SEND_DEADLINE
from services.escrow.usecases.settle_campaign import owed_minor
from services.kit.work import intent_id

NO_LINES = frozenset({"give_up"})
"""Kinds whose told lines are another plan's."""
HOLDS_LATCH = frozenset({"release", "reserve_release"})


async def close_granted(fold: Folding, event: CloseGranted) -> None:
    """The latch is set to close."""
    scope = await fold.book.scope(fold.scope)
    if scope.latch == "close":
        return
    scope.latch, scope.latch_plan_id = "close", None
    fold.work.audit(
        "escrow.latch.closed",
        scope=fold.scope,
        subject=fold.scope,
        before={"latch": None},
        after={"latch": "close"},
    )


async def release_submitted(fold: Folding, event: ClearingPlanSubmitted) -> None:
    """A release awaits its second approval."""
    await _add(
        fold,
        event,
        {
            "gross_minor": event.gross_minor,
            "reserve_minor": event.reserve_minor,
            "fee_minor": event.fee_minor,
            "net_minor": event.net_minor,
        },
    )


async def by_hand_submitted(fold: Folding, event: PlanByHandSubmitted) -> None:
    """An act by hand awaits its second approval."""
    await _add(
        fold,
        event,
        {
            "gross_minor": event.amount_minor,
            "reserve_minor": 0,
            "fee_minor": 0,
            "net_minor": event.amount_minor,
            "reason_code": event.reason_code,
            "evidence": list(event.evidence),
            "target_plan_id": event.target_plan_id,
            "target_position": event.target_position,
        },
    )


async def lines_told(fold: Folding, event: ClearingPlanLinesTold) -> None:
    """The lines of a submitted plan."""
    plan = await fold.plan(event.plan_id)
    if plan.kind in NO_LINES:
        return
    await fold.book.flush()
    known = {line.commitment_id for line in await lines_of(fold.work.connection, plan.plan_id)}
    lines = [
        PlanLine(
            commitment_id=line.commitment_id,
            amount_minor=line.amount_minor,
            to_reserve=line.to_reserve,
            source=_source(plan, line.account),
        )
        for line in event.lines
        if line.commitment_id not in known
    ]
    if plan.kind == "correction":
        # What is taken back is told as a line too; the plan's own lines are the right ones.
        lines = [line for line in lines if line.source == "refund_payable"]
    if lines:
        await insert_lines(fold.work.connection, plan.plan_id, lines)


async def plan_approved(fold: Folding, event: ClearingPlanApproved) -> None:
    """Two people have approved; the plan is at work."""
    plan = await fold.plan(event.plan_id)
    plan.approver_id, plan.approved_at, plan.approved_event_id = event.approver_id, fold.work.now, fold.event.id
    _move(fold, plan, "APPROVED")
    _move(fold, plan, "CLEARING")
    if plan.kind in HOLDS_LATCH:
        scope = await fold.book.scope(fold.scope)
        scope.latch, scope.latch_plan_id = "clearing", plan.plan_id
    if plan.kind == "give_up" and plan.target_plan_id is not None:
        target = await fold.plan(plan.target_plan_id)
        target.given_up_by, target.given_up_approver = plan.maker_id, plan.approver_id


async def plan_progressed(fold: Folding, event: ClearingPlanProgressed) -> None:
    """So many lines are worked off."""
    plan = await fold.plan(event.plan_id)
    plan.lines_applied, plan.lines_failed = event.lines_applied, event.lines_failed
    if plan.kind == "recovery" and plan.state == "CLEARING":
        _move(fold, plan, "SENDING")
        _intend_call(fold, plan, await _reversal(fold, plan))


async def plan_cleared(fold: Folding, event: ClearingPlanCleared) -> None:
    """Every line is in the ledger."""
    _move(fold, await fold.plan(event.plan_id), "CLEARED")


async def plan_completed(fold: Folding, event: ClearingPlanCompleted) -> None:
    """An act by hand is done."""
    plan = await fold.plan(event.plan_id)
    plan.sent_at, plan.calls_open = fold.work.now, 0
    _move(fold, plan, "DONE")


async def plan_stopped(fold: Folding, event: ClearingPlanStopped) -> None:
    """Stopped; a release's latch is free."""
    plan = await fold.plan(event.plan_id)
    was_draft = plan.state == "DRAFT"
    plan.stop_code, plan.stopped_at = event.code, fold.work.now
    _move(fold, plan, "STOPPED", reason=event.code)
    scope = await fold.book.scope(fold.scope)
    if plan.kind == "release" and not was_draft and scope.latch_plan_id == plan.plan_id:
        scope.latch = scope.latch_plan_id = None


async def transfer_refused(fold: Folding, event: TransferRefused) -> None:
    """Stripe refused the present attempt."""
    plan = await fold.plan(event.plan_id)
    await _called(fold, plan, outcome="refused")
    audit_plan(fold.work, plan, before=plan.state, reason=event.code)


async def funds_released(fold: Folding, event: FundsReleased) -> None:
    """The transfer was made, the fee taken, the commitments released."""
    plan = await fold.plan(event.plan_id)
    campaign = await fold.campaign(event.campaign_id)
    await _called(fold, plan, outcome="done")
    evidence = postings.Facts(
        fold.work.now,
        relied(
            campaign.accepted_event_id,
            campaign.delivery_event_id,
            campaign.inspection_event_id,
            campaign.verdict_event_id,
            campaign.completed_event_id,
        ),
    )
    await fold.post_if_missing(
        postings.transfer_sent(
            fold.scope, event.net_minor, plan_id=plan.plan_id, transfer_id=event.transfer_id, facts=evidence
        )
    )
    if event.fee_minor:
        await fold.post_if_missing(postings.fee(fold.scope, event.fee_minor, plan_id=plan.plan_id, facts=evidence))
    intent = intent_id("transfer", str(plan.plan_id), plan.transfer_ordinal)
    note_object(fold.work, PspObject(event.transfer_id, fold.scope, "transfer", intent, None, event.net_minor))
    plan.transfer_id, plan.sent_at = event.transfer_id, fold.work.now
    _move(fold, plan, "SENT")
    campaign.cleared_minor += plan.gross_minor - plan.reserve_minor
    campaign.fee_taken_minor += plan.fee_minor
    await fold.book.load_commitments(event.released_commitment_ids)
    for commitment_id in event.released_commitment_ids:
        reservation = await fold.reservation(commitment_id)
        before, reservation.state = reservation.state, "released"
        audit_reservation(fold.work, reservation, before=before)


async def transfer_reversed(fold: Folding, event: TransferReversed) -> None:
    """Money came back from the supplier's account."""
    plan = await fold.plan(event.plan_id)
    intent = None
    if event.recovered:
        intent = intent_id("transfer_reversal", str(plan.plan_id), plan.transfer_ordinal)
        plan.transfer_id = event.reversal_id
        fold.answer(intent)
    note_object(
        fold.work,
        PspObject(event.reversal_id, fold.scope, "transfer_reversal", intent, None, event.amount_minor),
    )
    if not event.recovered:
        (await fold.book.scope(fold.scope)).settled_at = None
    fold.work.audit(
        "escrow.transfer.reversed",
        scope=fold.scope,
        subject=str(plan.plan_id),
        before=None,
        after={"reversal_id": event.reversal_id, "amount_minor": event.amount_minor},
    )


async def go_on(fold: Folding) -> None:
    """At the end of the stream: plans and closings that were in the middle are looked at as soon as the service runs."""
    for plan in await plans_of(fold.work, fold.scope):
        if plan.state == "CLEARING":
            _soon(fold, CLEAR_DEADLINE, f"{plan.plan_id}:recovered", {"plan_id": str(plan.plan_id), "step": 1})
        elif plan.state == "CLEARED" and rule_of(plan.kind).is_release:
            _soon(fold, SEND_DEADLINE, f"{plan.plan_id}:recovered", {"plan_id": str(plan.plan_id)})
        elif plan.state == "SENT" and plan.plan_id in fold.plans:
            scope = await fold.book.scope(fold.scope)
            if scope.settled_at is None and await owed_minor(fold.work, UUID(fold.scope)) == 0:
                scope.settled_at = plan.sent_at
    if fold.scope == PLATFORM_SCOPE:
        return
    campaign = await fold.book.campaigns.get(UUID(fold.scope))
    if campaign is not None and campaign.close_reason is not None and not campaign.closing_done:
        payload = {"campaign_id": fold.scope, "step": 1}
        _soon(fold, CLOSE_REFUNDS_DEADLINE, f"{fold.scope}:recovered", payload)


def _soon(fold: Folding, kind: str, subject: str, payload: dict[str, object]) -> None:
    fold.work.schedule(kind, scope=fold.scope, subject=subject, due_at=fold.work.now, payload=payload, grace_seconds=0)


async def _add(fold: Folding, event: ClearingPlanSubmitted | PlanByHandSubmitted, figures: dict[str, object]) -> None:
    if await fold.book.plans.get(event.plan_id) is not None:
        return
    of_kind = [plan for plan in await plans_of(fold.work, fold.scope) if plan.kind == event.plan_kind]
    plan = fold.book.plans.add(
        Plan(
            plan_id=event.plan_id,
            scope=fold.scope,
            kind=event.plan_kind,
            version=1 + max((each.version for each in of_kind), default=0),
            maker_id=event.maker_id,
            supplier_id=event.supplier_id,
            plan_hash=event.plan_hash,
            currency=event.currency,
            conditions=[condition.model_dump(mode="json") for condition in event.conditions],
            reason=event.reason,
            submitted_event_id=fold.event.id,
            submitted_at=fold.work.now,
            **figures,
        )
    )
    fold.plans.add(plan.plan_id)
    audit_plan(fold.work, plan, before=None, reason=plan.reason)
    await fold.book.flush()


def _source(plan: Plan, account: str) -> LineSource:
    if plan.kind == "goodwill":
        return "goodwill"
    if plan.kind == "recovery":
        return "dispute_loss"
    return account.partition(":")[0]  # type: ignore[return-value]  # the account's class, which the database checks


async def _called(fold: Folding, plan: Plan, *, outcome: str) -> None:
    """The plan's call was made: its row, whatever the plan's state was told to be last."""
    if plan.state in ("CLEARED", "CLEARING"):
        _move(fold, plan, "SENDING")
    if rule_of(plan.kind).call == "transfer_reversal":
        request, purpose = await _reversal(fold, plan), "transfer_reversal"
    else:
        supplier = await payee(fold.work, await fold.campaign(UUID(plan.scope)))
        purpose = "transfer"
        request = {"destination": supplier.payout_account_id if supplier else ""}
    _intend_call(fold, plan, request)
    fold.answer(intent_id(purpose, str(plan.plan_id), plan.transfer_ordinal), outcome)


async def _reversal(fold: Folding, plan: Plan) -> dict[str, object]:
    target = await fold.plan(plan.target_plan_id) if plan.target_plan_id else None
    return {"transfer": target.transfer_id if target else None}


def _intend_call(fold: Folding, plan: Plan, request: dict[str, object]) -> None:
    fold.work.intend(
        "transfer_reversal" if rule_of(plan.kind).call == "transfer_reversal" else "transfer",
        object_id=str(plan.plan_id),
        ordinal=plan.transfer_ordinal,
        scope=fold.scope,
        request={
            "plan_id": str(plan.plan_id),
            "campaign_id": plan.scope,
            "amount_minor": plan.net_minor,
            "currency": plan.currency,
            **request,
        },
    )


def _move(fold: Folding, plan: Plan, state: str, *, reason: str | None = None) -> None:
    before = plan.state
    if before == state:
        return
    plan.state = state
    audit_plan(fold.work, plan, before=before, reason=reason)
