"""Make a plan and submit it; the maker's submission is the first of two approvals.

A release's lines and figures are read from the ledger; an act by hand names what it is about, and escrow judges it. What
the plan would do to each account is computed here and told with it. A draft holds nothing: a new release takes the place
of the one before, and a close is not denied because of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from contracts.clearing import (
    ClearingPlanLinesTold,
    ClearingPlanSubmitted,
    PlanByHandSubmitted,
    SubmitClearingPlan,
    SubmitPlanByHand,
)
from contracts.errors import Rejected
from contracts.ledger import AccountPreview
from services.escrow.domain.plan_rules import Wanted, check_wanted, rule_of
from services.escrow.domain.release import plan_hash
from services.escrow.plan_kinds.acts import Draft
from services.escrow.plan_kinds.registry import ACTS
from services.escrow.store.book import book_of
from services.escrow.store.plans import at_its_lines, holder, insert_lines, ledger_is_sound, plans_of
from services.escrow.store.tables import Campaign, Plan
from services.escrow.usecases.post_transfers import write_transfers
from services.escrow.usecases.preview_plan import preview_plan
from services.escrow.usecases.record_plan_step import AUDITOR, audit_plan, audit_refused, stop_draft
from services.kit.work import Work

LINES_PER_EVENT_MAX = 1_000


async def submit_clearing_plan(work: Work, message: SubmitClearingPlan) -> None:
    """Submit a plan from the records for its second approval. Raises Rejected, with a record of who tried what."""
    wanted = Wanted(plan_id=message.plan_id, kind=message.plan_kind, scope=str(message.campaign_id))
    await _recorded(work, wanted, message.reason)


async def submit_plan_by_hand(work: Work, message: SubmitPlanByHand) -> None:
    """Submit an act by hand for its second approval. Raises Rejected, with a record of who tried what."""
    wanted = Wanted(
        plan_id=message.plan_id,
        kind=message.plan_kind,
        scope=str(message.campaign_id),
        lines=tuple((line.commitment_id, line.amount_minor) for line in message.lines),
        currency=message.currency,
        reason_code=message.reason_code,
        evidence=message.evidence,
        target_plan_id=message.target_plan_id,
        target_position=message.target_position,
    )
    await _recorded(work, wanted, message.reason)


async def _recorded(work: Work, wanted: Wanted, reason: str) -> None:
    try:
        await _submit(work, wanted, reason)
    except Rejected as rejected:
        audit_refused(work, wanted.scope, wanted.plan_id, act="submission", code=rejected.code)
        raise


async def _submit(work: Work, wanted: Wanted, reason: str) -> None:
    if work.actor.role != AUDITOR:
        raise Rejected("not_allowed", role=work.actor.role)
    book = book_of(work)
    campaign = await book.campaigns.get(wanted.campaign_id)
    if campaign is None:
        raise Rejected("campaign_unknown")
    if await book.plans.get(wanted.plan_id) is not None:
        raise Rejected("plan_state_conflict")
    check_wanted(wanted, currency=campaign.currency)
    await check_scope(work, wanted)
    plans = await plans_of(work, wanted.scope)
    check_at_work(plans, wanted)
    draft = await ACTS[wanted.kind].draft(work, campaign, wanted, maker_event=work.cause.id)
    accounts, lines = await preview_plan(work, wanted.scope, draft)
    if rule_of(wanted.kind).is_release:
        for other in plans:
            if other.state == "DRAFT" and rule_of(other.kind).is_release:
                stop_draft(work, other, "superseded")
    version = 1 + max((plan.version for plan in plans if plan.kind == wanted.kind), default=0)
    plan = await _write(work, wanted, reason, campaign, draft, version=version)
    plan.submitted_event_id = work.publish(_submitted(plan, draft, accounts, len(draft.lines) or len(lines)))
    for first in range(0, len(lines), LINES_PER_EVENT_MAX):
        part = lines[first : first + LINES_PER_EVENT_MAX]
        work.publish(
            ClearingPlanLinesTold(
                campaign_id=wanted.campaign_id, plan_id=plan.plan_id, currency=plan.currency, lines=part
            )
        )
    audit_plan(work, plan, before=None, reason=plan.reason)


async def check_scope(work: Work, wanted: Wanted) -> None:
    """What must hold of the campaign's scope; writes the batch. Raises Rejected."""
    head = await book_of(work).scope(wanted.scope)
    rule = rule_of(wanted.kind)
    if rule.is_release and head.latch == "close":
        raise Rejected("campaign_closing")
    if rule.is_release and (work.is_frozen(wanted.scope) or head.paused):
        raise Rejected("campaign_frozen")
    await write_transfers(work)
    if not rule.is_release and not await ledger_is_sound(work.connection, wanted.scope):
        raise Rejected("release_conditions_unmet", unmet=["ledger_sound"])


