"""Say when a closed campaign is settled: every refund paid, no payment under way, no dispute open, nothing owed.

CLOSED is decided in a moment, its refunds take days; the two are separate facts. Money that comes late, or a refund
that fails after it was paid, opens the settlement again.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from contracts.escrow import CampaignSettled
from services.escrow.domain.ledger import OWED_CLASSES
from services.escrow.store.book import book_of
from services.escrow.store.disputes import any_open
from services.escrow.usecases.post_transfers import write_transfers
from services.kit.work import Work


async def settle_if_done(work: Work, campaign_id: UUID) -> None:
    """Tell that a closed campaign is settled, when it is."""
    book = book_of(work)
    campaign = await book.campaigns.get(campaign_id)
    if campaign is None or campaign.refunds_open > 0:
        return
    scope = await book.scope(campaign_id)
    if scope.campaign_state == "COMPLETED":
        await _settle_completed(work, campaign_id)
        return
    if not campaign.closing_done or scope.campaign_state != "CLOSED" or scope.settled_at is not None:
        return
    if await book.unfinished_reservations(campaign_id):
        return
    if await any_open(work, campaign_id):
        return
    await write_transfers(work)
    if await owed_minor(work, campaign_id) != 0:
        return
    scope.settled_at = work.now
    work.publish(
        CampaignSettled(campaign_id=campaign_id, refunded_minor=campaign.refunded_minor, currency=campaign.currency)
    )
    work.audit(
        "escrow.campaign.settled",
        scope=str(campaign_id),
        subject=str(campaign_id),
        before={"settlement": "settling"},
        after={"settlement": "settled", "refunded_minor": campaign.refunded_minor},
    )


async def _settle_completed(work: Work, campaign_id: UUID) -> None:
    """A completed campaign whose last refund or remedy is paid is settled again; that is nobody's news."""
    scope = await book_of(work).scope(campaign_id)
    if scope.settled_at is None:
        await write_transfers(work)
        if await owed_minor(work, campaign_id) == 0:
            scope.settled_at = work.now


async def owed_minor(work: Work, campaign_id: UUID) -> int:
    """All that a campaign still owes, in minor units. Write the batch before asking."""
    total = await work.connection.execute(
        text(
            "SELECT COALESCE(SUM(balance_minor), 0)::bigint FROM ledger_account "
            "WHERE scope = :scope AND class = ANY (CAST(:classes AS text[]))"
        ),
        {"scope": str(campaign_id), "classes": list(OWED_CLASSES)},
    )
    return int(total.scalar_one())
