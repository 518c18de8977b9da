"""The shared counts of rate limits: one row per window of a limit and whoever it counts, kept until the window is over.

The table is not logged: after a crash of the database everybody begins anew, which is cheaper than writing each count
twice. Keys are digests, so that the table names nobody. Counts are added by many gateways at once and never replaced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.database import sql

REMOVED_PER_CALL_MAX = 10_000

_ADD = """
INSERT INTO rate_window (key, hits, expires_at)
SELECT key, hits, expires_at
FROM unnest(CAST(:keys AS bytea[]), CAST(:hits AS integer[]), CAST(:expires AS timestamptz[]))
    AS rows (key, hits, expires_at)
-- One sequence for everybody, so that two gateways that add to the same rows never wait for each other in a ring.
ORDER BY key
ON CONFLICT (key) DO UPDATE SET hits = rate_window.hits + EXCLUDED.hits
"""
_READ = "SELECT key, hits FROM rate_window WHERE key = ANY(CAST(:keys AS bytea[]))"
_REMOVE = """
DELETE FROM rate_window
WHERE key IN (SELECT key FROM rate_window WHERE expires_at < :now LIMIT :limit)
"""


async def add_hits(connection: AsyncConnection, hits: Mapping[bytes, tuple[int, datetime]]) -> None:
    """Add to windows: key → how many, and when the window may be forgotten."""
    if hits:
        await connection.execute(
            sql(_ADD),
            {
                "keys": list(hits),
                "hits": [count for count, _ in hits.values()],
                "expires": [expires_at for _, expires_at in hits.values()],
            },
        )


async def read_hits(connection: AsyncConnection, keys: Sequence[bytes]) -> dict[bytes, int]:
    """The shared counts of these windows; a window nobody has counted in is left out."""
    rows = await connection.execute(sql(_READ), {"keys": list(keys)})
    return {bytes(row.key): int(row.hits) for row in rows}


async def remove_ended(connection: AsyncConnection, *, now: datetime) -> int:
    """Forget windows that are over; returns how many."""
    result = await connection.execute(sql(_REMOVE), {"now": now, "limit": REMOVED_PER_CALL_MAX})
    return int(result.rowcount)
