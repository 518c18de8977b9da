"""Record that the accepted supplier dispatched commitments. A parcel sent again is dispatched again, until delivered."""

from __future__ import annotations

from uuid import UUID

from contracts.errors import Rejected
from contracts.suppliers import CommitmentsDispatched, RecordDispatch
from services.kit.work import Work
from services.suppliers.domain.fulfillment import Parcel, require_deliverable
from services.suppliers.domain.phases import Phase, require_delivery_expected
from services.suppliers.domain.roles import SUPPLIER_ROLES, require_role
from services.suppliers.store.records import records
from services.suppliers.store.tables import Campaign, Commitment, Milestone
from services.suppliers.usecases.find_campaign import campaign_of_command
from services.suppliers.usecases.watch_updates import record_update


async def record_dispatch(work: Work, command: RecordDispatch) -> None:
    """All of the named commitments, or none. Refuses `not_allowed`, `campaign_unknown`, `invitation_not_yours`,
    `delivery_not_expected`."""
    campaign = await campaign_in_fulfillment(work, command.campaign_id, command.supplier_id)
    commitment_ids = tuple(dict.fromkeys(command.commitment_ids))
    rows = await deliverable(work, campaign, commitment_ids)
    for row in rows:
        row.dispatched_at = work.now
        row.tracking = command.tracking
    await record_update(work, campaign)
    record_milestone(work, campaign, kind="dispatch", commitments=len(rows), evidence=command.tracking)
    work.publish(
        CommitmentsDispatched(
            campaign_id=campaign.campaign_id,
            supplier_id=command.supplier_id,
            commitment_ids=commitment_ids,
            tracking=command.tracking,
        )
    )


async def campaign_in_fulfillment(work: Work, campaign_id: UUID, supplier_id: UUID) -> Campaign:
    """The campaign, when the actor is its accepted supplier and deliveries are awaited. Raises Rejected."""
    require_role(work.actor, SUPPLIER_ROLES)
    campaign = await campaign_of_command(work, campaign_id, code="campaign_unknown")
    if campaign.supplier_id is not None and campaign.supplier_id != supplier_id:
        raise Rejected("invitation_not_yours")
    require_delivery_expected(Phase(campaign.phase))
    return campaign


async def deliverable(work: Work, campaign: Campaign, commitment_ids: tuple[UUID, ...]) -> list[Commitment]:
    """The rows of the named commitments, all of them deliverable. Raises Rejected `delivery_not_expected`."""
    found = await records(work).commitments(commitment_ids)
    parcels = {
        identity: Parcel(
            identity,
            live=row.locked_event_id is not None and row.ended_event_id is None,
            delivered=row.delivered_at is not None,
        )
        for identity, row in found.items()
        if row.campaign_id == campaign.campaign_id
    }
    require_deliverable(commitment_ids, parcels)
    return [found[identity] for identity in commitment_ids]


def record_milestone(work: Work, campaign: Campaign, *, kind: str, commitments: int, evidence: str | None) -> None:
    """Keep what the supplier recorded, once for the whole batch, with its audit record."""
    assert campaign.supplier_id is not None
    work.session.add(
        Milestone(
            milestone_id=work.cause.id,
            campaign_id=campaign.campaign_id,
            supplier_id=campaign.supplier_id,
            kind=kind,
            commitments=commitments,
            evidence=evidence,
            received_at=work.received_at,
            recorded_at=work.now,
        )
    )
    work.audit(
        f"commitments.{kind}",
        scope=str(campaign.campaign_id),
        subject=str(work.cause.id),
        before={"awaiting_delivery": campaign.awaiting_delivery},
        after={"commitments": commitments},
    )
