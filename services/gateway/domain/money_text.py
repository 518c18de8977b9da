"""Money and moments as people read them. Whole minor units in, text out; nothing is rounded because nothing is divided."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

MOMENTS_REMEMBERED_MAX = 1_024
"""A campaign's page names the same few moments on every reading."""

_SYMBOLS = {"usd": "$"}
_WITHOUT_DECIMALS = frozenset({"jpy", "krw", "vnd", "clp"})


def money(amount_minor: int, currency: str) -> str:
    """An amount with its currency: `$1,098.00`, `JPY 1,098`."""
    code = currency.lower()
    sign = "-" if amount_minor < 0 else ""
    if code in _WITHOUT_DECIMALS:
        figure = f"{abs(amount_minor):,}"
    else:
        whole, rest = divmod(abs(amount_minor), 100)
        figure = f"{whole:,}.{rest:02d}"
    symbol = _SYMBOLS.get(code)
    return f"{sign}{symbol}{figure}" if symbol else f"{sign}{code.upper()} {figure}"


def day(moment: datetime) -> str:
    """A date: `5 December 2026`."""
    utc = moment.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y}"


@lru_cache(maxsize=MOMENTS_REMEMBERED_MAX)
def minute(moment: datetime) -> str:
    """A moment: `5 December 2026, 14:05 UTC`."""
    return f"{day(moment)}, {moment.astimezone(UTC):%H:%M} UTC"
