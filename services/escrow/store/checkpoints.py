"""Checkpoints in the database: one moment of a scope to make one from, what was signed, and what was read at Stripe.

A moment is read in one REPEATABLE READ transaction without a lock, so a large campaign is not held up by its checkpoint.
What was signed is only ever added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contracts.envelope import canonical_json
from contracts.ledger import GENESIS_HASH
from contracts.proofs.checkpoint import (
    CheckpointBody,
    PlatformBody,
    SignedCheckpoint,
    SignedPlatformCheckpoint,
    body_hash,
)
from services.escrow.domain.checkpoints import Before, Moment, Trees, held_minor, owed_minor
from services.escrow.domain.tiles import TILE_LEAVES
from services.kit.database import sql

SCOPES_AT_ONCE_MAX = 500

_DUE = sql(
    """
    SELECT s.scope
    FROM ledger_scope s
    LEFT JOIN LATERAL (
        SELECT position FROM checkpoint c WHERE c.scope = s.scope ORDER BY number DESC LIMIT 1
    ) c ON true
    WHERE s.transfer_count > COALESCE(c.position, 0)
    ORDER BY s.stream
    LIMIT :rows_max
    """
)
_HEAD = sql("SELECT seq, transfer_count, chain_head, currency FROM ledger_scope WHERE scope = :scope")
_BEFORE = sql("SELECT number, position, hash FROM checkpoint WHERE scope = :scope ORDER BY number DESC LIMIT 1")
_SUMS = sql(
    "SELECT class, SUM(balance_minor)::bigint AS total FROM ledger_account WHERE scope = :scope GROUP BY class ORDER BY class"
)
_AMOUNTS = sql(
    """
    SELECT CAST(substr(account, length(class) + 2) AS uuid) AS commitment_id,
        COALESCE(SUM(balance_minor) FILTER (WHERE class = 'dispute_hold'), 0)::bigint AS dispute_hold,
        COALESCE(SUM(balance_minor) FILTER (WHERE class = 'escrow'), 0)::bigint AS escrow,
        COALESCE(SUM(balance_minor) FILTER (WHERE class = 'refund_payable'), 0)::bigint AS refund_payable,
        COALESCE(SUM(balance_minor) FILTER (WHERE class = 'reserve'), 0)::bigint AS reserve
    FROM ledger_account
    WHERE scope = :scope AND class IN ('dispute_hold', 'escrow', 'refund_payable', 'reserve')
    GROUP BY 1
    """
)
_TILES = sql("SELECT node FROM history_tile WHERE scope = :scope AND tile < :tiles ORDER BY tile")
_HASHES = sql(
    "SELECT hash FROM ledger_transfer WHERE scope = :scope AND position > :after AND position <= :until ORDER BY position"
)
_UNSENT = sql(
    "SELECT EXISTS (SELECT FROM outbox WHERE published_at IS NULL AND stream = :stream AND seq <= :seq) AS unsent"
)
_ADD = sql(
    """
    INSERT INTO checkpoint (
        scope, number, position, hash, body, signature, public_key, currency, owed_minor, held_minor
    )
    VALUES (
        :scope, :number, :position, :hash, :body, :signature, :public_key, :currency, :owed_minor, :held_minor
    )
    """
)
_ADD_TILES = sql(
    """
    INSERT INTO history_tile (scope, tile, node)
    SELECT :scope, :first + place - 1, node
    FROM unnest(CAST(:nodes AS bytea[])) WITH ORDINALITY AS new (node, place)
    """
)
_ADD_MOVEMENTS = sql(
    """
    INSERT INTO commitment_movement (scope, commitment_id, position)
    SELECT scope, commitment_id, position FROM ledger_transfer
    WHERE scope = :scope AND position > :after AND position <= :until AND commitment_id IS NOT NULL
    """
)
_DROP_STATE = sql("DELETE FROM state_tile WHERE scope = :scope")
_ADD_STATE = sql(
    """
    INSERT INTO state_tile (scope, tile, number, first_hash, leaves, node)
    SELECT :scope, place - 1, :number, first_hash, leaves, node
    FROM unnest(CAST(:first_hashes AS bytea[]), CAST(:leaves AS bytea[]), CAST(:nodes AS bytea[]))
        WITH ORDINALITY AS new (first_hash, leaves, node, place)
    """
)
_NEWEST = sql(
    """
    SELECT c.scope, c.number, c.hash, c.currency, c.owed_minor, c.held_minor, p.platform_number
    FROM ledger_scope s
    CROSS JOIN LATERAL (SELECT * FROM checkpoint c WHERE c.scope = s.scope ORDER BY number DESC LIMIT 1) c
    LEFT JOIN platform_cover p ON p.scope = c.scope AND p.number = c.number
    ORDER BY s.scope
    """
)
_COVERED_AT = sql(
    """
    SELECT c.scope, c.hash
    FROM ledger_scope s
    CROSS JOIN LATERAL (
        SELECT p.scope, p.number FROM platform_cover p
        WHERE p.scope = s.scope AND p.platform_number <= :platform_number
        ORDER BY p.number DESC
        LIMIT 1
    ) p
    JOIN checkpoint c ON c.scope = p.scope AND c.number = p.number
    ORDER BY s.scope
    """
)


@dataclass(frozen=True, slots=True)
class NewestCheckpoint:
    """The newest checkpoint of a scope, and the platform checkpoint that covers it, if one does."""

    scope: str
    number: int
    hash: str
    currency: str
    owed_minor: int
    held_minor: int
    platform_number: int | None


async def scopes_due(engine: AsyncEngine) -> list[str]:
    """Scopes with transfers after their newest checkpoint, a bounded number of them."""
    async with engine.connect() as connection:
        return [row.scope for row in await connection.execute(_DUE, {"rows_max": SCOPES_AT_ONCE_MAX})]


async def read_moment(engine: AsyncEngine, scope: str) -> Moment:
    """One moment of a scope's ledger."""
    async with engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="REPEATABLE READ")
        head = (await connection.execute(_HEAD, {"scope": scope})).one()
        before = await newest_of(connection, scope)
        whole = before.position // TILE_LEAVES
        sums = await connection.execute(_SUMS, {"scope": scope})
        amounts = await connection.execute(_AMOUNTS, {"scope": scope})
        tiles = await connection.execute(_TILES, {"scope": scope, "tiles": whole})
        until = {"after": whole * TILE_LEAVES, "until": head.transfer_count}
        hashes = await connection.execute(_HASHES, {"scope": scope, **until})
        return Moment(
            scope=scope,
            stream_seq=head.seq,
            position=head.transfer_count,
            chain_head=head.chain_head,
            currency=head.currency,
            before=before,
            sums={row[0]: row.total for row in sums},
            amounts=[(row[0], (row[1], row[2], row[3], row[4])) for row in amounts],
            whole_tiles=[row.node for row in tiles],
            hashes=[row.hash for row in hashes],
        )


