"""The chart of accounts and the rules of a posting, the fee, and every kind's entries."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.money import AMOUNT_MINOR_MAX
from services.escrow.domain import dispute_postings, postings
from services.escrow.domain.fees import payout_of, split_over_lines
from services.escrow.domain.ledger import (
    ACCOUNT_CLASSES,
    KINDS,
    LedgerRefused,
    Posting,
    account_class,
    check_balance,
    check_posting,
    commitment_account,
)
from tests.integration.ledger_support import ACTS, Move, posting_of

# Fixed, because they stand in the names of the tests, which every worker must give alike.
SCOPE, K, OTHER, PLAN, INTENT = str(UUID(int=1)), UUID(int=2), UUID(int=3), UUID(int=4), UUID(int=5)
LOCK = postings.lock(SCOPE, K, 500, intent_id=INTENT, object_id="ch_1")


def code_of(posting: Posting) -> str:
    """The refusal's code, "" when the posting is sound."""
    try:
        check_posting(posting)
    except LedgerRefused as refused:
        return refused.code
    return ""


def balance_refusal(account: str, balance_minor: int) -> str:
    """The refusal's code, "" when the account may hold this."""
    try:
        check_balance(account, balance_minor)
    except LedgerRefused as refused:
        return refused.code
    return ""


def every_kind() -> list[tuple[Posting, set[tuple[str, int]]]]:
    """One posting of each kind with the entries that the chart of accounts prescribes."""
    return [*kinds_of_payments(), *kinds_of_the_account()]


def a_dispute() -> tuple[Posting, Posting, Posting]:
    """A dispute's opening, and its end while the campaign runs and after its close."""
    opened = dispute_postings.dispute_opened(
        SCOPE, K, 90, dispute_id="dp", left_minor={"escrow": 50, "refund_payable": 30, "reserve": 40}
    )
    ended = dispute_postings.dispute_ended(
        SCOPE, K, dispute_id="dp", split_minor={"escrow": 50, "reserve": 10}, campaign_closed=False
    )
    closed = dispute_postings.dispute_ended(
        SCOPE, K, dispute_id="dp", split_minor={"escrow": 50, "reserve": 10}, campaign_closed=True
    )
    assert opened is not None
    assert ended is not None
    assert closed is not None
    return opened, ended, closed


def kinds_of_payments() -> list[tuple[Posting, set[tuple[str, int]]]]:
    """The first half of the chart."""
    escrow, owed = f"escrow:{K}", f"refund_payable:{K}"
    reserve = f"reserve:{K}"
    return [
        (LOCK, {("psp_clearing", -500), (escrow, 500)}),
        (
            postings.late_receipt(SCOPE, K, 500, intent_id=INTENT, object_id="ch_1"),
            {("psp_clearing", -500), (owed, 500)},
        ),
        (
            postings.psp_settle(SCOPE, bt_id="t", amount_minor=500, fee_minor=45, object_id="ch_1"),
            {("psp_pending", -455), ("psp_cost", -45), ("psp_clearing", 500)},
        ),
        (
            postings.psp_settle(SCOPE, bt_id="t", amount_minor=-500, fee_minor=0, object_id="re_1"),
            {("psp_pending", 500), ("psp_clearing", -500)},
        ),
        (postings.psp_sweep(SCOPE, run="1", net_minor=455), {("psp_available", -455), ("psp_pending", 455)}),
        (postings.psp_sweep(SCOPE, run="1", net_minor=-455), {("psp_available", 455), ("psp_pending", -455)}),
        (
            postings.refund_decided(SCOPE, K, 5, decision_id=PLAN, reason="withdrawn"),
            {(escrow, -5), (owed, 5)},
        ),
        (
            postings.refund_decided(SCOPE, K, 5, decision_id=PLAN, reason="quality_issue", from_reserve=True),
            {(reserve, -5), (owed, 5)},
        ),
        (postings.refund_sent(SCOPE, K, 5, refund_id="re"), {(owed, -5), ("psp_clearing", 5)}),
        (postings.refund_failed(SCOPE, K, 5, refund_id="re"), {("psp_clearing", -5), (owed, 5)}),
        (
            postings.refund_paid_outside(SCOPE, K, 5, plan_id=PLAN, reason="bank transfer"),
            {(owed, -5), ("house_paid", 5)},
        ),
        (postings.clear(SCOPE, K, 5, plan_id=PLAN, to_reserve=False), {(escrow, -5), ("supplier_payable", 5)}),
        (postings.clear(SCOPE, K, 5, plan_id=PLAN, to_reserve=True), {(escrow, -5), (reserve, 5)}),
        (
            postings.clear_undone(SCOPE, K, 5, plan_id=PLAN, reason="disputed"),
            {("supplier_payable", -5), (escrow, 5)},
        ),
        (postings.fee(SCOPE, 5, plan_id=PLAN), {("supplier_payable", -5), ("platform_fee", 5)}),
        (
            postings.transfer_sent(SCOPE, 5, plan_id=PLAN, transfer_id="tr"),
            {("supplier_payable", -5), ("psp_clearing", 5)},
        ),
        (
            postings.transfer_back(SCOPE, 5, plan_id=PLAN, reversal_id="trr"),
            {("psp_clearing", -5), ("supplier_payable", 5)},
        ),
    ]


