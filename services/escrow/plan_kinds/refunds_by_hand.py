"""Manual refund, partial refund and goodwill: owed from the line on, and paid by the refunds' own machinery.

A refund that people decided goes to Stripe as any other, with its attempts, its queue and its case; the plan is completed
when all of its refunds are paid. Goodwill is the platform's own money after a release, never above what was paid.
"""

from __future__ import annotations

from typing import cast
from uuid import UUID

from contracts.clearing import ClearingPlanCleared
from contracts.envelope import derived_id
from contracts.errors import Rejected
from contracts.escrow import RefundReason
from contracts.ledger import LineSource, PlanLine
from services.escrow.domain import postings
from services.escrow.domain.ledger import Posting, commitment_account
from services.escrow.domain.plan_rules import Wanted, figures_by_hand
from services.escrow.domain.refunds import GOODWILL
from services.escrow.plan_kinds.acts import ByHand, Draft, evidence_of, met, paid_intent, reservations_of
from services.escrow.store.acts_by_hand import refunded_minor_of, spare_cover_minor
from services.escrow.store.book import book_of
from services.escrow.store.tables import Campaign, Plan, Reservation
from services.escrow.usecases.complete_plan import complete_plan
from services.escrow.usecases.decide_refund import owe_refund
from services.escrow.usecases.post_transfers import balances, post, write_transfers
from services.escrow.usecases.record_plan_step import audit_plan
from services.kit.work import Work


class _Refunds(ByHand):
    """What the three share: after the lines the plan waits for its refunds."""

    async def finish(self, work: Work, plan: Plan) -> None:
        """The plan waits for its refunds to be paid; without any it is over."""
        await write_transfers(work)
        if plan.calls_open == 0:
            await complete_plan(work, plan)
            return
        plan.state = "CLEARED"
        work.publish(ClearingPlanCleared(campaign_id=UUID(plan.scope), plan_id=plan.plan_id))
        audit_plan(work, plan, before="CLEARING")


class RefundByHand(_Refunds):
    """A refund of all that is kept for a commitment (`whole`), or of a part of it."""

    def __init__(self, *, whole: bool) -> None:
        self._whole = whole

    async def draft(self, work: Work, campaign: Campaign, wanted: Wanted, *, maker_event: UUID) -> Draft:
        """Each line against what its account holds. Raises Rejected."""
        reservations = await reservations_of(work, wanted)
        accounts = [commitment_account(name, each) for each in reservations for name in ("escrow", "reserve")]
        held = await balances(work, wanted.scope, accounts)
        lines: list[PlanLine] = []
        for commitment_id, amount_minor in sorted(wanted.lines):
            source: LineSource = "escrow" if held[commitment_account("escrow", commitment_id)] > 0 else "reserve"
            self._check(commitment_id, amount_minor, held[commitment_account(source, commitment_id)])
            await paid_intent(work, reservations[commitment_id])
            lines.append(PlanLine(commitment_id=commitment_id, amount_minor=amount_minor, source=source))
        given = tuple(_decided(wanted.scope, wanted.plan_id, line, self._reason(wanted.reason_code)) for line in lines)
        return Draft(
            lines=tuple(lines),
            figures=figures_by_hand(line.amount_minor for line in lines),
            conditions=met("lines_fit_balances", "evidence_named") + met("first_approval", evidence=(maker_event,)),
            postings=given,
        )

    async def apply(self, work: Work, plan: Plan, line: PlanLine) -> None:
        """Decide one refund."""
        reservation = await _reservation(work, line)
        account = commitment_account(line.source, line.commitment_id)
        other = commitment_account("reserve" if line.source == "escrow" else "escrow", line.commitment_id)
        held = await balances(work, plan.scope, [account, other])
        self._check(line.commitment_id, line.amount_minor, held[account])
        payment_intent_id = await paid_intent(work, reservation)
        reason = self._reason(plan.reason_code)
        posting = _decided(plan.scope, plan.plan_id, line, reason, evidence_of(work, plan))
        await post(work, posting)
        before = reservation.state
        if held[account] == line.amount_minor and held[other] == 0:
            reservation.state = "refunded"
        await owe_refund(
            work, reservation, line.amount_minor, reason,
            decision_id=_decision_id(plan.plan_id, line), payment_intent_id=payment_intent_id, before=before,
            plan_id=plan.plan_id,
        )  # fmt: skip
        plan.calls_open += 1

    def _check(self, commitment_id: UUID, amount_minor: int, held_minor: int) -> None:
        facts = {"commitment_id": commitment_id, "held_minor": held_minor, "amount_minor": amount_minor}
        if amount_minor > held_minor:
            raise Rejected("line_exceeds_balance", **facts)
        if self._whole and amount_minor < held_minor:
            raise Rejected("line_not_whole", **facts)
        if not self._whole and amount_minor == held_minor:
            raise Rejected("line_not_partial", **facts)

    def _reason(self, code: str | None) -> RefundReason:
        # A partial refund ends no commitment, whatever fault it answers; other services read that from its reason.
        return cast(RefundReason, code) if self._whole and code else "partial"


