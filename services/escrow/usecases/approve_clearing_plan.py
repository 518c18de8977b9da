"""The second approval, by another escrow auditor, of exactly what was submitted; then the plan is at work.

Everything is judged again at this moment. What changed since the submission stops the plan: a new one needs two fresh
approvals. The database demands the second person too.
"""

from __future__ import annotations

from typing import cast

from contracts.clearing import ApproveClearingPlan, ClearingPlanApproved
from contracts.errors import Rejected
from contracts.ledger import AnyPlanKind
from services.escrow.domain.plan_rules import STALE_CODES, Wanted, asked_of
from services.escrow.plan_kinds.acts import Draft
from services.escrow.plan_kinds.registry import acts_of
from services.escrow.store.book import book_of
from services.escrow.store.plans import lines_of, plans_of
from services.escrow.store.tables import Campaign, Plan
from services.escrow.usecases.clear_plan import clear_next
from services.escrow.usecases.preview_plan import preview_plan
from services.escrow.usecases.record_plan_step import AUDITOR, audit_plan, audit_refused, stop_draft
from services.escrow.usecases.submit_clearing_plan import check_at_work, check_scope, hash_of
from services.kit.work import Work


async def approve_clearing_plan(work: Work, message: ApproveClearingPlan) -> None:
    """Approve a plan and begin to work it off. Raises Rejected, with an audit record of who tried what."""
    try:
        await _approve(work, message)
    except Rejected as rejected:
        audit_refused(work, str(message.campaign_id), message.plan_id, act="approval", code=rejected.code)
        raise


async def _approve(work: Work, message: ApproveClearingPlan) -> None:
    if work.actor.role != AUDITOR:
        raise Rejected("not_allowed", role=work.actor.role)
    book = book_of(work)
    plan = await book.plans.get(message.plan_id)
    campaign = await book.campaigns.get(message.campaign_id)
    if plan is None or campaign is None or plan.scope != str(message.campaign_id):
        raise Rejected("plan_unknown")
    if plan.state != "DRAFT":
        raise Rejected("plan_state_conflict", state=plan.state)
    if plan.plan_hash != message.plan_hash:
        raise Rejected("plan_hash_stale")
    if plan.maker_id == work.actor.id:
        raise Rejected("approver_is_maker")
    wanted = await _wanted(work, plan)
    await check_scope(work, wanted)
    check_at_work(await plans_of(work, plan.scope), wanted)
    stale = await _stale(work, campaign, plan, wanted)
    if stale is not None:
        # The refusal is published here, not raised, because the plan is stopped in the same transaction.
        stop_draft(work, plan, stale.code)
        work.refuse(stale, subject_id=str(plan.plan_id))
        audit_refused(work, plan.scope, plan.plan_id, act="approval", code=stale.code)
        return
    _begin(work, plan, message)
    await work.session.flush()
    await acts_of(plan).begin(work, plan)
    await clear_next(work, plan, step=1)


async def _stale(work: Work, campaign: Campaign, plan: Plan, wanted: Wanted) -> Rejected | None:
    """Why the plan cannot stand any more; None when it does. Raises Rejected for what may still mend."""
    try:
        draft: Draft | None = await acts_of(plan).still(work, campaign, plan, wanted)
        if draft is None or hash_of(wanted, draft, currency=plan.currency) != plan.plan_hash:
            return Rejected("plan_hash_stale")
        await preview_plan(work, plan.scope, draft)
    except Rejected as rejected:
        if rejected.code not in STALE_CODES:
            raise
        return rejected
    return None


async def _wanted(work: Work, plan: Plan) -> Wanted:
    lines = await lines_of(work.connection, plan.plan_id)
    return Wanted(
        plan_id=plan.plan_id,
        kind=cast(AnyPlanKind, plan.kind),
        scope=plan.scope,
        lines=asked_of(lines),
        currency=plan.currency,
        reason_code=plan.reason_code,
        evidence=tuple(plan.evidence),
        target_plan_id=plan.target_plan_id,
        target_position=plan.target_position,
    )


def _begin(work: Work, plan: Plan, message: ApproveClearingPlan) -> None:
    plan.approver_id, plan.approved_at = work.actor.id, work.now
    plan.state = "APPROVED"
    plan.approved_event_id = work.publish(
        ClearingPlanApproved(
            campaign_id=message.campaign_id,
            plan_id=plan.plan_id,
            plan_hash=plan.plan_hash,
            maker_id=plan.maker_id,
            approver_id=work.actor.id,
        )
    )
    audit_plan(work, plan, before="DRAFT")
    plan.state = "CLEARING"
    audit_plan(work, plan, before="APPROVED")
