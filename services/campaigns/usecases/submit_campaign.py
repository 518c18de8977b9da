"""Submit a draft for review (T1): everything a review needs must be there."""

from __future__ import annotations

from contracts.campaigns import CampaignSubmitted, SubmitCampaign
from contracts.errors import Rejected
from services.campaigns.domain.readiness import missing_items
from services.campaigns.domain.transitions import Trigger, decide
from services.campaigns.store.loaded import find_campaign
from services.campaigns.store.records import content_of, product_of, readiness_of, terms_of
from services.campaigns.usecases.gather_facts import gather_facts, longest_hold
from services.campaigns.usecases.take_transition import take_transition
from services.kit.work import Work


async def submit_campaign(work: Work, message: SubmitCampaign) -> None:
    """Raises Rejected: `campaign_unknown`, `not_allowed`, `campaign_state_conflict`, `readiness_incomplete` with the
    list of what is missing, `hold_too_long` when the payment rail may not hold money for so long."""
    campaign = await find_campaign(work, message.campaign_id)
    if campaign is None:
        raise Rejected("campaign_unknown")
    content = await content_of(work, campaign)
    terms = await terms_of(work, campaign)
    missing = missing_items(
        product_of(content),
        terms,
        readiness=readiness_of(content),
        supplier_count=len(content.supplier_ids),
        now=work.now,
    )
    transition = decide(
        Trigger.SUBMIT,
        state=campaign.state,
        who=work.actor.role,
        facts=gather_facts(work, campaign, missing=missing, hold_days=longest_hold(work, terms)),
    )
    campaign.submitted_at = work.now
    take_transition(work, campaign, transition)
    work.publish(CampaignSubmitted(campaign_id=campaign.campaign_id, terms_hash=campaign.terms_hash))
