"""Follow a participant's bank: a dispute lies over the commitment, and only one that is lost before release ends it.

While a dispute is open the units stay held and do not count towards the target. Whether money moves is escrow's; here
only counts change. After acceptance the count at the close stands, so a dispute changes no state then.
"""

from __future__ import annotations

from contracts.campaigns import CommitmentSettled
from contracts.disputes import DisputeEnded, DisputeOpened
from services.campaigns.domain.commitments import Word
from services.campaigns.store.commitment_rows import CommitmentRow
from services.campaigns.store.loaded import campaign_of_event, commitment_of_event, note_changed
from services.campaigns.store.models import CampaignRow
from services.campaigns.usecases.decide_close import decide_close
from services.campaigns.usecases.move_commitment import move_commitment
from services.campaigns.usecases.tell_target import tell_target_lost, tell_target_reached
from services.kit.work import Work


async def open_dispute(work: Work, message: DisputeOpened) -> None:
    """Raises Early for an unknown commitment."""
    campaign = await campaign_of_event(work, message.campaign_id)
    commitment = await commitment_of_event(work, message.commitment_id)
    counted_before = campaign.counted_units
    commitment.open_disputes += 1
    if commitment.open_disputes == 1 and commitment.state == "LOCKED":
        campaign.disputed_units += commitment.quantity
    _note(work, campaign, commitment, "commitment.disputed", message.dispute_id)
    tell_target_lost(work, campaign, counted_before=counted_before)


async def end_dispute(work: Work, message: DisputeEnded) -> None:
    """The units count again, or the commitment ends as charged back. Raises Early for an unknown commitment."""
    campaign = await campaign_of_event(work, message.campaign_id)
    commitment = await commitment_of_event(work, message.commitment_id)
    if message.charged_back and move_commitment(work, campaign, commitment, Word.REFUND, reason="chargeback"):
        work.publish(
            CommitmentSettled(
                campaign_id=campaign.campaign_id,
                commitment_id=commitment.commitment_id,
                participant_id=commitment.participant_id,
                state="REFUNDED",
            )
        )
    commitment.open_disputes -= 1
    if commitment.open_disputes == 0 and commitment.state == "LOCKED":
        campaign.disputed_units -= commitment.quantity
    _note(work, campaign, commitment, "commitment.dispute_ended", message.dispute_id)
    tell_target_reached(work, campaign)
    await decide_close(work, campaign)


def _note(work: Work, campaign: CampaignRow, commitment: CommitmentRow, action: str, dispute_id: str) -> None:
    """A dispute lies over the state, so its record names none."""
    note_changed(work, commitment)
    work.audit(
        action,
        scope=str(campaign.campaign_id),
        subject=str(commitment.commitment_id),
        before=None,
        after={
            "open_disputes": commitment.open_disputes,
            "disputed_units": campaign.disputed_units,
            "dispute_id": dispute_id,
        },
    )
