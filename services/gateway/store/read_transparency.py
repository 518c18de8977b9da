"""Signed checkpoints as they are shown: the public file's lines, its head, and a campaign's own."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.gateway.store.read_model import ReadModel, Row


async def platform_lines(reads: ReadModel, *, after: int, limit: int) -> Sequence[Row]:
    """Lines of the public file after a number, in sequence."""
    return await reads.all(
        "SELECT number, signed FROM platform_checkpoint WHERE number > :after ORDER BY number LIMIT :limit",
        after=after,
        limit=limit,
    )


async def platform_head(reads: ReadModel) -> Row | None:
    """The newest line of the public file."""
    return await reads.one(
        "SELECT number, hash, signed FROM platform_checkpoint ORDER BY number DESC LIMIT 1",
    )


async def campaign_checkpoints(reads: ReadModel, campaign_id: UUID, *, before: int | None, limit: int) -> Sequence[Row]:
    """A campaign's checkpoints below a number, the newest first."""
    return await reads.all(
        "SELECT number, hash, signed FROM checkpoint WHERE scope = :scope "
        "AND (CAST(:before AS bigint) IS NULL OR number < :before) ORDER BY number DESC LIMIT :limit",
        scope=str(campaign_id),
        before=before,
        limit=limit,
    )


async def has_checkpoint(reads: ReadModel, campaign_id: UUID, number: int | None = None) -> bool:
    """Whether a campaign has this checkpoint, or any at all."""
    row = await reads.one(
        "SELECT EXISTS (SELECT FROM checkpoint WHERE scope = :scope "
        "AND (CAST(:number AS bigint) IS NULL OR number = :number)) AS found",
        scope=str(campaign_id),
        number=number,
    )
    return bool(row and row["found"])
