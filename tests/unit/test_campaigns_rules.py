"""The checks of a join and of a withdrawal, readiness, sign-offs, reference codes, waiting times."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from contracts.terms import Product, Readiness, ReferencePrice, Terms
from services.campaigns.domain.deadlines import FROZEN_STEP_DELAY_MAX, FROZEN_STEP_DELAY_MIN, frozen_step_delay
from services.campaigns.domain.joining import (
    Join,
    JoiningWindow,
    joining_fills_capacity,
    refusal_of_join,
    refusal_of_withdrawal,
)
from services.campaigns.domain.readiness import missing_items
from services.campaigns.domain.references import ALPHABET, new_reference
from services.campaigns.domain.sign_offs import missing_roles, refusal_of_sign_off

CLOSE_AT = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def window(**changes: Any) -> JoiningWindow:
    values: dict[str, Any] = {"state": "ACTIVE", "close_at": CLOSE_AT, "ended_at": None, "end_cause": None}
    return JoiningWindow(**{**values, **changes})


def join(**changes: Any) -> Join:
    values: dict[str, Any] = {
        "window": window(),
        "frozen": False,
        "terms_hash": "a" * 64,
        "min_units": 2,
        "max_units": 6,
        "unit_price_minor": 25,
        "currency": "usd",
        "capacity_units": 10,
        "taken_units": 4,
        "received_at": CLOSE_AT,
        "accepted_hash": "a" * 64,
        "quantity": 2,
        "participant_units": 0,
    }
    return Join(**{**values, **changes})


BY_DATE = {"ended_at": CLOSE_AT + timedelta(seconds=60), "end_cause": "close_date"}
BY_CAPACITY = {"ended_at": CLOSE_AT - timedelta(days=1), "end_cause": "capacity"}

JOINS: list[tuple[str | None, dict[str, Any]]] = [
    (None, {}),
    (None, {"window": window(state="TARGET_ACHIEVED")}),
    (None, {"quantity": 6}),
    (None, {"max_units": None, "quantity": 6}),
    (None, {"quantity": 4, "participant_units": 2}),
    ("campaign_not_open", {"received_at": CLOSE_AT + SECOND}),
    ("campaign_not_open", {"window": window(**BY_CAPACITY)}),
    ("campaign_not_open", {"window": window(**BY_DATE), "received_at": CLOSE_AT + SECOND}),
    ("arrived_late", {"window": window(**BY_DATE)}),
    ("arrived_late", {"window": window(state="CLOSED", **BY_DATE)}),
    *(
        ("campaign_not_open", {"window": window(state=state)})
        for state in ("DRAFT", "IN_REVIEW", "PENDING_ACCEPTANCE", "FULFILLMENT", "INSPECTION", "COMPLETED", "CLOSED")
    ),
    ("campaign_frozen", {"frozen": True}),
    ("terms_hash_stale", {"accepted_hash": "b" * 64}),
    ("quantity_below_minimum", {"quantity": 1}),
    ("quantity_above_maximum", {"quantity": 7, "taken_units": 0}),
    ("quantity_above_maximum", {"quantity": 5, "participant_units": 2, "taken_units": 2}),
    ("amount_below_minimum", {"unit_price_minor": 24}),
    ("over_capacity", {"taken_units": 9}),
]


@pytest.mark.parametrize(("code", "changes"), JOINS)
def test_a_join_is_refused_by_the_rule_it_breaks(code: str | None, changes: dict[str, Any]) -> None:
    refusal = refusal_of_join(join(**changes))
    assert (refusal and refusal.code) == code


SEQUENCE: list[tuple[str, dict[str, Any]]] = [
    ("campaign_not_open", {"received_at": CLOSE_AT + SECOND}),
    ("campaign_frozen", {"frozen": True}),
    ("terms_hash_stale", {"accepted_hash": "b" * 64}),
    ("quantity_below_minimum", {"min_units": 3}),
    ("quantity_above_maximum", {"participant_units": 5}),
    ("amount_below_minimum", {"unit_price_minor": 1}),
    ("over_capacity", {"taken_units": 10}),
]


@pytest.mark.parametrize("first", range(len(SEQUENCE)))
def test_of_several_broken_rules_the_first_in_the_fixed_sequence_is_told(first: int) -> None:
    changes = {name: value for _, change in SEQUENCE[first:] for name, value in change.items()}
    refusal = refusal_of_join(join(**changes))
    assert refusal is not None
    assert refusal.code == SEQUENCE[first][0]


WITHDRAWALS: list[tuple[str | None, str, JoiningWindow, datetime]] = [
    (None, "LOCKED", window(), CLOSE_AT),
    (None, "PENDING_FUNDS", window(state="TARGET_ACHIEVED"), CLOSE_AT),
    ("withdrawal_closed", "LOCKED", window(), CLOSE_AT + SECOND),
    ("withdrawal_closed", "LOCKED", window(state="PENDING_ACCEPTANCE", **BY_DATE), CLOSE_AT + SECOND),
    ("arrived_late", "LOCKED", window(state="PENDING_ACCEPTANCE", **BY_DATE), CLOSE_AT),
    ("arrived_late", "LOCKED", window(state="PENDING_ACCEPTANCE", **BY_CAPACITY), BY_CAPACITY["ended_at"]),
    ("withdrawal_closed", "LOCKED", window(state="PENDING_ACCEPTANCE", **BY_CAPACITY), CLOSE_AT),
    *(
        ("commitment_not_withdrawable", state, window(), CLOSE_AT)
        for state in ("FUNDS_FAILED", "WITHDRAWN", "REFUNDED", "RELEASED")
    ),
]


@pytest.mark.parametrize(("code", "state", "open_window", "received_at"), WITHDRAWALS)
def test_a_withdrawal_counts_when_it_was_received_before_joining_ended(
    code: str | None, state: str, open_window: JoiningWindow, received_at: datetime
) -> None:
    refusal = refusal_of_withdrawal(open_window, commitment_state=state, received_at=received_at)
    assert (refusal and refusal.code) == code


@pytest.mark.parametrize(("held", "ended", "fills"), [(9, False, False), (10, False, True), (10, True, False)])
def test_only_held_units_at_the_capacity_end_joining_and_only_once(held: int, ended: bool, fills: bool) -> None:
    open_window = window(**BY_CAPACITY) if ended else window()
    assert joining_fills_capacity(open_window, held_units=held, capacity_units=10) is fills


def terms(**changes: Any) -> Terms:
    values: dict[str, Any] = {
        "title": "Pans",
        "target_units": 5,
        "capacity_units": 10,
        "unit_price_minor": 25,
        "currency": "usd",
        "min_units": 1,
        "max_units": None,
        "close_at": CLOSE_AT,
        "fee_basis_points": 0,
        "delivery_window_days": 1,
        "delivery_model": "pickup",
        "delivery_terms": "Pickup",
        "refund_terms": "In full",
    }
    return Terms(**{**values, **changes})


PRICE = ReferencePrice(amount_minor=100, currency="usd", source="A list", seen_on="2026-11-01")
PRODUCT = Product(name="Pan", specification="Iron", category="kitchen", reference_prices=(PRICE,))
READINESS = Readiness(owner="a", backup="b", what_fails="c", who_notices="d", what_then="e")

GAPS: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    ((), {}),
    ((), {"close_at": CLOSE_AT - timedelta(days=13)}),
    (("currency_supported",), {"currency": "xxx"}),
    (("capacity_at_least_target",), {"target_units": 11}),
    (("capacity_at_least_minimum",), {"min_units": 11}),
    (("maximum_at_least_minimum",), {"min_units": 6, "max_units": 5}),
    (("capacity_amount_within_bound",), {"unit_price_minor": 10**15}),
    (("some_units_above_smallest_charge",), {"unit_price_minor": 4}),
    (("some_units_above_smallest_charge",), {"max_units": 1}),
    (("close_at_in_the_future",), {"close_at": CLOSE_AT - timedelta(days=14)}),
]


@pytest.mark.parametrize(("missing", "changes"), GAPS)
def test_each_gap_in_the_terms_is_named(missing: tuple[str, ...], changes: dict[str, Any]) -> None:
    now = CLOSE_AT - timedelta(days=14)
    assert missing_items(PRODUCT, terms(**changes), readiness=READINESS, supplier_count=1, now=now) == missing


def test_answers_suppliers_and_reference_prices_must_be_there() -> None:
    bare = PRODUCT.model_copy(update={"reference_prices": ()})
    found = missing_items(bare, terms(), readiness=None, supplier_count=0, now=CLOSE_AT - timedelta(days=1))
    assert found == ("readiness_answers", "reference_price", "supplier_candidate")


SIGN_OFFS: list[tuple[str | None, dict[str, Any]]] = [
    (None, {}),
    (None, {"state": "INSPECTION"}),
    (None, {"given": {"escrow_auditor": "ana"}}),
    ("not_allowed", {"actor_role": "founder"}),
    ("not_allowed", {"role": "gatekeeper", "actor_role": "gatekeeper"}),
    ("sign_off_repeated", {"given": {"operations": "otto"}}),
    ("sign_off_same_person", {"given": {"escrow_auditor": "olga"}}),
    *(
        ("campaign_state_conflict", {"state": state})
        for state in ("DRAFT", "IN_REVIEW", "ACTIVE", "TARGET_ACHIEVED", "PENDING_ACCEPTANCE", "COMPLETED", "CLOSED")
    ),
]


@pytest.mark.parametrize(("code", "changes"), SIGN_OFFS)
def test_a_sign_off_is_refused_by_the_rule_it_breaks(code: str | None, changes: dict[str, Any]) -> None:
    values: dict[str, Any] = {
        "given": {},
        "state": "FULFILLMENT",
        "role": "operations",
        "actor_role": "operations",
        "person_id": "olga",
        **changes,
    }
    refusal = refusal_of_sign_off(values.pop("given"), **values)
    assert (refusal and refusal.code) == code


def test_the_roles_that_have_not_signed_off_are_told_in_a_fixed_sequence() -> None:
    assert missing_roles({}) == ("operations", "escrow_auditor", "trust_reviewer")
    assert missing_roles({"escrow_auditor": "ana"}) == ("operations", "trust_reviewer")


def test_reference_codes_can_be_read_aloud_and_do_not_repeat() -> None:
    codes = {new_reference() for _ in range(2000)}
    assert len(codes) == 2000
    assert all(re.fullmatch(rf"[{ALPHABET}]{{4}}(-[{ALPHABET}]{{4}}){{2}}", code) for code in codes)


def test_the_wait_between_two_looks_at_a_frozen_campaign_grows_to_a_bound() -> None:
    waits = [frozen_step_delay(attempt) for attempt in range(50)]
    assert waits[0] == FROZEN_STEP_DELAY_MIN
    assert waits == sorted(waits)
    assert waits[-1] == FROZEN_STEP_DELAY_MAX


def test_a_terms_hash_survives_its_way_through_json() -> None:
    once = terms(title=f"Pans {uuid4()}")
    assert Terms.model_validate_json(once.model_dump_json()).hash() == once.hash()
