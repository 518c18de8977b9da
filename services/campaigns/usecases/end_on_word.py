"""End a campaign on the word of the service that decided: no supplier left, window over, invitation withdrawn, latch
granted, funds released. Each raises Early for an unknown campaign."""

from __future__ import annotations

from contracts.clearing import CloseGranted, FundsReleased
from contracts.suppliers import AcceptanceTimedOut, InvitationDeclined, InvitationWithdrawn
from services.campaigns.domain.transitions import ESCROW, SUPPLIERS, Trigger
from services.campaigns.store.loaded import campaign_of_event
from services.campaigns.usecases.take_final_step import take_final_step
from services.kit.work import Work


async def end_declined(work: Work, message: InvitationDeclined) -> None:
    """T8: nobody stands invited any more. While an alternate does, the campaign goes on."""
    campaign = await campaign_of_event(work, message.campaign_id)
    if message.no_supplier_left:
        await take_final_step(work, campaign, Trigger.NO_SUPPLIER_LEFT, who=SUPPLIERS)


async def end_timed_out(work: Work, message: AcceptanceTimedOut) -> None:
    """T8: the acceptance window is over."""
    campaign = await campaign_of_event(work, message.campaign_id)
    await take_final_step(work, campaign, Trigger.ACCEPTANCE_TIMED_OUT, who=SUPPLIERS)


async def end_withdrawn(work: Work, message: InvitationWithdrawn) -> None:
    """T5b: the invitation that was asked back is withdrawn."""
    campaign = await campaign_of_event(work, message.campaign_id)
    await take_final_step(work, campaign, Trigger.INVITATION_WITHDRAWN, who=SUPPLIERS)


async def end_failed(work: Work, message: CloseGranted) -> None:
    """T11: escrow's latch is set to close."""
    campaign = await campaign_of_event(work, message.campaign_id)
    await take_final_step(work, campaign, Trigger.FAILURE_DETERMINED, who=ESCROW)


async def end_released(work: Work, message: FundsReleased) -> None:
    """T10: the transfer was made and the fee taken."""
    campaign = await campaign_of_event(work, message.campaign_id)
    details = {
        "plan_id": str(message.plan_id),
        "supplier_id": str(message.supplier_id),
        "reserve_commitment_ids": [str(identity) for identity in message.reserve_commitment_ids],
        "released": len(message.released_commitment_ids),
    }
    await take_final_step(work, campaign, Trigger.FUNDS_RELEASED, who=ESCROW, details=details)
