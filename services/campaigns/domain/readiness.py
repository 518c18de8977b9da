"""What must be complete before a draft goes into review.

Owns the list of items; each missing one is told by its name, so that the author knows what to add. What the contracts
enforce by type (units above zero, texts not empty) is not repeated here. It cannot judge whether an answer is good;
that is the review.
"""

from __future__ import annotations

from datetime import datetime

from contracts.money import AMOUNT_MINOR_MAX, CARD_CHARGE_MINOR_MIN
from contracts.terms import Product, Readiness, Terms


def missing_items(
    product: Product, terms: Terms, *, readiness: Readiness | None, supplier_count: int, now: datetime
) -> tuple[str, ...]:
    """The names of the items that are missing or contradict each other, in a fixed sequence; empty when ready."""
    smallest = CARD_CHARGE_MINOR_MIN.get(terms.currency)
    items = (
        ("readiness_answers", readiness is not None),
        ("reference_price", bool(product.reference_prices)),
        ("supplier_candidate", supplier_count > 0),
        ("currency_supported", smallest is not None),
        ("capacity_at_least_target", terms.capacity_units >= terms.target_units),
        ("capacity_at_least_minimum", terms.capacity_units >= terms.min_units),
        ("maximum_at_least_minimum", terms.max_units is None or terms.max_units >= terms.min_units),
        ("capacity_amount_within_bound", terms.capacity_units * terms.unit_price_minor <= AMOUNT_MINOR_MAX),
        ("some_units_above_smallest_charge", _can_be_charged(terms, smallest or 0)),
        ("close_at_in_the_future", terms.close_at > now),
    )
    return tuple(name for name, complete in items if not complete)


def _can_be_charged(terms: Terms, smallest: int) -> bool:
    """Whether at least the largest commitment allowed reaches the smallest card charge."""
    most_units = min(terms.capacity_units, terms.max_units or terms.capacity_units)
    return most_units * terms.unit_price_minor >= smallest