def kinds_of_the_account() -> list[tuple[Posting, set[tuple[str, int]]]]:
    """The second half of the chart."""
    escrow, owed = f"escrow:{K}", f"refund_payable:{K}"
    hold, reserve = f"dispute_hold:{K}", f"reserve:{K}"
    opened, ended, closed = a_dispute()
    return [
        (
            postings.transfer_back(SCOPE, 5, plan_id=PLAN, reversal_id="trr", as_recovery=True),
            {("psp_clearing", -5), ("dispute_loss", 5)},
        ),
        (postings.reserve_release(SCOPE, K, 5, plan_id=PLAN), {(reserve, -5), ("supplier_payable", 5)}),
        (postings.goodwill(SCOPE, K, 5, plan_id=PLAN, reason="late"), {("goodwill", -5), (owed, 5)}),
        (opened, {(escrow, -50), (owed, -30), (reserve, -10), (hold, 90)}),
        (
            dispute_postings.dispute_withdrawn(SCOPE, K, 90, bt_id="t", object_id="dp", hold_minor=60),
            {(hold, -60), ("dispute_loss", -30), ("psp_clearing", 90)},
        ),
        (
            dispute_postings.dispute_reinstated(SCOPE, K, 90, bt_id="t", object_id="dp", loss_charged_minor=30),
            {("psp_clearing", -90), ("dispute_loss", 30), (hold, 60)},
        ),
        (ended, {(hold, -60), (escrow, 50), (reserve, 10)}),
        (closed, {(hold, -60), (owed, 60)}),
        (postings.topup("platform", 5, topup_id="tu"), {("psp_clearing", -5), ("platform_float", 5)}),
        (postings.bank_payout("platform", 5, payout_id="po"), {("platform_float", -5), ("psp_clearing", 5)}),
        (
            postings.psp_fee_account("platform", bt_id="t", net_minor=-5),
            {("psp_cost", -5), ("psp_pending", 5)},
        ),
        (
            dispute_postings.dispute_shifted(SCOPE, K, 5, of="re_1", paid_by_refund=True),
            {("dispute_loss", -5), (f"refund_payable:{K}", 5)},
        ),
        (
            dispute_postings.dispute_shifted(SCOPE, K, 5, of="d_1", paid_by_refund=False),
            {("dispute_loss", 5), (f"refund_payable:{K}", -5)},
        ),
        (postings.psp_held("platform", 5, bt_id="t"), {("psp_reserved", -5), ("psp_available", 5)}),
        (postings.psp_freed("platform", 5, bt_id="t"), {("psp_available", -5), ("psp_reserved", 5)}),
        (postings.suspense("platform", bt_id="t", net_minor=5), {("psp_pending", -5), ("suspense", 5)}),
        (postings.suspense("platform", bt_id="t", net_minor=-5), {("psp_pending", 5), ("suspense", -5)}),
        (
            postings.explained("platform", bt_id="t", net_minor=5, position=3),
            {("psp_pending", 5), ("suspense", -5)},
        ),
        (
            postings.correction(LOCK, plan_id=PLAN, position=1, reason="wrong commitment"),
            {("psp_clearing", 500), (escrow, -500)},
        ),
    ]


def test_every_kind_debits_and_credits_what_the_chart_says_and_is_sound() -> None:
    for posting, entries in every_kind():
        assert set(posting.entries) == entries, posting.kind
        assert code_of(posting) == "", posting.kind


def test_no_kind_is_without_a_posting() -> None:
    assert {posting.kind for posting, _ in every_kind()} == set(KINDS)


