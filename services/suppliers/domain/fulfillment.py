"""The rules of dispatch, delivery and inspection.

The issue rate is the share of delivered commitments with an open or upheld issue. It decides whether funds are released,
released less a reserve, or held. All figures are whole numbers; the rate is in basis points (1/100 of a percent).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from contracts.errors import Rejected

INSPECTION_WINDOW = timedelta(days=7)
"""How long a participant may report a fault, from the delivery of that commitment."""

UPDATE_INTERVAL = timedelta(days=14)
"""The longest time in fulfillment without a factual update by the supplier."""

HOLD_FROM_BASIS_POINTS = 500
"""From this issue rate on, nothing is released."""

REFUSED_IDS_SHOWN_MAX = 20
"""How many of the commitments that stand in the way are named in a refusal."""

Verdict = Literal["release", "release_less_reserve", "hold"]


class ReportArrivedLate(Rejected):
    """A fault was reported in time but is handled after the verdict on the campaign."""

    def __init__(self, **facts: object) -> None:
        super().__init__("arrived_late", **facts)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One commitment on its way, as the rules see it. `live`: its funds are held and it was not ended."""

    commitment_id: UUID
    live: bool
    delivered: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """The issue rate of a campaign and what follows from it."""

    issue_rate_basis_points: int
    verdict: Verdict


def judge_issues(*, delivered: int, with_issue: int) -> Judgement:
    """The judgement for `with_issue` of `delivered` commitments having an open or upheld issue.

    A rate below one basis point is told as one, so that a rate of zero means that there is no issue at all. Raises
    ValueError when nothing is delivered or more issues than deliveries are counted.
    """
    if not 0 <= with_issue <= delivered or delivered == 0:
        raise ValueError(f"{with_issue} of {delivered} is no share")
    if with_issue == 0:
        return Judgement(0, "release")
    rate = max(1, with_issue * 10_000 // delivered)
    return Judgement(rate, "hold" if rate >= HOLD_FROM_BASIS_POINTS else "release_less_reserve")


def require_deliverable(wanted: Iterable[UUID], parcels: dict[UUID, Parcel]) -> None:
    """Refuse (`delivery_not_expected`) when any of the commitments is unknown here, was ended, or is delivered."""
    in_the_way = [str(wish) for wish in wanted if not _deliverable(parcels.get(wish))]
    if in_the_way:
        raise Rejected(
            "delivery_not_expected", count=len(in_the_way), commitment_ids=in_the_way[:REFUSED_IDS_SHOWN_MAX]
        )


def judge_report(*, inspection_until: datetime | None, received_at: datetime, verdict_told: bool) -> None:
    """Pass when the report of a fault is in time. Raises Rejected (`inspection_not_open`) when the commitment is not
    delivered or its inspection was over when the report was received, and ReportArrivedLate."""
    if inspection_until is None or received_at >= inspection_until:
        raise Rejected("inspection_not_open")
    if verdict_told:
        raise ReportArrivedLate(inspection_until=inspection_until.isoformat())


def _deliverable(parcel: Parcel | None) -> bool:
    return parcel is not None and parcel.live and not parcel.delivered
