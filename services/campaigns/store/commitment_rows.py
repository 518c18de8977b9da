"""Commitments: the one table with a row per join, so it is read and written in bulk, past the object mapper.

Owns the statements that load, insert and update commitments: one each for a whole batch, whatever its size. Rows are
plain objects; what is new or changed is noted and written by `write_commitments`, at the latest at the end of the
transaction. What it cannot catch: a changed row that nobody noted (`note_changed`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(slots=True)
class CommitmentRow:
    """One commitment. What stands before `state` never changes (the database refuses it); `amount_minor` is in minor
    units. `reservation_open`: escrow has not told how the reservation ended, so the units stay taken. `open_disputes` lie
    over the state, whatever it is."""

    commitment_id: UUID
    campaign_id: UUID
    participant_id: UUID
    quantity: int
    unit_price_minor: int
    amount_minor: int
    currency: str
    terms_hash: str
    reference: str
    consent_at: datetime
    reserved_at: datetime
    reserved_until: datetime
    state: str
    reservation_open: bool
    locked_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str | None = None
    open_disputes: int = 0


@dataclass(slots=True)
class Unwritten:
    """What a transaction has to write: new rows and changed rows, by id."""

    new: dict[UUID, CommitmentRow] = field(default_factory=dict)
    changed: dict[UUID, CommitmentRow] = field(default_factory=dict)

    def note_changed(self, row: CommitmentRow) -> None:
        """The row differs from the database from now on."""
        if row.commitment_id not in self.new:
            self.changed[row.commitment_id] = row


_TYPES = {
    "commitment_id": "uuid",
    "campaign_id": "uuid",
    "participant_id": "uuid",
    "quantity": "bigint",
    "unit_price_minor": "bigint",
    "amount_minor": "bigint",
    "currency": "text",
    "terms_hash": "text",
    "reference": "text",
    "consent_at": "timestamptz",
    "reserved_at": "timestamptz",
    "reserved_until": "timestamptz",
    "state": "text",
    "reservation_open": "boolean",
    "locked_at": "timestamptz",
    "ended_at": "timestamptz",
    "end_reason": "text",
    "open_disputes": "bigint",
}
_COLUMNS = tuple(_TYPES)
_CHANGING = ("state", "reservation_open", "locked_at", "ended_at", "end_reason", "open_disputes")
_KEYED = ("commitment_id", *_CHANGING)


def _arrays(columns: Iterable[str]) -> str:
    return ", ".join(f"CAST(:{column} AS {_TYPES[column]}[])" for column in columns)


# The texts below are put together from the constants above, never from data.
_SELECT = text(
    f"SELECT {', '.join(_COLUMNS)} FROM commitment "  # noqa: S608
    "WHERE commitment_id = ANY(CAST(:commitment_ids AS uuid[]))"
)
_INSERT = text(
    f"INSERT INTO commitment ({', '.join(_COLUMNS)}) "  # noqa: S608
    f"SELECT {', '.join(_COLUMNS)} FROM unnest({_arrays(_COLUMNS)}) AS rows ({', '.join(_COLUMNS)})"
)
_UPDATE = text(
    f"UPDATE commitment SET {', '.join(f'{column} = rows.{column}' for column in _CHANGING)} "  # noqa: S608
    f"FROM unnest({_arrays(_KEYED)}) AS rows ({', '.join(_KEYED)}) "
    "WHERE commitment.commitment_id = rows.commitment_id"
)


async def select_commitments(connection: AsyncConnection, commitment_ids: Collection[UUID]) -> list[CommitmentRow]:
    """The commitments with these ids; unknown ones are left out."""
    rows = await connection.execute(_SELECT, {"commitment_ids": list(commitment_ids)})
    return [CommitmentRow(*row) for row in rows]


async def write_commitments(connection: AsyncConnection, unwritten: Unwritten) -> None:
    """Write what is new and what has changed, one statement each; nothing is unwritten afterwards."""
    if unwritten.new:
        await connection.execute(_INSERT, _parameters(_COLUMNS, unwritten.new.values()))
        unwritten.new.clear()
    if unwritten.changed:
        await connection.execute(_UPDATE, _parameters(_KEYED, unwritten.changed.values()))
        unwritten.changed.clear()


def _parameters(columns: Iterable[str], rows: Collection[CommitmentRow]) -> dict[str, list[Any]]:
    return {column: [getattr(row, column) for row in rows] for column in columns}
