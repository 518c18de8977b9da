"""Join a campaign: reserve units for funds that follow, or refuse with a stable code. No money moves here."""

from __future__ import annotations

from contracts.campaigns import CommitFunds, CommitmentRefused, CommitmentReserved
from contracts.errors import Rejected
from services.campaigns.domain.joining import RESERVATION_LASTS, Join, refusal_of_join
from services.campaigns.domain.references import new_reference
from services.campaigns.store.commitment_rows import CommitmentRow
from services.campaigns.store.loaded import (
    add_commitment,
    add_refusal,
    find_campaign,
    find_commitment,
    find_refusal,
    participant_units,
)
from services.campaigns.store.models import CampaignRow, CommitmentRefusalRow
from services.campaigns.usecases.gather_facts import joining_window
from services.kit.work import Work


async def commit_funds(work: Work, message: CommitFunds) -> None:
    """A repeated request (same commitment id) meets its first answer. Raises Rejected: `not_allowed` for anybody but
    the participant, `idempotency_key_reused` for an id that was used for another request."""
    if work.actor.role != "participant" or work.actor.id != str(message.participant_id):
        raise Rejected("not_allowed")
    existing = await find_commitment(work, message.commitment_id)
    if existing is not None:
        if not _is_same_request(existing, message):
            raise Rejected("idempotency_key_reused")
        return
    earlier = await find_refusal(work, message.commitment_id)
    if earlier is not None:
        _tell_refusal(work, message, earlier)
        return
    campaign = await find_campaign(work, message.campaign_id)
    if campaign is None:
        _refuse(work, message, Rejected("campaign_unknown"))
        return
    join = await _join(work, campaign, message)
    refusal = refusal_of_join(join)
    if refusal is not None:
        _refuse(work, message, refusal)
        return
    _reserve(work, campaign, message, amount_minor=join.amount_minor)


async def _join(work: Work, campaign: CampaignRow, message: CommitFunds) -> Join:
    units = 0
    if campaign.max_units is not None:
        units = await participant_units(work, campaign.campaign_id, message.participant_id)
    return Join(
        window=joining_window(campaign),
        frozen=work.is_frozen(str(campaign.campaign_id)),
        terms_hash=campaign.terms_hash,
        min_units=campaign.min_units,
        max_units=campaign.max_units,
        unit_price_minor=campaign.unit_price_minor,
        currency=campaign.currency,
        capacity_units=campaign.capacity_units,
        taken_units=campaign.held_units + campaign.reserved_units,
        received_at=work.received_at,
        accepted_hash=message.terms_hash,
        quantity=message.quantity,
        participant_units=units,
    )


def _is_same_request(existing: CommitmentRow, message: CommitFunds) -> bool:
    return (existing.campaign_id, existing.participant_id, existing.quantity, existing.terms_hash) == (
        message.campaign_id,
        message.participant_id,
        message.quantity,
        message.terms_hash,
    )


def _reserve(work: Work, campaign: CampaignRow, message: CommitFunds, *, amount_minor: int) -> None:
    campaign.reserved_units += message.quantity
    campaign.open_reservations += 1
    commitment = CommitmentRow(
        commitment_id=message.commitment_id,
        campaign_id=campaign.campaign_id,
        participant_id=message.participant_id,
        quantity=message.quantity,
        unit_price_minor=campaign.unit_price_minor,
        amount_minor=amount_minor,
        currency=campaign.currency,
        terms_hash=campaign.terms_hash,
        reference=new_reference(),
        consent_at=work.received_at,
        reserved_at=work.now,
        reserved_until=work.now + RESERVATION_LASTS,
        state="PENDING_FUNDS",
        reservation_open=True,
    )
    add_commitment(work, commitment)
    work.audit(
        "commitment.reserved",
        scope=str(campaign.campaign_id),
        subject=str(commitment.commitment_id),
        before=None,
        after={
            "state": "PENDING_FUNDS",
            "held_units": campaign.held_units,
            "reserved_units": campaign.reserved_units,
        },
    )
    work.publish(
        CommitmentReserved(
            campaign_id=campaign.campaign_id,
            commitment_id=commitment.commitment_id,
            participant_id=commitment.participant_id,
            quantity=commitment.quantity,
            amount_minor=amount_minor,
            currency=commitment.currency,
            terms_hash=commitment.terms_hash,
            reference=commitment.reference,
            reserved_until=commitment.reserved_until,
            reserved_units=campaign.reserved_units,
            held_units=campaign.held_units,
        )
    )


def _refuse(work: Work, message: CommitFunds, rejected: Rejected) -> None:
    row = CommitmentRefusalRow(
        commitment_id=message.commitment_id,
        campaign_id=message.campaign_id,
        participant_id=message.participant_id,
        quantity=message.quantity,
        code=rejected.code,
        facts=rejected.facts,
        refused_at=work.now,
    )
    add_refusal(work, row)
    _tell_refusal(work, message, row)
    if rejected.code == "arrived_late":
        work.open_case(
            "arrived_late",
            scope=str(message.campaign_id),
            subject=str(message.commitment_id),
            facts={"command": message.type, "received_at": work.received_at.isoformat()},
        )


def _tell_refusal(work: Work, message: CommitFunds, row: CommitmentRefusalRow) -> None:
    work.publish(
        CommitmentRefused(
            campaign_id=message.campaign_id,
            commitment_id=message.commitment_id,
            participant_id=message.participant_id,
            quantity=message.quantity,
            code=row.code,
            facts=row.facts,
        )
    )
