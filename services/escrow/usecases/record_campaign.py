"""Keep what other services tell about a campaign: terms, states, acceptance, delivery, inspection, issues, suppliers.

Each fact is kept with the id of its event, because a release rests on them and every posting stores what it relied on.
Nothing here moves money. A fact about a campaign that is not known yet waits (`Early`).
"""

from __future__ import annotations

from uuid import UUID

from contracts.campaigns import (
    AcceptanceRequested,
    CampaignCompleted,
    CampaignOpened,
    FulfillmentStarted,
    InspectionStarted,
    TargetReached,
)
from contracts.suppliers import (
    CampaignAccepted,
    DeliveryCompleted,
    FulfillmentAccepted,
    IssueReported,
    SupplierRegistered,
)
from contracts.terms import CampaignState
from services.escrow.store.book import book_of
from services.escrow.store.tables import Campaign, Issue, Supplier
from services.kit.work import Early, Work

StateEvent = TargetReached | AcceptanceRequested | FulfillmentStarted | InspectionStarted | CampaignCompleted

_STATE_AFTER: dict[type[StateEvent], CampaignState] = {
    TargetReached: "TARGET_ACHIEVED",
    AcceptanceRequested: "PENDING_ACCEPTANCE",
    FulfillmentStarted: "FULFILLMENT",
    InspectionStarted: "INSPECTION",
    CampaignCompleted: "COMPLETED",
}


async def record_opened(work: Work, message: CampaignOpened) -> None:
    """The campaign collects from now on."""
    book = book_of(work)
    if await book.campaigns.get(message.campaign_id) is not None:
        return
    book.campaigns.add(
        Campaign(
            campaign_id=message.campaign_id,
            currency=message.terms.currency,
            unit_price_minor=message.terms.unit_price_minor,
            fee_basis_points=message.terms.fee_basis_points,
            terms_hash=message.terms_hash,
            supplier_ids=[str(supplier_id) for supplier_id in message.supplier_ids],
            opened_event_id=work.cause.id,
        )
    )
    scope = await book.scope(message.campaign_id)
    scope.currency = message.terms.currency
    await record_state(work, message.campaign_id, "ACTIVE")


async def record_state_event(work: Work, message: StateEvent) -> None:
    """A campaign's state moved on."""
    book = book_of(work)
    campaign = await book.campaigns.get(message.campaign_id)
    if campaign is None:
        return
    if isinstance(message, FulfillmentStarted):
        campaign.supplier_id = message.supplier_id
    elif isinstance(message, InspectionStarted):
        campaign.inspection_event_id = work.cause.id
    elif isinstance(message, CampaignCompleted):
        campaign.completed_event_id = work.cause.id
    await record_state(work, message.campaign_id, _STATE_AFTER[type(message)])


async def record_state(work: Work, campaign_id: UUID, state: CampaignState) -> None:
    """Write the recorded state, which the database's own guards read."""
    scope = await book_of(work).scope(campaign_id)
    scope.campaign_state = state
    scope.campaign_state_event_id = work.cause.id


async def record_accepted(work: Work, message: CampaignAccepted) -> None:
    """The supplier accepted the exact terms."""
    campaign = await known_campaign(work, message.campaign_id)
    campaign.supplier_id = message.supplier_id
    campaign.accepted_event_id = work.cause.id


async def record_delivery(work: Work, message: DeliveryCompleted) -> None:
    """Every deliverable commitment is delivered."""
    campaign = await known_campaign(work, message.campaign_id)
    campaign.delivered = message.delivered
    campaign.delivery_event_id = work.cause.id


async def record_verdict(work: Work, message: FulfillmentAccepted) -> None:
    """Every inspection is over: release, release less a reserve, or hold."""
    campaign = await known_campaign(work, message.campaign_id)
    campaign.verdict = message.verdict
    campaign.verdict_event_id = work.cause.id
    campaign.delivered = message.delivered
    campaign.open_issue_commitment_ids = [str(each) for each in message.open_issue_commitment_ids]


async def record_issue(work: Work, message: IssueReported) -> None:
    """A fault was reported in time."""
    await known_campaign(work, message.campaign_id)
    book = book_of(work)
    if await book.issues.get(message.issue_id) is None:
        book.issues.add(
            Issue(
                issue_id=message.issue_id,
                campaign_id=message.campaign_id,
                commitment_id=message.commitment_id,
                reported_event_id=work.cause.id,
            )
        )


async def record_supplier(work: Work, message: SupplierRegistered) -> None:
    """A supplier's payout account is verified, or changed."""
    book = book_of(work)
    supplier = await book.suppliers.get(message.supplier_id)
    if supplier is None:
        supplier = book.suppliers.add(
            Supplier(
                supplier_id=message.supplier_id,
                payout_account_id=message.payout_account_id,
                tier=message.tier,
                event_id=work.cause.id,
            )
        )
    supplier.payout_account_id = message.payout_account_id
    supplier.tier = message.tier
    supplier.event_id = work.cause.id


async def known_campaign(work: Work, campaign_id: UUID) -> Campaign:
    """The campaign's facts. Raises Early when it is not known here yet."""
    campaign = await book_of(work).campaigns.get(campaign_id)
    if campaign is None:
        raise Early(f"campaign {campaign_id} is not known here yet")
    return campaign
