"""The second approval, by another escrow auditor, of exactly what was submitted; then the plan is at work.

Everything is judged again at this moment. What changed since the submission stops the plan: a new one needs two fresh
approvals. The database demands the second person too.
"""

from __future__ import annotations

from typing import cast

from contracts.clearing import ApproveClearingPlan, ClearingPlanApproved
from contracts.errors import Rejected
from contracts.ledger import PlanKind, PlanLine
from services.escrow.domain.release import plan_figures, plan_hash, unmet
from services.escrow.store.book import book_of
from services.escrow.store.plans import holder, lines_of, plans_of
from services.escrow.store.tables import Campaign, Plan
from services.escrow.usecases.clear_plan import clear_next
from services.escrow.usecases.judge_release import judge_release, open_issue_commitments, payee
from services.escrow.usecases.post_transfers import balances, write_transfers
from services.escrow.usecases.submit_clearing_plan import AUDITOR, audit_plan, stop_draft
from services.kit.work import Work


async def approve_clearing_plan(work: Work, message: ApproveClearingPlan) -> None:
    """Approve a plan and begin to clear it. Raises Rejected."""
    if work.actor.role != AUDITOR:
        raise Rejected("not_allowed", role=work.actor.role)
    book = book_of(work)
    scope = str(message.campaign_id)
    plan = await book.plans.get(message.plan_id)
    campaign = await book.campaigns.get(message.campaign_id)
    if plan is None or campaign is None or plan.scope != scope:
        raise Rejected("plan_unknown")
    if plan.state != "DRAFT":
        raise Rejected("plan_state_conflict", state=plan.state)
    if plan.plan_hash != message.plan_hash:
        raise Rejected("plan_hash_stale")
    if plan.maker_id == work.actor.id:
        raise Rejected("approver_is_maker")
    head = await book.scope(scope)
    if head.latch == "close":
        raise Rejected("campaign_closing")
    if work.is_frozen(scope) or head.paused:
        raise Rejected("campaign_frozen")
    await write_transfers(work)
    if holder(await plans_of(work, scope)) is not None:
        raise Rejected("release_under_way")
    conditions = await judge_release(work, campaign, cast(PlanKind, plan.kind), first_approval=message.plan_id)
    if unmet(conditions):
        raise Rejected("release_conditions_unmet", unmet=unmet(conditions))
    lines = await lines_of(work.connection, plan.plan_id)
    if not await still_stands(work, plan, campaign, lines):
        # The refusal is published here, not raised, because the plan is stopped in the same transaction.
        stop_draft(work, plan, "plan_hash_stale")
        work.refuse(Rejected("plan_hash_stale"), subject_id=str(plan.plan_id))
        return
    _begin(work, plan, message)
    head.latch, head.latch_plan_id = "clearing", plan.plan_id
    await clear_next(work, plan, step=1)


async def still_stands(work: Work, plan: Plan, campaign: Campaign, lines: list[PlanLine]) -> bool:
    """Whether the lines are still what the ledger holds, no fault was reported on a line that is to be released, and
    payee, account and figures make the approved hash."""
    supplier = await payee(work, campaign)
    if supplier is None:
        return False
    source = "escrow" if plan.kind == "release" else "reserve"
    accounts = {line.commitment_id: f"{source}:{line.commitment_id}" for line in lines}
    held = await balances(work, plan.scope, list(accounts.values()))
    if any(held[accounts[line.commitment_id]] != line.amount_minor for line in lines):
        return False
    faults = await open_issue_commitments(work, campaign)
    if any(line.commitment_id in faults and not line.to_reserve for line in lines):
        return False
    figures = plan_figures(
        lines,
        basis_points=campaign.fee_basis_points,
        cleared_before_minor=campaign.cleared_minor,
        fee_taken_minor=campaign.fee_taken_minor,
    )
    return plan.plan_hash == plan_hash(
        campaign_id=campaign.campaign_id,
        plan_id=plan.plan_id,
        kind=cast(PlanKind, plan.kind),
        supplier_id=supplier.supplier_id,
        destination=supplier.payout_account_id,
        currency=plan.currency,
        figures=figures,
        lines=lines,
    )


def _begin(work: Work, plan: Plan, message: ApproveClearingPlan) -> None:
    plan.approver_id, plan.approved_at = work.actor.id, work.now
    plan.state = "APPROVED"
    work.publish(
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
