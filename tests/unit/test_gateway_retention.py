"""The table of retention: the document tells what the data say, and each sweep names its bound."""

from __future__ import annotations

from pathlib import Path

from services.gateway.domain.retention import RETENTION

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "retention.md"


def test_the_document_tells_the_whole_table() -> None:
    text = DOCUMENT.read_text()
    told = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| data")]
    assert told == [f"| {kept.what} | {kept.where} | {kept.ends} | {kept.why} |" for kept in RETENTION]


def test_what_is_swept_has_its_days_and_its_bound() -> None:
    swept = [kept for kept in RETENTION if kept.sweep is not None]
    assert swept
    assert all(kept.days and ":before" in (kept.sweep or "") and ":rows" in (kept.sweep or "") for kept in swept)
