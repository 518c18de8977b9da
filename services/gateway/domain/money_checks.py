"""The comparisons behind "equal to the entries": what is compared, in words, and whether it holds.

Owns the verdict only; the figures come from one statement. A comparison that fails is shown as it is: a page that hides
a difference would be worth nothing on the day it matters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison and its verdict."""

    name: str
    words: str
    holds: bool


def checks_of(sums: Sequence[Mapping[str, Any]], *, lost_scopes: int, whole_platform: bool) -> tuple[Check, ...]:
    """The comparisons over these sums (one row per currency)."""

    def total(name: str) -> int:
        return sum(int(row[name]) for row in sums)

    checks = [
        Check("transfers_balance", "Every transfer's entries sum to zero.", total("unbalanced") == 0),
        Check(
            "nothing_left_out",
            "The transfers are numbered without a gap, and the newest is the newest that was told.",
            total("gaps") == 0 and lost_scopes == 0,
        ),
        Check(
            "balances_equal_entries",
            "The balances kept event by event equal the sums over all entries.",
            total("apart") == 0,
        ),
        Check(
            "in_equals_out",
            "What came in equals what is held, owed back, released, refunded, taken by disputes and taken as fees.",
            total("missing") == 0,
        ),
    ]
    if whole_platform:
        checks.append(
            Check(
                "covered",
                "What lies at the payment processor covers everything that is owed.",
                all(int(row["at_processor"]) >= int(row["owed"]) for row in sums),
            )
        )
    return tuple(checks)
