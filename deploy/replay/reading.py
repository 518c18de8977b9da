"""Read invoice lines from a file, clean them, and count what cannot be used by its reason.

Owns the columns, the reasons and the sequence in which a line is checked; the first reason found counts. Each physical
line is read for itself, so that one stray quotation mark spoils one line and not the rest of the file. Only a file that
is no such file at all stops a replay. It cannot tell a typing error from a large wish.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from statistics import median_low

from contracts.terms import UNITS_MAX
from deploy.replay.errors import ReplayError

COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
WITHDRAWAL_MARK = "C"
DATE_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M")
CODE_CHARACTERS_MAX = 60
PARTICIPANT_CHARACTERS_MAX = 60
PRICE_MAX = Decimal(1_000_000)
DAYS_FROM_THE_MIDDLE_MAX = 400
"""A date further from the middle of the file than this is an error of typing; time would have to walk there."""
LINE_BYTES_MAX = 64 * 1024
GZIP_MAGIC = b"\x1f\x8b"

NOT_PRODUCTS = frozenset(
    {"POST", "DOT", "D", "M", "C2", "C3", "S", "B", "CRUK", "PADS", "BANK CHARGES", "AMAZONFEE", "ADJUST", "ADJUST2"}
)
"""Stock codes of postage, carriage, fees, samples and corrections by hand, in capitals."""
NOT_PRODUCT_BEGINNINGS = ("GIFT", "TEST")
"""What the codes of vouchers and of trial entries begin with, in capitals."""


@dataclass(frozen=True, slots=True)
class Line:
    """One usable line: a commitment, or the withdrawal of one. `at` is the file's date read as UTC, `quantity` is above
    zero either way, `unit_price` is in dollars as the file says it."""

    number: int
    code: str
    description: str
    participant: str
    quantity: int
    at: datetime
    unit_price: Decimal
    is_withdrawal: bool


@dataclass(slots=True)
class Demand:
    """What a file says. `digest` is the SHA-256 of the bytes that were read, so the same lines are the same demand."""

    digest: str
    lines: list[Line] = field(default_factory=list)
    lines_read: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


class _Dirty(Exception):  # noqa: N818 - a result of a check, not an error of the program
    """A line that cannot be used, with the reason it is counted under."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_demand(path: Path, *, limit: int | None = None) -> Demand:
    """Read the first `limit` lines of a CSV file, gzipped or plain. Raises ReplayError when it is not such a file."""
    hasher = hashlib.sha256()
    physical = _physical_lines(path)
    header = next(physical, b"")
    places = _places(path, header)
    hasher.update(header)
    demand = Demand(digest="")
    for number, raw in enumerate(physical, start=1):
        if limit is not None and demand.lines_read >= limit:
            break
        hasher.update(raw)
        if not raw.strip():
            continue
        demand.lines_read += 1
        try:
            demand.lines.append(_read_line(number, raw, places))
        except _Dirty as dirty:
            demand.skipped[dirty.reason] += 1
    demand.digest = hasher.hexdigest()
    _drop_far_dates(demand)
    return demand


def _physical_lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == GZIP_MAGIC
            raw.seek(0)
            source: io.BufferedIOBase = gzip.GzipFile(fileobj=raw) if zipped else raw
            while line := source.readline(LINE_BYTES_MAX):
                yield line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ReplayError(f"{path.name} is damaged: it cannot be unpacked to its end.") from error
    except OSError as error:
        raise ReplayError(f"{path} cannot be read: {error.strerror or error}.") from error


def _places(path: Path, header: bytes) -> dict[str, int]:
    names = [name.strip() for name in _cells(header.removeprefix(b"\xef\xbb\xbf")) or []]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise ReplayError(
            f"{path.name} is not a file of invoice lines: its first line lacks the column{'s' * (len(missing) > 1)} "
            f"{', '.join(missing)} (wanted: {', '.join(COLUMNS)})."
        )
    return {name: names.index(name) for name in COLUMNS} | {"": len(names)}


def _cells(raw: bytes) -> list[str] | None:
    try:
        return next(csv.reader([raw.decode("utf-8", errors="replace").rstrip("\r\n")]), [])
    except csv.Error:
        return None


def _read_line(number: int, raw: bytes, places: dict[str, int]) -> Line:
    cells = _cells(raw)
    if cells is None:
        raise _Dirty("unreadable")
    if len(cells) != places[""]:
        raise _Dirty("unknown_columns" if len(cells) > places[""] else "missing_columns")
    value = {name: cells[place].strip() for name, place in places.items() if name}
    code = value["StockCode"]
    _check_code(code)
    is_withdrawal = value["InvoiceNo"].upper().startswith(WITHDRAWAL_MARK)
    return Line(
        number=number,
        code=code,
        description=value["Description"],
        participant=_participant(value["CustomerID"]),
        quantity=_quantity(value["Quantity"], is_withdrawal=is_withdrawal),
        at=_moment(value["InvoiceDate"]),
        unit_price=_price(value["UnitPrice"]),
        is_withdrawal=is_withdrawal,
    )


def _check_code(code: str) -> None:
    if not 0 < len(code) <= CODE_CHARACTERS_MAX:
        raise _Dirty("no_stock_code")
    if code.upper() in NOT_PRODUCTS or code.upper().startswith(NOT_PRODUCT_BEGINNINGS):
        raise _Dirty("not_a_product")


def _participant(value: str) -> str:
    participant = value.removesuffix(".0")
    if not 0 < len(participant) <= PARTICIPANT_CHARACTERS_MAX or participant.lower() == "nan":
        raise _Dirty("no_participant")
    return participant


def _quantity(value: str, *, is_withdrawal: bool) -> int:
    number = _decimal(value)
    if number is None or number != number.to_integral_value() or abs(number) > UNITS_MAX:
        raise _Dirty("bad_quantity")
    quantity = -int(number) if is_withdrawal else int(number)
    if quantity <= 0:
        raise _Dirty("zero_or_negative_quantity" if not is_withdrawal or number == 0 else "bad_quantity")
    return quantity


def _price(value: str) -> Decimal:
    price = _decimal(value)
    if price is None or price > PRICE_MAX:
        raise _Dirty("bad_price")
    if price <= 0:
        raise _Dirty("zero_or_negative_price")
    return price


def _decimal(value: str) -> Decimal | None:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 20 else None


def _moment(value: str) -> datetime:
    for form in DATE_FORMATS:
        try:
            return datetime.strptime(value, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise _Dirty("bad_date")


def _drop_far_dates(demand: Demand) -> None:
    if not demand.lines:
        return
    middle = median_low([line.at for line in demand.lines])
    reach = timedelta(days=DAYS_FROM_THE_MIDDLE_MAX)
    kept = [line for line in demand.lines if abs(line.at - middle) <= reach]
    if len(kept) < len(demand.lines):
        demand.skipped["bad_date"] += len(demand.lines) - len(kept)
        demand.lines = kept
