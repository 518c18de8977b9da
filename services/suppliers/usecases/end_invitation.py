"""End an invitation: the one place where its answer, or the lack of one, is written down; and finding the one meant."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from contracts.errors import Rejected
from services.kit.work import Work
from services.suppliers.domain.invitation import ArrivedLate, InvitationState, Standing
from services.suppliers.store.records import records
from services.suppliers.store.tables import Campaign, Invitation

ARRIVED_LATE = "arrived_late"


async def invitation_of(work: Work, campaign: Campaign, invitation_id: UUID) -> Invitation:
    """The invitation a command names. Raises Rejected `invitation_unknown`."""
    for invitation in await records(work).invitations(campaign.campaign_id):
        if invitation.invitation_id == invitation_id:
            return invitation
    raise Rejected("invitation_unknown")


def as_standing(invitation: Invitation) -> Standing:
    """The invitation as the rules see it."""
    return Standing(
        supplier_id=invitation.supplier_id,
        state=InvitationState(invitation.state),
        terms_hash=invitation.terms_hash,
        opens_at=invitation.opens_at,
        closes_at=invitation.closes_at,
        ended_at=invitation.ended_at,
    )


def end_invitation(
    work: Work,
    invitation: Invitation,
    state: InvitationState,
    *,
    answered_at: datetime | None = None,
    reason: str | None = None,
) -> None:
    """Write the end of a standing invitation; `answered_at` is when the gateway received the answer."""
    before = invitation.state
    invitation.state = state
    invitation.answered_at = answered_at
    invitation.ended_at = work.now
    invitation.ended_by = work.cause.id
    invitation.reason = reason
    work.audit(
        f"invitation.{state}",
        scope=str(invitation.campaign_id),
        subject=str(invitation.invitation_id),
        before={"state": str(before)},
        after={"state": str(state)},
        reason=reason,
    )


def refuse_as_late(work: Work, late: ArrivedLate, invitation: Invitation) -> None:
    """Refuse an answer that came in time but is handled after the act, and open a case: a person was told one thing
    and another happened. Refunds go on meanwhile, so the case does not hold the campaign."""
    work.refuse(late, subject_id=str(invitation.invitation_id))
    work.open_case(
        ARRIVED_LATE,
        scope=str(invitation.campaign_id),
        subject=str(invitation.invitation_id),
        facts={"command_type": work.cause.type, "received_at": work.received_at, "state": str(invitation.state)},
    )
