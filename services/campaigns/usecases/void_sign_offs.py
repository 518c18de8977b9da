"""Begin a new round of sign-offs after escrow denied the close: a clearing plan holds the latch."""

from __future__ import annotations

from contracts.clearing import CloseDenied
from services.campaigns.store.loaded import campaign_of_event
from services.kit.work import Work


async def void_sign_offs(work: Work, message: CloseDenied) -> None:
    """The sign-offs given so far count no more, and a case tells the people who gave them. Raises Early for an unknown
    campaign; without an open request nothing happens."""
    campaign = await campaign_of_event(work, message.campaign_id)
    if campaign.close_requested_at is None:
        return
    subject = str(campaign.campaign_id)
    voided = campaign.sign_off_round
    campaign.close_requested_at = None
    campaign.sign_off_round = voided + 1
    work.audit(
        "campaign.sign_offs_voided",
        scope=subject,
        subject=subject,
        before={"round": voided},
        after={"round": voided + 1},
        reason="close_denied",
    )
    work.open_case("close_denied", scope=subject, subject=subject, facts={"plan_id": str(message.plan_id)})
