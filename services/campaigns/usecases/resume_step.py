"""Take up what a freeze held back: the waiting step, or else the decision at the close."""

from __future__ import annotations

from services.campaigns.domain.transitions import Trigger
from services.campaigns.store.models import CampaignRow
from services.campaigns.usecases.decide_close import decide_close
from services.campaigns.usecases.take_final_step import look_again_later, take_final_step
from services.kit.work import Work


async def resume_step(work: Work, campaign: CampaignRow, *, attempt: int | None = None) -> None:
    """Go on where the campaign stands. Still frozen: a re-check (`attempt` given) waits longer next time."""
    if work.is_frozen(str(campaign.campaign_id)):
        if attempt is not None:
            look_again_later(work, campaign, attempt=attempt + 1)
        return
    step = campaign.waiting_step
    if step is None:
        await decide_close(work, campaign)
        return
    campaign.waiting_step = None
    await take_final_step(work, campaign, Trigger(step["trigger"]), who=step["who"], details=step["details"])
