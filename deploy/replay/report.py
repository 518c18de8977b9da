"""The report of a replay: counts by reason, speed, money to the cent, hours to the target, simulated time.

Owns the report's keys, which scripts rely on, and the check of the money: what the commitments that were made amount to
must equal what the campaigns' pages say was refunded, released, taken as a fee, or is still held.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from rich.table import Table

from deploy.replay.desk import File
from deploy.replay.joining import Book, Made, Pace
from deploy.replay.products import Product

HELD = ("held", "refund_owed", "reserved_for_issues")
PERCENTILES = (10, 50, 90)


def make_report(  # noqa: PLR0913 - one keyword for each thing that is reported
    *,
    files: Sequence[File],
    book: Book,
    skipped: Counter[str],
    lines_read: int,
    simulated: tuple[datetime, datetime],
    seconds: float,
) -> dict[str, Any]:
    """The report as one JSON object. Money in minor units, times in seconds unless the name says hours."""
    money = money_of(files, book)
    return {
        "lines_read": lines_read,
        "campaigns_launched": len(files),
        "campaigns_completed": sum(file.state == "COMPLETED" for file in files),
        "campaigns_closed": dict(
            sorted(Counter(str(file.closed_reason) for file in files if file.state == "CLOSED").items())
        ),
        "campaigns_unsettled": sum(not file.settled for file in files),
        "commitments_made": sum(map(len, book.made.values())),
        "commitments_refused": dict(sorted(book.refused.items())),
        "commitments_withdrawn": sum(made.withdrawn for some in book.made.values() for made in some),
        "withdrawals_refused": dict(sorted(book.withdrawals_refused.items())),
        "lines_skipped": dict(sorted((skipped + book.skipped).items())),
        "commitments_per_second": per_second(book.pace),
        "commitments_per_second_within_slots": per_second_within_slots(book.pace),
        "money": money,
        "money_adds_up": money["in"] == sum(amount for name, amount in money.items() if name != "in"),
        "time_to_target_hours": time_to_target_hours([file.campaign.product for file in files], book),
        "simulated_time": {"from": simulated[0].isoformat(), "to": simulated[1].isoformat()},
        "seconds": round(seconds, 1),
    }


def money_of(files: Sequence[File], book: Book) -> dict[str, int]:
    """In: what the commitments amount to, by the lines. The rest: what the campaigns' pages show."""
    prices = {file.campaign.product.code: file.campaign.product.price_minor for file in files}
    return {
        "in": sum(made.line.quantity * prices[code] for code, some in book.made.items() for made in some),
        "refunded": sum(file.money["refunded"] for file in files),
        "released": sum(file.money["released"] for file in files),
        "fees": sum(file.money["fees"] for file in files),
        "held": sum(file.money[name] for file in files for name in HELD),
    }


def per_second(pace: Pace) -> float:
    """Answers 201 by seconds from the first request to the last answer; 0 when this run made no commitment."""
    if pace.first_at is None or pace.last_at <= pace.first_at:
        return 0.0
    return round(pace.answered / (pace.last_at - pace.first_at), 1)


def per_second_within_slots(pace: Pace) -> float:
    """The same without the walks between the slots."""
    return round(pace.answered / pace.within_slots_seconds, 1) if pace.within_slots_seconds else 0.0


def time_to_target_hours(products: Sequence[Product], book: Book) -> dict[str, float | None]:
    """Percentiles, over the campaigns that reached their target, of the hours of the file from the first line to the
    line that reached it."""
    spans = [_reached(product, book.made[product.code]) for product in products]
    hours = sorted(span / timedelta(hours=1) for span in spans if span is not None)
    if not hours:
        return {f"p{percent}": None for percent in PERCENTILES}
    return {f"p{percent}": round(hours[math.ceil(len(hours) * percent / 100) - 1], 2) for percent in PERCENTILES}


def _reached(product: Product, made: Sequence[Made]) -> timedelta | None:
    changes = [(each.line, each.line.quantity) for each in made]
    changes += [(each.withdrawal, -each.line.quantity) for each in made if each.withdrawal is not None]
    units = 0
    for line, change in sorted(changes, key=lambda pair: (pair[0].at, pair[0].number)):
        units += change
        if units >= product.target_units:
            return line.at - product.opens_at
    return None


def report_table(report: dict[str, Any]) -> Table:
    """The report for people."""
    table = Table.grid(padding=(0, 2))
    for name, value in report.items():
        table.add_row(name.replace("_", " "), _words(name, value))
    return table


def _words(name: str, value: Any) -> str:
    if isinstance(value, dict):
        if name == "money":
            return ", ".join(f"{part} ${minor // 100:,}.{minor % 100:02d}" for part, minor in value.items())
        return ", ".join(f"{part} {amount}" for part, amount in value.items()) or "none"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return f"{value:,}" if isinstance(value, int | float) else str(value)
