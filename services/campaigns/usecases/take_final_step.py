"""Take a final step on another service's word, or keep it until a freeze ends.

The word itself is a fact and is never lost: when the campaign is frozen it waits in `waiting_step`, and is taken when
the freeze ends. A growing re-check stands behind that, so that no end of a freeze that went unseen strands a campaign.
"""

from __future__ import annotations

from typing import Any

from contracts.errors import Rejected
from services.campaigns.domain.deadlines import FROZEN_STEP, frozen_step_delay
from services.campaigns.domain.transitions import FINAL_STATES, Trigger, decide
from services.campaigns.store.models import CampaignRow
from services.campaigns.store.records import sign_offs_of
from services.campaigns.usecases.close_campaign import close_campaign
from services.campaigns.usecases.complete_campaign import complete_campaign
from services.campaigns.usecases.gather_facts import gather_facts
from services.campaigns.usecases.report_mismatch import report_mismatch
from services.kit.work import Work


async def take_final_step(
    work: Work, campaign: CampaignRow, trigger: Trigger, *, who: str, details: dict[str, Any] | None = None
) -> None:
    """Close or complete on this word; wait when frozen; open a case when the word does not fit."""
    facts = gather_facts(work, campaign, sign_off_roles=frozenset(await sign_offs_of(work, campaign)))
    try:
        transition = decide(trigger, state=campaign.state, who=who, facts=facts)
    except Rejected as rejected:
        if rejected.code == "campaign_frozen":
            _keep(work, campaign, {"trigger": trigger.value, "who": who, "details": details or {}})
        elif campaign.state not in FINAL_STATES or trigger == Trigger.FUNDS_RELEASED:
            report_mismatch(work, campaign, about=campaign.campaign_id, state=campaign.state, said=trigger.value)
        return
    if transition.target == "COMPLETED":
        await complete_campaign(work, campaign, transition, release=details or {})
    else:
        await close_campaign(work, campaign, transition)


def look_again_later(work: Work, campaign: CampaignRow, *, attempt: int = 0) -> None:
    """Set the next look at a frozen campaign."""
    subject = str(campaign.campaign_id)
    due_at = work.now + frozen_step_delay(attempt)
    work.schedule(FROZEN_STEP, scope=subject, subject=subject, due_at=due_at, payload={"attempt": attempt})


def _keep(work: Work, campaign: CampaignRow, step: dict[str, Any]) -> None:
    """The first word stands: one race has one decider, so a second one is the same word again."""
    if campaign.waiting_step is None:
        campaign.waiting_step = step
        subject = str(campaign.campaign_id)
        work.audit("campaign.step_kept", scope=subject, subject=subject, before=None, after=step, reason="frozen")
        look_again_later(work, campaign)
