"""Reading invoice lines: every dirty line is counted under its reason, and no line stops the reading."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from deploy.replay.errors import ReplayError
from deploy.replay.reading import COLUMNS, Demand, read_demand

GOOD = "536365,85123A,WHITE LANTERN,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom"


def read(tmp_path: Path, *lines: str, header: str = ",".join(COLUMNS), limit: int | None = None) -> Demand:
    """A plain file of these lines, read."""
    path = tmp_path / "lines.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return read_demand(path, limit=limit)


def changed(**values: str) -> str:
    """The good line with other values."""
    given = dict(zip(COLUMNS, GOOD.split(","), strict=True))
    return ",".join((given | values).values())


def test_a_good_line_is_read_with_its_values(tmp_path: Path) -> None:
    demand = read(tmp_path, GOOD)
    (line,) = demand.lines
    assert (line.number, line.code, line.participant, line.quantity) == (1, "85123A", "17850", 6)
    assert line.at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    assert line.unit_price == Decimal("2.55")
    assert not line.is_withdrawal
    assert demand.skipped == {}


def test_a_line_of_a_withdrawn_invoice_is_a_withdrawal_of_its_positive_quantity(tmp_path: Path) -> None:
    (line,) = read(tmp_path, changed(InvoiceNo="C536379", Quantity="-6")).lines
    assert line.is_withdrawal
    assert line.quantity == 6


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        ("no_participant", changed(CustomerID="")),
        ("no_participant", changed(CustomerID="nan")),
        ("zero_or_negative_price", changed(UnitPrice="0")),
        ("zero_or_negative_price", changed(UnitPrice="-11062.06")),
        ("bad_price", changed(UnitPrice="cheap")),
        ("bad_price", changed(UnitPrice="NaN")),
        ("bad_price", changed(UnitPrice="1e999999")),
        ("zero_or_negative_quantity", changed(Quantity="0")),
        ("zero_or_negative_quantity", changed(Quantity="-3")),
        ("zero_or_negative_quantity", changed(InvoiceNo="C1", Quantity="0")),
        ("bad_quantity", changed(InvoiceNo="C1", Quantity="3")),
        ("bad_quantity", changed(Quantity="1.5")),
        ("bad_quantity", changed(Quantity="Infinity")),
        ("bad_quantity", changed(Quantity="80000000")),
        ("bad_quantity", changed(Quantity="")),
        ("bad_date", changed(InvoiceDate="2010-13-01 08:26:00")),
        ("bad_date", changed(InvoiceDate="")),
        ("no_stock_code", changed(StockCode=" ")),
        ("not_a_product", changed(StockCode="POST")),
        ("not_a_product", changed(StockCode="DOT")),
        ("not_a_product", changed(StockCode="m")),
        ("not_a_product", changed(StockCode="BANK CHARGES")),
        ("not_a_product", changed(StockCode="AMAZONFEE")),
        ("not_a_product", changed(StockCode="gift_0001_40")),
        ("missing_columns", "536365,85123A,WHITE LANTERN"),
        ("unknown_columns", GOOD + ",surplus"),
    ],
)
def test_a_dirty_line_is_counted_under_its_reason(tmp_path: Path, reason: str, line: str) -> None:
    demand = read(tmp_path, GOOD, line, GOOD)
    assert demand.skipped == {reason: 1}
    assert [each.number for each in demand.lines] == [1, 3]


def test_a_date_far_from_all_others_is_a_bad_date(tmp_path: Path) -> None:
    demand = read(tmp_path, GOOD, GOOD, changed(InvoiceDate="2910-12-01 08:26:00"))
    assert demand.skipped == {"bad_date": 1}
    assert len(demand.lines) == 2


def test_dates_as_spreadsheets_write_them_are_read_too(tmp_path: Path) -> None:
    (line,) = read(tmp_path, changed(InvoiceDate="12/1/2010 8:26")).lines
    assert line.at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


def test_a_stray_quotation_mark_spoils_one_line_only(tmp_path: Path) -> None:
    demand = read(tmp_path, GOOD, changed(Description='"12 INCH'), GOOD)
    assert len(demand.lines) == 2
    assert sum(demand.skipped.values()) == 1


def test_empty_lines_do_not_count_and_more_columns_in_the_header_are_allowed(tmp_path: Path) -> None:
    demand = read(tmp_path, GOOD + ",x", "", GOOD + ",y", header=",".join(COLUMNS) + ",Note")
    assert demand.lines_read == len(demand.lines) == 2


def test_the_limit_ends_the_reading_and_belongs_to_the_digest(tmp_path: Path) -> None:
    whole = read(tmp_path, GOOD, GOOD, GOOD)
    part = read(tmp_path, GOOD, GOOD, GOOD, limit=2)
    same = read(tmp_path, GOOD, GOOD)
    assert (part.lines_read, whole.lines_read) == (2, 3)
    assert part.digest != whole.digest
    assert part.digest == same.digest


def test_a_gzipped_file_reads_as_a_plain_one(tmp_path: Path) -> None:
    plain = read(tmp_path, GOOD)
    zipped = tmp_path / "lines.csv.gz"
    zipped.write_bytes(gzip.compress((tmp_path / "lines.csv").read_bytes()))
    assert read_demand(zipped) == plain


def test_a_file_with_other_columns_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        ReplayError, match=r"not a file of invoice lines: .* lacks the columns StockCode, Quantity"
    ) as it:
        read(tmp_path, "1,2", header="InvoiceNo,Description,InvoiceDate,UnitPrice,CustomerID,Country")
    assert "\n" not in str(it.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("picture.csv", b"\x89PNG\r\n\x1a\n\0\0", "not a file of invoice lines"),
        ("nothing.csv", b"", "not a file of invoice lines"),
        ("cut.csv.gz", gzip.compress(",".join(COLUMNS).encode() * 50, mtime=0)[:-20], "damaged"),
    ],
)
def test_what_is_no_csv_at_all_is_refused_in_one_sentence(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ReplayError, match=words):
        read_demand(path)


def test_a_file_that_is_not_there_or_a_folder_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="cannot be read"):
        read_demand(tmp_path / "absent.csv")
    with pytest.raises(ReplayError, match="cannot be read"):
        read_demand(tmp_path)
