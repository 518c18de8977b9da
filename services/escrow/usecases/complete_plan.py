"""The end of a plan by hand: its lines are in the ledger, and each refund that it made owed is paid.

A refund that fails later opens its own case and is owed again; the plan stays completed, because its lines were applied.
"""

from __future__ import annotations

from typing import cast
from uuid import UUID

from contracts.clearing import ClearingPlanCompleted
from contracts.ledger import HandKind
from services.escrow.store.book import book_of
from services.escrow.store.plans import applied_minor
from services.escrow.store.tables import Plan
from services.escrow.usecases.record_plan_step import audit_plan
from services.kit.work import Work

WAITS = frozenset({"CLEARING", "CLEARED"})


async def complete_plan(work: Work, plan: Plan) -> None:
    """The plan is done."""
    before = plan.state
    plan.state, plan.sent_at = "DONE", work.now
    no_lines = plan.kind in ("give_up", "recovery") or plan.lines_applied + plan.lines_failed == 0
    amount_minor = plan.net_minor if no_lines else await applied_minor(work.connection, plan.plan_id)
    work.publish(
        ClearingPlanCompleted(
            campaign_id=UUID(plan.scope),
            plan_id=plan.plan_id,
            plan_kind=cast(HandKind, plan.kind),
            lines_applied=plan.lines_applied,
            lines_failed=plan.lines_failed,
            amount_minor=amount_minor,
            currency=plan.currency,
        )
    )
    audit_plan(work, plan, before=before)


async def refund_of_plan_paid(work: Work, plan_id: UUID) -> None:
    """One refund of a plan is paid; the last one completes it."""
    plan = await book_of(work).plans.get(plan_id)
    if plan is None or plan.state not in WAITS:
        return
    plan.calls_open -= 1
    if plan.calls_open == 0 and plan.state == "CLEARED":
        await complete_plan(work, plan)


async def refund_of_plan_owed_again(work: Work, plan_id: UUID) -> None:
    """A refund of a plan failed after it had been paid; a plan that still waits waits for it again."""
    plan = await book_of(work).plans.get(plan_id)
    if plan is not None and plan.state in WAITS:
        plan.calls_open += 1
