"""Recovery: money of a released transfer is called back from the supplier's account, against what it cost the platform.

The lines say for which commitments; one reversal of their sum is made. What comes back lowers the platform's loss, and a
goodwill plan may pay it out. A reversal that nobody here asked for is owed to the supplier again, as before.
"""

from __future__ import annotations

from uuid import UUID

from contracts.errors import Rejected
from contracts.ledger import PlanLine
from services.escrow.domain import postings
from services.escrow.domain.ledger import Posting
from services.escrow.domain.plan_rules import Wanted, figures_by_hand
from services.escrow.plan_kinds.acts import ByHand, Draft, met, reservations_of
from services.escrow.store.acts_by_hand import taken_back_minor
from services.escrow.store.book import book_of
from services.escrow.store.tables import Campaign, Plan
from services.escrow.usecases.record_plan_step import audit_plan
from services.escrow.usecases.send_plan import intend_reversal
from services.kit.work import Work


class Recovery(ByHand):
    """A reversal of a part of one released transfer."""

    async def draft(self, work: Work, campaign: Campaign, wanted: Wanted, *, maker_event: UUID) -> Draft:
        """The sum against what is left of the transfer, each line against its commitment. Raises Rejected."""
        reservations = await reservations_of(work, wanted)
        target = await book_of(work).plans.get(wanted.target_plan_id) if wanted.target_plan_id else None
        if target is None or target.scope != wanted.scope or target.state != "SENT" or target.transfer_id is None:
            raise Rejected("plan_target_unfit", state=target.state if target else None)
        for commitment_id, amount_minor in wanted.lines:
            reservation = reservations[commitment_id]
            if reservation.state != "released":
                raise Rejected("commitment_not_released", commitment_id=commitment_id, state=reservation.state)
            if amount_minor > reservation.amount_minor:
                raise Rejected("line_exceeds_balance", commitment_id=commitment_id, paid_minor=reservation.amount_minor)
        lines = tuple(
            PlanLine(commitment_id=commitment_id, amount_minor=amount_minor, source="dispute_loss")
            for commitment_id, amount_minor in sorted(wanted.lines)
        )
        figures = figures_by_hand(line.amount_minor for line in lines)
        left_minor = target.net_minor - await taken_back_minor(work, target)
        if figures.net_minor > left_minor:
            raise Rejected("line_exceeds_balance", left_of_transfer_minor=left_minor, amount_minor=figures.net_minor)
        posting = postings.transfer_back(
            wanted.scope,
            figures.net_minor,
            plan_id=wanted.plan_id,
            reversal_id=f"of:{target.plan_id}",
            as_recovery=True,
        )
        return Draft(
            lines=lines,
            figures=figures,
            conditions=met("transfer_was_sent", "within_the_transfer", "evidence_named")
            + met("first_approval", evidence=(maker_event,)),
            postings=(posting,),
            supplier_id=target.supplier_id,
            destination=target.transfer_id,
        )

    async def apply(self, work: Work, plan: Plan, line: PlanLine) -> None:
        """A line is a reason, not a posting: one reversal is made for all."""

    async def finish(self, work: Work, plan: Plan) -> None:
        """Ask Stripe for the reversal; its answer is posted."""
        plan.state = "SENDING"
        audit_plan(work, plan, before="CLEARING")
        await work.session.flush()
        await intend_reversal(work, plan)


def recovered_posting(work: Work, plan: Plan, reversal_id: str, *, relied_on: tuple[UUID, ...]) -> Posting:
    """The posting of a recovery's reversal."""
    return postings.transfer_back(
        plan.scope,
        plan.net_minor,
        plan_id=plan.plan_id,
        reversal_id=reversal_id,
        as_recovery=True,
        facts=postings.Facts(work.now, relied_on),
    )
