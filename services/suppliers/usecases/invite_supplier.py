"""Invite the next candidate of a campaign: the first when the target is reached, an alternate when one declines.

When no candidate can be invited (none is registered, or all are applicants) a case opens and the campaign is looked at
again every day; the first candidate who can be invited then is. Meanwhile an asked withdrawal of the invitation is
answered as ever, so that nobody's refund waits for it.
"""

from __future__ import annotations

from uuid import UUID

from contracts.campaigns import TargetReached
from contracts.suppliers import SupplierInvited
from services.kit.work import Work
from services.suppliers.domain.invitation import INVITE_AGAIN_AFTER, InvitationState, invitation_id, next_candidate
from services.suppliers.store.records import records
from services.suppliers.store.tables import Campaign, Invitation
from services.suppliers.usecases.find_campaign import campaign_of_event

INVITE_AGAIN_DEADLINE = "invite_again"
NO_ELIGIBLE_SUPPLIER = "no_eligible_supplier"


async def invite_first_supplier(work: Work, event: TargetReached) -> None:
    """The target is reached: invite the first candidate."""
    campaign = await campaign_of_event(work, event.campaign_id)
    if campaign.target_event_id is not None:
        return
    campaign.target_event_id = work.cause.id
    if await invite_next(work, campaign, units_so_far=event.held_units) is None:
        subject = str(campaign.campaign_id)
        facts = {"candidates": len(campaign.candidate_ids)}
        work.open_case(NO_ELIGIBLE_SUPPLIER, scope=subject, subject=subject, facts=facts)
        # A registration under way on its own topic is seen by the first look; what a person must mend takes longer.
        work.schedule(INVITE_AGAIN_DEADLINE, scope=subject, subject=subject, due_at=work.now)


async def try_again(work: Work, campaign: Campaign) -> Invitation | None:
    """Try once more to invite somebody to a campaign nobody was invited to; None keeps the case and sets the next try."""
    if await records(work).invitations(campaign.campaign_id):
        return None
    subject = str(campaign.campaign_id)
    units = campaign.live_units if campaign.final_units is None else campaign.final_units
    invitation = await invite_next(work, campaign, units_so_far=units)
    if invitation is None:
        due_at = work.now + INVITE_AGAIN_AFTER
        work.schedule(INVITE_AGAIN_DEADLINE, scope=subject, subject=subject, due_at=due_at)
    else:
        await work.close_case(NO_ELIGIBLE_SUPPLIER, subject=subject, resolution="invited")
    return invitation


async def invite_next(work: Work, campaign: Campaign, *, units_so_far: int) -> Invitation | None:
    """Invite the next candidate who was not asked yet; None when nobody is left."""
    earlier = await records(work).invitations(campaign.campaign_id)
    candidate = next_candidate(
        campaign.candidate_ids,
        asked={invitation.supplier_id for invitation in earlier},
        tiers=await candidate_tiers(work, campaign),
    )
    if candidate is None:
        return None
    ordinal = len(earlier) + 1
    row = Invitation(
        invitation_id=invitation_id(campaign.campaign_id, ordinal),
        campaign_id=campaign.campaign_id,
        supplier_id=candidate,
        ordinal=ordinal,
        state=InvitationState.INVITED,
        terms_hash=campaign.terms_hash,
        units_so_far=units_so_far,
        invited_at=work.now,
    )
    await records(work).add_invitation(row)
    work.audit(
        "invitation.invited",
        scope=str(campaign.campaign_id),
        subject=str(row.invitation_id),
        before=None,
        after={"state": row.state, "supplier_id": str(candidate)},
    )
    work.publish(
        SupplierInvited(
            campaign_id=campaign.campaign_id,
            invitation_id=row.invitation_id,
            supplier_id=candidate,
            units_so_far=units_so_far,
            terms_hash=row.terms_hash,
        )
    )
    return row


async def candidate_tiers(work: Work, campaign: Campaign) -> dict[UUID, str]:
    """The tiers of the campaign's registered candidates."""
    suppliers = await records(work).suppliers(campaign.candidate_ids)
    return {identity: supplier.tier for identity, supplier in suppliers.items()}
