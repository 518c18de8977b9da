"""Each kind of posting that the escrow service can make is told in a sentence, and what comes next has its date."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest

from contracts.envelope import Actor, Envelope
from contracts.escrow import RefundReason
from contracts.language import find_violations
from contracts.payment_rail import RAIL
from services.escrow.domain.ledger import ACCOUNT_CLASSES as CHART
from services.escrow.domain.ledger import KINDS, Posting
from services.gateway.domain.money_movements import MOVEMENTS, UNKNOWN, circumstances, proof_words, sentence, words_of
from services.gateway.domain.money_next import next_step
from services.gateway.domain.money_text import minute, money
from services.gateway.schemas.money_views import pseudonym, story_view, transfer_view
from services.gateway.store.account_classes import ACCOUNT_CLASSES, TRANSFER_COLUMNS
from services.gateway.store.ledger_rows import put_transfer
from services.gateway.store.projection import Rows
from tests.fixtures.books import BEGAN, Books, every_platform_posting, every_posting

COMMITMENT = UUID("0197a3c0-5b1e-7c4d-9a2f-3d5e7f901a2b")
POSTINGS = [*every_posting(str(uuid4()), COMMITMENT), *every_platform_posting()]


BARE: dict[str, Any] = {"campaign_id": None, "checkpoint_number": None, "checkpoint_position": None}


def rows_of(*wanted: Posting) -> list[dict[str, Any]]:
    """The rows that the projection writes for these postings."""
    books, rows = Books(wanted[0].scope), Rows()
    event = books.post(*wanted)
    envelope = Envelope(
        id=uuid4(), type=event.type, source="escrow", time=BEGAN, key=books.scope, actor=Actor("system", "system"),
        traceparent=f"00-{'a' * 32}-{'b' * 16}-01",
    )  # fmt: skip
    for transfer in event.transfers:
        put_transfer(rows, envelope, books.scope, transfer)
    found = rows.tables["ledger_transfer"].values()
    return [dict.fromkeys(TRANSFER_COLUMNS) | row | BARE for row in found]


ROWS = [(posting, rows_of(posting)[0]) for posting in POSTINGS]


def name(value: Any) -> str:
    return f"{value.kind}-{value.reason}" if isinstance(value, Posting) else ""


def test_the_columns_follow_the_escrow_services_chart_of_accounts() -> None:
    assert set(ACCOUNT_CLASSES) == set(CHART)


def test_every_kind_that_can_be_posted_is_among_the_examples() -> None:
    assert {posting.kind for posting in POSTINGS} == set(KINDS)
    told = {(row["kind"], circumstances(row)) for _, row in ROWS}
    assert {key for key in MOVEMENTS if key[0] in KINDS and key != ("refund_decided", "")} == told
    assert {which for kind, which in told if kind == "refund_decided"} == set(get_args(RefundReason))


@pytest.mark.parametrize(("posting", "row"), ROWS, ids=name)
def test_a_movement_is_one_sentence_in_our_words_with_its_amount(posting: Posting, row: dict[str, Any]) -> None:
    told = sentence(row)
    assert words_of(row) is not UNKNOWN
    assert find_violations(f"{told} {words_of(row).approval}") == []
    assert told.startswith(money(row["amount_minor"], "usd"))
    assert told.endswith(".")
    assert ", because " in told
    assert row["amount_minor"] == sum(amount for _, amount in posting.entries if amount > 0)
    assert row["trace_id"] == "a" * 32


@pytest.mark.parametrize(("posting", "row"), ROWS, ids=name)
def test_nobody_else_learns_whose_a_movement_is_or_what_was_typed(posting: Posting, row: dict[str, Any]) -> None:
    shown = str(transfer_view(row))
    assert str(COMMITMENT) not in shown
    assert (posting.object_id or "txn_") not in shown
    assert not posting.reason or posting.reason in get_args(RefundReason) or posting.reason not in shown
    assert (pseudonym(posting.commitment_id) or "None") in shown


def test_what_two_people_approved_names_both_roles_whatever_its_reason() -> None:
    by_hand = rows_of(next(posting for posting in POSTINGS if posting.kind == "refund_decided"))[0] | {
        "plan_id": uuid4()
    }
    assert words_of(by_hand).roles == ("escrow_auditor", "escrow_auditor")
    assert words_of(by_hand | {"plan_id": None}).roles == ()


def test_a_kind_without_a_sentence_is_shown_all_the_same() -> None:
    row = rows_of(POSTINGS[0])[0] | {"kind": "from_tomorrow"}
    assert sentence(row) == "$10.00 moved, because the ledger records it under a kind that has no sentence yet."


CLOSE = datetime(2026, 12, 5, 14, 5, tzinfo=UTC)
COMMON: dict[str, Any] = {
    "id": COMMITMENT,
    "reference": "R-7K2M",
    "campaign_id": uuid4(),
    "campaign_title": "Dryers",
    "campaign_state": "ACTIVE",
    "close_at": CLOSE,
    "campaign_state_since": CLOSE,
    "delivery_window_days": 21,
    "window_closes_at": CLOSE,
    "inspection_until": None,
    "refund_state": None,
    "refund_state_at": BEGAN,
    "refund_failures": 0,
    "dispute_state": None,
    "dispute_charged_back": False,
    "dispute_minor": None,
}


def posted(*kinds: str) -> list[dict[str, Any]]:
    """The rows of one commitment's postings of these kinds, one after the other."""
    first = {posting.kind: posting for posting in reversed(POSTINGS)}
    return rows_of(*(first[kind] for kind in kinds))


