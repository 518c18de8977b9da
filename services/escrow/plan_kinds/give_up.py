"""Giving up a plan whose transfer was refused: what it cleared goes back where it came from, and its latch is free.

The target may have been called at Stripe, so two people decide that it will not be called again. A transfer that turns up
at Stripe after all is found by reconciliation as a mismatch.
"""

from __future__ import annotations

from uuid import UUID

from contracts.errors import Rejected
from contracts.ledger import PlanLine
from services.escrow.domain import postings
from services.escrow.domain.plan_rules import Wanted, figures_by_hand, rule_of
from services.escrow.plan_kinds.acts import ByHand, Draft, met
from services.escrow.store.acts_by_hand import last_call_refused
from services.escrow.store.book import book_of
from services.escrow.store.plans import lines_of
from services.escrow.store.tables import Campaign, Plan
from services.escrow.usecases.complete_plan import complete_plan
from services.escrow.usecases.post_transfers import write_transfers
from services.escrow.usecases.send_plan import TRANSFER_REFUSED_CASE
from services.escrow.usecases.stop_plan import stop_plan, undone
from services.kit.work import Work


class GiveUp(ByHand):
    """The end of a plan that cannot be sent."""

    async def draft(self, work: Work, campaign: Campaign, wanted: Wanted, *, maker_event: UUID) -> Draft:
        """What goes back. Raises Rejected."""
        target = await _target(work, wanted.scope, wanted.target_plan_id)
        lines = await lines_of(work.connection, target.plan_id, cleared=True)
        given = tuple(undone(target, lines, "given_up", postings.NO_FACTS))
        return Draft(
            lines=(),
            figures=figures_by_hand(posting.entries[1][1] for posting in given),
            conditions=met("transfer_refused", "evidence_named") + met("first_approval", evidence=(maker_event,)),
            postings=given,
            supplier_id=target.supplier_id,
        )

    async def begin(self, work: Work, plan: Plan) -> None:
        """Name both people on the target, take its lines back, free the latch."""
        target = await _target(work, plan.scope, plan.target_plan_id)
        # The database asks whether an approved plan says so: it has to stand there first.
        await work.session.flush()
        target.given_up_by, target.given_up_approver = plan.maker_id, plan.approver_id
        await stop_plan(work, target, "given_up", relied_on=(plan.submitted_event_id, plan.approved_event_id))
        await work.close_case(TRANSFER_REFUSED_CASE, subject=str(target.plan_id), resolution="given_up")

    async def apply(self, work: Work, plan: Plan, line: PlanLine) -> None:
        """It has no lines of its own."""

    async def finish(self, work: Work, plan: Plan) -> None:
        """Nothing is called."""
        await write_transfers(work)
        await complete_plan(work, plan)


async def _target(work: Work, scope: str, plan_id: UUID | None) -> Plan:
    target = await book_of(work).plans.get(plan_id) if plan_id else None
    if target is None or target.scope != scope:
        raise Rejected("plan_target_unfit")
    call = rule_of(target.kind).call
    waits = target.state == "CLEARED" or (target.state == "SENDING" and await last_call_refused(work, target, call))
    if call is None or not waits:
        raise Rejected("plan_target_unfit", state=target.state)
    return target
