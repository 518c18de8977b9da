"""The payment rail: its words say no more than it does, and its longest hold bounds a campaign to the day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contracts.language import find_violations
from contracts.payment_rail import (
    ACCEPTANCE_DAYS,
    INSPECTION_DAYS,
    RAIL,
    disclosure,
    fits,
    hold_days_needed,
    refund_words,
    short_disclosure,
)
from services.suppliers.domain.fulfillment import INSPECTION_WINDOW
from services.suppliers.domain.invitation import ACCEPTANCE_WINDOW

OPENS = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_the_disclosure_says_who_holds_the_money_what_it_is_not_and_how_long_things_take() -> None:
    told = " ".join(disclosure())
    assert find_violations(told + short_disclosure()) == []
    for fact in (
        RAIL.holder,
        "not an escrow account in the legal sense",
        "365 days",
        "24 hours",
        "5 to 10 business days",
    ):
        assert fact in told
    assert RAIL.holder in short_disclosure()


def test_another_rail_is_told_in_its_own_figures() -> None:
    other = replace(RAIL, holder="A bank", longest_hold_days=90, refund_business_days=(1, 2))
    assert disclosure(other)[0] == "Your money is held by A bank."
    assert "90 days" in disclosure(other)[2]
    assert "1 to 2 business days" in refund_words(other)
    assert not fits(91, other)


def test_the_windows_are_those_of_the_suppliers_service() -> None:
    assert timedelta(days=ACCEPTANCE_DAYS) == ACCEPTANCE_WINDOW
    assert timedelta(days=INSPECTION_DAYS) == INSPECTION_WINDOW


@pytest.mark.parametrize(
    ("joining", "delivery", "needed"),
    [
        (timedelta(days=14), 21, 49),
        (timedelta(days=14, seconds=1), 21, 50),
        (timedelta(days=-1), 21, 35),
        (timedelta(days=330), 21, 365),
    ],
)
def test_every_part_of_a_hold_counts_as_long_as_it_may_take(joining: timedelta, delivery: int, needed: int) -> None:
    days = hold_days_needed(opens_at=OPENS, close_at=OPENS + joining, delivery_window_days=delivery)
    assert days == needed
    assert fits(days) is (needed <= RAIL.longest_hold_days)
