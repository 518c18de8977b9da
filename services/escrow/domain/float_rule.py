"""The float's rule: how much the platform's own money can still carry, and whether a payment may begin.

Stripe keeps its fee of every charge, also of one that is refunded, so each payment that begins may cost the platform a fee.
The room is what the float has left after the worst case of everything that was let in and a buffer for disputes. It is cut
into shares; a payment is let in by taking its worst-case fee out of shares, so that no two payments can use the same cent
and no campaign waits for another. The rule cannot see what shrinks the float between two measurements (a dispute, a fee of the
account); that is what the buffer is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts.payment_rail import worst_case_fee_minor

FLOAT_SHARES = 16
"""Into how many shares the room is cut: more than transactions of escrow are ever open at once."""

MEASURE_BELOW_DIVISOR = 2
"""The float is measured anew before its time when less than this part of the room is left to take."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """What was measured, minor units of one currency."""

    available_minor: int
    worst_case_fees_minor: int
    buffer_minor: int
    next_fee_minor: int

    @property
    def room_minor(self) -> int:
        """What may still be promised to new payments; below zero when the float carries less than it should."""
        return self.available_minor - self.worst_case_fees_minor - self.buffer_minor

    @property
    def admits(self) -> bool:
        """Whether one more unit of the dearest campaign that collects can be carried."""
        return self.room_minor >= self.next_fee_minor


def available_minor(*, held_minor: int, owed_minor: int, not_yet_minor: int) -> int:
    """The platform's own money that can be used now: what is held beyond what is owed, less what of it is on its way or kept
    back by Stripe. Fees that Stripe has taken are out of it already."""
    return held_minor - owed_minor - not_yet_minor


def worst_case_fees_minor(payments: Iterable[tuple[int, int]]) -> int:
    """The fees that may still come, from (amount, how many payments of it)."""
    return sum(worst_case_fee_minor(amount) * count for amount, count in payments)


def next_fee_minor(dearest_unit_minor: int | None) -> int:
    """What one more unit of the dearest campaign may cost; the smallest fee when no campaign collects."""
    return worst_case_fee_minor(max(dearest_unit_minor or 1, 1))


def take(left: Sequence[int], fee_minor: int) -> list[int] | None:
    """What to take out of each share for a fee, or None when they do not hold it together."""
    takes = []
    wanted = fee_minor
    for share in left:
        taken = min(max(share, 0), wanted)
        takes.append(taken)
        wanted -= taken
    return takes if wanted == 0 else None


def spread(left: Sequence[int], change_minor: int) -> list[int]:
    """How to change each share so that together they change by this much: what is added goes to the emptiest, what is taken
    comes from the fullest. A share never falls below zero, so less may be taken than was wanted."""
    if not left:
        return []
    wanted = max(sum(left) + change_minor, 0)
    return _added(left, wanted) if change_minor >= 0 else _taken(left, wanted)


def _added(left: Sequence[int], total: int) -> list[int]:
    after = list(left)
    missing = total - sum(left)
    for place, index in enumerate(sorted(range(len(left)), key=lambda each: left[each])):
        # The emptiest first, each up to an even part of what the rest of the shares would have together.
        rest = sorted(left)[place:]
        even = -(-(sum(rest) + missing) // len(rest))
        added = min(max(even - left[index], 0), missing)
        after[index] += added
        missing -= added
    return [new - old for new, old in zip(after, left, strict=True)]


def _taken(left: Sequence[int], total: int) -> list[int]:
    mirrored = [-each for each in left]
    return [-change for change in _added(mirrored, -total)]
