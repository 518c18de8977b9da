"""Addresses and their frozen copies: kept sealed, found by whose they are.

Whoever changes an address holds the account's row, so that the bound, the one default and an erasure of the same moment
meet in one sequence. A frozen copy is the sealed text itself, copied by the database: nobody opens it to keep it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.gateway.store.cursors import Page
from services.gateway.store.read_model import ReadModel, Row
from services.kit.database import sql
from services.kit.statements import Connection, fetch

ADDRESSES_MAX = 10
"""Addresses of one person."""
COPIES_MAX = 5_000
"""Frozen copies in one person's file."""

_COLUMNS = "id, sealed, in_region, is_default, created_at, changed_at"
_LIST = sql(
    f"SELECT {_COLUMNS} FROM address WHERE subject_id = :subject_id "  # noqa: S608 - constant
    "ORDER BY is_default DESC, created_at, id"
)
_FIND = sql(
    f"SELECT {_COLUMNS} FROM address WHERE subject_id = :subject_id AND id = :id"  # noqa: S608 - constant
)
_INSERT = sql(
    f"""
    INSERT INTO address (id, subject_id, sealed, in_region, is_default, created_at, changed_at)
    SELECT :id, :subject_id, :sealed, :in_region, :is_default, :now, :now
    WHERE (SELECT count(*) FROM address WHERE subject_id = :subject_id) < :addresses_max
    RETURNING {_COLUMNS}
    """  # noqa: S608 - constant
)
_UPDATE = sql(
    f"""
    UPDATE address SET sealed = :sealed, in_region = :in_region, is_default = :is_default, changed_at = :now
    WHERE id = :id AND subject_id = :subject_id
    RETURNING {_COLUMNS}
    """  # noqa: S608 - constant
)
_NO_DEFAULT = sql("UPDATE address SET is_default = false WHERE subject_id = :subject_id AND is_default AND id <> :id")
_OLDEST_DEFAULT = sql(
    """
    UPDATE address SET is_default = true
    WHERE id = (SELECT id FROM address WHERE subject_id = :subject_id ORDER BY created_at, id LIMIT 1)
        AND NOT EXISTS (SELECT FROM address WHERE subject_id = :subject_id AND is_default)
    """
)
# One statement for a whole batch of joins. A join that was accepted before is passed over, whatever became of its address.
_FREEZE = """
WITH wanted AS (
    SELECT * FROM unnest(
        CAST(:acts AS uuid[]), CAST(:commitments AS uuid[]), CAST(:subjects AS uuid[]), CAST(:addresses AS uuid[])
    ) AS rows (act_id, commitment_id, subject_id, address_id)
    WHERE NOT EXISTS (SELECT FROM operation WHERE operation.id = rows.act_id)
), found AS (
    SELECT wanted.act_id, wanted.commitment_id, wanted.subject_id, address.sealed, address.in_region
    FROM wanted
    LEFT JOIN address ON address.id = wanted.address_id AND address.subject_id = wanted.subject_id
), frozen AS (
    INSERT INTO commitment_address (commitment_id, subject_id, sealed, frozen_at)
    SELECT commitment_id, subject_id, sealed, CAST(:now AS timestamptz) FROM found WHERE in_region ORDER BY commitment_id
    ON CONFLICT DO NOTHING
)
SELECT act_id, in_region IS NOT NULL AS known FROM found WHERE in_region IS NOT TRUE
"""
_COPIES = sql(
    "SELECT commitment_id, sealed, frozen_at FROM commitment_address WHERE subject_id = :subject_id "
    "ORDER BY frozen_at DESC, commitment_id LIMIT :rows"
)
_COPY = sql(
    "SELECT commitment_id, sealed, frozen_at FROM commitment_address "
    "WHERE commitment_id = :commitment_id AND subject_id = :subject_id"
)
# Whose campaign it is, and that it is being fulfilled, is part of the statement: nothing is opened for anybody else.
_TO_DELIVER = """
SELECT c.id, c.created_at, c.reference, c.quantity, a.sealed, k.wrapped
FROM commitment AS c
JOIN campaign ON campaign.id = c.campaign_id
JOIN public.commitment_address AS a ON a.commitment_id = c.id AND a.subject_id = c.participant_id
JOIN public.person_key AS k ON k.subject_id = a.subject_id
WHERE c.campaign_id = :campaign_id
  AND c.state = 'LOCKED'
  AND campaign.state IN ('FULFILLMENT', 'INSPECTION')
  AND campaign.accepted_supplier_id = CAST(:supplier_id AS uuid)
  AND (CAST(:after_at AS timestamptz) IS NULL OR (c.created_at, c.id) < (:after_at, CAST(:after_id AS uuid)))
ORDER BY c.created_at DESC, c.id DESC
LIMIT :limit
"""


