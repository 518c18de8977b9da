"""Open the acceptance window: the supplier who stands invited sees the final quantity, unit price and terms hash.

The window of a campaign that nobody could be invited to begins when somebody is.
"""

from __future__ import annotations

from uuid import UUID

from contracts.campaigns import AcceptanceRequested
from contracts.suppliers import AcceptanceWindowOpened
from services.kit.service import Deadline
from services.kit.work import Work
from services.suppliers.domain.invitation import ACCEPTANCE_WINDOW, STANDING, InvitationState
from services.suppliers.domain.phases import ANSWERABLE, Phase
from services.suppliers.store.records import records
from services.suppliers.store.tables import Campaign, Invitation
from services.suppliers.usecases.find_campaign import campaign_of_event
from services.suppliers.usecases.invite_supplier import try_again
from services.suppliers.usecases.move_campaign import ACCEPTANCE_WINDOW_DEADLINE, move_campaign


async def open_acceptance_window(work: Work, event: AcceptanceRequested) -> None:
    """The count at the close met the target. Where nobody could be invited so far, it is tried once more."""
    campaign = await campaign_of_event(work, event.campaign_id)
    if Phase(campaign.phase) is not Phase.JOINING:
        # All declined before the close (told then), or this was seen already.
        return
    move_campaign(work, campaign, Phase.ACCEPTANCE)
    campaign.requested_event_id = work.cause.id
    campaign.terms_hash = event.terms_hash
    campaign.final_units = event.final_units
    campaign.unit_price_minor = event.unit_price_minor
    campaign.currency = event.currency
    standing = [row for row in await records(work).invitations(campaign.campaign_id) if row.state in STANDING]
    invitation = standing[0] if standing else await try_again(work, campaign)
    if invitation is not None:
        _begin_window(work, campaign, invitation)


async def invite_again(work: Work, deadline: Deadline) -> None:
    """Look again at a campaign that nobody could be invited to; after its close its window begins with the invitation."""
    campaign = await records(work).campaign(UUID(deadline.subject))
    if campaign is None or Phase(campaign.phase) not in ANSWERABLE:
        return
    invitation = await try_again(work, campaign)
    if invitation is not None and Phase(campaign.phase) is Phase.ACCEPTANCE:
        _begin_window(work, campaign, invitation)


def open_for(work: Work, campaign: Campaign, invitation: Invitation) -> None:
    """Open the campaign's window for one invitation. An alternate gets what is left of the same window."""
    assert campaign.final_units is not None
    assert campaign.window_closes_at is not None
    invitation.state = InvitationState.OPEN
    invitation.terms_hash = campaign.terms_hash
    invitation.opens_at = work.now
    invitation.closes_at = campaign.window_closes_at
    work.audit(
        "invitation.opened",
        scope=str(campaign.campaign_id),
        subject=str(invitation.invitation_id),
        before={"state": str(InvitationState.INVITED)},
        after={"state": invitation.state, "closes_at": invitation.closes_at.isoformat()},
    )
    work.publish(
        AcceptanceWindowOpened(
            campaign_id=campaign.campaign_id,
            invitation_id=invitation.invitation_id,
            supplier_id=invitation.supplier_id,
            final_units=campaign.final_units,
            unit_price_minor=campaign.unit_price_minor,
            currency=campaign.currency,
            terms_hash=invitation.terms_hash,
            opens_at=invitation.opens_at,
            closes_at=invitation.closes_at,
        )
    )


def _begin_window(work: Work, campaign: Campaign, invitation: Invitation) -> None:
    campaign.window_opens_at = work.now
    campaign.window_closes_at = work.now + ACCEPTANCE_WINDOW
    work.schedule(
        ACCEPTANCE_WINDOW_DEADLINE,
        scope=str(campaign.campaign_id),
        subject=str(campaign.campaign_id),
        due_at=campaign.window_closes_at,
    )
    open_for(work, campaign, invitation)
