"""Correction: the exact reverse of one named transfer, then the right one.

Only what people entered or classed can be wrong in the books alone, and only that is corrected: a payment outside that was
recorded for the wrong commitment or amount, and money from a supplier's account that was classed as owed to the supplier
though it was a recovery (or the other way). What Stripe says is never corrected here; it is posted as it happened.
"""

from __future__ import annotations

from uuid import UUID

from contracts.errors import Rejected
from contracts.escrow import RefundOwedAgain
from contracts.ledger import PlanLine
from services.escrow.domain import postings
from services.escrow.domain.ledger import Posting
from services.escrow.domain.plan_rules import Wanted, figures_by_hand
from services.escrow.domain.release import PlanFigures
from services.escrow.plan_kinds.acts import Draft, evidence_of, met, reservations_of
from services.escrow.plan_kinds.outside_payout import OutsidePayout, check_failed
from services.escrow.store.acts_by_hand import Posted, decisions_paid_outside, posted_at, unpaid_decisions
from services.escrow.store.book import book_of
from services.escrow.store.tables import Campaign, Plan
from services.escrow.usecases.decide_refund import REFUND_FAILED_CASE
from services.escrow.usecases.post_transfers import post, write_transfers
from services.kit.work import Work

CORRECTABLE = frozenset({"refund_paid_outside", "transfer_back"})


class Correction(OutsidePayout):
    """Its lines, when it has some, are the right payments outside; they are applied as an outside payout's are."""

    async def draft(self, work: Work, campaign: Campaign, wanted: Wanted, *, maker_event: UUID) -> Draft:
        """The named transfer and what takes its place. Raises Rejected."""
        original = await _original(work, wanted.scope, wanted.target_position)
        if original.kind == "transfer_back" and wanted.lines:
            raise Rejected("plan_lines_unexpected", kind=original.kind)
        lines = tuple(
            PlanLine(commitment_id=commitment_id, amount_minor=amount_minor, source="refund_payable")
            for commitment_id, amount_minor in sorted(wanted.lines)
        )
        await self._check_right_ones(work, wanted, original)
        given = [_reverse(original, wanted.plan_id, postings.NO_FACTS)]
        if original.kind == "transfer_back":
            given.append(_the_other_side(original, wanted.plan_id, postings.NO_FACTS))
        given += [
            postings.refund_paid_outside(
                wanted.scope, line.commitment_id, line.amount_minor, plan_id=wanted.plan_id, reason="wrong_posting"
            )
            for line in lines
        ]
        return Draft(
            lines=lines,
            figures=_figures(original, lines),
            conditions=met("transfer_stands", "exact_reverse", "evidence_named", evidence=original.relied_on)
            + met("first_approval", evidence=(maker_event,)),
            postings=tuple(given),
        )

    async def _check_right_ones(self, work: Work, wanted: Wanted, original: Posted) -> None:
        await reservations_of(work, wanted)
        others = {each: amount for each, amount in wanted.lines if each != original.posting.commitment_id}
        unpaid = await unpaid_decisions(work, others)
        for commitment_id, amount_minor in others.items():
            check_failed(commitment_id, amount_minor, unpaid.get(commitment_id, []))

    async def begin(self, work: Work, plan: Plan) -> None:
        """Take the named transfer back; what was paid outside is owed again."""
        original = await _original(work, plan.scope, plan.target_position)
        facts = evidence_of(work, plan)
        await post(work, _reverse(original, plan.plan_id, facts))
        if original.kind == "transfer_back":
            await post(work, _the_other_side(original, plan.plan_id, facts))
            (await book_of(work).scope(plan.scope)).settled_at = None
        elif original.posting.commitment_id is not None:
            await _owe_again(work, plan, original.posting.commitment_id, paid_by=original.posting.plan_id)
        await write_transfers(work)


async def _owe_again(work: Work, plan: Plan, commitment_id: UUID, *, paid_by: UUID | None) -> None:
    for decision in await decisions_paid_outside(work, commitment_id, paid_by):
        decision.state, decision.changed_at, decision.outside_plan_id = "failed", work.now, None
        campaign = await book_of(work).campaigns.get(decision.campaign_id)
        if campaign is not None:
            campaign.refunds_open += 1
            campaign.refunded_minor -= decision.amount_minor
        (await book_of(work).scope(plan.scope)).settled_at = None
        work.publish(
            RefundOwedAgain(
                campaign_id=decision.campaign_id,
                commitment_id=commitment_id,
                participant_id=decision.participant_id,
                amount_minor=decision.amount_minor,
                currency=decision.currency,
                decision_id=decision.decision_id,
                plan_id=plan.plan_id,
            )
        )
        work.open_case(
            REFUND_FAILED_CASE,
            scope=plan.scope,
            subject=str(decision.decision_id),
            facts={
                "commitment_id": commitment_id,
                "amount_minor": decision.amount_minor,
                "attempt": decision.ordinal,
                "why": "a payment outside was taken back by a correction",
            },
        )
        work.audit(
            "escrow.refund.moved",
            scope=plan.scope,
            subject=str(decision.decision_id),
            before={"state": "paid_outside"},
            after={"state": "failed", "plan_id": str(plan.plan_id)},
            reason=plan.reason_code,
        )


async def _original(work: Work, scope: str, position: int | None) -> Posted:
    found = await posted_at(work.connection, scope, position or 0)
    if found is None or found.kind not in CORRECTABLE or found.taken_back:
        raise Rejected("plan_target_unfit", position=position, kind=found.kind if found else None)
    return found


def _reverse(original: Posted, plan_id: UUID, facts: postings.Facts) -> Posting:
    return postings.correction(
        original.posting, plan_id=plan_id, position=original.position, reason="wrong_posting", facts=facts
    )


def _the_other_side(original: Posted, plan_id: UUID, facts: postings.Facts) -> Posting:
    """The same reversal, classed the other way."""
    accounts = {account for account, _ in original.posting.entries}
    return postings.transfer_back(
        original.posting.scope,
        original.amount_minor,
        plan_id=plan_id,
        reversal_id=original.posting.object_id or "",
        as_recovery="dispute_loss" not in accounts,
        instead=True,
        facts=facts,
    )


def _figures(original: Posted, lines: tuple[PlanLine, ...]) -> PlanFigures:
    return figures_by_hand([line.amount_minor for line in lines] or [original.amount_minor])