def check_at_work(plans: Sequence[Plan], wanted: Wanted) -> None:
    """Whether another plan of the campaign is in the way. Raises Rejected."""
    if rule_of(wanted.kind).is_release and holder(plans) is not None:
        raise Rejected("release_under_way")
    if at_its_lines(plans) is not None:
        raise Rejected("plan_under_way")


def hash_of(wanted: Wanted, draft: Draft, *, currency: str) -> str:
    """The hash that the second person approves."""
    return plan_hash(
        campaign_id=wanted.campaign_id,
        plan_id=wanted.plan_id,
        kind=wanted.kind,
        supplier_id=draft.supplier_id,
        destination=draft.destination,
        currency=currency,
        figures=draft.figures,
        lines=draft.lines,
        reason_code=wanted.reason_code,
        evidence=wanted.evidence,
        target_plan_id=wanted.target_plan_id,
        target_position=wanted.target_position,
    )


async def _write(work: Work, wanted: Wanted, reason: str, campaign: Campaign, draft: Draft, *, version: int) -> Plan:
    book = book_of(work)
    figures = draft.figures
    plan = book.plans.add(
        Plan(
            plan_id=wanted.plan_id,
            scope=wanted.scope,
            kind=wanted.kind,
            version=version,
            maker_id=work.actor.id,
            supplier_id=draft.supplier_id,
            plan_hash=hash_of(wanted, draft, currency=campaign.currency),
            gross_minor=figures.gross_minor,
            reserve_minor=figures.reserve_minor,
            fee_minor=figures.fee_minor,
            net_minor=figures.net_minor,
            currency=campaign.currency,
            conditions=[condition.model_dump(mode="json") for condition in draft.conditions],
            reason=reason,
            reason_code=wanted.reason_code,
            evidence=list(wanted.evidence),
            target_plan_id=wanted.target_plan_id,
            target_position=wanted.target_position,
            submitted_at=work.now,
        )
    )
    await book.flush()
    await insert_lines(work.connection, plan.plan_id, draft.lines)
    return plan


def _submitted(
    plan: Plan, draft: Draft, accounts: tuple[AccountPreview, ...], line_count: int
) -> ClearingPlanSubmitted | PlanByHandSubmitted:
    said = {
        "campaign_id": UUID(plan.scope),
        "plan_id": plan.plan_id,
        "plan_kind": plan.kind,
        "plan_hash": plan.plan_hash,
        "maker_id": plan.maker_id,
        "reason": plan.reason,
        "supplier_id": plan.supplier_id,
        "currency": plan.currency,
        "line_count": line_count,
        "conditions": draft.conditions,
        "preview": accounts,
    }
    if rule_of(plan.kind).is_release:
        return ClearingPlanSubmitted(
            **said,
            gross_minor=plan.gross_minor,
            reserve_minor=plan.reserve_minor,
            fee_minor=plan.fee_minor,
            net_minor=plan.net_minor,
        )
    return PlanByHandSubmitted(
        **said,
        reason_code=plan.reason_code,
        evidence=tuple(plan.evidence),
        target_plan_id=plan.target_plan_id,
        target_position=plan.target_position,
        amount_minor=plan.net_minor,
    )
