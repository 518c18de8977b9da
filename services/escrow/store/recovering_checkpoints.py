"""What a checkpoint that was signed is compared with: an earlier moment of a scope's ledger, and what is signed already."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.escrow.domain.checkpoints import Before, Moment
from services.escrow.domain.tiles import TILE_LEAVES
from services.kit.database import sql


async def moment_at(connection: AsyncConnection, scope: str, position: int, before: Before) -> Moment:
    """One earlier moment of a scope's ledger, as a checkpoint was made from it."""
    place = {"scope": scope, "position": position}
    head = (
        await connection.execute(
            sql(
                "SELECT t.hash, s.currency, s.seq FROM ledger_transfer t JOIN ledger_scope s ON s.scope = t.scope "
                "WHERE t.scope = :scope AND t.position = :position"
            ),
            place,
        )
    ).one()
    accounts = await connection.execute(
        sql(
            "SELECT DISTINCT ON (account) account, balance_minor FROM ledger_entry "
            "WHERE scope = :scope AND position <= :position ORDER BY account, version DESC"
        ),
        place,
    )
    sums: dict[str, int] = {}
    amounts: dict[UUID, dict[str, int]] = {}
    for row in accounts:
        name, _, commitment = row.account.partition(":")
        sums[name] = sums.get(name, 0) + int(row.balance_minor)
        if commitment:
            amounts.setdefault(UUID(commitment), {})[name] = int(row.balance_minor)
    whole = before.position // TILE_LEAVES
    tiles = await connection.execute(
        sql("SELECT node FROM history_tile WHERE scope = :scope AND tile < :tiles ORDER BY tile"),
        {"scope": scope, "tiles": whole},
    )
    hashes = await connection.execute(
        sql(
            "SELECT hash FROM ledger_transfer WHERE scope = :scope AND position > :after AND position <= :position "
            "ORDER BY position"
        ),
        {**place, "after": whole * TILE_LEAVES},
    )
    return Moment(
        scope=scope,
        stream_seq=head.seq,
        position=position,
        chain_head=head.hash,
        currency=head.currency,
        before=before,
        sums=sums,
        amounts=[
            (
                commitment_id,
                (
                    held.get("dispute_hold", 0),
                    held.get("escrow", 0),
                    held.get("refund_payable", 0),
                    held.get("reserve", 0),
                ),
            )
            for commitment_id, held in amounts.items()
        ],
        whole_tiles=[row.node for row in tiles],
        hashes=[row.hash for row in hashes],
    )


async def checkpoint_bodies(connection: AsyncConnection) -> list[Any]:
    """Every checkpoint: scope, number, hash, body, currency and figures, newest last in each scope."""
    found = await connection.execute(
        sql("SELECT scope, number, hash, body, currency, owed_minor, held_minor FROM checkpoint ORDER BY scope, number")
    )
    return list(found)


async def covered(connection: AsyncConnection) -> set[tuple[str, int]]:
    """(scope, number) of the checkpoints that a platform checkpoint covers."""
    found = await connection.execute(sql("SELECT scope, number FROM platform_cover"))
    return {(row.scope, int(row.number)) for row in found}
