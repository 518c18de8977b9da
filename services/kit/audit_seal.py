"""The sealer: chains audit rows after the fact, so that the chain serialises no transaction.

The place in the chain is given at sealing (ids do not follow the sequence of commits). Hash = SHA-256 over the previous
hash and the row's canonical JSON. `verify` recomputes the chain and names the first
row that does not fit. What it cannot see: rows deleted after the last sealed one; the head's copy in `audit` covers that.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contracts.envelope import canonical_json
from services.kit.database import is_transient, sql

SEAL_SECONDS = 1.0
SEAL_ROWS_MAX = 2000

_COLUMNS = "id, at, actor_id, actor_role, action, scope, subject, before, after, reason, cause_id, trace_id"


def row_hash(previous: str, row: Any) -> str:
    """The hash of one audit row after the previous one."""
    content = {name: getattr(row, name) for name in _COLUMNS.split(", ")}
    content["at"] = row.at.isoformat()
    return hashlib.sha256(previous.encode() + canonical_json(content)).hexdigest()


async def seal(connection: AsyncConnection) -> int:
    """Seal the next rows; returns how many. One sealer at a time by the head row's lock."""
    head = (await connection.execute(sql("SELECT last_place, hash FROM audit_head FOR UPDATE"))).one()
    rows = (
        await connection.execute(
            sql(
                f"SELECT {_COLUMNS} FROM audit_entry WHERE hash IS NULL "  # noqa: S608 - constants
                "ORDER BY id LIMIT :rows_max"
            ),
            {"rows_max": SEAL_ROWS_MAX},
        )
    ).all()
    previous, sealed = head.hash, []
    for place, row in enumerate(rows, start=head.last_place + 1):
        digest = row_hash(previous, row)
        sealed.append((row.id, previous, digest, place))
        previous = digest
    if sealed:
        await connection.execute(
            sql(
                "UPDATE audit_entry SET previous_hash = rows.previous, hash = rows.hash, place = rows.place "
                "FROM unnest(CAST(:ids AS bigint[]), CAST(:previous AS text[]), CAST(:hashes AS text[]), "
                "CAST(:places AS bigint[])) AS rows (id, previous, hash, place) WHERE audit_entry.id = rows.id"
            ),
            {
                "ids": [item[0] for item in sealed],
                "previous": [item[1] for item in sealed],
                "hashes": [item[2] for item in sealed],
                "places": [item[3] for item in sealed],
            },
        )
        await connection.execute(
            sql("UPDATE audit_head SET last_place = :place, hash = :hash"),
            {"place": sealed[-1][3], "hash": previous},
        )
    return len(sealed)


async def verify(connection: AsyncConnection) -> int | None:
    """Recompute the chain; the id of the first row that does not fit, or None when all do."""
    previous = "0" * 64
    rows = await connection.execute(
        sql(f"SELECT {_COLUMNS}, previous_hash, hash FROM audit_entry WHERE hash IS NOT NULL ORDER BY place")  # noqa: S608
    )
    for row in rows:
        if row.previous_hash != previous or row.hash != row_hash(previous, row):
            return int(row.id)
        previous = row.hash
    head = (await connection.execute(sql("SELECT last_place, hash FROM audit_head"))).one()
    return int(head.last_place) if head.hash != previous else None


class Sealer:
    """Seals one service's audit rows every second."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def run(self, stopping: asyncio.Event) -> None:
        """Seal until told to stop."""
        while not stopping.is_set():
            try:
                async with self.engine.begin() as connection:
                    sealed = await seal(connection)
            except Exception as error:
                if not is_transient(error):
                    raise
                sealed = 0
            if sealed < SEAL_ROWS_MAX:
                await asyncio.sleep(SEAL_SECONDS)
