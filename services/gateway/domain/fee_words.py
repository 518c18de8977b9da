"""The platform's fee in figures and words. Whole minor units, rounded down, as the escrow service takes it."""

from __future__ import annotations

from contracts.money import basis_points_floor


def fee_part(amount_minor: int, basis_points: int) -> int:
    """The fee inside an amount: its floor. The fee of a whole campaign is the floor of the sum, so that the parts of its
    commitments may add up to a few cents less."""
    return basis_points_floor(amount_minor, basis_points)


def percent(basis_points: int) -> str:
    """A rate as people read it: `3 %`, `2.5 %`."""
    whole, rest = divmod(basis_points, 100)
    digits = f"{rest:02d}".rstrip("0")
    return f"{whole}.{digits} %" if digits else f"{whole} %"


def fee_words(basis_points: int) -> list[str]:
    """The fee schedule in plain sentences."""
    if basis_points == 0:
        return ["The platform takes no fee from this campaign."]
    return [
        f"The platform's fee is {percent(basis_points)} of the unit price. It lies inside the price; nothing is added to it.",
        "It is frozen when the campaign opens and cannot be changed afterwards.",
        "It is taken only when the campaign completes, out of what is released to the supplier; a refund is the whole "
        "amount, with no fee kept.",
        "The payment processor's own fees are the platform's cost, refunds included.",
    ]
