"""A commitment's states: every word in every state, and the counts that follow."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.campaigns.domain.commitments import COMMITMENT_STATES, LIVE_STATES, MOVES, Word, find_move

STEPS = {
    ("PENDING_FUNDS", Word.FUNDS_HELD, True): ("LOCKED", 1, -1),
    ("PENDING_FUNDS", Word.RESERVATION_ENDED, True): ("FUNDS_FAILED", 0, -1),
    ("PENDING_FUNDS", Word.LEAVE, True): ("WITHDRAWN", 0, 0),
    ("LOCKED", Word.LEAVE, False): ("WITHDRAWN", -1, 0),
    ("LOCKED", Word.REFUND, False): ("REFUNDED", -1, 0),
    ("LOCKED", Word.RELEASE, False): ("RELEASED", -1, 0),
    ("WITHDRAWN", Word.FUNDS_HELD, True): ("WITHDRAWN", 0, -1),
    ("WITHDRAWN", Word.RESERVATION_ENDED, True): ("WITHDRAWN", 0, -1),
    ("WITHDRAWN", Word.LATE_FUNDS, True): ("WITHDRAWN", 0, -1),
}
POSSIBLE = {"PENDING_FUNDS": (True,), "WITHDRAWN": (True, False)}
CASES = [
    (state, word, reservation_open)
    for state, word in itertools.product(COMMITMENT_STATES, Word)
    for reservation_open in POSSIBLE.get(state, (False,))
]


@pytest.mark.parametrize(("state", "word", "reservation_open"), CASES)
def test_each_word_moves_a_commitment_as_agreed_or_not_at_all(state: str, word: Word, reservation_open: bool) -> None:
    move = find_move(word, state=state, reservation_open=reservation_open)
    expected = STEPS.get((state, word, reservation_open))
    assert (move and (move.target, move.held, move.reserved)) == expected


def test_final_states_are_never_left() -> None:
    assert {move.source for move in MOVES if move.target != move.source} == LIVE_STATES


def test_units_leave_a_persons_limit_when_the_commitment_ends() -> None:
    assert {(move.source, move.target) for move in MOVES if move.ends_live} == {
        ("PENDING_FUNDS", "FUNDS_FAILED"),
        ("PENDING_FUNDS", "WITHDRAWN"),
        ("LOCKED", "WITHDRAWN"),
        ("LOCKED", "REFUNDED"),
        ("LOCKED", "RELEASED"),
    }


@given(st.lists(st.sampled_from(list(Word)), max_size=12))
def test_whatever_is_said_the_counts_are_what_the_state_says(words: list[Word]) -> None:
    state, reservation_open, held, reserved = "PENDING_FUNDS", True, 0, 1
    for word in words:
        move = find_move(word, state=state, reservation_open=reservation_open)
        if move is None:
            continue
        state = move.target
        held += move.held
        reserved += move.reserved
        reservation_open = reservation_open and not move.reserved
        assert held == (1 if state == "LOCKED" else 0)
        assert reserved == (1 if reservation_open else 0)
        assert reservation_open is False or state in {"PENDING_FUNDS", "WITHDRAWN"}
