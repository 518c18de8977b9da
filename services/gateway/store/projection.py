"""Write a batch of events into the read model: rows are merged in memory, then one statement per table.

The statements name tables without a schema: the consumer's search path is its generation. What cannot be said row by
row (a campaign's end changes all its commitments) is a statement of its own, applied after the rows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.elements import TextClause

from services.gateway.store.read_tables import TABLES, Table
from services.kit.database import sql

NOTIFY_CHANNEL = "gateway_read"


@dataclass(slots=True)
class Ending:
    """A campaign's end as it concerns its commitments: those locked become `state`, but for the ones kept."""

    campaign_id: UUID
    state: str
    at: datetime
    kept: tuple[UUID, ...] = ()


@dataclass(slots=True)
class Rows:
    """What one batch changes, and what it touched, so that waiting requests can be woken after the commit."""

    tables: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    endings: list[Ending] = field(default_factory=list)
    settled: dict[UUID, tuple[str, datetime]] = field(default_factory=dict)
    withdrawn_invitations: dict[UUID, datetime] = field(default_factory=dict)
    touched_commitments: set[UUID] = field(default_factory=set)
    touched_commands: set[UUID] = field(default_factory=set)
    touched_campaigns: set[UUID] = field(default_factory=set)
    touched_other: set[UUID] = field(default_factory=set)

    def put(self, table: str, key: UUID | str, **columns: Any) -> None:
        """Set columns of a row; a None leaves a column as it is."""
        row = self.tables.setdefault(table, {}).setdefault(str(key), {TABLES[table].key: str(key)})
        for name, value in columns.items():
            if value is not None:
                row[name] = value

    def add(self, table: str, key: UUID | str, **amounts: int) -> None:
        """Add to columns of a row that hold sums."""
        row = self.tables.setdefault(table, {}).setdefault(str(key), {TABLES[table].key: str(key)})
        for name, amount in amounts.items():
            row[name] = row.get(name, 0) + amount


def _upsert(name: str, table: Table) -> TextClause:
    columns = ", ".join(table.names)
    typed = ", ".join([f"{table.key} {table.key_type}", *(f"{c} {kind}" for c, kind in table.columns.items())])
    # A sum that no event of the batch names begins with nothing, not with the absence of a figure: otherwise the row would
    # depend on how its events came together, and a rebuilt row would differ from the one that grew.
    selected = ", ".join(f"COALESCE({column}, 0)" if column in table.sums else column for column in table.names)
    changes = ", ".join(
        f"{column} = COALESCE(old.{column}, 0) + COALESCE(EXCLUDED.{column}, 0)"
        if column in table.sums
        else f"{column} = COALESCE(EXCLUDED.{column}, old.{column})"
        for column in table.columns
    )
    return text(
        f"INSERT INTO {name} AS old ({columns}) "  # noqa: S608 - names from the specification above
        f"SELECT {selected} FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS rows ({typed}) "
        f"ORDER BY {table.key} "
        f"ON CONFLICT ({table.key}) DO UPDATE SET {changes}"
    )


_UPSERTS = {name: _upsert(name, table) for name, table in TABLES.items()}

_END_COMMITMENTS = text(
    """
    UPDATE commitment SET state = :state, state_at = :at
    WHERE campaign_id = :campaign_id AND state = 'LOCKED' AND NOT id = ANY(CAST(:kept AS uuid[]))
    """
)
_SETTLE_COMMITMENTS = text(
    """
    UPDATE commitment SET state = rows.state, state_at = rows.at
    FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:moments AS timestamptz[])) AS rows (id, state, at)
    WHERE commitment.id = rows.id
    """
)
_WITHDRAW_INVITATIONS = text(
    """
    UPDATE invitation SET state = 'withdrawn', answered_at = rows.at
    FROM unnest(CAST(:campaigns AS uuid[]), CAST(:moments AS timestamptz[])) AS rows (campaign_id, at)
    WHERE invitation.campaign_id = rows.campaign_id AND invitation.state IN ('invited', 'open')
    """
)


async def write(connection: AsyncConnection, rows: Rows) -> None:
    """Apply what a batch changes. The caller holds the gates, so nobody else writes the same campaigns meanwhile."""
    for name, by_key in rows.tables.items():
        await connection.execute(_UPSERTS[name], {"rows": json.dumps(list(by_key.values()), default=_json)})
    for ending in rows.endings:
        await connection.execute(
            _END_COMMITMENTS,
            {"state": ending.state, "at": ending.at, "campaign_id": ending.campaign_id, "kept": list(ending.kept)},
        )
    if rows.settled:
        await connection.execute(
            _SETTLE_COMMITMENTS,
            {
                "ids": list(rows.settled),
                "states": [state for state, _ in rows.settled.values()],
                "moments": [at for _, at in rows.settled.values()],
            },
        )
    if rows.withdrawn_invitations:
        await connection.execute(
            _WITHDRAW_INVITATIONS,
            {"campaigns": list(rows.withdrawn_invitations), "moments": list(rows.withdrawn_invitations.values())},
        )


async def notify(connection: AsyncConnection, instance: str) -> None:
    """Wake the requests that wait at other gateways, when this transaction commits: one notice per batch."""
    await connection.execute(
        sql("SELECT pg_notify(:channel, :instance)"), {"channel": NOTIFY_CHANNEL, "instance": instance}
    )


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here")
