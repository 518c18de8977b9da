"""Products from lines: price, target, capacity, opening and close, and the lines that cannot be sent."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from contracts.payment_rail import worst_case_fee_minor
from deploy.replay.own_money import TOP_UP_MINOR_MAX, fees_needed_minor, parts
from deploy.replay.products import Product, make_products, price_minor, target_units
from deploy.replay.reading import Line
from deploy.replay.slots import cut, hour_ceiling, shift_between

MONDAY = datetime(2010, 12, 6, 9, 30, tzinfo=UTC)


class Lines:
    """Lines as a file would have them, numbered as they come."""

    def __init__(self) -> None:
        self.all: list[Line] = []

    def add(
        self,
        quantity: int,
        *,
        days: float = 0,
        price: str = "2.00",
        who: str = "1",
        code: str = "A",
        back: bool = False,
    ) -> None:
        """One line, so many days after Monday."""
        at = MONDAY + timedelta(days=days)
        self.all.append(Line(len(self.all) + 1, code, "LANTERN", who, quantity, at, Decimal(price), back))


def only(lines: Lines) -> tuple[Product, Counter[str]]:
    """The one product of these lines, and what was skipped."""
    skipped: Counter[str] = Counter()
    (product,) = make_products(lines.all, skipped)
    return product, skipped


@pytest.mark.parametrize(
    ("prices", "cents"),
    [
        (["2.55"], 255),
        (["1.00", "9.00", "2.00"], 200),
        (["1.00", "1.01"], 101),
        (["0.005"], 1),
        (["0.004"], 0),
        (["2.675"], 268),
    ],
)
def test_the_price_is_the_median_in_cents_half_a_cent_upwards(prices: list[str], cents: int) -> None:
    assert price_minor([Decimal(price) for price in prices]) == cents


@pytest.mark.parametrize(
    ("weekly", "target"), [([1], 2), ([2], 3), ([4, 6], 8), ([3, 4], 6), ([1, 10, 100], 15), ([7], 11)]
)
def test_the_target_is_one_and_a_half_weekly_medians_rounded_up(weekly: list[int], target: int) -> None:
    assert target_units(weekly) == target


def test_weeks_without_a_line_do_not_count_and_the_capacity_is_twice_the_target() -> None:
    lines = Lines()
    for quantity, days in ((4, 0), (2, 6.3), (8, 7), (6, 35)):
        lines.add(quantity, days=days)
    product, _ = only(lines)
    assert (product.target_units, product.capacity_units) == (9, 18)


def test_a_campaign_opens_at_its_first_line_and_closes_fourteen_days_later() -> None:
    lines = Lines()
    lines.add(1, days=13.99)
    lines.add(1)
    lines.add(1, days=14)
    product, skipped = only(lines)
    assert product.opens_at == MONDAY
    assert product.closes_at == MONDAY + timedelta(days=14)
    assert [line.number for line in product.lines] == [2, 1]
    assert skipped == {"campaign_over": 1}


def test_lines_below_the_smallest_card_charge_are_counted_and_do_not_open_a_campaign() -> None:
    lines = Lines()
    lines.add(2, price="0.19")
    lines.add(3, price="0.19", days=1)
    product, skipped = only(lines)
    assert skipped == {"below_smallest_charge": 1}
    assert product.opens_at == MONDAY + timedelta(days=1)


def test_a_product_without_any_line_that_can_be_paid_has_no_campaign() -> None:
    lines = Lines()
    lines.add(1, price="0.001")
    lines.add(1, back=True, days=1)
    skipped: Counter[str] = Counter()
    assert make_products(lines.all, skipped) == []
    assert skipped == {"below_smallest_charge": 1, "no_earlier_line": 1}


def test_lines_above_the_largest_card_charge_are_counted() -> None:
    lines = Lines()
    lines.add(1, price="900.00")
    lines.add(1_200, price="900.00")
    _, skipped = only(lines)
    assert skipped == {"above_largest_charge": 1}


def test_a_target_that_no_campaign_can_have_is_counted_not_fatal() -> None:
    lines = Lines()
    lines.add(900_000, price="0.01")
    skipped: Counter[str] = Counter()
    assert make_products(lines.all, skipped) == []
    assert skipped == {"bad_quantity": 1}


def test_a_withdrawal_without_an_earlier_line_of_that_participant_is_counted() -> None:
    lines = Lines()
    lines.add(2, who="1")
    lines.add(2, who="2", back=True, days=1)
    lines.add(2, who="1", back=True, days=1)
    product, skipped = only(lines)
    assert [line.number for line in product.lines] == [1, 3]
    assert skipped == {"no_earlier_line": 1}


def test_stock_codes_that_differ_are_different_products_by_the_sequence_of_their_opening() -> None:
    lines = Lines()
    lines.add(1, code="B", days=1)
    lines.add(1, code="a")
    lines.add(1, code="A", days=2)
    assert [product.code for product in make_products(lines.all, Counter())] == ["a", "B", "A"]


def test_slots_are_the_hours_that_have_lines_and_keep_the_sequence() -> None:
    lines = Lines()
    for minutes in (0, 29, 30, 300):
        lines.add(1, days=minutes / 1440)
    slots = cut(make_products(lines.all, Counter()))
    assert [slot.begins_at.hour for slot in slots] == [9, 10, 14]
    assert [[line.number for line in slot.lines["A"]] for slot in slots] == [[1, 2], [3], [4]]


def test_the_first_slot_begins_with_the_next_full_hour_of_the_stack() -> None:
    now = datetime(2026, 11, 21, 3, 0, 1, tzinfo=UTC)
    first = datetime(2010, 12, 1, 8, tzinfo=UTC)
    assert first + shift_between(first, now) == datetime(2026, 11, 21, 4, tzinfo=UTC)
    assert hour_ceiling(datetime(2026, 11, 21, 3, tzinfo=UTC)) == datetime(2026, 11, 21, 3, tzinfo=UTC)


def test_a_file_needs_the_worst_case_fee_of_each_payment_and_none_for_a_withdrawal() -> None:
    lines = Lines()
    lines.add(3)
    lines.add(1, who="2")
    lines.add(3, back=True)
    product, _ = only(lines)
    assert fees_needed_minor([product]) == worst_case_fee_minor(600) + worst_case_fee_minor(200)


def test_a_need_above_the_largest_top_up_is_cut() -> None:
    assert list(parts(2 * TOP_UP_MINOR_MAX + 1)) == [TOP_UP_MINOR_MAX, TOP_UP_MINOR_MAX, 1]
    assert list(parts(0)) == []
