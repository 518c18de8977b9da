"""The steps that a reading of a dispute asks for: each movement once, an end once, older readings nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.escrow.domain.disputes import (
    Booked,
    DisputeFacts,
    End,
    Move,
    Movement,
    Open,
    left_of_split,
    next_steps,
    rate_verdict,
    settled_by_bank,
)
from services.escrow.domain.psp import OddObjectError, dispute_facts

OPENED = DisputeFacts("du_1", "needs_response", 100, "usd", "ch_1", "pi_1", "fraudulent", None, ())
TAKEN, BACK = Movement("txn_1", -100, 1_500), Movement("txn_2", 100, 0)


def course(*steps: tuple[str, tuple[Movement, ...]]) -> list[DisputeFacts]:
    return [replace(OPENED, status=cast(Any, status), movements=movements) for status, movements in steps]


COURSES = (
    course(("needs_response", (TAKEN,)), ("under_review", (TAKEN,)), ("won", (TAKEN,)), ("won", (TAKEN, BACK))),
    course(("needs_response", (TAKEN,)), ("lost", (TAKEN,))),
    course(("warning_needs_response", ()), ("warning_under_review", ()), ("warning_closed", ())),
    course(("warning_needs_response", ()), ("needs_response", ()), ("needs_response", (TAKEN,)), ("lost", (TAKEN,))),
    course(
        ("needs_response", (TAKEN,)),
        ("won", (TAKEN, BACK)),
        ("under_review", (TAKEN, BACK, Movement("txn_3", -100, 0))),
        ("lost", (TAKEN, BACK, Movement("txn_3", -100, 0))),
    ),
)


def book(booked: Booked | None, facts: DisputeFacts) -> tuple[Booked | None, list[Any]]:
    """What is booked after the steps, as the use case books them."""
    steps = list(next_steps(booked, facts))
    for step in steps:
        before = booked or Booked(None, frozenset(), 0)
        match step:
            case Open():
                booked = replace(before, outcome=None)
            case Move(movement):
                booked = replace(
                    before,
                    movement_ids=before.movement_ids | {movement.id},
                    net_taken_minor=before.net_taken_minor - movement.amount_minor,
                )
            case End(outcome):
                booked = replace(before, outcome=outcome)
    return booked, steps


@given(st.sampled_from(COURSES), st.data())
def test_readings_in_any_sequence_and_number_lead_to_the_same_end(
    readings: list[DisputeFacts], data: st.DataObject
) -> None:
    drawn = data.draw(st.lists(st.sampled_from(readings), max_size=12))
    booked: Booked | None = None
    moved: list[str] = []
    for facts in [*drawn, readings[-1], readings[-1]]:
        booked, steps = book(booked, facts)
        moved += [step.movement.id for step in steps if isinstance(step, Move)]
        assert booked is not None
        assert booked.net_taken_minor in (0, 100)
    assert sorted(moved) == sorted(movement.id for movement in readings[-1].movements)
    straight: Booked | None = None
    for facts in readings:
        straight, _ = book(straight, facts)
    assert booked == straight
    assert next_steps(booked, readings[-1]) == ()


def movement(name: str, amount: int, created: int) -> dict[str, Any]:
    return {
        "id": name, "type": "adjustment", "source": "du_1", "amount": amount, "fee": 0, "net": amount, "currency": "usd",
        "created": created, "available_on": created,
    }  # fmt: skip


def body(**changes: Any) -> dict[str, Any]:
    whole = {
        "id": "du_1", "object": "dispute", "status": "won", "amount": 100, "currency": "usd", "charge": "ch_1",
        "payment_intent": "pi_1", "reason": "fraudulent", "evidence_details": {"due_by": 1_800_000_000},
        "balance_transactions": [movement("txn_back", 100, 5), movement("txn_taken", -100, 5)],
    }  # fmt: skip
    return whole | changes


def test_what_was_taken_is_read_before_what_came_back_in_the_same_second() -> None:
    facts = dispute_facts(body())
    assert [each.id for each in facts.movements] == ["txn_taken", "txn_back"]
    assert (facts.due_by, facts.payment_intent_id) == (1_800_000_000, "pi_1")
    assert dispute_facts(body(evidence_details={"due_by": 0})).due_by is None


@pytest.mark.parametrize(
    "change",
    [
        {"status": "thawed"},
        {"charge": None},
        {"balance_transactions": [movement(f"txn_{n}", -1, n) for n in range(30)]},
    ],
)
def test_a_dispute_that_nobody_here_understands_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(OddObjectError):
        dispute_facts(body(**change))


def test_a_decision_is_booked_when_its_money_has_moved() -> None:
    booked, _ = book(None, replace(OPENED, movements=(TAKEN,)))
    assert next_steps(booked, replace(OPENED, status="won", movements=(TAKEN,))) == ()
    assert next_steps(None, replace(OPENED, status="lost")) == (Open(),)


@given(
    st.dictionaries(st.sampled_from(["escrow", "refund_payable", "reserve"]), st.integers(1, 1_000)),
    st.integers(0, 4_000),
)
def test_what_is_left_of_a_split_is_the_split_less_what_was_taken(split: dict[str, int], taken: int) -> None:
    left = left_of_split(split, taken)
    assert sum(left.values()) == max(sum(split.values()) - taken, 0)
    assert all(0 < left[name] <= split[name] for name in left)


def test_the_bank_settles_whole_refunds_the_oldest_first() -> None:
    assert settled_by_bank([("a", 60), ("b", 50), ("c", 40)], 100) == [0, 2]


@pytest.mark.parametrize(
    ("disputes", "payments", "verdict"),
    [
        (2, 2, "fine"),
        (3, 401, "fine"),
        (3, 400, "warning"),
        (3, 301, "warning"),
        (3, 300, "critical"),
        (9, 0, "critical"),
    ],
)
def test_the_share_of_disputes_is_judged_from_three_on(disputes: int, payments: int, verdict: str) -> None:
    assert rate_verdict(disputes=disputes, payments=payments) == verdict
