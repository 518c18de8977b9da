"""Count held funds: the commitment is locked, the target may be reached, the capacity may be full."""

from __future__ import annotations

from contracts.campaigns import CommitmentLocked, CommitmentSettled
from contracts.escrow import FundsHeld
from services.campaigns.domain.commitments import Word
from services.campaigns.domain.joining import joining_fills_capacity
from services.campaigns.domain.transitions import FINAL_STATES
from services.campaigns.store.commitment_rows import CommitmentRow
from services.campaigns.store.loaded import campaign_of_event, commitment_of_event
from services.campaigns.store.models import CampaignRow
from services.campaigns.usecases.decide_close import decide_close
from services.campaigns.usecases.end_joining import end_joining
from services.campaigns.usecases.gather_facts import joining_window
from services.campaigns.usecases.move_commitment import move_commitment
from services.campaigns.usecases.report_mismatch import report_mismatch
from services.campaigns.usecases.tell_target import tell_target_reached
from services.kit.work import Work


async def lock_commitment(work: Work, message: FundsHeld) -> None:
    """Raises Early for an unknown commitment. A person who had left while the payment was under way stays gone: the
    units come free, and escrow refunds on the withdrawal. Held funds for a reservation that has ended: a case."""
    campaign = await campaign_of_event(work, message.campaign_id)
    commitment = await commitment_of_event(work, message.commitment_id)
    was_in_final_state = campaign.state in FINAL_STATES
    move = move_commitment(work, campaign, commitment, Word.FUNDS_HELD)
    if move is None or message.amount_minor != commitment.amount_minor:
        report_mismatch(
            work, campaign, about=commitment.commitment_id, state=commitment.state, said=Word.FUNDS_HELD.value
        )
    if move is None:
        return
    if move.target == "LOCKED":
        _tell_locked(work, campaign, commitment)
        if was_in_final_state:
            _refund_at_once(work, campaign, commitment)
            return
        tell_target_reached(work, campaign)
        if joining_fills_capacity(
            joining_window(campaign), held_units=campaign.held_units, capacity_units=campaign.capacity_units
        ):
            await end_joining(work, campaign, cause="capacity")
            return
    await decide_close(work, campaign)


def _tell_locked(work: Work, campaign: CampaignRow, commitment: CommitmentRow) -> None:
    work.publish(
        CommitmentLocked(
            campaign_id=campaign.campaign_id,
            commitment_id=commitment.commitment_id,
            participant_id=commitment.participant_id,
            quantity=commitment.quantity,
            amount_minor=commitment.amount_minor,
            currency=commitment.currency,
            held_units=campaign.held_units,
            reserved_units=campaign.reserved_units,
            held_commitments=campaign.held_commitments,
        )
    )


def _refund_at_once(work: Work, campaign: CampaignRow, commitment: CommitmentRow) -> None:
    """The campaign closed while escrow held these funds: the closing decides over them too."""
    move_commitment(work, campaign, commitment, Word.REFUND, reason=campaign.close_reason)
    work.publish(
        CommitmentSettled(
            campaign_id=campaign.campaign_id,
            commitment_id=commitment.commitment_id,
            participant_id=commitment.participant_id,
            state="REFUNDED",
        )
    )
