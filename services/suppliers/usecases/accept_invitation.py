"""Accept an invitation (T7): the supplier's own account accepts exactly the terms with this hash, inside the window."""

from __future__ import annotations

from contracts.suppliers import AcceptInvitation, CampaignAccepted
from services.kit.work import Work
from services.suppliers.domain.invitation import ArrivedLate, InvitationState, judge_acceptance
from services.suppliers.domain.phases import Phase
from services.suppliers.domain.roles import SUPPLIER_ROLES, require_role
from services.suppliers.usecases.end_invitation import as_standing, end_invitation, invitation_of, refuse_as_late
from services.suppliers.usecases.find_campaign import campaign_of_command
from services.suppliers.usecases.move_campaign import move_campaign
from services.suppliers.usecases.watch_updates import record_update


async def accept_invitation(work: Work, command: AcceptInvitation) -> None:
    """The terms bind from now on. Refuses `not_allowed`, `invitation_unknown`, `invitation_not_yours`,
    `invitation_not_open`, `terms_hash_stale`, `arrived_late`."""
    require_role(work.actor, SUPPLIER_ROLES)
    campaign = await campaign_of_command(work, command.campaign_id, code="invitation_unknown")
    invitation = await invitation_of(work, campaign, command.invitation_id)
    try:
        judge_acceptance(
            as_standing(invitation),
            supplier_id=command.supplier_id,
            terms_hash=command.terms_hash,
            received_at=work.received_at,
        )
    except ArrivedLate as late:
        refuse_as_late(work, late, invitation)
        return
    end_invitation(work, invitation, InvitationState.ACCEPTED, answered_at=work.received_at)
    move_campaign(work, campaign, Phase.FULFILLMENT)
    campaign.supplier_id = invitation.supplier_id
    campaign.accepted_at = work.received_at
    await record_update(work, campaign)
    work.publish(
        CampaignAccepted(
            campaign_id=campaign.campaign_id,
            invitation_id=invitation.invitation_id,
            supplier_id=invitation.supplier_id,
            terms_hash=invitation.terms_hash,
            accepted_at=work.received_at,
        )
    )
