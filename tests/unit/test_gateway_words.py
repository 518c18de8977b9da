"""What people read from the gateway: money sentences for every state, and no word that Alpmera does not use."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.errors import PROBLEMS
from contracts.language import find_violations
from contracts.terms import CAMPAIGN_STATES
from services.gateway.domain import words
from services.gateway.domain.money_text import minute, money
from services.gateway.domain.money_words import REFUND_REASONS, money_now
from services.gateway.openapi import document

MOMENT = datetime(2026, 12, 5, 14, 5, tzinfo=UTC)


def commitment(**changes: Any) -> dict[str, Any]:
    row = {
        "state": "LOCKED",
        "amount_minor": 109_800,
        "currency": "usd",
        "campaign_state": "ACTIVE",
        "close_at": MOMENT,
        "withdrawn_was": None,
        "payment_state": "held",
        "retry_until": None,
        "reserved_until": MOMENT,
        "refund_state": None,
        "refund_minor": None,
        "refund_reason": None,
        "refund_decided_at": None,
        "refund_sent_at": None,
        "dispute_state": None,
        "dispute_status": None,
        "dispute_charged_back": None,
        "dispute_minor": 109_800,
        "dispute_opened_at": MOMENT,
        "dispute_state_at": MOMENT,
        "released_at": None,
        "window_closes_at": None,
        "inspection_until": None,
    }
    return row | changes


def every_sentence() -> list[str]:
    """The money sentence of each combination of states that rows can have."""
    sentences: list[str] = []
    states = ["PENDING_FUNDS", "LOCKED", "FUNDS_FAILED", "WITHDRAWN", "REFUNDED", "RELEASED", "REFUSED"]
    payments = [None, "started", "declined", "action_required", "held", "ended"]
    for state, campaign_state, payment in itertools.product(states, CAMPAIGN_STATES, payments):
        for was in (None, "LOCKED", "PENDING_FUNDS"):
            row = commitment(state=state, campaign_state=campaign_state, payment_state=payment, withdrawn_was=was)
            sentences.append(money_now(row))
            sentences.append(money_now(row | {"window_closes_at": MOMENT, "inspection_until": MOMENT}))
    for status in ("warning_needs_response", "needs_response"):
        sentences.append(money_now(commitment(dispute_state="open", dispute_status=status)))
    sentences.append(money_now(commitment(state="REFUNDED", dispute_state="lost", dispute_charged_back=True)))
    for refund_state, reason in itertools.product(
        ("decided", "pending", "sent", "failed", "paid_outside"), REFUND_REASONS
    ):
        sentences.append(
            money_now(
                commitment(
                    state="REFUNDED", refund_state=refund_state, refund_reason=reason, refund_minor=109_800,
                    refund_decided_at=MOMENT,
                )
            )
        )  # fmt: skip
    return sentences


def test_every_money_sentence_is_complete_and_in_our_words() -> None:
    for sentence in set(every_sentence()):
        assert sentence.endswith("."), sentence
        assert "None" not in sentence
        assert find_violations(sentence) == [], sentence


def test_no_sentence_calls_money_held_that_the_ledger_does_not_hold() -> None:
    for state in ("PENDING_FUNDS", "FUNDS_FAILED", "REFUSED"):
        for payment in ("started", "declined", "action_required", "ended", None):
            sentence = money_now(commitment(state=state, payment_state=payment))
            assert sentence.startswith("No money "), sentence


def test_a_refund_is_called_paid_only_when_the_processor_says_so() -> None:
    refund = {"refund_minor": 109_800, "refund_reason": "withdrawn", "refund_decided_at": MOMENT}
    for state in ("decided", "pending", "failed"):
        assert "was refunded" not in money_now(commitment(state="WITHDRAWN", refund_state=state, **refund))
    sent = money_now(commitment(state="WITHDRAWN", refund_state="sent", refund_sent_at=MOMENT, **refund))
    assert "$1,098.00 was refunded to your card on 5 December 2026 because you withdrew" in sent


def test_a_refunded_part_leaves_the_rest_held() -> None:
    part = {"refund_minor": 9_800, "refunded_minor": 9_800, "refund_reason": "partial", "refund_decided_at": MOMENT}
    sentence = money_now(commitment(state="LOCKED", refund_state="sent", refund_sent_at=MOMENT, **part))
    assert "$98.00 was refunded to your card" in sentence
    assert "$1,000.00 is still held in escrow." in sentence


def test_money_is_written_without_rounding() -> None:
    assert [money(amount, "usd") for amount in (0, 5, 99, 100, 109_800, -1)] == [
        "$0.00", "$0.05", "$0.99", "$1.00", "$1,098.00", "-$0.01",
    ]  # fmt: skip
    assert (money(1_234, "jpy"), money(1_234, "eur")) == ("JPY 1,234", "EUR 12.34")
    assert minute(MOMENT) == "5 December 2026, 14:05 UTC"


def test_every_state_has_words_and_an_explanation() -> None:
    for state in CAMPAIGN_STATES:
        for joining_ended in (None, "close_date"):
            row = {
                "state": state,
                "close_at": MOMENT,
                "close_reason": "supplier_declined",
                "joining_ended": joining_ended,
                "window_closes_at": MOMENT,
            }
            texts = [words.campaign_explained(row), words.campaign_words(state, row["close_reason"])]
            assert all(text and find_violations(text) == [] for text in texts)
    for catalogue in (words.COMMITMENT_WORDS, words.INVITATION_WORDS, words.PLAN_WORDS, words.CLOSE_WORDS):
        assert all(find_violations(text) == [] for text in catalogue.values())
    for item in words.what_happens_if(minute(MOMENT), 21):
        assert find_violations(item["words"]) == []


def test_a_closed_campaign_says_why() -> None:
    assert words.campaign_words("CLOSED", "target_not_reached") == (
        "Campaign closed: the target quantity was not reached"
    )


def test_the_interface_description_and_the_problems_use_our_words() -> None:
    described = document()
    texts = list(_texts(described)) + [text for p in PROBLEMS.values() for text in (p.title, p.next_step)]
    assert len(texts) > 200
    assert {text: found for text in texts if (found := find_violations(text))} == {}


def test_every_operation_is_described_and_every_reference_resolves() -> None:
    described = document()
    ids: list[str] = []
    for path in described["paths"].values():
        for operation in path.values():
            ids.append(operation["operationId"])
            assert operation["summary"]
    assert len(ids) == len(set(ids))
    wanted = {part.split('"')[0] for part in json.dumps(described).split('"#/components/schemas/')[1:]}
    assert wanted <= described["components"]["schemas"].keys()


@pytest.mark.parametrize("kind", ["post", "delete"])
def test_every_write_names_its_problems(kind: str) -> None:
    for path, methods in document()["paths"].items():
        if kind in methods and not path.startswith("/v1/dev"):
            assert "500" in methods[kind]["responses"], path


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in {"description", "summary", "title"} and isinstance(inner, str):
                yield inner
            else:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
