"""What the machine of plans asks of a kind, and what several kinds share.

A kind drafts (what would it post, does everything hold), begins, applies line by line, and finishes. It decides nothing
about people, batches or progress; the machine does that for all kinds alike. A kind cannot post without the machine's
plan row: the database compares each posting with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from contracts.errors import Rejected
from contracts.ledger import PlanLine, ReleaseCondition
from services.escrow.domain import postings
from services.escrow.domain.ledger import Posting
from services.escrow.domain.plan_rules import Wanted
from services.escrow.domain.release import PlanFigures
from services.escrow.store.book import book_of
from services.escrow.store.tables import Campaign, Plan, Reservation
from services.escrow.usecases.post_transfers import relied
from services.kit.work import Work


@dataclass(frozen=True, slots=True)
class Draft:
    """What a plan would do: its lines and figures, what must hold, the postings (for the preview), and for a payment to a
    supplier who gets it. `more` are entries of the preview beside the postings: (account, amount)."""

    lines: tuple[PlanLine, ...]
    figures: PlanFigures
    conditions: tuple[ReleaseCondition, ...]
    postings: tuple[Posting, ...]
    more: tuple[tuple[str, int], ...] = ()
    supplier_id: UUID | None = None
    destination: str = ""


class PlanActs(Protocol):
    """One kind of plan."""

    async def draft(self, work: Work, campaign: Campaign, wanted: Wanted, *, maker_event: UUID) -> Draft:
        """The plan as it would be now. Raises Rejected. The batch is written before."""

    async def still(self, work: Work, campaign: Campaign, plan: Plan, wanted: Wanted) -> Draft | None:
        """The plan as it stands at its second approval; None when the facts have changed. Raises Rejected."""

    async def begin(self, work: Work, plan: Plan) -> None:
        """The first step after the approval, before any line."""

    async def fits(self, work: Work, plan: Plan, lines: list[PlanLine]) -> bool:
        """Whether these lines can be applied; False stops the whole plan. A kind whose lines fail singly says True."""

    async def apply(self, work: Work, plan: Plan, line: PlanLine) -> None:
        """Post one line. Raises Rejected, before any change, when it can no longer be applied."""

    async def finish(self, work: Work, plan: Plan) -> None:
        """After the last line: call, or complete."""


class ByHand:
    """What acts by hand share: the draft is judged anew at the second approval, and lines fail singly."""

    async def draft(self, work: Work, campaign: Campaign, wanted: Wanted, *, maker_event: UUID) -> Draft:
        """Each kind has its own."""
        raise LookupError(f"{wanted.kind} has no draft")

    async def still(self, work: Work, campaign: Campaign, plan: Plan, wanted: Wanted) -> Draft | None:
        """The same draft, made anew."""
        return await self.draft(work, campaign, wanted, maker_event=plan.plan_id)

    async def begin(self, work: Work, plan: Plan) -> None:
        """Nothing comes before the lines."""

    async def fits(self, work: Work, plan: Plan, lines: list[PlanLine]) -> bool:
        """A line that cannot be applied becomes a case of its own."""
        return True


def evidence_of(work: Work, plan: Plan) -> postings.Facts:
    """What a posting of an act by hand rests on: the submission and the approval."""
    return postings.Facts(work.now, relied(plan.submitted_event_id, plan.approved_event_id))


def met(*names: str, evidence: tuple[UUID, ...] = ()) -> tuple[ReleaseCondition, ...]:
    """Conditions that were found to hold; one that does not is a refusal with a code of its own."""
    return tuple(ReleaseCondition(name=name, met=True, evidence=evidence) for name in names)


async def reservations_of(work: Work, wanted: Wanted) -> dict[UUID, Reservation]:
    """The commitments that a request names. Raises Rejected for one of another campaign."""
    book = book_of(work)
    await book.load_commitments(commitment_id for commitment_id, _ in wanted.lines)
    found: dict[UUID, Reservation] = {}
    for commitment_id, _ in wanted.lines:
        reservation = await book.reservations.get(commitment_id)
        if reservation is None or str(reservation.campaign_id) != wanted.scope:
            raise Rejected("commitment_not_in_campaign", commitment_id=commitment_id)
        found[commitment_id] = reservation
    return found


async def paid_intent(work: Work, reservation: Reservation) -> str:
    """The payment at Stripe that a commitment was funded by. Raises Rejected when there is none to refund."""
    payment = await book_of(work).payments.get(reservation.funded_by) if reservation.funded_by else None
    if payment is None or payment.payment_intent_id is None:
        raise Rejected("line_exceeds_balance", commitment_id=reservation.commitment_id)
    return payment.payment_intent_id
