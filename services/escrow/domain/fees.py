"""The platform's fee inside a clearing plan, and its split over the plan's lines.

The fee is the floor of the cumulated amount that was cleared into the supplier's side, times basis points over 10,000,
less what was taken before: cumulated, so that a reserve released later never loses or gains a cent against one release
of the whole. It cannot see what was cleared; the caller reads that from the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from contracts.money import allocate, basis_points_floor


@dataclass(frozen=True, slots=True)
class Payout:
    """What one plan pays: gross = fee + net, minor units."""

    gross_minor: int
    fee_minor: int
    net_minor: int


def payout_of(*, clearing_minor: int, cleared_before_minor: int, fee_taken_minor: int, basis_points: int) -> Payout:
    """Fee and net of a plan that clears `clearing_minor` into the supplier's side after `cleared_before_minor`.

    A reserve counts when it is released. Raises ValueError when more fee was taken than is due on everything.
    """
    if clearing_minor < 0 or cleared_before_minor < 0 or fee_taken_minor < 0:
        raise ValueError("amounts must not be negative")
    fee_minor = basis_points_floor(cleared_before_minor + clearing_minor, basis_points) - fee_taken_minor
    if not 0 <= fee_minor <= clearing_minor:
        raise ValueError("the fee taken before does not fit what was cleared before")
    return Payout(gross_minor=clearing_minor, fee_minor=fee_minor, net_minor=clearing_minor - fee_minor)


def split_over_lines(total_minor: int, lines: Mapping[UUID, int]) -> dict[UUID, int]:
    """Split a plan's fee (or net) over its lines by largest remainder; ties go to the smaller commitment id."""
    commitment_ids = sorted(lines)
    parts = allocate(total_minor, [lines[commitment_id] for commitment_id in commitment_ids])
    return dict(zip(commitment_ids, parts, strict=True))
