"""Free the units of a reservation that ended without held funds. Escrow alone says that it ended."""

from __future__ import annotations

from contracts.campaigns import CommitmentFundsFailed
from contracts.escrow import LateFundsReceived, ReservationEnded
from services.campaigns.domain.commitments import Word
from services.campaigns.store.loaded import campaign_of_event, commitment_of_event
from services.campaigns.usecases.decide_close import decide_close
from services.campaigns.usecases.move_commitment import move_commitment
from services.campaigns.usecases.report_mismatch import report_mismatch
from services.kit.work import Work

_HELD_OR_PAID = frozenset({"LOCKED", "RELEASED"})


async def end_reservation(work: Work, message: ReservationEnded) -> None:
    """Raises Early for an unknown commitment. Said again, it changes nothing; said of held funds, it is a case."""
    campaign = await campaign_of_event(work, message.campaign_id)
    commitment = await commitment_of_event(work, message.commitment_id)
    move = move_commitment(work, campaign, commitment, Word.RESERVATION_ENDED, reason=message.reason)
    if move is None:
        if commitment.state in _HELD_OR_PAID:
            report_mismatch(
                work,
                campaign,
                about=commitment.commitment_id,
                state=commitment.state,
                said=Word.RESERVATION_ENDED.value,
            )
        return
    if move.target == "FUNDS_FAILED":
        work.publish(
            CommitmentFundsFailed(
                campaign_id=campaign.campaign_id,
                commitment_id=commitment.commitment_id,
                participant_id=commitment.participant_id,
                quantity=commitment.quantity,
                reason=message.code or message.reason,
                reserved_units=campaign.reserved_units,
            )
        )
    await decide_close(work, campaign)


async def note_late_funds(work: Work, message: LateFundsReceived) -> None:
    """Money that is never held counts nowhere. Of a person who had left, it tells that the payment is over."""
    campaign = await campaign_of_event(work, message.campaign_id)
    commitment = await commitment_of_event(work, message.commitment_id)
    if move_commitment(work, campaign, commitment, Word.LATE_FUNDS, reason="late_funds") is not None:
        await decide_close(work, campaign)
