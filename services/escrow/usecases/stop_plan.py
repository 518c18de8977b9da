"""Stop a plan at work: what it cleared to the supplier's side goes back where it came from, and the latch is free.

Before anything was called a changed line is enough; after that two people have to give the plan up, which the database
demands too. Reserves stay: they are owed either way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from uuid import UUID

from contracts.clearing import ClearingPlanStopped
from contracts.ledger import PlanLine
from services.escrow.domain import postings
from services.escrow.domain.ledger import Posting
from services.escrow.store.book import book_of
from services.escrow.store.plans import lines_of
from services.escrow.store.tables import Plan
from services.escrow.usecases.close_campaign import close_after_all
from services.escrow.usecases.post_transfers import post, relied, write_transfers
from services.escrow.usecases.record_plan_step import audit_plan
from services.kit.work import Work

CLEARS = ("release", "reserve_release")
"""Kinds whose lines lie on the supplier's side until the transfer is sent."""


async def stop_plan(work: Work, plan: Plan, code: str, *, relied_on: tuple[UUID | None, ...] = ()) -> None:
    """Take back what was cleared to the supplier's side and free the latch."""
    await write_transfers(work)
    facts = postings.Facts(work.now, relied(*relied_on))
    for posting in undone(plan, await lines_of(work.connection, plan.plan_id, cleared=True), code, facts):
        await post(work, posting)
    before = plan.state
    plan.state, plan.stop_code, plan.stopped_at = "STOPPED", code, work.now
    if plan.kind == "release":
        # A plan for reserves works in a campaign whose money was released before; its latch is never free again.
        scope = await book_of(work).scope(plan.scope)
        scope.latch = scope.latch_plan_id = None
    work.publish(ClearingPlanStopped(campaign_id=UUID(plan.scope), plan_id=plan.plan_id, code=code))
    audit_plan(work, plan, before=before, reason=code)
    if plan.kind == "release":
        await close_after_all(work, UUID(plan.scope))


def undone(plan: Plan, lines: Iterable[PlanLine], reason: str, facts: postings.Facts) -> Iterator[Posting]:
    """The postings that take a plan's cleared lines back."""
    if plan.kind not in CLEARS:
        return
    for line in lines:
        if not line.to_reserve:
            yield postings.clear_undone(
                plan.scope,
                line.commitment_id,
                line.amount_minor,
                plan_id=plan.plan_id,
                reason=reason,
                to_reserve=line.source == "reserve",
                facts=facts,
            )
