"""Watch that a supplier in fulfillment gives a factual update at least every 14 days; else a case opens."""

from __future__ import annotations

from uuid import UUID

from services.kit.service import Deadline
from services.kit.work import Work
from services.suppliers.domain.fulfillment import UPDATE_INTERVAL
from services.suppliers.domain.phases import Phase
from services.suppliers.store.records import records
from services.suppliers.store.tables import Campaign
from services.suppliers.usecases.move_campaign import UPDATE_OVERDUE_DEADLINE

UPDATE_OVERDUE = "update_overdue"


async def record_update(work: Work, campaign: Campaign) -> None:
    """The supplier did something that can be checked (accepted, dispatched, delivered): the interval starts again."""
    campaign.last_update_at = work.now
    subject = str(campaign.campaign_id)
    work.schedule(UPDATE_OVERDUE_DEADLINE, scope=subject, subject=subject, due_at=work.now + UPDATE_INTERVAL)
    await work.close_case(UPDATE_OVERDUE, subject=subject, resolution="updated")


async def tell_update_overdue(work: Work, deadline: Deadline) -> None:
    """Open the case; the next update closes it and starts the interval again."""
    campaign = await records(work).campaign(UUID(deadline.subject))
    if campaign is None or Phase(campaign.phase) is not Phase.FULFILLMENT or campaign.last_update_at is None:
        return
    if work.now < campaign.last_update_at + UPDATE_INTERVAL:
        return
    work.open_case(
        UPDATE_OVERDUE,
        scope=deadline.scope,
        subject=deadline.subject,
        severity="medium",
        facts={"last_update_at": campaign.last_update_at, "supplier_id": campaign.supplier_id},
    )
