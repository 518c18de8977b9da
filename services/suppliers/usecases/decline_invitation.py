"""Decline an invitation, from the moment of the invitation to the end of the window; the next alternate is invited.

An alternate gets what is left of the same window. When the window's end has passed, or no alternate is left, the event
says that no supplier is left.
"""

from __future__ import annotations

from contracts.suppliers import DeclineInvitation, InvitationDeclined
from services.kit.work import Work
from services.suppliers.domain.invitation import (
    ArrivedLate,
    InvitationState,
    judge_decline,
    next_candidate,
)
from services.suppliers.domain.phases import Phase
from services.suppliers.domain.roles import SUPPLIER_ROLES, require_role
from services.suppliers.store.records import records
from services.suppliers.store.tables import Campaign
from services.suppliers.usecases.end_invitation import as_standing, end_invitation, invitation_of, refuse_as_late
from services.suppliers.usecases.find_campaign import campaign_of_command
from services.suppliers.usecases.invite_supplier import candidate_tiers, invite_next
from services.suppliers.usecases.move_campaign import move_campaign
from services.suppliers.usecases.open_acceptance_window import open_for


async def decline_invitation(work: Work, command: DeclineInvitation) -> None:
    """The supplier declines. Refuses `not_allowed`, `invitation_unknown`, `invitation_not_yours`,
    `invitation_not_open`, `arrived_late`."""
    require_role(work.actor, SUPPLIER_ROLES)
    campaign = await campaign_of_command(work, command.campaign_id, code="invitation_unknown")
    invitation = await invitation_of(work, campaign, command.invitation_id)
    try:
        judge_decline(as_standing(invitation), supplier_id=command.supplier_id, received_at=work.received_at)
    except ArrivedLate as late:
        refuse_as_late(work, late, invitation)
        return
    nobody_left = not await _alternate_is_left(work, campaign)
    end_invitation(work, invitation, InvitationState.DECLINED, answered_at=work.received_at, reason=command.reason)
    work.publish(
        InvitationDeclined(
            campaign_id=campaign.campaign_id,
            invitation_id=invitation.invitation_id,
            supplier_id=invitation.supplier_id,
            reason=command.reason,
            no_supplier_left=nobody_left,
        )
    )
    if nobody_left:
        move_campaign(work, campaign, Phase.UNACCEPTED, reason="declined")
        return
    units = campaign.live_units if campaign.final_units is None else campaign.final_units
    alternate = await invite_next(work, campaign, units_so_far=units)
    if alternate is not None and Phase(campaign.phase) is Phase.ACCEPTANCE:
        open_for(work, campaign, alternate)


async def _alternate_is_left(work: Work, campaign: Campaign) -> bool:
    if campaign.window_closes_at is not None and work.now >= campaign.window_closes_at:
        return False
    asked = {earlier.supplier_id for earlier in await records(work).invitations(campaign.campaign_id)}
    tiers = await candidate_tiers(work, campaign)
    return next_candidate(campaign.candidate_ids, asked=asked, tiers=tiers) is not None
