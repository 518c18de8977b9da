"""Escrow's rules without a table: payments, refunds, release conditions, plans, reading Stripe's objects."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.ledger import PlanLine
from services.escrow.domain.payments import may_start_payment, payment_state_after, receipt
from services.escrow.domain.psp import (
    MovementFacts,
    OddObjectError,
    movement_facts,
    payment_facts,
    refund_facts,
)
from services.escrow.domain.reconciliation import movement_class
from services.escrow.domain.refunds import may_retry, refund_step
from services.escrow.domain.release import (
    ReleaseFacts,
    plan_figures,
    plan_hash,
    plan_lines,
    release_conditions,
    unmet,
)
from services.escrow.settings import EscrowSettings


@pytest.mark.parametrize(
    ("current", "told", "becomes"),
    [
        ("started", "succeeded", "succeeded"),
        ("started", "requires_action", "action_required"),
        ("action_required", "failed", "declined"),
        ("action_required", "requires_action", None),
        ("processing", "requires_action", None),
        ("declined", "requires_action", None),
        ("declined", "canceled", "canceled"),
        ("canceled", "failed", None),
        ("canceled", "succeeded", "succeeded"),
        ("declined", "succeeded", "succeeded"),
        ("succeeded", "canceled", None),
        ("succeeded", "failed", None),
    ],
)
def test_a_payment_moves_only_forward_and_success_is_always_believed(current: Any, told: Any, becomes: Any) -> None:
    assert payment_state_after(current, told) == becomes


@pytest.mark.parametrize(
    ("state", "funded", "closed", "verdict"),
    [
        ("open", False, False, "hold"),
        ("expiring", False, False, "hold"),
        ("ending", False, False, "late"),
        ("ended", False, False, "late"),
        ("held", True, False, "late"),
        ("open", False, True, "late"),
        (None, False, False, "late"),
    ],
)
def test_only_money_for_an_awaiting_reservation_is_held(state: Any, funded: bool, closed: bool, verdict: str) -> None:
    assert receipt(state, funded=funded, closed=closed) == verdict


def test_an_attempt_is_used_once() -> None:
    assert may_start_payment("open", open_payments=0, attempt=1, used=set()) is None
    assert may_start_payment("open", open_payments=0, attempt=1, used={1}) == "payment_not_expected"
    assert may_start_payment("open", open_payments=1, attempt=2, used={1}) == "payment_under_way"
    assert may_start_payment("held", open_payments=0, attempt=2, used={1}) == "payment_not_expected"


@pytest.mark.parametrize(
    ("state", "told", "known", "authoritative", "step"),
    [
        ("decided", "pending", True, False, "pending"),
        ("pending", "pending", True, False, "none"),
        ("decided", "succeeded", True, False, "paid"),
        ("pending", "failed", True, False, "failed"),
        ("paid", "failed", True, False, "failed_after_paid"),
        ("paid", "succeeded", True, False, "none"),
        ("failed", "succeeded", True, False, "read_again"),
        ("failed", "succeeded", True, True, "paid"),
        ("failed", "failed", True, True, "none"),
        ("decided", "failed", False, True, "none"),
        ("decided", "succeeded", False, True, "mismatch"),
    ],
)
def test_a_refunds_status_means_one_step(state: Any, told: Any, known: bool, authoritative: bool, step: str) -> None:
    assert refund_step(state, told, known_refund=known, authoritative=authoritative) == step


def test_attempts_without_a_person_end() -> None:
    assert [may_retry(ordinal) for ordinal in (1, 2, 3, 4)] == [True, True, False, False]


def good_facts(**changes: Any) -> ReleaseFacts:
    values: dict[str, Any] = {
        "state": "INSPECTION",
        "accepted": uuid4(),
        "delivered": uuid4(),
        "delivered_count": 3,
        "inspection_started": uuid4(),
        "inspection_over": uuid4(),
        "verdict": "release",
        "payout_account": uuid4(),
        "first_approval": uuid4(),
    }
    return ReleaseFacts(**{**values, **changes})


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"accepted": None}, "supplier_accepted"),
        ({"delivered": None}, "fulfillment_confirmed"),
        ({"delivered_count": 0}, "fulfillment_confirmed"),
        ({"state": "FULFILLMENT"}, "inspection_over"),
        ({"verdict": "hold"}, "issue_rule"),
        ({"verdict": None}, "issue_rule"),
        ({"disputed_minor": 1}, "no_dispute_open"),
        ({"frozen": True}, "participants_told"),
        ({"ledger_sound": False}, "ledger_sound"),
        ({"payout_account": None}, "payout_account_verified"),
        ({"first_approval": None}, "first_approval"),
    ],
)
def test_each_release_condition_alone_refuses(change: dict[str, Any], name: str) -> None:
    assert unmet(release_conditions("release", good_facts())) == []
    assert unmet(release_conditions("release", good_facts(**change))) == [name]


def test_a_reserve_is_released_only_after_completion() -> None:
    assert unmet(release_conditions("reserve_release", good_facts())) == ["inspection_over"]
    assert unmet(release_conditions("reserve_release", good_facts(state="COMPLETED"))) == []


def test_lines_follow_the_ledger_and_keep_open_issues_back() -> None:
    first, second, third = sorted(uuid4() for _ in range(3))
    lines = plan_lines({third: 300, first: 100, second: 0}, keep_back={third})
    assert [(line.commitment_id, line.amount_minor, line.to_reserve) for line in lines] == [
        (first, 100, False),
        (third, 300, True),
    ]


def test_the_fee_is_cumulated_so_that_a_reserve_released_later_loses_no_cent() -> None:
    one, two = (PlanLine(commitment_id=uuid4(), amount_minor=amount, to_reserve=False) for amount in (3_333, 3_334))
    whole = plan_figures([one, two], basis_points=333, cleared_before_minor=0, fee_taken_minor=0)
    first = plan_figures([one], basis_points=333, cleared_before_minor=0, fee_taken_minor=0)
    second = plan_figures([two], basis_points=333, cleared_before_minor=3_333, fee_taken_minor=first.fee_minor)
    assert first.fee_minor + second.fee_minor == whole.fee_minor
    assert whole.gross_minor == whole.fee_minor + whole.net_minor


def test_the_hash_covers_payee_account_and_every_line() -> None:
    line = PlanLine(commitment_id=UUID(int=1), amount_minor=100, to_reserve=False)
    values: dict[str, Any] = {
        "campaign_id": UUID(int=2),
        "plan_id": UUID(int=3),
        "kind": "release",
        "supplier_id": UUID(int=4),
        "destination": "acct_1",
        "currency": "usd",
        "figures": plan_figures([line], basis_points=0, cleared_before_minor=0, fee_taken_minor=0),
        "lines": [line],
    }
    changed = [
        {"destination": "acct_2"},
        {"supplier_id": UUID(int=5)},
        {"lines": [line.model_copy(update={"amount_minor": 101})]},
        {"lines": [line.model_copy(update={"to_reserve": True})]},
    ]
    assert plan_hash(**values) == plan_hash(**values)
    assert len({plan_hash(**values), *(plan_hash(**{**values, **change}) for change in changed)}) == 5


def test_a_payment_intent_is_read_with_its_ids_and_its_decline() -> None:
    payment_id, intent_id = uuid4(), uuid4()
    facts = payment_facts(
        {
            "id": "pi_1",
            "status": "requires_payment_method",
            "amount": 500,
            "currency": "usd",
            "metadata": {"payment_id": str(payment_id), "intent_id": str(intent_id)},
            "last_payment_error": {"code": "card_declined", "decline_code": "insufficient_funds"},
        }
    )
    assert (facts.status, facts.payment_id, facts.intent_id) == ("failed", payment_id, intent_id)
    assert facts.decline_code == "insufficient_funds"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": "pi_1", "status": "surprising", "amount": 1, "currency": "usd"},
        {"id": "pi_1", "status": "succeeded", "amount": "1", "currency": "usd"},
        {"id": "pi_1", "status": "succeeded", "amount": True, "currency": "usd"},
        {"id": "", "status": "succeeded", "amount": 1, "currency": "usd"},
    ],
)
def test_an_odd_object_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(OddObjectError):
        payment_facts(body)


def test_metadata_that_are_no_ids_of_ours_name_nothing() -> None:
    facts = refund_facts(
        {
            "id": "re_1",
            "status": "requires_action",
            "amount": 1,
            "currency": "usd",
            "metadata": {"decision_id": "x", "ordinal": "-1"},
        }
    )
    assert (facts.decision_id, facts.ordinal, facts.status) == (None, 0, "pending")


def movement(kind: str, amount_minor: int = 100, source: str | None = "ch_1") -> MovementFacts:
    return movement_facts(
        {
            "id": "txn_1",
            "type": kind,
            "source": source,
            "amount": amount_minor,
            "fee": 0,
            "net": amount_minor,
            "currency": "usd",
            "created": 1,
            "available_on": 1,
        }
    )


@pytest.mark.parametrize(
    ("kind", "amount_minor", "expected"),
    [
        ("charge", 100, "object"),
        ("refund_failure", 100, "object"),
        ("stripe_fee", -5, "account_fee"),
        ("reserved_funds", -5, "held"),
        ("reserved_funds", 5, "freed"),
        ("anything_new", 5, "other"),
    ],
)
def test_a_balance_transaction_has_one_class(kind: str, amount_minor: int, expected: str) -> None:
    assert movement_class(movement(kind, amount_minor)) == expected


def test_a_balance_transaction_whose_figures_do_not_add_up_is_refused() -> None:
    with pytest.raises(OddObjectError):
        movement_facts(
            {
                "id": "txn_1",
                "type": "charge",
                "amount": 100,
                "fee": 3,
                "net": 100,
                "currency": "usd",
                "created": 1,
                "available_on": 1,
            }
        )


def test_production_speaks_to_stripe_over_https_alone_and_signs_checkpoints() -> None:
    values: dict[str, Any] = {
        "profile": "production", "database_url": "postgresql+asyncpg://escrow@db/escrow", "kafka": "kafka:9092",
        "assertion_public_key": "a2V5", "stripe_kind": "stripe", "checkpoint_key": "a2V5", "checkpoint_salt_key": "a2V5",
    }  # fmt: skip
    assert EscrowSettings(**values).stripe_url.startswith("https://")
    with pytest.raises(ValueError, match="ALPMERA_STRIPE_URL"):
        EscrowSettings(**values, stripe_url="http://stripe.example")
    for key in ("checkpoint_key", "checkpoint_salt_key"):
        with pytest.raises(ValueError, match="ALPMERA_CHECKPOINT_KEY"):
            EscrowSettings(**values | {key: None})