@dataclass(frozen=True, slots=True)
class KeptAddress:
    """An address as it is kept. `in_region`: campaigns deliver there."""

    id: UUID
    sealed: str = field(repr=False)
    in_region: bool
    is_default: bool


@dataclass(frozen=True, slots=True)
class Freezing:
    """A join that names an address: the act, the commitment that it makes, whose both are."""

    act_id: UUID
    commitment_id: UUID
    subject_id: UUID
    address_id: UUID


async def addresses_of(connection: AsyncConnection, subject_id: UUID) -> Sequence[Any]:
    """A person's addresses, the default first, then the oldest first."""
    return (await connection.execute(_LIST, {"subject_id": subject_id})).all()


async def address_of(connection: AsyncConnection, subject_id: UUID, address_id: UUID) -> Any:
    """One of a person's addresses, or None."""
    return (await connection.execute(_FIND, {"subject_id": subject_id, "id": address_id})).one_or_none()


async def insert_address(connection: AsyncConnection, subject_id: UUID, new: KeptAddress, *, now: datetime) -> Any:
    """Keep a new address (wall time); None when the person has as many as one may have. Another default has to be taken
    back first."""
    wanted = _values(subject_id, new, now) | {"addresses_max": ADDRESSES_MAX}
    return (await connection.execute(_INSERT, wanted)).one_or_none()


async def update_address(connection: AsyncConnection, subject_id: UUID, changed: KeptAddress, *, now: datetime) -> Any:
    """Change an address (wall time); copies that were frozen before stay as they are."""
    return (await connection.execute(_UPDATE, _values(subject_id, changed, now))).one()


async def delete_address(connection: AsyncConnection, subject_id: UUID, address_id: UUID) -> bool:
    """Remove one of a person's addresses; the oldest other one takes its place as the default. False when it is none of
    theirs."""
    found = await connection.execute(
        sql("DELETE FROM address WHERE id = :id AND subject_id = :subject_id RETURNING id"),
        {"id": address_id, "subject_id": subject_id},
    )
    if found.one_or_none() is None:
        return False
    await connection.execute(_OLDEST_DEFAULT, {"subject_id": subject_id})
    return True


async def take_default_back(connection: AsyncConnection, subject_id: UUID, *, besides: UUID) -> None:
    """No other address of the person is the default any more."""
    await connection.execute(_NO_DEFAULT, {"subject_id": subject_id, "id": besides})


async def freeze(connection: Connection, joins: Sequence[Freezing], *, now: datetime) -> dict[UUID, bool]:
    """Freeze the addresses of joins (stack time). Returns the acts whose address cannot be used, and whether it is known."""
    rows = await fetch(
        connection,
        _FREEZE,
        now=now,
        acts=[join.act_id for join in joins],
        commitments=[join.commitment_id for join in joins],
        subjects=[join.subject_id for join in joins],
        addresses=[join.address_id for join in joins],
    )
    return {row["act_id"]: row["known"] for row in rows}


async def copies_of(connection: AsyncConnection, subject_id: UUID) -> Sequence[Any]:
    """The frozen copies of a person's commitments, the newest first."""
    return (await connection.execute(_COPIES, {"subject_id": subject_id, "rows": COPIES_MAX})).all()


async def copy_of(connection: AsyncConnection, subject_id: UUID, commitment_id: UUID) -> Any:
    """The frozen copy of one of a person's commitments, or None."""
    return (await connection.execute(_COPY, {"subject_id": subject_id, "commitment_id": commitment_id})).one_or_none()


async def copies_to_deliver(
    reads: ReadModel, campaign_id: UUID, *, supplier_id: UUID | None, page: Page
) -> Sequence[Row]:
    """Where a campaign's units go, for the supplier that fulfils it and only while it does, the newest commitment first;
    one more than the page holds tells that there are more."""
    return await reads.all(
        _TO_DELIVER,
        campaign_id=campaign_id,
        supplier_id=supplier_id,
        after_at=page.after_at,
        after_id=page.after_id,
        limit=page.limit + 1,
    )


def _values(subject_id: UUID, kept: KeptAddress, now: datetime) -> dict[str, Any]:
    return {
        "id": kept.id,
        "subject_id": subject_id,
        "sealed": kept.sealed,
        "in_region": kept.in_region,
        "is_default": kept.is_default,
        "now": now,
    }
