"""Records and statements: our words in every state, the same text on the page and in the PDF, amounts that add up."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from contracts.language import find_violations
from contracts.payment_rail import disclosure
from services.gateway.documents.document import Document, Fact, Part
from services.gateway.documents.evidence import evidence_paper
from services.gateway.documents.html import to_html
from services.gateway.documents.pdf import shown, to_pdf
from services.gateway.documents.records import commitment_record, refund_record
from services.gateway.documents.statements import supplier_statement, yearly_statement
from services.gateway.domain.dispute_evidence import evidence_of
from services.gateway.domain.fee_words import fee_part, fee_words, percent
from tests.fixtures.papers import pdf_text
from tests.unit.test_dispute_evidence import DISPUTE, MESSAGES, RECORDS
from tests.unit.test_gateway_movements import COMMON, ROWS, posted

MADE = datetime(2026, 12, 31, 9, tzinfo=UTC)
TERMS = {"fee_basis_points": 300}
COMMITMENT: dict[str, Any] = COMMON | {
    "quantity": 2,
    "unit_price_minor": 54_900,
    "amount_minor": 109_800,
    "currency": "usd",
    "state": "LOCKED",
    "payment_state": "held",
    "released_at": None,
    "withdrawn_was": None,
    "created_at": MADE,
    "locked_at": MADE,
    "terms_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}
REFUND = {
    "amount_minor": 109_800, "currency": "usd", "reason": "withdrawn", "state": "sent", "decided_at": MADE, "sent_at": MADE,
}  # fmt: skip
YEAR_ROW = {
    "id": uuid4(), "reference": "R-1", "campaign_title": "Dryers", "currency": "usd", "charged": 109_800,
    "refunded": 54_900, "released": 0, "held_at_end": 54_900, "owed_at_end": 0,
}  # fmt: skip
CAMPAIGN = {
    "id": uuid4(), "title": "Dryers", "currency": "usd", "terms": TERMS, "final_units": 40, "held_units": 40,
    "unit_price_minor": 54_900,
}  # fmt: skip
PLAN = {
    "submitted_at": MADE, "state": "RELEASED", "line_count": 3, "gross_minor": 100_000, "reserve_minor": 0,
    "fee_minor": 3_000, "net_minor": 97_000, "transfer_id": None,
}  # fmt: skip
SUMS = {"cleared": 100_000, "fee": 3_000, "sent": 97_000, "back": 0, "waiting": 0, "reserve": 0}
EVERY_ROW = [row for _, row in ROWS]

PAPERS = [
    commitment_record(COMMITMENT, TERMS, EVERY_ROW, MADE),
    commitment_record(COMMITMENT | {"reference": None, "locked_at": None}, {"fee_basis_points": 0}, [], MADE),
    refund_record(COMMITMENT, posted("lock", "refund_decided", "refund_sent"), [REFUND], MADE),
    refund_record(COMMITMENT, [], [REFUND | {"state": "failed", "sent_at": None, "reason": None}], MADE),
    refund_record(COMMITMENT, [], [REFUND | {"state": "paid_outside"}], MADE),
    refund_record(COMMITMENT, [], [], MADE),
    yearly_statement([YEAR_ROW, YEAR_ROW | {"currency": "eur"}], year=2026, made_at=MADE),
    yearly_statement([], year=2026, made_at=MADE),
    supplier_statement(CAMPAIGN, [PLAN], SUMS, MADE),
    supplier_statement(CAMPAIGN, [], dict.fromkeys(SUMS, 0), MADE),
    evidence_paper(DISPUTE, RECORDS, evidence_of(RECORDS, MESSAGES), MADE),
    evidence_paper(DISPUTE | {"evidence_due_by": None}, RECORDS, evidence_of(RECORDS, []), MADE),
]


def of_title(value: Any) -> str:
    return value.title.replace(" ", "-").lower() if isinstance(value, Document) else ""


@pytest.mark.parametrize("paper", PAPERS, ids=of_title)
def test_a_paper_speaks_our_words_on_the_page_and_in_the_pdf(paper: Document) -> None:
    assert [found for text in paper.texts() for found in find_violations(text, exempt_names=list(paper.proper))] == []
    page, printed = to_html(paper).decode(), " ".join(pdf_text(to_pdf(paper)).split())
    for part in paper.parts:
        assert f"<h2>{part.heading}</h2>" in page
        assert part.heading in printed
    assert find_violations(printed, exempt_names=list(paper.proper)) == []
    for text in paper.texts():
        for word in shown(text).replace(": ", " ").split():
            assert len(word) > 30 or word in printed, word


@pytest.mark.parametrize("paper", PAPERS[:1], ids=of_title)
def test_a_pdf_has_title_language_headings_and_the_same_bytes_each_time(paper: Document) -> None:
    content = to_pdf(paper)
    assert content.startswith(b"%PDF-")
    assert b"/Lang (en-US)" in content
    assert b"/Outlines" in content
    assert b"/Title" in content
    assert to_pdf(paper) == content
    assert re.fullmatch(r"[a-z0-9-]+", paper.file_name)


NAMES = (
    "Łódź",
    "Фёдор Достоевский",
    "Єлизавета Ґалаґан",
    "Ελένη Παπαδοπούλου",
    "Nguyễn Thị Hồng Đào",
    "Șerban Ağaoğlu",
)


def test_names_are_printed_in_their_bearers_letters_and_what_the_font_lacks_is_seen_to_be_missing() -> None:
    bold = Part("Names", facts=tuple(Fact(name, name) for name in NAMES))
    paper = Document("Record", "R-1", MADE, (Part(NAMES[0], (*NAMES, "漢 and <b>bold</b> & Şişli")), bold))
    printed = pdf_text(to_pdf(paper)).replace(" ", "")
    for name in NAMES:
        assert printed.count(name.replace(" ", "")) >= 3, name
    assert "?and<b>bold</b>&Şişli" in printed
    assert "&lt;b&gt;" in to_html(paper).decode()


def test_the_record_itemises_the_amount_to_the_cent_and_names_who_holds_it() -> None:
    facts = {fact.label: fact.value for part in PAPERS[0].parts for fact in part.facts}
    assert facts["For the supplier, after completion"] == "$1,065.06 USD"
    assert facts["Platform's fee, 3 %, taken only at completion"] == "$32.94 USD"
    assert facts["Total; nothing is added to it"] == "$1,098.00 USD"
    assert set(disclosure()) <= set(PAPERS[0].texts())


def test_a_years_totals_are_the_sums_of_its_lines_per_currency() -> None:
    table = PAPERS[6].parts[0].table
    assert table is not None
    assert table.rows[-1][0] == "Total"
    assert [part.heading for part in PAPERS[6].parts][:2] == ["Amounts in EUR", "Amounts in USD"]


@pytest.mark.parametrize(("rate", "words"), [(300, "3 %"), (250, "2.5 %"), (1, "0.01 %"), (0, "0 %")])
def test_a_fee_is_told_as_a_rate_and_rounded_down(rate: int, words: str) -> None:
    assert percent(rate) == words
    assert fee_part(999, rate) == 999 * rate // 10_000
    assert [found for text in fee_words(rate) for found in find_violations(text)] == []
