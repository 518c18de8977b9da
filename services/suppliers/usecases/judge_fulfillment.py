"""Judge a campaign's fulfillment when its last inspection is over: release, release less a reserve, or hold.

A campaign on hold is judged again whenever one of its issues is decided; when the verdict changes, the event is told
again and the newer one stands. A hold that nothing more can change is a case for a person.
"""

from __future__ import annotations

from uuid import UUID

from contracts.suppliers import FulfillmentAccepted
from services.kit.service import Deadline
from services.kit.work import Work
from services.suppliers.domain.fulfillment import Judgement, judge_issues
from services.suppliers.domain.phases import Phase
from services.suppliers.store.records import records
from services.suppliers.store.tables import Campaign
from services.suppliers.usecases.move_campaign import move_campaign

FULFILLMENT_ON_HOLD = "fulfillment_on_hold"


async def end_inspection(work: Work, deadline: Deadline) -> None:
    """Every inspection is over: judge and tell; a no-op when the campaign went another way."""
    campaign = await records(work).campaign(UUID(deadline.subject))
    if campaign is None or Phase(campaign.phase) is not Phase.INSPECTION or campaign.inspection_until is None:
        return
    if work.now < campaign.inspection_until:
        return
    with_issue, open_ids = await records(work).commitments_with_issue(campaign.campaign_id)
    judgement = judge_issues(delivered=campaign.delivered_commitments, with_issue=with_issue)
    move_campaign(work, campaign, Phase.INSPECTED, reason=judgement.verdict)
    if judgement.verdict == "hold":
        work.open_case(
            FULFILLMENT_ON_HOLD,
            scope=deadline.scope,
            subject=deadline.subject,
            facts={"with_issue": with_issue, "delivered": campaign.delivered_commitments},
        )
    _tell(work, campaign, judgement, open_ids)


async def judge_again(work: Work, campaign: Campaign) -> None:
    """An issue was decided: a campaign on hold is judged again; for any other this is a no-op."""
    if Phase(campaign.phase) is not Phase.INSPECTED or campaign.verdict != "hold":
        return
    with_issue, open_ids = await records(work).commitments_with_issue(campaign.campaign_id)
    judgement = judge_issues(delivered=campaign.delivered_commitments, with_issue=with_issue)
    if judgement.verdict == "hold":
        campaign.issue_rate_basis_points = judgement.issue_rate_basis_points
        return
    await work.close_case(FULFILLMENT_ON_HOLD, subject=str(campaign.campaign_id), resolution=judgement.verdict)
    _tell(work, campaign, judgement, open_ids)


def _tell(work: Work, campaign: Campaign, judgement: Judgement, open_ids: tuple[UUID, ...]) -> None:
    assert campaign.supplier_id is not None
    campaign.issue_rate_basis_points = judgement.issue_rate_basis_points
    before = campaign.verdict
    campaign.verdict = judgement.verdict
    work.audit(
        "fulfillment.judged",
        scope=str(campaign.campaign_id),
        subject=str(campaign.campaign_id),
        before={"verdict": before},
        after={"verdict": judgement.verdict, "issue_rate_basis_points": judgement.issue_rate_basis_points},
    )
    work.publish(
        FulfillmentAccepted(
            campaign_id=campaign.campaign_id,
            supplier_id=campaign.supplier_id,
            delivered=campaign.delivered_commitments,
            issue_rate_basis_points=judgement.issue_rate_basis_points,
            verdict=judgement.verdict,
            open_issue_commitment_ids=open_ids,
        )
    )
