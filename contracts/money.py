"""Money: an integer of minor units with an ISO 4217 currency.

Owns addition, comparison and fair splitting. No fraction and no conversion lives here; a figure in another currency is
refused. Presentation for people belongs to the readers (the web application and the mail templates).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

AMOUNT_MINOR_MAX = 10**15
"""Largest amount accepted anywhere; far below the 63 bits of the database, so that sums cannot overflow."""

CARD_CHARGE_MINOR_MIN = {"usd": 50}
"""Stripe's smallest charge per currency, in minor units (Stripe documentation, minimum charge amounts)."""

AmountMinor = Annotated[int, Field(strict=True, ge=0, le=AMOUNT_MINOR_MAX)]
"""An amount that may be zero, in minor units."""

PositiveAmountMinor = Annotated[int, Field(strict=True, gt=0, le=AMOUNT_MINOR_MAX)]
"""An amount above zero, in minor units."""

SignedAmountMinor = Annotated[int, Field(strict=True, ge=-AMOUNT_MINOR_MAX, le=AMOUNT_MINOR_MAX)]
"""An amount that may lie on either side of zero, in minor units."""

Currency = Annotated[str, Field(pattern=r"^[a-z]{3}$")]
"""A lower-case ISO 4217 code, as Stripe writes it."""


class CurrencyMismatchError(ValueError):
    """Two amounts of different currencies met."""


class Money(BaseModel):
    """An amount in minor units and its currency."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: SignedAmountMinor
    currency: Currency

    def plus(self, other: Money) -> Money:
        """The sum. Raises CurrencyMismatchError."""
        return Money(amount=self.amount + self._same(other), currency=self.currency)

    def minus(self, other: Money) -> Money:
        """The difference. Raises CurrencyMismatchError."""
        return Money(amount=self.amount - self._same(other), currency=self.currency)

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise CurrencyMismatchError(f"{self.currency} met {other.currency}")
        return other.amount


def basis_points_floor(amount_minor: int, basis_points: int) -> int:
    """`basis_points` of an amount, rounded down: the platform's fee rule, in the participant's and supplier's favour."""
    if amount_minor < 0 or not 0 <= basis_points <= 10_000:
        raise ValueError("the amount must not be negative and basis points lie between 0 and 10,000")
    return amount_minor * basis_points // 10_000


def allocate(total_minor: int, weights: Sequence[int]) -> list[int]:
    """Split a total over weights by largest remainder; ties go to the earlier one. The parts sum to the total exactly.

    Raises ValueError when a weight or the total is negative, or all weights are zero while the total is not.
    """
    whole = sum(weights)
    if total_minor < 0 or any(weight < 0 for weight in weights):
        raise ValueError("neither the total nor a weight may be negative")
    if whole == 0:
        if total_minor:
            raise ValueError("nothing to allocate over")
        return [0] * len(weights)
    parts = [total_minor * weight // whole for weight in weights]
    rests = sorted(range(len(weights)), key=lambda index: (-(total_minor * weights[index] % whole), index))
    for index in rests[: total_minor - sum(parts)]:
        parts[index] += 1
    return parts
