"""Make a clearing plan from the records and submit it; the maker's submission is the first of two approvals.

Lines and figures are read from the ledger, never given by a person. A draft holds nothing: a new one takes its place,
and a close is not denied because of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from contracts.clearing import ClearingPlanStopped, ClearingPlanSubmitted, SubmitClearingPlan
from contracts.errors import Rejected
from contracts.ledger import PlanLine, ReleaseCondition
from services.escrow.domain.release import PLAN_LINES_MAX, PlanFigures, plan_figures, plan_hash, plan_lines, unmet
from services.escrow.store.book import book_of
from services.escrow.store.plans import balances_of_class, holder, insert_lines, plans_of
from services.escrow.store.tables import Campaign, Plan, Supplier
from services.escrow.usecases.judge_release import judge_release, open_issue_commitments, payee
from services.escrow.usecases.post_transfers import write_transfers
from services.kit.work import Work

AUDITOR = "escrow_auditor"


async def submit_clearing_plan(work: Work, message: SubmitClearingPlan) -> None:
    """Submit a plan for its second approval. Raises Rejected."""
    if work.actor.role != AUDITOR:
        raise Rejected("not_allowed", role=work.actor.role)
    book = book_of(work)
    campaign = await book.campaigns.get(message.campaign_id)
    if campaign is None:
        raise Rejected("campaign_unknown")
    if await book.plans.get(message.plan_id) is not None:
        raise Rejected("plan_state_conflict")
    scope = str(message.campaign_id)
    head = await book.scope(scope)
    if head.latch == "close":
        raise Rejected("campaign_closing")
    if work.is_frozen(scope) or head.paused:
        raise Rejected("campaign_frozen")
    await write_transfers(work)
    plans = await plans_of(work, scope)
    if holder(plans) is not None:
        raise Rejected("release_under_way")
    conditions = await judge_release(work, campaign, message.plan_kind, first_approval=work.cause.id)
    missing = unmet(conditions)
    supplier = await payee(work, campaign)
    if missing or supplier is None:
        raise Rejected("release_conditions_unmet", unmet=missing)
    lines = await build_lines(work, campaign, message.plan_kind)
    figures = figures_of(campaign, lines)
    if figures.net_minor <= 0 or len(lines) >= PLAN_LINES_MAX:
        raise Rejected("release_conditions_unmet", unmet=["something_to_release"], lines=len(lines))
    for draft in plans:
        if draft.state == "DRAFT":
            stop_draft(work, draft, "superseded")
    await _write(work, message, campaign, supplier, lines, figures, conditions, version=_next_version(plans, message))


async def build_lines(work: Work, campaign: Campaign, kind: str) -> tuple[PlanLine, ...]:
    """The lines that a plan of this kind would have now. Write the batch before asking."""
    scope = str(campaign.campaign_id)
    open_issues = await open_issue_commitments(work, campaign)
    if kind == "release":
        return plan_lines(await balances_of_class(work, scope, "escrow"), keep_back=open_issues)
    reserved = await balances_of_class(work, scope, "reserve")
    freed = {commitment_id: amount for commitment_id, amount in reserved.items() if commitment_id not in open_issues}
    return plan_lines(freed, keep_back=())


def figures_of(campaign: Campaign, lines: Sequence[PlanLine]) -> PlanFigures:
    """What these lines pay, after what the campaign has paid before."""
    return plan_figures(
        lines,
        basis_points=campaign.fee_basis_points,
        cleared_before_minor=campaign.cleared_minor,
        fee_taken_minor=campaign.fee_taken_minor,
    )


def stop_draft(work: Work, plan: Plan, code: str) -> None:
    """A draft that will not be approved any more."""
    plan.state, plan.stop_code, plan.stopped_at = "STOPPED", code, work.now
    work.publish(ClearingPlanStopped(campaign_id=UUID(plan.scope), plan_id=plan.plan_id, code=code))
    audit_plan(work, plan, before="DRAFT", reason=code)


def audit_plan(work: Work, plan: Plan, *, before: str | None, reason: str | None = None) -> None:
    """An audit row for a plan's step."""
    work.audit(
        "escrow.plan.moved",
        scope=plan.scope,
        subject=str(plan.plan_id),
        before={"state": before} if before else None,
        after={"state": plan.state, "plan_hash": plan.plan_hash, "net_minor": plan.net_minor},
        reason=reason,
    )


async def _write(  # noqa: PLR0913 - one plan's whole content
    work: Work,
    message: SubmitClearingPlan,
    campaign: Campaign,
    supplier: Supplier,
    lines: tuple[PlanLine, ...],
    figures: PlanFigures,
    conditions: tuple[ReleaseCondition, ...],
    *,
    version: int,
) -> None:
    book = book_of(work)
    plan = book.plans.add(
        Plan(
            plan_id=message.plan_id,
            scope=str(message.campaign_id),
            kind=message.plan_kind,
            version=version,
            maker_id=work.actor.id,
            supplier_id=supplier.supplier_id,
            plan_hash=hash_of(message, campaign, supplier, lines, figures),
            gross_minor=figures.gross_minor,
            reserve_minor=figures.reserve_minor,
            fee_minor=figures.fee_minor,
            net_minor=figures.net_minor,
            currency=campaign.currency,
            conditions=[condition.model_dump(mode="json") for condition in conditions],
            reason=message.reason,
            submitted_at=work.now,
        )
    )
    await book.flush()
    await insert_lines(work.connection, plan.plan_id, lines)
    work.publish(
        ClearingPlanSubmitted(
            campaign_id=message.campaign_id,
            plan_id=plan.plan_id,
            plan_kind=message.plan_kind,
            plan_hash=plan.plan_hash,
            maker_id=plan.maker_id,
            reason=plan.reason,
            supplier_id=plan.supplier_id,
            gross_minor=plan.gross_minor,
            reserve_minor=plan.reserve_minor,
            fee_minor=plan.fee_minor,
            net_minor=plan.net_minor,
            currency=plan.currency,
            line_count=len(lines),
            conditions=conditions,
        )
    )
    audit_plan(work, plan, before=None, reason=plan.reason)


def hash_of(
    message: SubmitClearingPlan,
    campaign: Campaign,
    supplier: Supplier,
    lines: tuple[PlanLine, ...],
    figures: PlanFigures,
) -> str:
    """The hash that the second person approves."""
    return plan_hash(
        campaign_id=message.campaign_id,
        plan_id=message.plan_id,
        kind=message.plan_kind,
        supplier_id=supplier.supplier_id,
        destination=supplier.payout_account_id,
        currency=campaign.currency,
        figures=figures,
        lines=lines,
    )


def _next_version(plans: Sequence[Plan], message: SubmitClearingPlan) -> int:
    return 1 + max((plan.version for plan in plans if plan.kind == message.plan_kind), default=0)
