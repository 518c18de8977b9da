"""Compare two generations of the read model, scope by scope, in the caller's snapshot.

A scope can be compared when every stream about it stands at the same event on both sides. Rows are compared by count
and by a hash over their text, table by table.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.gateway.store.generations import consumer_name, schema_name, scope_of
from services.gateway.store.read_tables import TABLES

_LEVEL = text(
    """
    SELECT split_part(stream, ':', 2) AS scope, bool_and(COALESCE(old.last_seq, 0) = COALESCE(new.last_seq, 0)) AS level
    FROM (SELECT stream, last_seq FROM gate WHERE consumer = :old) AS old
    FULL JOIN (SELECT stream, last_seq FROM gate WHERE consumer = :new) AS new USING (stream)
    GROUP BY 1
    """
)


async def level_scopes(connection: AsyncConnection, before: int, generation: int) -> tuple[set[str], set[str]]:
    """The scopes that stand at the same events on both sides, and those that do not."""
    rows = await connection.execute(_LEVEL, {"old": consumer_name(before), "new": consumer_name(generation)})
    level: set[str] = set()
    moving: set[str] = set()
    for row in rows:
        (level if row.level else moving).add(row.scope)
    return level, moving


async def differences(
    connection: AsyncConnection, before: int, generation: int, *, scopes: Collection[str]
) -> set[str]:
    """Where the two sides differ within these scopes: `table scope: count and count`."""
    found: set[str] = set()
    if not scopes:
        return found
    for name, table in TABLES.items():
        scope, key = scope_of(name), table.key
        sides = [
            f"SELECT {scope} AS scope, count(*) AS count, md5(string_agg(md5(row::text), '' ORDER BY {key})) AS hash "  # noqa: S608
            f"FROM {schema_name(number)}.{name} AS row GROUP BY 1"
            for number in (before, generation)
        ]
        rows = await connection.execute(
            text(
                "SELECT scope, COALESCE(old.count, 0) AS before, COALESCE(new.count, 0) AS after "  # noqa: S608
                f"FROM ({sides[0]}) AS old FULL JOIN ({sides[1]}) AS new USING (scope) "
                "WHERE scope = ANY(CAST(:scopes AS text[])) "
                "AND (old.hash IS DISTINCT FROM new.hash OR old.count IS DISTINCT FROM new.count)"
            ),
            {"scopes": list(scopes)},
        )
        found |= {f"{name} {row.scope}: {row.before} and {row.after} rows" for row in rows}
    return found
