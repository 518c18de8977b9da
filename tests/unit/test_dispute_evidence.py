"""The evidence for a bank: what the records say and nothing else, in words that Alpmera uses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from services.gateway.documents.evidence import evidence_paper
from services.gateway.documents.html import to_html
from services.gateway.domain.dispute_evidence import TEXT_CHARACTERS_MAX, TITLES, evidence_of
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
DISPUTE: dict[str, Any] = {
    "psp_dispute_id": "du_1Nexample",
    "amount_minor": 109_800,
    "currency": "usd",
    "reason": "product_not_received",
    "opened_at": JOINED + timedelta(days=40),
    "evidence_due_by": JOINED + timedelta(days=49),
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


def test_the_paper_has_a_part_for_each_field_and_nothing_that_the_bank_is_not_told() -> None:
    evidence = evidence_of(RECORDS, MESSAGES)
    paper = evidence_paper(DISPUTE, RECORDS, evidence, JOINED)
    assert [part.heading for part in paper.parts] == ["The dispute", *TITLES.values()]
    told = " ".join(str(text) for text in evidence.model_dump().values())
    for part in paper.parts[1:]:
        assert part.paragraphs
        assert all(line in told for line in part.paragraphs)
    assert b"<note>" not in to_html(paper)
    facts = {fact.label: fact.value for fact in paper.parts[0].facts}
    assert (facts["SHA-256 of what is told"], facts["Disputed"]) == (evidence.hash(), "$1,098.00 USD")
