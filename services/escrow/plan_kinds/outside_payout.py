"""Outside payout: a refund that Stripe refused was paid another way, with proof; then it is owed no more."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from contracts.errors import Rejected
from contracts.escrow import RefundPaidOutside
from contracts.ledger import PlanLine
from services.escrow.domain import postings
from services.escrow.domain.plan_rules import Wanted, figures_by_hand
from services.escrow.domain.refunds import GOODWILL, told_reason
from services.escrow.plan_kinds.acts import ByHand, Draft, evidence_of, met, reservations_of
from services.escrow.store.acts_by_hand import unpaid_decisions
from services.escrow.store.book import book_of
from services.escrow.store.tables import Campaign, Plan, RefundDecision
from services.escrow.usecases.complete_plan import complete_plan, refund_of_plan_paid
from services.escrow.usecases.decide_refund import REFUND_FAILED_CASE, REFUND_RETRY_DEADLINE
from services.escrow.usecases.post_transfers import post, write_transfers
from services.escrow.usecases.settle_campaign import settle_if_done
from services.kit.work import Work


class OutsidePayout(ByHand):
    """Refunds whose attempts at Stripe failed, settled by a payment outside."""

    async def draft(self, work: Work, campaign: Campaign, wanted: Wanted, *, maker_event: UUID) -> Draft:
        """Each line against the failed refunds of its commitment. Raises Rejected."""
        await reservations_of(work, wanted)
        unpaid = await unpaid_decisions(work, (commitment_id for commitment_id, _ in wanted.lines))
        for commitment_id, amount_minor in wanted.lines:
            check_failed(commitment_id, amount_minor, unpaid.get(commitment_id, []))
        lines = tuple(
            PlanLine(commitment_id=commitment_id, amount_minor=amount_minor, source="refund_payable")
            for commitment_id, amount_minor in sorted(wanted.lines)
        )
        decided = tuple(each.decided_event_id for rows in unpaid.values() for each in rows)
        return Draft(
            lines=lines,
            figures=figures_by_hand(line.amount_minor for line in lines),
            conditions=met("refund_failed_at_processor", evidence=decided)
            + met("lines_fit_balances", "proof_of_payment_named")
            + met("first_approval", evidence=(maker_event,)),
            postings=tuple(
                postings.refund_paid_outside(
                    wanted.scope, line.commitment_id, line.amount_minor,
                    plan_id=wanted.plan_id, reason=wanted.reason_code or "",
                )
                for line in lines
            ),
        )  # fmt: skip

    async def apply(self, work: Work, plan: Plan, line: PlanLine) -> None:
        """Settle the failed refunds of one commitment."""
        unpaid = (await unpaid_decisions(work, [line.commitment_id])).get(line.commitment_id, [])
        check_failed(line.commitment_id, line.amount_minor, unpaid)
        await post(
            work,
            postings.refund_paid_outside(
                plan.scope,
                line.commitment_id,
                line.amount_minor,
                plan_id=plan.plan_id,
                reason=plan.reason_code or "",
                facts=evidence_of(work, plan),
            ),
        )
        for decision in unpaid:
            await settle_outside(work, plan, decision)

    async def finish(self, work: Work, plan: Plan) -> None:
        """Nothing is called: the payment was made already."""
        await write_transfers(work)
        await complete_plan(work, plan)
        await settle_if_done(work, UUID(plan.scope))


async def settle_outside(work: Work, plan: Plan, decision: RefundDecision) -> None:
    """Note that a failed refund was paid outside: no further attempt, its case is closed."""
    before = decision.state
    decision.state, decision.changed_at, decision.outside_plan_id = "paid_outside", work.now, plan.plan_id
    work.unschedule(REFUND_RETRY_DEADLINE, subject=str(decision.decision_id))
    await work.close_case(REFUND_FAILED_CASE, subject=str(decision.decision_id), resolution="paid_outside")
    campaign = await book_of(work).campaigns.get(decision.campaign_id)
    if campaign is not None:
        campaign.refunds_open -= 1
        campaign.refunded_minor += decision.amount_minor
    work.publish(
        RefundPaidOutside(
            campaign_id=decision.campaign_id,
            commitment_id=decision.commitment_id,
            participant_id=decision.participant_id,
            amount_minor=decision.amount_minor,
            currency=decision.currency,
            decision_id=decision.decision_id,
            plan_id=plan.plan_id,
            reason=told_reason(decision.reason),
            goodwill=decision.reason == GOODWILL,
        )
    )
    work.audit(
        "escrow.refund.moved",
        scope=plan.scope,
        subject=str(decision.decision_id),
        before={"state": before},
        after={"state": "paid_outside", "plan_id": str(plan.plan_id)},
        reason=plan.reason_code,
    )
    if decision.plan_id is not None:
        await refund_of_plan_paid(work, decision.plan_id)


def check_failed(commitment_id: UUID, amount_minor: int, unpaid: Sequence[RefundDecision]) -> None:
    """Whether these unpaid refunds of a commitment all failed and come to this amount. Raises Rejected."""
    states = [decision.state for decision in unpaid]
    if not states or any(state != "failed" for state in states):
        raise Rejected("refund_not_failed", commitment_id=commitment_id, states=states)
    owed_minor = sum(decision.amount_minor for decision in unpaid)
    facts = {"commitment_id": commitment_id, "owed_minor": owed_minor, "amount_minor": amount_minor}
    if amount_minor > owed_minor:
        raise Rejected("line_exceeds_balance", **facts)
    if amount_minor < owed_minor:
        raise Rejected("line_not_whole", **facts)
