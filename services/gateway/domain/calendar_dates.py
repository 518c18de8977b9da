"""A person's dates as a calendar: when a campaign closes, a reservation ends, an inspection is over.

Entries name campaigns, never a person or an amount. An entry keeps its id while its date moves, so that a calendar moves
it instead of adding another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from icalendar import Calendar, Event

PRODUCT = "-//Alpmera//Dates of my campaigns//EN"
REFRESH = timedelta(hours=1)
LENGTH = timedelta(minutes=15)

WORDS = {
    "close": "Joining closes: {}",
    "reserved": "Your reservation ends: {}",
    "inspection": "Inspection ends: {}",
}


def dates_of(row: Mapping[str, Any]) -> Iterable[tuple[str, datetime]]:
    """The dates that matter to a commitment now, by kind."""
    state = row["state"]
    if state == "PENDING_FUNDS" and row["reserved_until"] is not None:
        yield "reserved", row["reserved_until"]
    if state in {"PENDING_FUNDS", "LOCKED"} and row["joining_ended"] is None and row["close_at"] is not None:
        yield "close", row["close_at"]
    if state == "LOCKED" and row["inspection_until"] is not None:
        yield "inspection", row["inspection_until"]


def calendar_of(rows: Iterable[Mapping[str, Any]], *, now: datetime) -> bytes:
    """The calendar file (RFC 5545) of a person's commitments."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", "Alpmera")
    calendar.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
    for row in rows:
        for kind, at in dates_of(row):
            entry = Event()
            entry.add("uid", f"{row['id']}.{kind}@alpmera")
            entry.add("dtstamp", now)
            entry.add("dtstart", at)
            entry.add("dtend", at + LENGTH)
            entry.add("summary", WORDS[kind].format(row["campaign_title"]))
            entry.add("transp", "TRANSPARENT")
            calendar.add_component(entry)
    data: bytes = calendar.to_ical()
    return data
