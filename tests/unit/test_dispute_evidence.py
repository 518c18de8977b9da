"""The evidence for a bank: what the records say and nothing else, in words that Alpmera uses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.language import find_violations
from services.gateway.domain.dispute_evidence import TEXT_CHARACTERS_MAX, TITLES, evidence_of, evidence_parts
from services.gateway.pages import render
from services.gateway.schemas.examples import TERMS

JOINED = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
RECORDS: dict[str, Any] = {
    "reference": "QK7R-MX3D-92TA",
    "quantity": 2,
    "amount_minor": 109_800,
    "currency": "usd",
    "terms_hash": "4f1c" * 16,
    "created_at": JOINED,
    "locked_at": JOINED + timedelta(minutes=1),
    "product": {"name": "Heat-pump dryer", "specification": "8 kg"},
    "terms": TERMS,
    "close_at": JOINED + timedelta(days=14),
    "dispatched_at": JOINED + timedelta(days=20),
    "tracking": "1Z 99",
    "delivered_at": JOINED + timedelta(days=23),
    "delivery_evidence": "Signed <note> 4711",
    "inspection_until": JOINED + timedelta(days=30),
    "issue_reported_at": None,
    "issue_state": None,
}
MESSAGES = [{"template": "funds_held", "template_version": 2, "recorded_at": JOINED, "result": "sent"}]


def test_evidence_names_the_accepted_terms_the_messages_and_the_delivery() -> None:
    evidence = evidence_of(RECORDS, MESSAGES)
    assert RECORDS["terms_hash"] in evidence.access_activity_log
    assert "funds_held (version 2) by mail: sent" in evidence.access_activity_log
    assert TERMS["refund_terms"] in evidence.refund_policy_disclosure
    assert (evidence.shipping_date, evidence.service_date) == ("2026-12-11", "2026-12-14")
    assert evidence.shipping_tracking_number == "1Z 99"
    assert "Signed <note> 4711" in evidence.uncategorized_text
    assert evidence_of(RECORDS, MESSAGES).hash() == evidence.hash() != evidence_of(RECORDS, []).hash()


def test_evidence_before_anything_was_delivered_is_whole() -> None:
    bare = dict.fromkeys(
        ("dispatched_at", "tracking", "delivered_at", "delivery_evidence", "inspection_until", "locked_at")
    )
    evidence = evidence_of(RECORDS | bare, [])
    assert (evidence.shipping_date, evidence.service_date, evidence.shipping_tracking_number) == (None, None, None)
    assert "delivered" not in evidence.access_activity_log


def test_a_text_is_cut_where_the_bank_takes_no_more() -> None:
    long = RECORDS | {"delivery_evidence": "x" * 2 * TEXT_CHARACTERS_MAX}
    assert len(evidence_of(long, []).uncategorized_text) == TEXT_CHARACTERS_MAX


def test_the_page_shows_every_field_escaped_and_in_our_words() -> None:
    evidence = evidence_of(RECORDS, MESSAGES)
    page = render("dispute_evidence.html.j2", dispute="du_1", hash=evidence.hash(), parts=evidence_parts(evidence))
    assert all(title in page for title in TITLES.values())
    assert "<note>" not in page
    assert find_violations(" ".join(part["title"] for part in evidence_parts(evidence))) == []
