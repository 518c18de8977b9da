"""Work off an approved plan's lines in the ledger, in bounded transactions, each told with how far the plan is.

A release goes whole or not at all: a line that changed stops it before anything is sent, what was cleared goes back, and a
new plan needs two fresh approvals. An act by hand goes on: a line that can no longer be applied becomes a case. After a
crash the next transaction takes up the lines that are not marked; a line is marked in the transaction that posts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from contracts.clearing import ClearingPlanProgressed
from contracts.errors import Rejected
from contracts.ledger import PlanLine
from services.escrow.domain.plan_rules import rule_of
from services.escrow.domain.release import LINES_PER_TRANSACTION_MAX
from services.escrow.plan_kinds.registry import acts_of
from services.escrow.store.book import book_of
from services.escrow.store.plans import lines_of, mark_worked
from services.escrow.store.tables import Plan
from services.escrow.usecases.stop_plan import stop_plan
from services.kit.work import Work

CLEAR_DEADLINE = "plan_clear"
LINE_FAILED_CASE = "plan_line_failed"
FROZEN_RETRY = timedelta(hours=1)
"""Pause before a release in a campaign that is held for a check looks whether it may go on."""


async def clear_next(work: Work, plan: Plan, *, step: int) -> None:
    """Work off the next lines of a plan in CLEARING; after the last one its kind finishes it."""
    if plan.state != "CLEARING":
        return
    await work.session.flush()
    acts = acts_of(plan)
    if rule_of(plan.kind).is_release and await _is_held(work, plan):
        _go_on(work, plan, step=step, after=FROZEN_RETRY)
        return
    lines = await lines_of(work.connection, plan.plan_id, rows_max=LINES_PER_TRANSACTION_MAX + 1, cleared=False)
    now_due, more = lines[:LINES_PER_TRANSACTION_MAX], len(lines) > LINES_PER_TRANSACTION_MAX
    if not await acts.fits(work, plan, now_due):
        await stop_plan(work, plan, "line_changed")
        return
    failed: dict[UUID, str] = {}
    for line in now_due:
        try:
            await acts.apply(work, plan, line)
        except Rejected as rejected:
            failed[line.commitment_id] = rejected.code
            _open_line_case(work, plan, line, rejected)
    await _note(work, plan, now_due, failed)
    if more:
        _go_on(work, plan, step=step, after=timedelta())
        return
    await acts.finish(work, plan)


async def _is_held(work: Work, plan: Plan) -> bool:
    return work.is_frozen(plan.scope) or (await book_of(work).scope(plan.scope)).paused


async def _note(work: Work, plan: Plan, lines: list[PlanLine], failed: Mapping[UUID, str]) -> None:
    if not lines:
        return
    await mark_worked(work, plan.plan_id, {line.commitment_id: failed.get(line.commitment_id) for line in lines})
    plan.lines_applied += len(lines) - len(failed)
    plan.lines_failed += len(failed)
    work.publish(
        ClearingPlanProgressed(
            campaign_id=UUID(plan.scope),
            plan_id=plan.plan_id,
            lines_applied=plan.lines_applied,
            lines_failed=plan.lines_failed,
        )
    )


def _open_line_case(work: Work, plan: Plan, line: PlanLine, rejected: Rejected) -> None:
    work.open_case(
        LINE_FAILED_CASE,
        scope=plan.scope,
        subject=f"{plan.plan_id}:{line.commitment_id}",
        facts={
            **rejected.facts,
            "plan_id": plan.plan_id,
            "kind": plan.kind,
            "commitment_id": line.commitment_id,
            "amount_minor": line.amount_minor,
            "code": rejected.code,
        },
    )


def _go_on(work: Work, plan: Plan, *, step: int, after: timedelta) -> None:
    work.schedule(
        CLEAR_DEADLINE,
        scope=plan.scope,
        subject=f"{plan.plan_id}:{step + 1}",
        due_at=work.now + after,
        payload={"plan_id": str(plan.plan_id), "step": step + 1},
        grace_seconds=0,
    )
