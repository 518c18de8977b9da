"""Leave a campaign before joining ends: in full, at once, without a question. Escrow refunds or ends the payment."""

from __future__ import annotations

from typing import Literal, cast

from contracts.campaigns import CommitmentWithdrawn, WithdrawCommitment
from contracts.errors import Rejected
from services.campaigns.domain.commitments import Word
from services.campaigns.domain.joining import refusal_of_withdrawal
from services.campaigns.store.loaded import find_campaign, find_commitment
from services.campaigns.usecases.gather_facts import joining_window
from services.campaigns.usecases.move_commitment import move_commitment
from services.campaigns.usecases.tell_target import tell_target_lost
from services.kit.work import Work


async def withdraw_commitment(work: Work, message: WithdrawCommitment) -> None:
    """Raises Rejected: `not_allowed`, `commitment_unknown` (another person's commitment too),
    `commitment_not_withdrawable`, `withdrawal_closed`. `arrived_late` opens a case beside the refusal. A freeze never
    stops a withdrawal."""
    if work.actor.role != "participant" or work.actor.id != str(message.participant_id):
        raise Rejected("not_allowed")
    commitment = await find_commitment(work, message.commitment_id)
    campaign = await find_campaign(work, message.campaign_id)
    if (
        commitment is None
        or campaign is None
        or commitment.participant_id != message.participant_id
        or commitment.campaign_id != message.campaign_id
    ):
        raise Rejected("commitment_unknown")
    refusal = refusal_of_withdrawal(
        joining_window(campaign), commitment_state=commitment.state, received_at=work.received_at
    )
    if refusal is not None:
        _refuse(work, message, refusal)
        return
    counted_before = campaign.counted_units
    was = cast(Literal["PENDING_FUNDS", "LOCKED"], commitment.state)
    move_commitment(work, campaign, commitment, Word.LEAVE, reason="withdrawn")
    work.publish(
        CommitmentWithdrawn(
            campaign_id=campaign.campaign_id,
            commitment_id=commitment.commitment_id,
            participant_id=commitment.participant_id,
            was=was,
            quantity=commitment.quantity,
            amount_minor=commitment.amount_minor,
            held_units=campaign.held_units,
            reserved_units=campaign.reserved_units,
            held_commitments=campaign.held_commitments,
        )
    )
    tell_target_lost(work, campaign, counted_before=counted_before)


def _refuse(work: Work, message: WithdrawCommitment, refusal: Rejected) -> None:
    subject = str(message.commitment_id)
    work.refuse(refusal, subject_id=subject)
    if refusal.code == "arrived_late":
        work.open_case(
            "arrived_late",
            scope=str(message.campaign_id),
            subject=subject,
            facts={"command": message.type, "received_at": work.received_at.isoformat()},
        )
