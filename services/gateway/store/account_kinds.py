"""The kind of an account and its sealed name, and whether a commitment keeps the kind as it is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.gateway.domain.account_kinds import AccountKind
from services.gateway.store.read_model import ReadModel
from services.kit.database import sql

_KIND = sql("SELECT kind, display_name_sealed FROM account WHERE subject_id = :subject_id")
_UPDATE = sql(
    "UPDATE account SET kind = :kind, display_name_sealed = :display_name_sealed WHERE subject_id = :subject_id"
)
# A join that the read model does not show yet is open; one that it shows is open until it has come to an end.
_HAS_OPEN = """
SELECT EXISTS (
    SELECT FROM commitment WHERE participant_id = :subject_id AND state IN ('PENDING_FUNDS', 'LOCKED')
) OR EXISTS (
    SELECT FROM public.operation AS o
    WHERE o.actor_id = :subject_id AND o.kind = 'commit_funds'
        AND NOT EXISTS (SELECT FROM commitment AS c WHERE c.id = o.resource_id)
) AS has_open
"""


async def kind_of(connection: AsyncConnection, subject_id: UUID) -> Any:
    """An account's kind with its sealed name."""
    return (await connection.execute(_KIND, {"subject_id": subject_id})).one()


async def update_kind(
    connection: AsyncConnection, subject_id: UUID, *, kind: AccountKind, display_name_sealed: str | None
) -> None:
    """Write an account's kind and its sealed name."""
    wanted = {"subject_id": subject_id, "kind": kind, "display_name_sealed": display_name_sealed}
    await connection.execute(_UPDATE, wanted)


async def has_open_commitment(reads: ReadModel, subject_id: UUID) -> bool:
    """Whether funds of a commitment are held or may still come."""
    row = await reads.one(_HAS_OPEN, subject_id=subject_id)
    return row is not None and bool(row["has_open"])