@pytest.mark.parametrize(
    ("state", "known", "by"),
    [
        ("ACTIVE", {}, CLOSE),
        ("TARGET_ACHIEVED", {}, CLOSE),
        ("PENDING_ACCEPTANCE", {}, CLOSE),
        ("PENDING_ACCEPTANCE", {"window_closes_at": None}, CLOSE + timedelta(days=7)),
        ("FULFILLMENT", {}, CLOSE + timedelta(days=21)),
        ("FULFILLMENT", {"inspection_until": CLOSE + timedelta(days=9)}, CLOSE + timedelta(days=9)),
        ("INSPECTION", {"inspection_until": CLOSE}, CLOSE),
        ("INSPECTION", {}, CLOSE + timedelta(days=7)),
        ("CLOSED", {}, CLOSE + timedelta(hours=24)),
    ],
)
def test_held_money_has_a_date_in_every_state_and_the_sentence_names_it(
    state: str, known: dict[str, Any], by: datetime
) -> None:
    coming = next_step(COMMON | {"campaign_state": state} | known, posted("lock"))
    assert coming is not None
    assert coming.by == by
    assert minute(by) in coming.words
    assert find_violations(coming.words) == []


def test_a_refused_refund_is_tried_again_a_day_later_until_people_have_to_act() -> None:
    failed = COMMON | {"refund_state": "failed"}
    coming = next_step(failed | {"refund_failures": 2}, posted("lock", "refund_decided"))
    assert coming is not None
    assert coming.by == BEGAN + timedelta(days=1)
    last = next_step(failed | {"refund_failures": 3}, posted("lock", "refund_decided"))
    assert last is not None
    assert (last.by, last.words) == (
        None,
        "Staff have an open case to pay it another way; two people approve that payment.",
    )


@pytest.mark.parametrize(
    ("kinds", "refund_state", "word", "after"),
    [
        (("lock", "refund_decided"), "decided", "at the latest", timedelta(minutes=2, hours=24)),
        (("lock", "refund_decided"), "pending", "stays owed", None),
        (("lock", "refund_decided"), "failed", "another way", timedelta(days=1)),
        (
            ("lock", "refund_decided", "refund_sent"),
            "sent",
            "business days",
            timedelta(minutes=3, days=RAIL.refund_shown_within_days),
        ),
        (("lock", "dispute_opened"), None, "The bank decides", None),
        (("lock", "clear"), None, "transfer to the supplier follows", None),
        (("lock", "clear", "fee", "transfer_sent"), None, "final", None),
    ],
)
def test_what_comes_next_follows_where_the_money_stands(
    kinds: tuple[str, ...], refund_state: str | None, word: str, after: timedelta | None
) -> None:
    coming = next_step(COMMON | {"refund_state": refund_state}, posted(*kinds))
    assert coming is not None
    assert word in coming.words
    assert coming.by == (None if after is None else BEGAN + after)
    assert find_violations(coming.words) == []


def test_a_movement_names_its_proof_once_a_checkpoint_holds_it() -> None:
    commitment = COMMON | {
        "state": "LOCKED", "amount_minor": 1_000, "currency": "usd", "payment_state": "held", "released_at": None,
        "withdrawn_was": None,
    }  # fmt: skip
    held, settled, decided = [
        row | {"checkpoint_number": 7, "checkpoint_position": 2}
        for row in posted("lock", "psp_settle", "refund_decided")
    ]
    shown = [each["proof"] for each in story_view(commitment, [held, settled, decided])["movements"]]
    assert shown == [{"checkpoint": 7, "href": f"/v1/me/commitments/{COMMITMENT}/proof"}, None, None]
    assert [proof_words(row) for row in (held, settled, decided)] == [
        "in checkpoint 7", "in the chain", "with the next checkpoint",
    ]  # fmt: skip


def test_only_the_newest_movement_says_what_comes_next_and_nothing_moved_says_nothing() -> None:
    commitment = COMMON | {
        "state": "LOCKED", "amount_minor": 1_000, "currency": "usd", "payment_state": "held", "released_at": None,
        "withdrawn_was": None,
    }  # fmt: skip
    story = story_view(commitment, posted("lock", "refund_decided"))
    assert [each["next"] is None for each in story["movements"]] == [True, False]
    assert next_step(COMMON, []) is None
