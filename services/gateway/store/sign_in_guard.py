"""How often somebody tried to sign in, by keyed hash of an account's address, and until when to wait.

The delay doubles with every try past the free ones. The rows tell nobody's address; old ones are cleared away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

DELAY_SECONDS_MAX = 900
LOCKED_AFTER = 100
"""Tries in a row without success after which only another way of signing in helps for a day (NIST SP 800-63B)."""
LOCKED_SECONDS = 86_400
CLEARED_AFTER = timedelta(days=30)
CLEARED_MAX = 100

_COUNT = text(
    """
    INSERT INTO sign_in_guard AS g (key, tries, last_at, blocked_until) VALUES (:key, 1, :now, :now)
    ON CONFLICT (key) DO UPDATE SET
        tries = CASE WHEN g.last_at < :forgotten THEN 1 ELSE g.tries + 1 END,
        last_at = :now,
        blocked_until = CAST(:now AS timestamptz) + make_interval(secs => CASE
            WHEN g.last_at < :forgotten OR g.tries + 1 < :free THEN 0
            WHEN g.tries + 1 >= :locked_after THEN :locked_seconds
            ELSE LEAST(power(2, LEAST(g.tries + 1 - :free, 12)), :delay_max)
        END)
    """
)
_BLOCKED = text(
    "SELECT max(blocked_until) AS until FROM sign_in_guard WHERE key = ANY(CAST(:keys AS bytea[])) "
    "AND blocked_until > :now"
)
_CLEAR = text(
    """
    DELETE FROM sign_in_guard WHERE key IN (
        SELECT key FROM sign_in_guard WHERE last_at < :before ORDER BY last_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    """
)


@dataclass(frozen=True, slots=True)
class Guard:
    """One thing that is counted: its key, how many tries are free, and after which pause they are forgotten."""

    key: bytes = field(repr=False)
    free: int
    forgotten_after: timedelta


async def seconds_to_wait(connection: AsyncConnection, guards: Sequence[Guard], *, now: datetime) -> int:
    """How long the strictest guard still blocks; 0 when none does."""
    found = await connection.execute(_BLOCKED, {"keys": [guard.key for guard in guards], "now": now})
    until = found.scalar_one()
    return max(1, math.ceil((until - now).total_seconds())) if until is not None else 0


async def count_try(connection: AsyncConnection, guards: Sequence[Guard], *, now: datetime) -> None:
    """Count a try under each key, in a fixed sequence so that two requests never wait for each other in a ring."""
    for guard in sorted(guards, key=lambda each: each.key):
        await connection.execute(
            _COUNT,
            {
                "key": guard.key,
                "now": now,
                "forgotten": now - guard.forgotten_after,
                "free": guard.free,
                "locked_after": max(LOCKED_AFTER, guard.free * 2),
                "locked_seconds": LOCKED_SECONDS,
                "delay_max": DELAY_SECONDS_MAX,
            },
        )
    await connection.execute(_CLEAR, {"before": now - CLEARED_AFTER, "limit": CLEARED_MAX})


async def forget_tries(connection: AsyncConnection, keys: Sequence[bytes]) -> None:
    """Somebody signed in: what was counted under these keys is forgotten."""
    await connection.execute(
        text("DELETE FROM sign_in_guard WHERE key = ANY(CAST(:keys AS bytea[]))"), {"keys": list(keys)}
    )
