"""The pace of calls: so many a second, a short burst, and none at all while the other side asked to wait."""

from __future__ import annotations

import pytest

from services.kit import pace
from services.kit.pace import BURST_SECONDS, PAUSE_SECONDS_MAX, Pace


class Hands:
    """A clock whose hands a test moves."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    made = Hands()
    monkeypatch.setattr(pace, "monotonic_seconds", made)
    return made


def made_within(paced: Pace, hands: Hands, seconds: float) -> int:
    """How many calls somebody makes who makes each as soon as it may be made."""
    calls, end = 0, hands.seconds + seconds
    while hands.seconds < end:
        while paced.room() > 0:
            paced.take()
            calls += 1
        hands.seconds += 0.001
    return calls


@pytest.mark.parametrize("rate", [1, 25, 2_000])
def test_no_second_has_more_calls_than_the_rate_and_a_short_burst(hands: Hands, rate: int) -> None:
    paced = Pace(rate)
    hands.seconds += 60
    burst = max(1, int(rate * BURST_SECONDS))
    assert rate <= made_within(paced, hands, 1) <= rate + burst
    assert abs(made_within(paced, hands, 10) - 10 * rate) <= burst


def test_nothing_may_be_called_while_paused_and_afterwards_there_is_no_burst(hands: Hands) -> None:
    paced = Pace(25)
    paced.pause(7)
    assert made_within(paced, hands, 7) == 0
    assert made_within(paced, hands, 1) <= 25
    paced.pause(7)
    paced.pause(2)
    assert 7 <= paced.seconds_until_room() <= 7.1


def test_a_pause_is_bounded(hands: Hands) -> None:
    paced = Pace()
    paced.pause(86_400)
    assert paced.room() == 0
    assert paced.seconds_until_room() == pytest.approx(PAUSE_SECONDS_MAX)
    hands.seconds += PAUSE_SECONDS_MAX
    assert paced.room() > 0


def test_without_a_rate_any_number_may_be_called_at_once(hands: Hands) -> None:
    paced = Pace()
    for _ in range(10_000):
        paced.take()
    assert paced.room() > 0
    assert paced.seconds_until_room() == 0
