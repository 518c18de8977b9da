"""Objects at Stripe: whose they are, and which still wait for their other side.

`psp_object` names scope, intent and commitment of each object, so that a balance transaction can be attributed by its
source. `clearing_object` holds, per object, what the ledger's clearing account still shows for it: the row goes when it
comes to zero, so the table is small and "is anything unsettled" costs one look. Both are written in bulk at the end of
a transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.database import sql
from services.kit.work import Work


@dataclass(frozen=True, slots=True)
class PspObject:
    """One object at Stripe and what it belongs to."""

    object_id: str
    scope: str
    kind: str
    intent_id: UUID | None = None
    commitment_id: UUID | None = None
    amount_minor: int | None = None
    charge_id: str | None = None


@dataclass(slots=True)
class Objects:
    """What a transaction learnt about objects, until it is written."""

    known: dict[str, PspObject] = field(default_factory=dict)
    clearing: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))


def objects_of(work: Work) -> Objects:
    """The transaction's objects."""
    objects: Any = work.cache.get(Objects)
    if objects is None:
        objects = work.cache[Objects] = Objects()
    return objects  # type: ignore[no-any-return]


async def write_objects(work: Work) -> None:
    """Write what was learnt, in bulk."""
    objects = objects_of(work)
    if objects.known:
        rows = [objects.known[name] for name in sorted(objects.known)]
        await work.connection.execute(_INSERT_OBJECTS, _object_columns(rows))
        objects.known.clear()
    moved = {key: amount for key, amount in sorted(objects.clearing.items()) if amount}
    objects.clearing.clear()
    if moved:
        columns = {
            "objects": [object_id for _, object_id in moved],
            "scopes": [scope for scope, _ in moved],
            "amounts": list(moved.values()),
            "now": work.now,
        }
        await work.connection.execute(_MOVE_CLEARING, columns)
        await work.connection.execute(_DROP_CLEARED, {"objects": columns["objects"]})


async def objects_by_id(connection: AsyncConnection, object_ids: Iterable[str]) -> Mapping[str, PspObject]:
    """The known ones of these objects."""
    found = await connection.execute(
        sql(
            "SELECT object_id, scope, kind, intent_id, commitment_id, amount AS amount_minor, charge_id "
            "FROM psp_object WHERE object_id = ANY (CAST(:ids AS text[]))"
        ),
        {"ids": sorted(set(object_ids))},
    )
    return {row.object_id: PspObject(**row._mapping) for row in found}


async def oldest_clearing(connection: AsyncConnection, *, rows_max: int) -> list[tuple[str, str, int, datetime]]:
    """Objects that wait for their other side, oldest first: (object, scope, amount, since)."""
    found = await connection.execute(
        sql(
            "SELECT object_id, scope, balance_minor, since FROM clearing_object ORDER BY since, object_id LIMIT :rows_max"
        ),
        {"rows_max": rows_max},
    )
    return [(row.object_id, row.scope, row.balance_minor, row.since) for row in found]


def _object_columns(rows: list[PspObject]) -> dict[str, list[Any]]:
    names = ("object_id", "scope", "kind", "intent_id", "commitment_id", "amount_minor", "charge_id")
    return {name: [getattr(row, name) for row in rows] for name in names}


_INSERT_OBJECTS = text(
    """
    INSERT INTO psp_object (object_id, scope, kind, intent_id, commitment_id, amount, charge_id)
    SELECT object_id, scope, kind, intent_id, commitment_id, amount, charge_id
    FROM unnest(
        CAST(:object_id AS text[]), CAST(:scope AS text[]), CAST(:kind AS text[]), CAST(:intent_id AS uuid[]),
        CAST(:commitment_id AS uuid[]), CAST(:amount_minor AS bigint[]), CAST(:charge_id AS text[])
    ) AS rows (object_id, scope, kind, intent_id, commitment_id, amount, charge_id)
    ON CONFLICT (object_id) DO NOTHING
    """
)

_MOVE_CLEARING = text(
    """
    INSERT INTO clearing_object AS known (object_id, scope, balance_minor, since)
    SELECT object_id, scope, amount, :now
    FROM unnest(CAST(:objects AS text[]), CAST(:scopes AS text[]), CAST(:amounts AS bigint[]))
        AS rows (object_id, scope, amount)
    ON CONFLICT (object_id) DO UPDATE SET balance_minor = known.balance_minor + EXCLUDED.balance_minor
    """
)

_DROP_CLEARED = text(
    "DELETE FROM clearing_object WHERE object_id = ANY (CAST(:objects AS text[])) AND balance_minor = 0"
)
