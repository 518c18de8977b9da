"""Decide a campaign whose joining has ended: once no reservation is open, held units are compared with the target."""

from __future__ import annotations

from contracts.campaigns import AcceptanceRequested, CampaignClosed, InvitationWithdrawalRequested
from contracts.errors import Rejected
from services.campaigns.domain.deadlines import DECISION_OVERDUE
from services.campaigns.domain.transitions import SYSTEM, Transition, Trigger, decide
from services.campaigns.store.models import CampaignRow
from services.campaigns.usecases.close_campaign import close_campaign
from services.campaigns.usecases.gather_facts import gather_facts
from services.campaigns.usecases.take_final_step import look_again_later
from services.campaigns.usecases.take_transition import take_transition
from services.kit.work import Work


async def decide_close(work: Work, campaign: CampaignRow) -> None:
    """Take the decision when it can be taken; otherwise nothing happens, and the next event or re-check comes here
    again. A step that waits for the end of a freeze goes first."""
    if campaign.joining_ended_at is None or campaign.waiting_step is not None:
        return
    try:
        transition = decide(
            Trigger.JOINING_COUNTED, state=campaign.state, who=SYSTEM, facts=gather_facts(work, campaign)
        )
    except Rejected as rejected:
        if rejected.code == "campaign_frozen":
            look_again_later(work, campaign)
        return
    campaign.final_units = campaign.held_units
    campaign.final_commitments = campaign.held_commitments
    work.unschedule(DECISION_OVERDUE, subject=str(campaign.campaign_id))
    if transition.event is CampaignClosed:
        await close_campaign(work, campaign, transition)
    elif transition.event is AcceptanceRequested:
        _ask_for_acceptance(work, campaign, transition)
    else:
        _ask_invitation_back(work, campaign, transition)


def _ask_for_acceptance(work: Work, campaign: CampaignRow, transition: Transition) -> None:
    campaign.acceptance_requested_at = work.now
    take_transition(work, campaign, transition)
    work.publish(
        AcceptanceRequested(
            campaign_id=campaign.campaign_id,
            final_units=campaign.held_units,
            commitments=campaign.held_commitments,
            unit_price_minor=campaign.unit_price_minor,
            currency=campaign.currency,
            terms_hash=campaign.terms_hash,
        )
    )


def _ask_invitation_back(work: Work, campaign: CampaignRow, transition: Transition) -> None:
    assert transition.reason is not None, "an invitation is asked back for a reason"
    campaign.withdrawal_requested_at = work.now
    take_transition(work, campaign, transition)
    work.publish(InvitationWithdrawalRequested(campaign_id=campaign.campaign_id, reason=transition.reason))
