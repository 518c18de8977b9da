"""A commitment's states and what each step does to the campaign's counts, as one table.

Owns which step a commitment takes on which word, and whether its units then count as held or reserved. Units of a
person who left before the funds came stay reserved until escrow says how the reservation ended: escrow alone decides
that. It cannot catch a step taken without the campaign's counts being moved with it; the store has a CHECK for the sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LIVE_STATES: frozenset[str] = frozenset({"PENDING_FUNDS", "LOCKED"})
"""States that count against a participant's own limit."""

COMMITMENT_STATES: tuple[str, ...] = ("PENDING_FUNDS", "LOCKED", "FUNDS_FAILED", "WITHDRAWN", "REFUNDED", "RELEASED")

REFUNDS_THAT_END: frozenset[str] = frozenset({"quality_issue", "delivery_failure", "delay_exit", "chargeback"})
"""Refund reasons by which one commitment ends on escrow's word. The other reasons follow a decision made here
(withdrawn, a closed campaign) or never touched a held commitment (late receipt)."""


class Word(StrEnum):
    """On whose word a commitment moves."""

    FUNDS_HELD = "funds_held"
    """Escrow holds the funds."""
    RESERVATION_ENDED = "reservation_ended"
    """Escrow ended the reservation without held funds."""
    LATE_FUNDS = "late_funds"
    """Escrow received money that it never held and sends straight back."""
    LEAVE = "leave"
    """The participant withdraws."""
    REFUND = "refund"
    """The commitment is refunded: its campaign closed, or escrow decided for this commitment."""
    RELEASE = "release"
    """The funds are released to the supplier."""


@dataclass(frozen=True, slots=True)
class Move:
    """One step. `held` and `reserved` say what the units do to the campaign's counts: +1 added, -1 taken away."""

    source: str
    word: Word
    target: str
    held: int = 0
    reserved: int = 0

    @property
    def ends_live(self) -> bool:
        """Whether the units stop counting against the participant's own limit."""
        return self.source in LIVE_STATES and self.target not in LIVE_STATES


MOVES: tuple[Move, ...] = (
    Move("PENDING_FUNDS", Word.FUNDS_HELD, "LOCKED", held=1, reserved=-1),
    Move("PENDING_FUNDS", Word.RESERVATION_ENDED, "FUNDS_FAILED", reserved=-1),
    Move("PENDING_FUNDS", Word.LEAVE, "WITHDRAWN"),
    Move("LOCKED", Word.LEAVE, "WITHDRAWN", held=-1),
    Move("LOCKED", Word.REFUND, "REFUNDED", held=-1),
    Move("LOCKED", Word.RELEASE, "RELEASED", held=-1),
    # The payment of a person who had left already won, failed or came late: their units are free now, nothing is held.
    Move("WITHDRAWN", Word.FUNDS_HELD, "WITHDRAWN", reserved=-1),
    Move("WITHDRAWN", Word.RESERVATION_ENDED, "WITHDRAWN", reserved=-1),
    Move("WITHDRAWN", Word.LATE_FUNDS, "WITHDRAWN", reserved=-1),
)

_BY_START = {(move.source, move.word): move for move in MOVES}


def find_move(word: Word, *, state: str, reservation_open: bool) -> Move | None:
    """The step a commitment takes on this word, or None when it takes none. A reservation ends once."""
    move = _BY_START.get((state, word))
    if move is None or (move.reserved and not reservation_open):
        return None
    return move
