"""Release and reserve release: every release condition holds, lines come from the records, one transfer goes out."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from contracts.clearing import ClearingPlanCleared
from contracts.errors import Rejected
from contracts.ledger import PlanKind, PlanLine
from services.escrow.domain import postings
from services.escrow.domain.ledger import Posting
from services.escrow.domain.plan_rules import Wanted
from services.escrow.domain.release import PLAN_LINES_MAX, PlanFigures, plan_figures, plan_lines, unmet
from services.escrow.plan_kinds.acts import Draft
from services.escrow.store.book import book_of
from services.escrow.store.plans import balances_of_class, lines_of
from services.escrow.store.tables import Campaign, Plan, Supplier
from services.escrow.usecases.judge_release import judge_release, open_issue_commitments, payee
from services.escrow.usecases.post_transfers import balances, post, relied, write_transfers
from services.escrow.usecases.record_campaign import known_campaign
from services.escrow.usecases.record_plan_step import audit_plan
from services.escrow.usecases.send_plan import send_if_available
from services.kit.work import Work


class Release:
    """The two kinds that pay a supplier; they differ in the account that their lines come from."""

    async def draft(self, work: Work, campaign: Campaign, wanted: Wanted, *, maker_event: UUID) -> Draft:
        """Lines and figures as the ledger has them now. Raises Rejected."""
        open_issues = await open_issue_commitments(work, campaign)
        if wanted.kind == "release":
            held = await balances_of_class(work, wanted.scope, "escrow")
            lines = plan_lines(held, keep_back=open_issues)
        else:
            held = await balances_of_class(work, wanted.scope, "reserve")
            freed = {
                commitment_id: amount for commitment_id, amount in held.items() if commitment_id not in open_issues
            }
            lines = plan_lines(freed, keep_back=(), source="reserve")
        drafted = await self._judged(work, campaign, wanted, lines, maker_event)
        if drafted.figures.net_minor <= 0 or len(lines) >= PLAN_LINES_MAX:
            raise Rejected("release_conditions_unmet", unmet=["something_to_release"], lines=len(lines))
        return drafted

    async def still(self, work: Work, campaign: Campaign, plan: Plan, wanted: Wanted) -> Draft | None:
        """The submitted lines, when the ledger still holds them and no fault was reported on one that is released."""
        lines = tuple(await lines_of(work.connection, plan.plan_id))
        drafted = await self._judged(work, campaign, wanted, lines, plan.plan_id)
        accounts = {line.commitment_id: f"{line.source}:{line.commitment_id}" for line in lines}
        held = await balances(work, plan.scope, list(accounts.values()))
        if any(held[accounts[line.commitment_id]] != line.amount_minor for line in lines):
            return None
        faults = await open_issue_commitments(work, campaign)
        if any(line.commitment_id in faults and not line.to_reserve for line in lines):
            return None
        return drafted

    async def begin(self, work: Work, plan: Plan) -> None:
        """Take the latch: from now on no close is granted."""
        head = await book_of(work).scope(plan.scope)
        head.latch, head.latch_plan_id = "clearing", plan.plan_id

    async def fits(self, work: Work, plan: Plan, lines: list[PlanLine]) -> bool:
        """A release goes whole or not at all."""
        accounts = [f"{line.source}:{line.commitment_id}" for line in lines]
        held = await balances(work, plan.scope, accounts)
        return all(held[account] == line.amount_minor for account, line in zip(accounts, lines, strict=True))

    async def apply(self, work: Work, plan: Plan, line: PlanLine) -> None:
        """Clear a line."""
        campaign = await known_campaign(work, UUID(plan.scope))
        await post(work, _cleared(plan.scope, plan.kind, plan.plan_id, line, _evidence(work, campaign)))

    async def finish(self, work: Work, plan: Plan) -> None:
        """Every line is cleared: send the transfer, or wait for available money."""
        # The lines are written while the plan still reads CLEARING: the database judges each against it.
        await write_transfers(work)
        plan.state = "CLEARED"
        work.publish(ClearingPlanCleared(campaign_id=UUID(plan.scope), plan_id=plan.plan_id))
        audit_plan(work, plan, before="CLEARING")
        await send_if_available(work, plan)

    async def _judged(
        self, work: Work, campaign: Campaign, wanted: Wanted, lines: tuple[PlanLine, ...], maker_event: UUID
    ) -> Draft:
        conditions = await judge_release(work, campaign, cast(PlanKind, wanted.kind), first_approval=maker_event)
        supplier = await payee(work, campaign)
        if unmet(conditions) or supplier is None:
            raise Rejected("release_conditions_unmet", unmet=unmet(conditions))
        figures = _figures(campaign, lines)
        facts = _evidence(work, campaign)
        return Draft(
            lines=lines,
            figures=figures,
            conditions=conditions,
            postings=tuple(_cleared(wanted.scope, wanted.kind, wanted.plan_id, line, facts) for line in lines),
            more=(
                ("supplier_payable", -figures.fee_minor - figures.net_minor),
                ("platform_fee", figures.fee_minor),
                ("psp_clearing", figures.net_minor),
            ),
            supplier_id=supplier.supplier_id,
            destination=_destination(supplier),
        )


def _figures(campaign: Campaign, lines: tuple[PlanLine, ...]) -> PlanFigures:
    return plan_figures(
        lines,
        basis_points=campaign.fee_basis_points,
        cleared_before_minor=campaign.cleared_minor,
        fee_taken_minor=campaign.fee_taken_minor,
    )


def _destination(supplier: Supplier) -> str:
    return supplier.payout_account_id


def _evidence(work: Work, campaign: Campaign) -> postings.Facts:
    return postings.Facts(
        work.now,
        relied(
            campaign.accepted_event_id,
            campaign.delivery_event_id,
            campaign.inspection_event_id,
            campaign.verdict_event_id,
            campaign.completed_event_id,
        ),
    )


def _cleared(scope: str, kind: str, plan_id: UUID, line: PlanLine, facts: postings.Facts) -> Posting:
    if kind == "release":
        return postings.clear(
            scope, line.commitment_id, line.amount_minor, plan_id=plan_id, to_reserve=line.to_reserve, facts=facts
        )
    return postings.reserve_release(scope, line.commitment_id, line.amount_minor, plan_id=plan_id, facts=facts)
