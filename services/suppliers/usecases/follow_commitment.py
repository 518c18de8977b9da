"""Follow the set of live commitments: by the campaigns service's facts, and by refunds that escrow decided.

A commitment is live while its funds are held and nothing ended it. Only live ones can be dispatched and delivered. The
facts come on two topics without a common sequence, so an end may be heard of before the commitment itself: it is kept in
its row and the two are put together, whichever comes first.
"""

from __future__ import annotations

from uuid import UUID

from contracts.campaigns import CommitmentLocked, CommitmentSettled, CommitmentWithdrawn
from contracts.escrow import RefundDecided
from services.kit.work import Work
from services.suppliers.store.records import records
from services.suppliers.store.tables import Campaign, Commitment
from services.suppliers.usecases.complete_delivery import complete_delivery
from services.suppliers.usecases.find_campaign import campaign_of_event

ENDING_REFUND_REASONS = frozenset({"chargeback", "quality_issue", "delivery_failure", "delay_exit"})
"""Refunds that end one commitment while its campaign goes on. The others follow a withdrawal or a close, which the
campaigns service tells, or concern money that was never held for the commitment."""


async def lock_commitment(work: Work, event: CommitmentLocked) -> None:
    """The commitment's funds are held: it is live from now on, unless its end was heard of already."""
    campaign = await campaign_of_event(work, event.campaign_id)
    row = await records(work).commitment(event.commitment_id)
    if row is None:
        row = _new_row(work, event.campaign_id, event.commitment_id, event.participant_id)
    if row.locked_event_id is not None:
        return
    row.locked_event_id = work.cause.id
    row.units = event.quantity
    if row.ended_event_id is None:
        _count(campaign, row, sign=1)


async def withdraw_commitment(work: Work, event: CommitmentWithdrawn) -> None:
    """The participant left. What never held funds was never counted here."""
    if event.was == "LOCKED":
        campaign = await campaign_of_event(work, event.campaign_id)
        await _end(work, campaign, event.commitment_id, event.participant_id, reason="withdrawn")


async def refund_commitment(work: Work, event: RefundDecided) -> None:
    """Escrow decided to refund one commitment while the campaign goes on."""
    if event.reason in ENDING_REFUND_REASONS:
        campaign = await campaign_of_event(work, event.campaign_id)
        await _end(work, campaign, event.commitment_id, event.participant_id, reason=event.reason)


async def settle_commitment(work: Work, event: CommitmentSettled) -> None:
    """One commitment reached its final state by itself: it was refunded while the campaign goes on, or it had been kept
    in reserve and is decided after the completion."""
    campaign = await campaign_of_event(work, event.campaign_id)
    if event.state == "REFUNDED":
        await _end(work, campaign, event.commitment_id, event.participant_id, reason="refunded")
    row = await records(work).commitment(event.commitment_id)
    if row is not None:
        row.settled_event_id = work.cause.id


async def _end(work: Work, campaign: Campaign, commitment_id: UUID, participant_id: UUID, *, reason: str) -> None:
    row = await records(work).commitment(commitment_id)
    if row is None:
        row = _new_row(work, campaign.campaign_id, commitment_id, participant_id)
    if row.ended_event_id is not None:
        return
    row.ended_event_id = work.cause.id
    row.ended_reason = reason
    if row.locked_event_id is not None:
        _count(campaign, row, sign=-1)
        complete_delivery(work, campaign)


def _new_row(work: Work, campaign_id: UUID, commitment_id: UUID, participant_id: UUID) -> Commitment:
    row = Commitment(campaign_id=campaign_id, commitment_id=commitment_id, participant_id=participant_id, units=0)
    records(work).add_commitment(row)
    return row


def _count(campaign: Campaign, row: Commitment, *, sign: int) -> None:
    campaign.live_commitments += sign
    campaign.live_units += sign * row.units
    if row.delivered_at is None:
        campaign.awaiting_delivery += sign
