"""Tell when held units that nobody disputes reach the target for the first time (T4), and when withdrawals or disputes bring them below it again."""

from __future__ import annotations

from contracts.campaigns import TargetLost, TargetReached
from services.campaigns.domain.transitions import SYSTEM, Trigger, decide, may_follow
from services.campaigns.store.models import CampaignRow
from services.campaigns.usecases.gather_facts import gather_facts
from services.campaigns.usecases.take_transition import take_transition
from services.kit.work import Work


def tell_target_reached(work: Work, campaign: CampaignRow) -> None:
    """Take T4 when it is due; below the target, or past it, nothing happens."""
    if not may_follow(Trigger.FUNDS_COUNTED, campaign.state) or campaign.counted_units < campaign.target_units:
        return
    transition = decide(Trigger.FUNDS_COUNTED, state=campaign.state, who=SYSTEM, facts=gather_facts(work, campaign))
    campaign.target_reached_at = work.now
    take_transition(work, campaign, transition)
    work.publish(
        TargetReached(
            campaign_id=campaign.campaign_id, held_units=campaign.held_units, target_units=campaign.target_units
        )
    )


def tell_target_lost(work: Work, campaign: CampaignRow, *, counted_before: int) -> None:
    """Tell that the target is lost, once per crossing. The state stays; the count at the close decides."""
    crossed = counted_before >= campaign.target_units > campaign.counted_units
    if campaign.state == "TARGET_ACHIEVED" and crossed:
        work.publish(
            TargetLost(
                campaign_id=campaign.campaign_id, held_units=campaign.held_units, target_units=campaign.target_units
            )
        )
