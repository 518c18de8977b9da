"""The acceptance window passed without an answer. The kit acts a minute after the window's end, so an answer that the
gateway received in time has been handled before, as a rule."""

from __future__ import annotations

from uuid import UUID

from contracts.suppliers import AcceptanceTimedOut
from services.kit.service import Deadline
from services.kit.work import Work
from services.suppliers.domain.invitation import InvitationState
from services.suppliers.domain.phases import Phase
from services.suppliers.store.records import records
from services.suppliers.usecases.end_invitation import end_invitation
from services.suppliers.usecases.move_campaign import move_campaign


async def time_out_invitation(work: Work, deadline: Deadline) -> None:
    """End the open invitation without an answer; a no-op when it was answered meanwhile."""
    campaign = await records(work).campaign(UUID(deadline.subject))
    if campaign is None or Phase(campaign.phase) is not Phase.ACCEPTANCE or campaign.window_closes_at is None:
        return
    if work.now < campaign.window_closes_at:
        return
    for invitation in await records(work).invitations(campaign.campaign_id):
        if InvitationState(invitation.state) is InvitationState.OPEN:
            end_invitation(work, invitation, InvitationState.TIMED_OUT)
            move_campaign(work, campaign, Phase.UNACCEPTED, reason="acceptance_timeout")
            work.publish(
                AcceptanceTimedOut(
                    campaign_id=campaign.campaign_id,
                    invitation_id=invitation.invitation_id,
                    supplier_id=invitation.supplier_id,
                )
            )
            return
