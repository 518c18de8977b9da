"""Move one commitment and the campaign's counts together; every step of a commitment but the bulk ones comes here."""

from __future__ import annotations

from services.campaigns.domain.commitments import Move, Word, find_move
from services.campaigns.store.commitment_rows import CommitmentRow
from services.campaigns.store.loaded import add_participant_units, note_changed
from services.campaigns.store.models import CampaignRow
from services.kit.work import Work


def move_commitment(
    work: Work, campaign: CampaignRow, commitment: CommitmentRow, word: Word, *, reason: str | None = None
) -> Move | None:
    """Take the step that the table gives for this word; None, and nothing changed, when it gives none."""
    move = find_move(word, state=commitment.state, reservation_open=commitment.reservation_open)
    if move is None:
        return None
    if move.target != move.source:
        commitment.state = move.target
        if move.target == "LOCKED":
            commitment.locked_at = work.now
        else:
            commitment.ended_at = work.now
            commitment.end_reason = reason or word.value
    if move.held < 0 and commitment.open_disputes:
        campaign.disputed_units -= commitment.quantity
    if move.held:
        campaign.held_units += move.held * commitment.quantity
        campaign.held_commitments += move.held
    if move.reserved:
        commitment.reservation_open = False
        campaign.reserved_units += move.reserved * commitment.quantity
        campaign.open_reservations += move.reserved
    note_changed(work, commitment)
    if move.ends_live:
        add_participant_units(work, commitment.campaign_id, commitment.participant_id, -commitment.quantity)
    work.audit(
        f"commitment.{word}",
        scope=str(commitment.campaign_id),
        subject=str(commitment.commitment_id),
        before={"state": move.source},
        after={"state": move.target, "held_units": campaign.held_units, "reserved_units": campaign.reserved_units},
        reason=reason,
    )
    return move
