"""The two clocks.

Stack time is the database's `stack_now()` (clock_timestamp() plus the stack's offset), read after the locks: rules,
windows and ledger dates use it and get it as `Work.now`. Wall time, here, is for webhook signatures, sessions, rate
limits, retries, leases, heartbeats and spans. Nothing else in the services may read a clock; a house test checks it.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime


def wall_now() -> datetime:
    """The machine's time, UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the one place that reads the machine's clock


def wall_seconds() -> float:
    """The machine's time in seconds since 1970, for signatures with their own integer stamps."""
    return time.time()


def monotonic_seconds() -> float:
    """Seconds that never run backwards, for measuring how long something took."""
    return time.monotonic()
