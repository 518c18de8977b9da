"""From lines to products: the unit price, the target and the capacity of each stock code, and when it opens.

Owns the arithmetic, in whole minor units and exact fractions, and the checks of a line that need the price. A campaign
opens at the first line that can become a commitment; what comes after its close is not sent. It knows nothing of the
platform.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from statistics import median

from contracts.money import CARD_CHARGE_MINOR_MIN
from contracts.terms import UNITS_MAX
from deploy.replay.reading import Line

CURRENCY = "usd"
CARD_CHARGE_MINOR_MAX = 99_999_999
"""Stripe's largest charge in US dollars (Stripe documentation, maximum charge amounts)."""
CAMPAIGN_LASTS = timedelta(days=14)
TARGET_TIMES_WEEKLY_MEDIAN = Fraction(3, 2)
CAPACITY_TIMES_TARGET = 2


@dataclass(slots=True)
class Product:
    """One stock code: its campaign's figures, and its usable lines in their sequence. Dates are the file's, as UTC."""

    code: str
    description: str
    price_minor: int
    price_seen_max_minor: int
    target_units: int
    first: Line
    lines: list[Line] = field(default_factory=list)

    @property
    def capacity_units(self) -> int:
        """The most units that can be joined."""
        return CAPACITY_TIMES_TARGET * self.target_units

    @property
    def opens_at(self) -> datetime:
        """The date of the first line."""
        return self.first.at

    @property
    def closes_at(self) -> datetime:
        """When joining ends, at the latest."""
        return self.first.at + CAMPAIGN_LASTS


def price_minor(prices: Sequence[Decimal]) -> int:
    """The median of prices in dollars, as cents, half a cent upwards."""
    return _cents(median(prices))


def target_units(weekly_quantities: Iterable[int]) -> int:
    """One and a half times the median of the weekly quantities, rounded up."""
    wanted = TARGET_TIMES_WEEKLY_MEDIAN * median([Fraction(quantity) for quantity in weekly_quantities])
    return -(-wanted.numerator // wanted.denominator)


def make_products(lines: Sequence[Line], skipped: Counter[str]) -> list[Product]:
    """The products of a file by the sequence of their opening; lines that cannot be sent are counted in `skipped`."""
    by_code: dict[str, list[Line]] = defaultdict(list)
    for line in sorted(lines, key=lambda line: (line.at, line.number)):
        by_code[line.code].append(line)
    products = [product for code, some in by_code.items() if (product := _product(code, some, skipped)) is not None]
    return sorted(products, key=lambda product: (product.opens_at, product.first.number))


def _product(code: str, lines: list[Line], skipped: Counter[str]) -> Product | None:
    wishes = [line for line in lines if not line.is_withdrawal]
    if not wishes:
        skipped["no_earlier_line"] += len(lines)
        return None
    price = price_minor([line.unit_price for line in wishes])
    weekly: Counter[tuple[int, int]] = Counter()
    for line in wishes:
        weekly[line.at.isocalendar()[:2]] += line.quantity
    target = target_units(weekly.values())
    if target * CAPACITY_TIMES_TARGET > UNITS_MAX:
        skipped["bad_quantity"] += len(lines)
        return None
    usable = _payable(lines, price, skipped)
    first = next((line for line in usable if not line.is_withdrawal), None)
    if first is None:
        skipped["no_earlier_line"] += len(usable)
        return None
    product = Product(
        code=code,
        description=next((line.description for line in wishes if line.description), ""),
        price_minor=price,
        price_seen_max_minor=max(1, *(_cents(line.unit_price) for line in wishes)),
        target_units=target,
        first=first,
    )
    product.lines = _in_time(product, usable, skipped)
    return product


def _payable(lines: list[Line], price: int, skipped: Counter[str]) -> list[Line]:
    usable: list[Line] = []
    for line in lines:
        if line.is_withdrawal or CARD_CHARGE_MINOR_MIN[CURRENCY] <= line.quantity * price <= CARD_CHARGE_MINOR_MAX:
            usable.append(line)
        elif line.quantity * price > CARD_CHARGE_MINOR_MAX:
            skipped["above_largest_charge"] += 1
        else:
            skipped["below_smallest_charge"] += 1
    return usable


def _in_time(product: Product, usable: list[Line], skipped: Counter[str]) -> list[Line]:
    """Without the lines after the close, and without withdrawals of people who have no earlier line."""
    kept: list[Line] = []
    joined: set[str] = set()
    for line in usable:
        if line.is_withdrawal and line.participant not in joined:
            skipped["no_earlier_line"] += 1
        elif line.at >= product.closes_at:
            skipped["campaign_over"] += 1
        else:
            joined.add(line.participant)
            kept.append(line)
    return kept


def _cents(dollars: Decimal) -> int:
    return int((dollars * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))
