"""Tell that every deliverable commitment is delivered, and set the one deadline that ends the campaign's inspection.

Each commitment's inspection has run since its own delivery; the last one to end is the campaign's. One deadline per
campaign suffices, set when nothing is left to deliver, because nothing happens at the end of the earlier ones.
"""

from __future__ import annotations

from contracts.suppliers import DeliveryCompleted
from services.kit.work import Work
from services.suppliers.domain.phases import Phase
from services.suppliers.store.tables import Campaign
from services.suppliers.usecases.move_campaign import INSPECTION_END_DEADLINE, move_campaign

NOTHING_LEFT_TO_DELIVER = "nothing_left_to_deliver"


def complete_delivery(work: Work, campaign: Campaign) -> None:
    """Begin the campaign's inspection when no live commitment awaits delivery; else a no-op."""
    if Phase(campaign.phase) is not Phase.FULFILLMENT or campaign.awaiting_delivery > 0:
        return
    subject = str(campaign.campaign_id)
    if campaign.inspection_until is None or campaign.supplier_id is None:
        # Every commitment ended before a delivery: there is nothing to inspect and nothing to release.
        work.open_case(NOTHING_LEFT_TO_DELIVER, scope=subject, subject=subject)
        return
    move_campaign(work, campaign, Phase.INSPECTION)
    work.schedule(INSPECTION_END_DEADLINE, scope=subject, subject=subject, due_at=campaign.inspection_until)
    work.publish(
        DeliveryCompleted(
            campaign_id=campaign.campaign_id,
            supplier_id=campaign.supplier_id,
            delivered=campaign.delivered_commitments,
        )
    )