def test_one_payment_is_never_both_held_and_late() -> None:
    late = postings.late_receipt(SCOPE, K, 500, intent_id=INTENT, object_id="ch_1")
    assert late.cause == LOCK.cause == f"pi:{INTENT}"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "gift"}, "unknown_kind"),
        ({"cause": "bt:1"}, "wrong_cause"),
        ({"cause": "pi:"}, "wrong_cause"),
        ({"entries": (("psp_clearing", -500), (f"escrow:{K}", 499))}, "unbalanced"),
        ({"entries": ((f"escrow:{K}", 500),)}, "unbalanced"),
        ({"entries": (("psp_clearing", -500), ("psp_clearing", 500))}, "unbalanced"),
        ({"entries": (("psp_clearing", 0), (f"escrow:{K}", 0))}, "amount_out_of_range"),
        ({"entries": (("psp_clearing", -500), (f"refund_payable:{K}", 500))}, "wrong_account"),
        ({"entries": (("psp_clearing", 500), (f"escrow:{K}", -500))}, "wrong_account"),
        ({"entries": (("psp_clearing", -500), (f"escrow:{OTHER}", 500))}, "wrong_account"),
        ({"entries": (("psp_clearing", -500), ("escrow", 500))}, "wrong_account"),
        ({"entries": (("psp_clearing", -500), ("pocket", 500))}, "unknown_account"),
        ({"scope": "platform"}, "unknown_account"),
        ({"entries": (("psp_clearing", -(10**16)), (f"escrow:{K}", 10**16))}, "amount_out_of_range"),
        ({"object_id": None}, "object_missing"),
        ({"commitment_id": None}, "commitment_missing"),
        ({"reverses": 4}, "reversal_missing"),
        ({"object_id": ""}, "object_missing"),
        ({"object_id": "ch_1\x1fch_2"}, "unreadable"),
        ({"cause": "pi:one\x1ftwo"}, "unreadable"),
        ({"cause": "pi:" + "x" * 300}, "too_large"),
        ({"relied_on": (K,) * 1_001}, "too_large"),
    ],
)
def test_an_unsound_posting_is_refused_with_its_code(change: dict[str, object], code: str) -> None:
    assert code_of(LOCK._replace(**change)) == code


def test_a_plan_and_a_reason_are_needed_where_people_decide() -> None:
    clear = postings.clear(SCOPE, K, 5, plan_id=PLAN, to_reserve=False)
    goodwill = postings.goodwill(SCOPE, K, 5, plan_id=PLAN, reason="late")
    assert code_of(clear._replace(plan_id=None)) == "plan_missing"
    assert code_of(goodwill._replace(reason=None)) == "reason_missing"


def test_campaign_accounts_and_platform_accounts_never_mix() -> None:
    assert code_of(postings.topup(SCOPE, 5, topup_id="tu")) == "unknown_account"
    assert code_of(postings.suspense(SCOPE, bt_id="t", net_minor=5)) == "unknown_account"


@pytest.mark.parametrize("amount_minor", [0, -1])
def test_an_amount_that_is_not_positive_makes_no_posting(amount_minor: int) -> None:
    with pytest.raises(LedgerRefused, match="amount_not_positive"):
        postings.refund_sent(SCOPE, K, amount_minor, refund_id="re")
    with pytest.raises(LedgerRefused, match="amount_not_positive"):
        dispute_postings.dispute_opened(SCOPE, K, amount_minor, dispute_id="dp", left_minor={})


def test_a_dispute_freezes_at_most_what_is_left() -> None:
    nothing = dispute_postings.dispute_opened(SCOPE, K, 90, dispute_id="dp", left_minor={"escrow": 0})
    less = dispute_postings.dispute_opened(SCOPE, K, 90, dispute_id="dp", left_minor={"escrow": 20})
    assert nothing is None
    assert less is not None
    assert dict(less.entries) == {f"escrow:{K}": -20, f"dispute_hold:{K}": 20}


@pytest.mark.parametrize(
    ("account", "below", "above"),
    [
        ("psp_clearing", True, True),
        ("psp_pending", True, True),
        ("psp_available", True, True),
        ("psp_reserved", True, False),
        (f"escrow:{K}", False, True),
        (f"refund_payable:{K}", False, True),
        (f"dispute_hold:{K}", False, True),
        (f"reserve:{K}", False, True),
        ("supplier_payable", False, True),
        ("platform_fee", False, True),
        ("psp_cost", True, True),
        ("dispute_loss", True, True),
        ("goodwill", True, False),
        ("house_paid", False, True),
        ("platform_float", True, True),
        ("suspense", True, True),
    ],
)
def test_each_account_lies_only_on_the_sides_it_may(account: str, below: bool, above: bool) -> None:
    for balance_minor, allowed in ((-1, below), (1, above), (0, True)):
        assert balance_refusal(account, balance_minor) == ("" if allowed else "insufficient_balance")


