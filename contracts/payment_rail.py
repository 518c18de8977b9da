"""The payment rail: who holds the money, for how long at most, how long a refund takes, and the words that say so.

One description, so that every page, mail and document says the same and never more than the rail can do; and one bound,
so that no campaign asks the rail to hold longer than it may. The figures are the rail's published ones or stricter: a
United States account may leave money in the processor's balance for up to two years, the platform uses one of them. It
cannot see whether the processor keeps its word; reconciliation does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

ACCEPTANCE_DAYS = 7
"""How long the supplier's acceptance window is; the suppliers service opens it with the same length."""

INSPECTION_DAYS = 7
"""How long a participant can inspect what was delivered; the suppliers service gives the same."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PaymentRail:
    """How money is held and given back. Days are calendar days unless a name says business days."""

    name: str
    holder: str
    longest_hold_days: int
    """How long money may lie here between the charge and its release or refund."""
    refund_sent_within_hours: int
    """The platform's own rule: how long after its decision a refund is sent to the processor at the latest."""
    refund_business_days: tuple[int, int]
    """How long the bank takes to show a refund that the processor has paid: from, to."""
    refund_shown_within_days: int
    """The same as calendar days, the longest case: weekends and a holiday included."""
    fee_basis_points: int
    fee_fixed_minor: int
    """What the processor keeps of one charge at most: a share of it, and a fixed part in minor units. A refund does not bring
    it back. Only a bound to decide by beforehand: what was really kept is read from the balance transaction."""


RAIL = PaymentRail(
    name="Stripe",
    holder="Stripe, in the platform's own balance there",
    longest_hold_days=365,
    refund_sent_within_hours=24,
    refund_business_days=(5, 10),
    refund_shown_within_days=15,
    fee_basis_points=290,
    fee_fixed_minor=30,
)
"""The rail in use."""


def worst_case_fee_minor(amount_minor: int, rail: PaymentRail = RAIL) -> int:
    """What one charge of this amount can cost in processor fees, minor units: the share rounded to the nearest, halves up,
    then the fixed part. Raises ValueError for an amount that is not above zero."""
    if amount_minor <= 0:
        raise ValueError("a charge is above zero")
    return (amount_minor * rail.fee_basis_points + 5_000) // 10_000 + rail.fee_fixed_minor


def disclosure(rail: PaymentRail = RAIL) -> tuple[str, ...]:
    """What the rail is and is not, in plain sentences; every place that speaks of held money shows these."""
    return (
        f"Your money is held by {rail.holder}.",
        "Our ledger records it as owed to you until it is released or refunded. That is a rule kept by software and by "
        "people; it is not an escrow account in the legal sense, and a failure of the platform or of the payment "
        "processor is a risk that the rule does not take away.",
        f"The money can be held for {rail.longest_hold_days} days at most, so no campaign may run longer than that.",
        refund_words(rail),
    )


def refund_words(rail: PaymentRail = RAIL) -> str:
    """How long a refund takes, its two parts apart: ours and the bank's."""
    first, last = rail.refund_business_days
    return (
        f"A refund goes to the payment processor within {rail.refund_sent_within_hours} hours of its decision; after "
        f"that your bank usually takes {first} to {last} business days to show it."
    )


def short_disclosure(rail: PaymentRail = RAIL) -> str:
    """The disclosure in one line, for the foot of a mail."""
    return (
        f"Held funds lie with {rail.holder}; this is not an escrow account in the legal sense. Longest hold: "
        f"{rail.longest_hold_days} days."
    )


def hold_days_needed(*, opens_at: datetime, close_at: datetime, delivery_window_days: int) -> int:
    """The days that the first money of a campaign can lie here if everything takes as long as it may: until the close,
    the acceptance window, the delivery window, the inspection."""
    joining_days = ceil((close_at - opens_at) / _DAY)
    return max(joining_days, 0) + ACCEPTANCE_DAYS + delivery_window_days + INSPECTION_DAYS


def fits(days_needed: int, rail: PaymentRail = RAIL) -> bool:
    """Whether the rail may hold money for so long."""
    return days_needed <= rail.longest_hold_days
