"""Settle single commitments on escrow's word: refunded by a decision about one of them, or released from reserve."""

from __future__ import annotations

from typing import Literal

from contracts.campaigns import CommitmentSettled
from contracts.clearing import FundsReleased
from contracts.escrow import RefundDecided
from services.campaigns.domain.commitments import REFUNDS_THAT_END, Word
from services.campaigns.store.commitment_rows import CommitmentRow
from services.campaigns.store.loaded import campaign_of_event, commitment_of_event, preload_commitments
from services.campaigns.store.models import CampaignRow
from services.campaigns.usecases.decide_close import decide_close
from services.campaigns.usecases.move_commitment import move_commitment
from services.campaigns.usecases.report_mismatch import report_mismatch
from services.campaigns.usecases.tell_target import tell_target_lost
from services.kit.work import Work


async def refund_commitment(work: Work, message: RefundDecided) -> None:
    """A refund that ends one commitment (an issue upheld, a delay exit, a dispute lost). Refunds that follow a
    decision taken here are not news. Raises Early for an unknown commitment."""
    if message.reason not in REFUNDS_THAT_END:
        return
    campaign = await campaign_of_event(work, message.campaign_id)
    commitment = await commitment_of_event(work, message.commitment_id)
    if commitment.state in {"REFUNDED", "WITHDRAWN"}:
        return
    counted_before = campaign.counted_units
    if _settle(work, campaign, commitment, Word.REFUND, reason=message.reason):
        tell_target_lost(work, campaign, counted_before=counted_before)
        await decide_close(work, campaign)


async def release_reserve(work: Work, message: FundsReleased) -> None:
    """Commitments in reserve whose issue was rejected are released with a later plan."""
    campaign = await campaign_of_event(work, message.campaign_id)
    await preload_commitments(work, message.released_commitment_ids)
    commitments = [await commitment_of_event(work, identity) for identity in message.released_commitment_ids]
    for commitment in commitments:
        _settle(work, campaign, commitment, Word.RELEASE, reason="reserve_release")


def _settle(work: Work, campaign: CampaignRow, commitment: CommitmentRow, word: Word, *, reason: str) -> bool:
    move = move_commitment(work, campaign, commitment, word, reason=reason)
    if move is None:
        report_mismatch(work, campaign, about=commitment.commitment_id, state=commitment.state, said=word.value)
        return False
    state: Literal["RELEASED", "REFUNDED"] = "RELEASED" if word == Word.RELEASE else "REFUNDED"
    work.publish(
        CommitmentSettled(
            campaign_id=campaign.campaign_id,
            commitment_id=commitment.commitment_id,
            participant_id=commitment.participant_id,
            state=state,
        )
    )
    return True
