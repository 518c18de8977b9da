"""Record that commitments are delivered, with evidence. Each one's inspection starts now and lasts seven days."""

from __future__ import annotations

from contracts.suppliers import CommitmentsDelivered, RecordDelivery
from services.kit.work import Work
from services.suppliers.domain.fulfillment import INSPECTION_WINDOW
from services.suppliers.usecases.complete_delivery import complete_delivery
from services.suppliers.usecases.record_dispatch import campaign_in_fulfillment, deliverable, record_milestone
from services.suppliers.usecases.watch_updates import record_update


async def record_delivery(work: Work, command: RecordDelivery) -> None:
    """All of the named commitments, or none; each is delivered once. Refuses `not_allowed`, `campaign_unknown`,
    `invitation_not_yours`, `delivery_not_expected`."""
    campaign = await campaign_in_fulfillment(work, command.campaign_id, command.supplier_id)
    commitment_ids = tuple(dict.fromkeys(command.commitment_ids))
    rows = await deliverable(work, campaign, commitment_ids)
    inspection_until = work.now + INSPECTION_WINDOW
    for row in rows:
        row.delivered_at = work.now
        row.delivered_by = work.cause.id
        row.inspection_until = inspection_until
    record_milestone(work, campaign, kind="delivery", commitments=len(rows), evidence=command.evidence)
    campaign.awaiting_delivery -= len(rows)
    campaign.delivered_commitments += len(rows)
    campaign.inspection_until = inspection_until
    await record_update(work, campaign)
    work.publish(
        CommitmentsDelivered(
            campaign_id=campaign.campaign_id,
            supplier_id=command.supplier_id,
            commitment_ids=commitment_ids,
            inspection_until=inspection_until,
            evidence=command.evidence,
        )
    )
    complete_delivery(work, campaign)