class Goodwill(_Refunds):
    """A remedy after release, of the platform's own money."""

    async def draft(self, work: Work, campaign: Campaign, wanted: Wanted, *, maker_event: UUID) -> Draft:
        """Each line against what was paid and given back, the sum against the float. Raises Rejected."""
        reservations = await reservations_of(work, wanted)
        for commitment_id, amount_minor in wanted.lines:
            await _check_goodwill(work, reservations[commitment_id], amount_minor)
        lines = tuple(
            PlanLine(commitment_id=commitment_id, amount_minor=amount_minor, source="goodwill")
            for commitment_id, amount_minor in sorted(wanted.lines)
        )
        figures = figures_by_hand(line.amount_minor for line in lines)
        spare_minor = await spare_cover_minor(work.connection)
        if spare_minor < figures.gross_minor:
            raise Rejected("float_too_low", spare_minor=spare_minor, needed_minor=figures.gross_minor)
        return Draft(
            lines=lines,
            figures=figures,
            conditions=met("funds_were_released", "goodwill_within_price", "float_covers", "evidence_named")
            + met("first_approval", evidence=(maker_event,)),
            postings=tuple(_given(wanted.scope, wanted.plan_id, line, wanted.reason_code) for line in lines),
        )

    async def apply(self, work: Work, plan: Plan, line: PlanLine) -> None:
        """Owe one remedy."""
        reservation = await _reservation(work, line)
        await _check_goodwill(work, reservation, line.amount_minor)
        payment_intent_id = await paid_intent(work, reservation)
        await post(work, _given(plan.scope, plan.plan_id, line, plan.reason_code, evidence_of(work, plan)))
        await owe_refund(
            work, reservation, line.amount_minor, GOODWILL,
            decision_id=_decision_id(plan.plan_id, line), payment_intent_id=payment_intent_id,
            before=reservation.state, plan_id=plan.plan_id,
        )  # fmt: skip
        plan.calls_open += 1


async def _check_goodwill(work: Work, reservation: Reservation, amount_minor: int) -> None:
    if reservation.state != "released":
        raise Rejected("commitment_not_released", commitment_id=reservation.commitment_id, state=reservation.state)
    back_minor = await refunded_minor_of(work, reservation.commitment_id)
    if back_minor + amount_minor > reservation.amount_minor:
        raise Rejected(
            "goodwill_above_price",
            commitment_id=reservation.commitment_id,
            paid_minor=reservation.amount_minor,
            given_back_minor=back_minor,
        )


async def _reservation(work: Work, line: PlanLine) -> Reservation:
    reservation = await book_of(work).reservations.get(line.commitment_id)
    if reservation is None:
        raise LookupError(f"commitment {line.commitment_id} is in a plan and not known")
    return reservation


def _decision_id(plan_id: UUID, line: PlanLine) -> UUID:
    return derived_id(plan_id, f"refund:{line.commitment_id}")


def _decided(
    scope: str, plan_id: UUID, line: PlanLine, reason: str, facts: postings.Facts = postings.NO_FACTS
) -> Posting:
    return postings.refund_decided(
        scope,
        line.commitment_id,
        line.amount_minor,
        decision_id=_decision_id(plan_id, line),
        reason=reason,
        from_reserve=line.source == "reserve",
        plan_id=plan_id,
        facts=facts,
    )


def _given(
    scope: str, plan_id: UUID, line: PlanLine, reason: str | None, facts: postings.Facts = postings.NO_FACTS
) -> Posting:
    return postings.goodwill(
        scope, line.commitment_id, line.amount_minor, plan_id=plan_id, reason=reason or GOODWILL, facts=facts
    )
