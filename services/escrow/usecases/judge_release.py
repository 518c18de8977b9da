"""Gather what a release rests on, and judge the release conditions for one campaign."""

from __future__ import annotations

from uuid import UUID

from contracts.ledger import PlanKind, ReleaseCondition
from services.escrow.domain.release import ReleaseFacts, release_conditions
from services.escrow.store.book import book_of
from services.escrow.store.disputes import uncovered_minor
from services.escrow.store.plans import ledger_is_sound
from services.escrow.store.tables import Campaign, Supplier
from services.kit.work import Work


async def judge_release(
    work: Work, campaign: Campaign, kind: PlanKind, *, first_approval: UUID | None
) -> tuple[ReleaseCondition, ...]:
    """Every release condition with its verdict and evidence. Write the batch before asking."""
    book = book_of(work)
    scope = str(campaign.campaign_id)
    head = await book.scope(scope)
    supplier = await payee(work, campaign)
    issues = await book.issues_of(campaign.campaign_id)
    return release_conditions(
        kind,
        ReleaseFacts(
            state=head.campaign_state or "",
            accepted=campaign.accepted_event_id,
            delivered=campaign.delivery_event_id,
            delivered_count=campaign.delivered,
            inspection_started=campaign.inspection_event_id,
            inspection_over=campaign.verdict_event_id,
            verdict=campaign.verdict,
            issues_decided=tuple(issue.decided_event_id for issue in issues if issue.decided_event_id),
            disputed_minor=await uncovered_minor(work.connection, scope),
            frozen=work.is_frozen(scope) or head.paused,
            ledger_sound=await ledger_is_sound(work.connection, scope),
            payout_account=supplier.event_id if supplier is not None else None,
            first_approval=first_approval,
        ),
    )


async def payee(work: Work, campaign: Campaign) -> Supplier | None:
    """The supplier that accepted, with its verified payout account."""
    if campaign.supplier_id is None:
        return None
    return await book_of(work).suppliers.get(campaign.supplier_id)


async def open_issue_commitments(work: Work, campaign: Campaign) -> set[UUID]:
    """Commitments with a reported fault that nobody has decided yet."""
    issues = await book_of(work).issues_of(campaign.campaign_id)
    decided = {issue.commitment_id for issue in issues if issue.verdict is not None}
    reported = {issue.commitment_id for issue in issues if issue.verdict is None}
    told = {UUID(each) for each in campaign.open_issue_commitment_ids}
    return reported | (told - decided)
