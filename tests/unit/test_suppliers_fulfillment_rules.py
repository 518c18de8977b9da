"""The rules of delivery and inspection, and the table of phases. No database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import Rejected
from services.suppliers.domain.fulfillment import (
    REFUSED_IDS_SHOWN_MAX,
    Parcel,
    ReportArrivedLate,
    judge_issues,
    judge_report,
    require_deliverable,
)
from services.suppliers.domain.phases import STEPS, IllegalStepError, Phase, require_delivery_expected, step

UNTIL = datetime(2026, 12, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("delivered", "with_issue", "rate", "verdict"),
    [
        (1, 0, 0, "release"),
        (10_000, 1, 1, "release_less_reserve"),
        (20_000, 1, 1, "release_less_reserve"),
        (1_000, 49, 490, "release_less_reserve"),
        (10_001, 500, 499, "release_less_reserve"),
        (20, 1, 500, "hold"),
        (3, 3, 10_000, "hold"),
    ],
)
def test_the_issue_rate_decides_what_is_released(delivered: int, with_issue: int, rate: int, verdict: str) -> None:
    judgement = judge_issues(delivered=delivered, with_issue=with_issue)
    assert (judgement.issue_rate_basis_points, judgement.verdict) == (rate, verdict)


@given(delivered=st.integers(1, 10**6), data=st.data())
def test_the_verdict_follows_the_exact_share(delivered: int, data: st.DataObject) -> None:
    with_issue = data.draw(st.integers(0, delivered))
    verdict = judge_issues(delivered=delivered, with_issue=with_issue).verdict
    if with_issue == 0:
        assert verdict == "release"
    elif with_issue * 100 >= 5 * delivered:
        assert verdict == "hold"
    else:
        assert verdict == "release_less_reserve"


@pytest.mark.parametrize(("delivered", "with_issue"), [(0, 0), (1, 2), (1, -1)])
def test_an_impossible_share_is_a_fault_of_the_program(delivered: int, with_issue: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        judge_issues(delivered=delivered, with_issue=with_issue)


def test_only_live_undelivered_commitments_are_delivered() -> None:
    fine, ended, delivered, unknown = (uuid4() for _ in range(4))
    parcels = {
        fine: Parcel(fine, live=True, delivered=False),
        ended: Parcel(ended, live=False, delivered=False),
        delivered: Parcel(delivered, live=True, delivered=True),
    }
    assert require_deliverable([fine], parcels) is None
    with pytest.raises(Rejected) as refused:
        require_deliverable([fine, ended, delivered, unknown], parcels)
    assert refused.value.code == "delivery_not_expected"
    assert refused.value.facts == {"count": 3, "commitment_ids": [str(each) for each in (ended, delivered, unknown)]}


def test_a_refusal_names_a_bounded_number_of_commitments() -> None:
    with pytest.raises(Rejected) as refused:
        require_deliverable([uuid4() for _ in range(5000)], {})
    assert refused.value.facts["count"] == 5000
    assert len(refused.value.facts["commitment_ids"]) == REFUSED_IDS_SHOWN_MAX


def test_a_fault_is_reported_inside_the_inspection_of_that_commitment() -> None:
    assert judge_report(inspection_until=UNTIL, received_at=UNTIL - timedelta(seconds=1), verdict_told=False) is None
    for until, received_at in ((None, UNTIL), (UNTIL, UNTIL)):
        with pytest.raises(Rejected) as refused:
            judge_report(inspection_until=until, received_at=received_at, verdict_told=False)
        assert refused.value.code == "inspection_not_open"


def test_a_report_in_time_but_after_the_verdict_has_arrived_late() -> None:
    with pytest.raises(ReportArrivedLate):
        judge_report(inspection_until=UNTIL, received_at=UNTIL - timedelta(seconds=1), verdict_told=True)
    with pytest.raises(Rejected) as refused:
        judge_report(inspection_until=UNTIL, received_at=UNTIL, verdict_told=True)
    assert refused.value.code == "inspection_not_open"


def test_every_step_outside_the_table_is_a_fault_of_the_program() -> None:
    for current in Phase:
        for following in Phase:
            if following in STEPS[current]:
                assert step(current, following) is following
            else:
                with pytest.raises(IllegalStepError):
                    step(current, following)


def test_completed_and_closed_are_final_and_nothing_leads_back() -> None:
    assert STEPS[Phase.COMPLETED] == STEPS[Phase.CLOSED] == frozenset()
    reached: dict[Phase, set[Phase]] = {}
    for start in Phase:
        seen: set[Phase] = set()
        frontier = set(STEPS[start])
        while frontier:
            seen |= frontier
            frontier = {following for phase in frontier for following in STEPS[phase]} - seen
        reached[start] = seen
    assert all(start not in seen for start, seen in reached.items())


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.FULFILLMENT])
def test_deliveries_are_expected_in_fulfillment_only(phase: Phase) -> None:
    assert require_delivery_expected(Phase.FULFILLMENT) is None
    with pytest.raises(Rejected) as refused:
        require_delivery_expected(phase)
    assert refused.value.code == "delivery_not_expected"