async def newest_of(connection: AsyncConnection, scope: str) -> Before:
    """The newest checkpoint of a scope."""
    row = (await connection.execute(_BEFORE, {"scope": scope})).one_or_none()
    return Before() if row is None else Before(row.number, row.position, row.hash)


async def has_left(engine: AsyncEngine, moment: Moment) -> bool:
    """Whether the broker has acknowledged every event up to the moment."""
    async with engine.connect() as connection:
        found = await connection.execute(_UNSENT, {"stream": f"escrow:{moment.scope}", "seq": moment.stream_seq})
        return not found.scalar_one()


async def add_checkpoint(connection: AsyncConnection, signed: SignedCheckpoint, moment: Moment, trees: Trees) -> None:
    """Keep a signed checkpoint with what its proofs are made from. The scope's head is locked."""
    body, scope = signed.body, {"scope": moment.scope}
    await connection.execute(
        _ADD,
        scope
        | {
            "number": body.number,
            "position": body.position,
            "hash": body_hash(body),
            "body": canonical_json(body.model_dump()).decode(),
            "signature": signed.signature,
            "public_key": signed.public_key,
            "currency": body.currency,
            "owed_minor": owed_minor(body.sums),
            "held_minor": held_minor(body.sums),
        },
    )
    if trees.new_tiles:
        first = {"first": len(moment.whole_tiles), "nodes": list(trees.new_tiles)}
        await connection.execute(_ADD_TILES, scope | first)
    until = {"after": moment.before.position, "until": moment.position}
    await connection.execute(_ADD_MOVEMENTS, scope | until)
    await connection.execute(_DROP_STATE, scope)
    if trees.state_tiles:
        await connection.execute(
            _ADD_STATE,
            scope
            | {
                "number": body.number,
                "first_hashes": [tile.first_hash for tile in trees.state_tiles],
                "leaves": [tile.leaves for tile in trees.state_tiles],
                "nodes": [tile.node for tile in trees.state_tiles],
            },
        )


async def newest_checkpoints(connection: AsyncConnection) -> list[NewestCheckpoint]:
    """The newest checkpoint of every scope, in the sequence of the tree over them."""
    return [NewestCheckpoint(**row._mapping) for row in await connection.execute(_NEWEST)]


