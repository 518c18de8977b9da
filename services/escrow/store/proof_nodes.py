"""What a proof is made from: a commitment's movements, and the tiles of both trees that its paths need.

The whole transfers of a commitment are read by the positions that its checkpoints noted, the tiles by number; so a proof
reads the same few rows whether a campaign has ten commitments or a hundred thousand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.ledger import GENESIS_HASH, LedgerTransfer
from contracts.proofs.sums import NODE_BYTES, SumNode, node_of
from contracts.proofs.tree import fold, leaf_hash, node_hash
from services.escrow.domain.tiles import TILE_LEAVES, tile_range
from services.kit.database import sql

_COUNT = sql(
    "SELECT count(*) FROM commitment_movement "
    "WHERE scope = :scope AND commitment_id = :commitment_id AND position <= :until"
)
_AMOUNTS = sql(
    """
    SELECT split_part(e.account, ':', 1) AS class, SUM(e.amount_minor)::bigint AS total
    FROM commitment_movement m
    JOIN ledger_entry e ON e.scope = m.scope AND e.position = m.position
    WHERE m.scope = :scope AND m.commitment_id = :commitment_id AND m.position <= :until
        AND e.account = split_part(e.account, ':', 1) || ':' || m.commitment_id
    GROUP BY 1
    """
)
_TRANSFERS = sql(
    """
    SELECT t.scope, s.currency, t.position, t.kind, t.cause, t.commitment_id, t.plan_id, t.reverses, t.reason,
        t.event_at, t.relied_on, t.hash, before.hash AS previous_hash, e.entries
    FROM (
        SELECT scope, position FROM commitment_movement
        WHERE scope = :scope AND commitment_id = :commitment_id AND position <= :until
        ORDER BY position DESC
        LIMIT :rows_max
    ) m
    JOIN ledger_transfer t ON t.scope = m.scope AND t.position = m.position
    JOIN ledger_scope s ON s.scope = m.scope
    LEFT JOIN ledger_transfer before ON before.scope = m.scope AND before.position = m.position - 1
    CROSS JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_object(
            'account', account, 'amount_minor', amount_minor, 'balance_minor', balance_minor,
            'version', version, 'object_id', object_id) ORDER BY account) AS entries
        FROM ledger_entry
        WHERE scope = m.scope AND position = m.position
    ) e
    ORDER BY t.position
    """
)
# One row with an array costs a tenth of as many rows.
_HISTORY_TILES = sql("SELECT array_agg(node ORDER BY tile) FROM history_tile WHERE scope = :scope AND tile < :tiles")
_HISTORY_LEAVES = sql(
    """
    SELECT w.low, array_agg(t.hash ORDER BY t.position) AS hashes
    FROM unnest(CAST(:lows AS bigint[]), CAST(:highs AS bigint[])) AS w (low, high)
    JOIN ledger_transfer t ON t.scope = :scope AND t.position > w.low AND t.position <= w.high
    GROUP BY w.low
    """
)
_STATE_TILES = sql("SELECT array_agg(node ORDER BY tile) FROM state_tile WHERE scope = :scope AND number = :number")
_STATE_TILE_OF = sql(
    """
    SELECT tile FROM state_tile
    WHERE scope = :scope AND number = :number AND first_hash <= :hash
    ORDER BY tile DESC
    LIMIT 1
    """
)
_STATE_LEAVES = sql(
    "SELECT tile, leaves FROM state_tile WHERE scope = :scope AND tile = ANY (CAST(:tiles AS integer[]))"
)


async def amounts_at(connection: AsyncConnection, scope: str, commitment_id: UUID, until: int) -> Mapping[str, int]:
    """A commitment's amounts per account class after the transfer at `until`; empty when it had no movement by then."""
    given = {"scope": scope, "commitment_id": commitment_id, "until": until}
    return {row[0]: row.total for row in await connection.execute(_AMOUNTS, given)}


async def movements_of(
    connection: AsyncConnection, scope: str, commitment_id: UUID, *, until: int, rows_max: int
) -> tuple[list[LedgerTransfer], int]:
    """A commitment's newest transfers up to a position, in sequence, and how many older ones there are."""
    given: dict[str, Any] = {"scope": scope, "commitment_id": commitment_id, "until": until}
    found = (await connection.execute(_TRANSFERS, given | {"rows_max": rows_max})).all()
    transfers = [
        LedgerTransfer(**dict(row._mapping) | {"previous_hash": row.previous_hash or GENESIS_HASH}) for row in found
    ]
    count = (await connection.execute(_COUNT, given)).scalar_one()
    return transfers, int(count) - len(transfers)


async def history_tiles(connection: AsyncConnection, scope: str, size: int) -> list[bytes]:
    """The nodes over the tiles of the history's first `size` transfers."""
    whole = size // TILE_LEAVES
    found = await connection.execute(_HISTORY_TILES, {"scope": scope, "tiles": whole})
    nodes = list(found.scalar_one() or ())
    if size % TILE_LEAVES:
        rest = await history_leaves(connection, scope, [whole], size)
        nodes.append(fold(rest[whole], node_hash))
    return nodes


async def history_leaves(
    connection: AsyncConnection, scope: str, tiles: Iterable[int], size: int
) -> dict[int, list[bytes]]:
    """The leaves of these tiles of the history's first `size` transfers."""
    wanted = sorted(set(tiles))
    ranges = [tile_range(tile, size) for tile in wanted]
    rows = await connection.execute(
        _HISTORY_LEAVES,
        {"scope": scope, "lows": [low for low, _ in ranges], "highs": [high for _, high in ranges]},
    )
    return {row.low // TILE_LEAVES: [leaf_hash(bytes.fromhex(each)) for each in row.hashes] for row in rows}


async def state_nodes(connection: AsyncConnection, scope: str, number: int) -> list[SumNode]:
    """The nodes over the tiles of the state tree of the newest checkpoint; none when `number` is not the newest."""
    found = await connection.execute(_STATE_TILES, {"scope": scope, "number": number})
    return [node_of(each) for each in found.scalar_one() or ()]


async def state_tile_of(connection: AsyncConnection, scope: str, number: int, leaf: bytes) -> int | None:
    """The tile in which a leaf hash would stand."""
    found = await connection.execute(_STATE_TILE_OF, {"scope": scope, "number": number, "hash": leaf})
    tile = found.scalar_one_or_none()
    return None if tile is None else int(tile)


async def state_leaves(connection: AsyncConnection, scope: str, tiles: Sequence[int]) -> dict[int, list[SumNode]]:
    """The leaves of these tiles of the state tree."""
    found = await connection.execute(_STATE_LEAVES, {"scope": scope, "tiles": sorted(set(tiles))})
    return {
        row.tile: [node_of(row.leaves[at : at + NODE_BYTES]) for at in range(0, len(row.leaves), NODE_BYTES)]
        for row in found
    }
