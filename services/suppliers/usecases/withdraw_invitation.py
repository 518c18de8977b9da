"""Withdraw the standing invitation at the campaigns service's word, unless it was accepted first: then nothing."""

from __future__ import annotations

from contracts.campaigns import InvitationWithdrawalRequested
from contracts.suppliers import InvitationWithdrawn
from services.kit.work import Work
from services.suppliers.domain.invitation import STANDING, InvitationState
from services.suppliers.domain.phases import ANSWERABLE, Phase
from services.suppliers.store.records import records
from services.suppliers.store.tables import Campaign, Invitation
from services.suppliers.usecases.end_invitation import end_invitation
from services.suppliers.usecases.find_campaign import campaign_of_event
from services.suppliers.usecases.move_campaign import move_campaign


async def withdraw_invitation(work: Work, event: InvitationWithdrawalRequested) -> None:
    """No acceptance can come after this event. Without a standing invitation the event names none, so that the
    campaigns service, which waits for it, can go on. After an acceptance nothing is told: it came first."""
    campaign = await campaign_of_event(work, event.campaign_id)
    phase = Phase(campaign.phase)
    if phase in ANSWERABLE:
        standing = [row for row in await records(work).invitations(campaign.campaign_id) if row.state in STANDING]
        move_campaign(work, campaign, Phase.UNACCEPTED, reason=event.reason)
        if standing:
            withdraw_standing(work, campaign, standing[0], reason=event.reason)
            return
    elif phase is not Phase.UNACCEPTED:
        return
    work.publish(InvitationWithdrawn(campaign_id=campaign.campaign_id, invitation_id=None, reason=event.reason))


def withdraw_standing(work: Work, campaign: Campaign, invitation: Invitation, *, reason: str) -> None:
    """Write down and tell the withdrawal of one standing invitation."""
    end_invitation(work, invitation, InvitationState.WITHDRAWN, reason=reason)
    work.publish(
        InvitationWithdrawn(campaign_id=campaign.campaign_id, invitation_id=invitation.invitation_id, reason=reason)
    )
