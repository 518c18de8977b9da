"""Keep what is needed here of a campaign that opened, and follow it to its end."""

from __future__ import annotations

from contracts.campaigns import CampaignClosed, CampaignCompleted, CampaignOpened
from services.kit.work import Work
from services.suppliers.domain.invitation import STANDING, InvitationState
from services.suppliers.domain.phases import Phase, step
from services.suppliers.store.records import records
from services.suppliers.store.tables import Campaign
from services.suppliers.usecases.complete_delivery import NOTHING_LEFT_TO_DELIVER
from services.suppliers.usecases.find_campaign import campaign_of_event
from services.suppliers.usecases.invite_supplier import NO_ELIGIBLE_SUPPLIER
from services.suppliers.usecases.judge_fulfillment import FULFILLMENT_ON_HOLD
from services.suppliers.usecases.move_campaign import move_campaign
from services.suppliers.usecases.watch_updates import UPDATE_OVERDUE
from services.suppliers.usecases.withdraw_invitation import withdraw_standing

_ANSWERED_BY_THE_CLOSE = (NO_ELIGIBLE_SUPPLIER, NOTHING_LEFT_TO_DELIVER, FULFILLMENT_ON_HOLD, UPDATE_OVERDUE)
"""Cases that ask what becomes of the campaign: the close says it."""


async def record_campaign(work: Work, event: CampaignOpened) -> None:
    """Keep the campaign's candidates, terms hash and price."""
    known = records(work)
    if await known.campaign(event.campaign_id) is not None:
        return
    known.add_campaign(
        Campaign(
            campaign_id=event.campaign_id,
            phase=Phase.JOINING,
            terms_hash=event.terms_hash,
            candidate_ids=list(dict.fromkeys(event.supplier_ids)),
            opened_event_id=work.cause.id,
            live_units=0,
            live_commitments=0,
            awaiting_delivery=0,
            delivered_commitments=0,
            unit_price_minor=event.terms.unit_price_minor,
            currency=event.terms.currency,
        )
    )


async def close_campaign(work: Work, event: CampaignClosed) -> None:
    """The campaign ended without completion: nothing is awaited of anybody any more.

    Campaigns asks for the withdrawal of a standing invitation before it closes; should one stand nevertheless, it is
    withdrawn here, so that no invitation ends without a word.
    """
    campaign = await records(work).campaign(event.campaign_id)
    if campaign is None:
        # A campaign closed before it opened was never known here and needs nothing.
        return
    if Phase(campaign.phase) is Phase.CLOSED:
        return
    step(Phase(campaign.phase), Phase.CLOSED)
    if campaign.target_event_id is not None:
        await _end_what_stands(work, campaign, reason=event.reason)
    move_campaign(work, campaign, Phase.CLOSED, reason=event.reason)
    campaign.ended_event_id = work.cause.id


async def complete_campaign(work: Work, event: CampaignCompleted) -> None:
    """Funds are released. Issues of commitments kept in reserve may still be decided."""
    campaign = await campaign_of_event(work, event.campaign_id)
    if Phase(campaign.phase) is Phase.COMPLETED:
        return
    move_campaign(work, campaign, Phase.COMPLETED)
    campaign.ended_event_id = work.cause.id


async def _end_what_stands(work: Work, campaign: Campaign, *, reason: str) -> None:
    """Withdraw a standing invitation, and close the cases whose question the close has answered."""
    for invitation in await records(work).invitations(campaign.campaign_id):
        if InvitationState(invitation.state) in STANDING:
            withdraw_standing(work, campaign, invitation, reason=reason)
    for kind in _ANSWERED_BY_THE_CLOSE:
        await work.close_case(kind, subject=str(campaign.campaign_id), resolution="campaign_closed")
