"""Find the campaign a message speaks of, or say what its absence means for that kind of message."""

from __future__ import annotations

from uuid import UUID

from contracts.errors import Rejected
from services.kit.work import Early, Work
from services.suppliers.store.records import records
from services.suppliers.store.tables import Campaign


async def campaign_of_event(work: Work, campaign_id: UUID) -> Campaign:
    """The campaign of an event. Raises Early: its opening has not been read here yet."""
    campaign = await records(work).campaign(campaign_id)
    if campaign is None:
        raise Early(f"campaign {campaign_id} is not known here yet")
    return campaign


async def campaign_of_command(work: Work, campaign_id: UUID, *, code: str) -> Campaign:
    """The campaign of a command. Raises Rejected with `code` for an unknown one."""
    campaign = await records(work).campaign(campaign_id)
    if campaign is None:
        raise Rejected(code)
    return campaign