def test_the_chart_is_complete() -> None:
    assert len(ACCOUNT_CLASSES) == 16


# -- the fee ----------------------------------------------------------------------------------------------------


def test_the_fee_is_the_floor_of_what_was_cleared_in_all_less_what_was_taken() -> None:
    first = payout_of(clearing_minor=999, cleared_before_minor=0, fee_taken_minor=0, basis_points=250)
    second = payout_of(clearing_minor=999, cleared_before_minor=999, fee_taken_minor=first.fee_minor, basis_points=250)
    assert (first.fee_minor, first.net_minor) == (24, 975)
    assert (second.fee_minor, second.net_minor) == (25, 974)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=8), st.integers(0, 10_000))
def test_clearing_in_parts_costs_exactly_what_clearing_at_once_costs(parts: list[int], basis_points: int) -> None:
    cleared = taken = 0
    for part in parts:
        payout = payout_of(
            clearing_minor=part, cleared_before_minor=cleared, fee_taken_minor=taken, basis_points=basis_points
        )
        assert payout.fee_minor + payout.net_minor == part
        cleared, taken = cleared + part, taken + payout.fee_minor
    assert taken == sum(parts) * basis_points // 10_000


def test_a_fee_taken_beyond_what_is_due_is_a_defect() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        payout_of(clearing_minor=10, cleared_before_minor=0, fee_taken_minor=5, basis_points=100)


@given(st.integers(0, 10**9), st.dictionaries(st.uuids(), st.integers(1, 10**6), min_size=1, max_size=9))
def test_a_split_gives_every_cent_away_and_none_twice(total: int, lines: dict[UUID, int]) -> None:
    parts = split_over_lines(total, lines)
    whole = sum(lines.values())
    assert sum(parts.values()) == total
    assert all(abs(parts[k] * whole - total * lines[k]) < whole for k in lines)
    assert parts == split_over_lines(total, dict(reversed(lines.items())))


def test_a_tie_goes_to_the_smaller_commitment_id() -> None:
    low, high = UUID(int=1), UUID(int=2)
    assert split_over_lines(1, {high: 5, low: 5}) == {low: 1, high: 0}


# -- any history ------------------------------------------------------------------------------------------------

moves = st.builds(
    Move,
    act=st.sampled_from(ACTS),
    whose=st.integers(0, 2),
    amount_minor=st.sampled_from([1, 33, 400, 1_000]),
    coin=st.booleans(),
    object_number=st.integers(0, 30),
)


@given(st.lists(moves, max_size=60))
def test_any_history_keeps_every_cent_owned_by_somebody(history: list[Move]) -> None:
    people = [UUID(int=1), UUID(int=2), UUID(int=3)]
    balances: Counter[str] = Counter()
    flows: Counter[str] = Counter()
    causes: set[str] = set()
    for move in history:
        posting = posting_of(move, SCOPE, people, balances.__getitem__)
        if posting is None or posting.cause in causes:
            continue
        after = Counter(balances)
        for account, amount_minor in posting.entries:
            after[account] += amount_minor
        assert code_of(posting) == ""
        if any(balance_refusal(account, after[account]) for account, _ in posting.entries):
            continue
        balances = after
        causes.add(posting.cause)
        for account, amount_minor in posting.entries:
            flows[f"{posting.kind}/{account_class(account)}"] += amount_minor
    assert sum(balances.values()) == 0
    assert conserved(balances, flows)
    owed = {account: amount for account, amount in balances.items() if ":" in account}
    assert all(0 <= amount <= AMOUNT_MINOR_MAX for amount in owed.values())


def conserved(balances: Counter[str], flows: Counter[str]) -> bool:
    """Received and goodwill equal what is owed, refunded, paid outside and taken by disputes from the hold."""
    received = -flows["lock/psp_clearing"] - flows["late_receipt/psp_clearing"] - balances["goodwill"]
    owed = sum(amount for account, amount in balances.items() if ":" in account)
    refunded = flows["refund_sent/psp_clearing"] + flows["refund_failed/psp_clearing"] + balances["house_paid"]
    disputed = -flows["dispute_withdrawn/dispute_hold"] - flows["dispute_reinstated/dispute_hold"]
    return received == owed + refunded + disputed


def test_a_commitment_account_carries_its_owner() -> None:
    assert commitment_account("escrow", K) == f"escrow:{K}"