async def is_platform_due(engine: AsyncEngine) -> bool:
    """Whether a checkpoint exists that no platform checkpoint covers."""
    async with engine.connect() as connection:
        return any(each.platform_number is None for each in await newest_checkpoints(connection))


async def covered_hashes(connection: AsyncConnection, platform_number: int) -> list[tuple[str, str]]:
    """(scope, checkpoint hash) of all scopes as a platform checkpoint covers them."""
    found = await connection.execute(_COVERED_AT, {"platform_number": platform_number})
    return [(row.scope, row.hash) for row in found]


async def newest_platform(connection: AsyncConnection) -> tuple[int, str]:
    """Number and hash of the newest platform checkpoint; 0 and the first previous hash when there is none."""
    found = await connection.execute(sql("SELECT number, hash FROM platform_checkpoint ORDER BY number DESC LIMIT 1"))
    row = found.one_or_none()
    return (0, GENESIS_HASH) if row is None else (row.number, row.hash)


async def add_platform(
    connection: AsyncConnection, signed: SignedPlatformCheckpoint, covers: Sequence[NewestCheckpoint]
) -> None:
    """Keep a signed platform checkpoint, which is the first to cover these."""
    await connection.execute(
        sql(
            "INSERT INTO platform_checkpoint (number, hash, body, signature, public_key) "
            "VALUES (:number, :hash, :body, :signature, :public_key)"
        ),
        {
            "number": signed.body.number,
            "hash": body_hash(signed.body),
            "body": canonical_json(signed.body.model_dump()).decode(),
            "signature": signed.signature,
            "public_key": signed.public_key,
        },
    )
    await connection.execute(
        sql(
            "INSERT INTO platform_cover (scope, number, platform_number) SELECT scope, number, :platform_number "
            "FROM unnest(CAST(:scopes AS text[]), CAST(:numbers AS bigint[])) AS covered (scope, number)"
        ),
        {
            "platform_number": signed.body.number,
            "scopes": [each.scope for each in covers],
            "numbers": [each.number for each in covers],
        },
    )


async def checkpoint_of(connection: AsyncConnection, scope: str, number: int) -> SignedCheckpoint | None:
    """A signed checkpoint, or None."""
    found = await connection.execute(
        sql("SELECT body, signature, public_key FROM checkpoint WHERE scope = :scope AND number = :number"),
        {"scope": scope, "number": number},
    )
    row = found.one_or_none()
    if row is None:
        return None
    body = CheckpointBody.model_validate_json(row.body)
    return SignedCheckpoint(body=body, signature=row.signature, public_key=row.public_key)


async def platform_covering(connection: AsyncConnection, scope: str, number: int) -> SignedPlatformCheckpoint | None:
    """The newest platform checkpoint that speaks of this checkpoint, or None while none does."""
    found = await connection.execute(
        sql(
            """
            SELECT p.body, p.signature, p.public_key
            FROM platform_cover c
            JOIN platform_checkpoint p ON p.number >= c.platform_number AND p.number < COALESCE((
                SELECT min(n.platform_number) FROM platform_cover n WHERE n.scope = c.scope AND n.number > c.number
            ), p.number + 1)
            WHERE c.scope = :scope AND c.number = :number
            ORDER BY p.number DESC
            LIMIT 1
            """
        ),
        {"scope": scope, "number": number},
    )
    row = found.one_or_none()
    if row is None:
        return None
    body = PlatformBody.model_validate_json(row.body)
    return SignedPlatformCheckpoint(body=body, signature=row.signature, public_key=row.public_key)


async def see_balance(engine: AsyncEngine, currency: str, balance_minor: int, seen_at: datetime) -> None:
    """Remember what Stripe said it holds."""
    async with engine.begin() as connection:
        await connection.execute(
            sql(
                "INSERT INTO psp_balance_seen (currency, balance_minor, seen_at) VALUES (:currency, :balance, :at) "
                "ON CONFLICT (currency) DO UPDATE SET balance_minor = EXCLUDED.balance_minor, seen_at = EXCLUDED.seen_at"
            ),
            {"currency": currency, "balance": balance_minor, "at": seen_at},
        )


async def balances_seen(connection: AsyncConnection) -> Mapping[str, Any]:
    """What Stripe said it holds, when it was last asked, per currency."""
    found = await connection.execute(sql("SELECT currency, balance_minor, seen_at FROM psp_balance_seen"))
    return {row.currency: row for row in found}
