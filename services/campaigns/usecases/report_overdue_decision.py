"""Open a case when reservations stay open long after joining has ended: escrow should have ended each of them."""

from __future__ import annotations

from services.campaigns.store.models import CampaignRow
from services.kit.work import Work


def report_overdue_decision(work: Work, campaign: CampaignRow) -> None:
    """A `reservations_open_after_close` case, unless the decision has been taken or no reservation is open."""
    if campaign.joining_ended_at is None or campaign.final_units is not None or not campaign.open_reservations:
        return
    work.open_case(
        "reservations_open_after_close",
        scope=str(campaign.campaign_id),
        subject=str(campaign.campaign_id),
        facts={
            "open_reservations": campaign.open_reservations,
            "reserved_units": campaign.reserved_units,
            "joining_ended_at": campaign.joining_ended_at.isoformat(),
        },
    )
