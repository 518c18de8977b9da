"""The mirror of Stripe's balance transactions, and the questions that reconciliation asks the database.

A row is written with the posting that settles it, so "has a scope" means "is in the ledger". A row without a scope is
known and not yet explained. Amounts are Stripe's own, signed, in minor units.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.escrow.domain.ledger import HELD_CLASSES, OWED_CLASSES
from services.escrow.domain.psp import MovementFacts

SWEEP_ROWS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for reconciliation, in one look."""

    unsettled: bool
    sweepable: bool
    unanswered: bool
    clock_version: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Cover:
    """One snapshot over all scopes, minor units."""

    held_minor: int
    owed_minor: int


async def what_waits(engine: AsyncEngine) -> Waiting:
    """Whether anything waits for reconciliation."""
    async with engine.connect() as connection:
        row = (
            await connection.execute(
                text(
                    """
                    SELECT
                        EXISTS (SELECT FROM clearing_object)
                            OR EXISTS (SELECT FROM balance_transaction WHERE scope IS NULL) AS unsettled,
                        EXISTS (
                            SELECT FROM balance_transaction
                            WHERE swept_at IS NULL AND scope IS NOT NULL AND available_on <= (SELECT stack_now())
                        ) AS sweepable,
                        EXISTS (SELECT FROM payment WHERE state IN ('action_required', 'processing'))
                            OR EXISTS (SELECT FROM refund_decision WHERE state = 'pending') AS unanswered,
                        (SELECT version FROM stack_clock) AS clock_version,
                        stack_now() AS now
                    """
                )
            )
        ).one()
    return Waiting(row.unsettled, row.sweepable, row.unanswered, row.clock_version, row.now)


async def newest_created(engine: AsyncEngine) -> int:
    """When the newest mirrored balance transaction was made, in seconds since 1970; 0 when there is none."""
    async with engine.connect() as connection:
        newest = (await connection.execute(text("SELECT MAX(created) FROM balance_transaction"))).scalar_one()
    return int(newest.timestamp()) if newest is not None else 0


async def known_movements(engine: AsyncEngine, ids: Iterable[str]) -> dict[str, Any]:
    """The mirrored ones of these balance transactions."""
    async with engine.connect() as connection:
        found = await connection.execute(
            text(
                "SELECT bt_id, amount, fee, net, currency, scope FROM balance_transaction "
                "WHERE bt_id = ANY (CAST(:ids AS text[]))"
            ),
            {"ids": list(ids)},
        )
        return {row.bt_id: row for row in found}


async def mirrored_between(engine: AsyncEngine, since: int, until: int) -> list[Any]:
    """What is mirrored of a span of Stripe's time, from and to seconds since 1970: id and net."""
    async with engine.connect() as connection:
        found = await connection.execute(
            text("SELECT bt_id, net FROM balance_transaction WHERE created >= :since AND created < :until"),
            {"since": _moment(since), "until": _moment(until)},
        )
        return list(found)


async def unexplained(engine: AsyncEngine, *, rows_max: int) -> list[MovementFacts]:
    """Mirrored balance transactions that are not in the ledger yet, oldest first."""
    async with engine.connect() as connection:
        found = await connection.execute(
            text(
                "SELECT bt_id, type, source, amount, fee, net, currency, created, available_on "
                "FROM balance_transaction WHERE scope IS NULL ORDER BY created, bt_id LIMIT :rows_max"
            ),
            {"rows_max": rows_max},
        )
        return [_facts(row) for row in found]


def _facts(row: Any) -> MovementFacts:
    return MovementFacts(
        id=row.bt_id,
        type=row.type,
        source_id=row.source,
        amount_minor=row.amount,
        fee_minor=row.fee,
        net_minor=row.net,
        currency=row.currency,
        created=int(row.created.timestamp()),
        available_on=int(row.available_on.timestamp()),
    )


@dataclass(frozen=True, slots=True)
class Suspended:
    """A balance transaction in suspense, the position of its posting there, and whether it was swept."""

    movement: MovementFacts
    position: int
    swept: bool


async def suspended(engine: AsyncEngine, *, rows_max: int) -> list[Suspended]:
    """What stands in suspense while its source is known now, oldest first."""
    async with engine.connect() as connection:
        found = await connection.execute(
            text(
                """
                SELECT b.bt_id, b.type, b.source, b.amount, b.fee, b.net, b.currency, b.created, b.available_on,
                    b.swept_at IS NOT NULL AS swept, t.position
                FROM cases AS c
                JOIN balance_transaction AS b ON b.bt_id = c.subject
                JOIN psp_object AS o ON o.object_id = b.source
                JOIN ledger_transfer AS t ON t.cause = 'sus:' || b.bt_id
                WHERE c.kind = 'suspense' AND c.closed_at IS NULL
                ORDER BY b.created, b.bt_id
                LIMIT :rows_max
                """
            ),
            {"rows_max": rows_max},
        )
        return [Suspended(_facts(row), row.position, row.swept) for row in found]


async def give_to(connection: AsyncConnection, bt_id: str, scope: str) -> None:
    """A mirrored balance transaction belongs to another scope than was thought, where it was not swept yet."""
    await connection.execute(
        text("UPDATE balance_transaction SET scope = :scope, swept_at = NULL WHERE bt_id = :bt_id"),
        {"scope": scope, "bt_id": bt_id},
    )


async def mirror(
    connection: AsyncConnection,
    movements: Sequence[tuple[MovementFacts, str | None]],
    *,
    swept_at: datetime | None = None,
) -> None:
    """Write movements with their scope; one known without a scope gets it now."""
    if not movements:
        return
    facts = [movement for movement, _ in movements]
    await connection.execute(
        _MIRROR,
        {
            "ids": [each.id for each in facts],
            "types": [each.type for each in facts],
            "amounts": [each.amount_minor for each in facts],
            "fees": [each.fee_minor for each in facts],
            "nets": [each.net_minor for each in facts],
            "currencies": [each.currency for each in facts],
            "sources": [each.source_id for each in facts],
            "available": [_moment(each.available_on) for each in facts],
            "created": [_moment(each.created) for each in facts],
            "scopes": [scope for _, scope in movements],
            "swept_at": swept_at,
        },
    )


async def sweepable(engine: AsyncEngine) -> list[tuple[str, str]]:
    """Balance transactions that are available now and not swept: (scope, id)."""
    async with engine.connect() as connection:
        found = await connection.execute(
            text(
                "SELECT scope, bt_id FROM balance_transaction "
                "WHERE swept_at IS NULL AND scope IS NOT NULL AND available_on <= (SELECT stack_now()) "
                "ORDER BY scope, bt_id LIMIT :rows_max"
            ),
            {"rows_max": SWEEP_ROWS_MAX},
        )
        return [(row.scope, row.bt_id) for row in found]


async def take_for_sweep(connection: AsyncConnection, ids: Sequence[str], now: datetime) -> list[tuple[str, str, int]]:
    """Mark these as swept; returns (scope, id, net) of those that were not."""
    found = await connection.execute(
        text(
            "UPDATE balance_transaction SET swept_at = :now, status = 'available' "
            "WHERE bt_id = ANY (CAST(:ids AS text[])) AND swept_at IS NULL AND available_on <= :now "
            "RETURNING scope, bt_id, net"
        ),
        {"ids": list(ids), "now": now},
    )
    return [(row.scope, row.bt_id, row.net) for row in found]


async def unanswered(engine: AsyncEngine, *, rows_max: int) -> list[tuple[str, str]]:
    """Objects without a final state that were not asked about lately: (scope, path at Stripe). Marks them as asked."""
    async with engine.begin() as connection:
        found = await connection.execute(_UNANSWERED, {"rows_max": rows_max})
        return [(str(row.campaign_id), row.path) for row in found]


async def cover(engine: AsyncEngine) -> Cover:
    """Held and owed over all scopes, in one snapshot."""
    async with engine.connect() as connection:
        row = (
            await connection.execute(
                text(
                    """
                    SELECT
                        COALESCE(-SUM(balance_minor) FILTER (WHERE class = ANY (CAST(:held AS text[]))), 0)::bigint
                            AS held,
                        COALESCE(SUM(balance_minor) FILTER (WHERE class = ANY (CAST(:owed AS text[]))
                            AND (class <> 'suspense' OR balance_minor > 0)), 0)::bigint AS owed
                    FROM ledger_account
                    WHERE balance_minor <> 0
                    """
                ),
                {"held": list(HELD_CLASSES), "owed": list(OWED_CLASSES)},
            )
        ).one()
    return Cover(row.held, row.owed)


async def unsent_refunds(engine: AsyncEngine, *, before: datetime) -> tuple[int, datetime | None]:
    """Refunds that Stripe did not have by then though they were to be sent before it: how many, and since when."""
    async with engine.connect() as connection:
        found = await connection.execute(
            text(
                "SELECT count(*) AS refunds, min(changed_at) AS since FROM refund_decision "
                "WHERE state = 'decided' AND changed_at < :before"
            ),
            {"before": before},
        )
        row = found.one()
    return row.refunds, row.since


async def mirrored_total(engine: AsyncEngine) -> int:
    """The sum of all mirrored nets: what Stripe's balance must be."""
    async with engine.connect() as connection:
        total = await connection.execute(text("SELECT COALESCE(SUM(net), 0)::bigint FROM balance_transaction"))
        return int(total.scalar_one())


async def top_up_is_open(engine: AsyncEngine, top_up_id: UUID) -> bool:
    """Whether this top-up is recorded and not answered yet."""
    async with engine.connect() as connection:
        found = await connection.execute(
            text("SELECT EXISTS (SELECT FROM top_up WHERE top_up_id = :id AND state = 'recorded')"), {"id": top_up_id}
        )
        return bool(found.scalar_one())


async def open_case_subjects(engine: AsyncEngine, kinds: Sequence[str]) -> dict[tuple[str, str], str]:
    """Open cases of these kinds: (kind, subject) → scope."""
    async with engine.connect() as connection:
        found = await connection.execute(
            text(
                "SELECT kind, subject, scope FROM cases WHERE closed_at IS NULL AND kind = ANY (CAST(:kinds AS text[]))"
            ),
            {"kinds": list(kinds)},
        )
        return {(row.kind, row.subject): row.scope for row in found}


async def read_until(engine: AsyncEngine, name: str) -> int:
    """How far a list was read, in seconds since 1970; 0 when never."""
    async with engine.connect() as connection:
        found = await connection.execute(
            text("SELECT read_until FROM reconciliation WHERE name = :name"), {"name": name}
        )
        return int(found.scalar_one_or_none() or 0)


async def set_read_until(engine: AsyncEngine, name: str, moment: int) -> None:
    """Remember how far a list was read; it only grows."""
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO reconciliation AS known (name, read_until) VALUES (:name, :moment) "
                "ON CONFLICT (name) DO UPDATE SET read_until = GREATEST(known.read_until, EXCLUDED.read_until), "
                "changed_at = clock_timestamp()"
            ),
            {"name": name, "moment": moment},
        )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


_MIRROR = text(
    """
    INSERT INTO balance_transaction AS known (
        bt_id, type, amount, fee, net, currency, source, available_on, status, created, scope, swept_at
    )
    SELECT bt_id, type, amount, fee, net, currency, source, available_on, 'pending', created, scope,
        CAST(:swept_at AS timestamptz)
    FROM unnest(
        CAST(:ids AS text[]), CAST(:types AS text[]), CAST(:amounts AS bigint[]), CAST(:fees AS bigint[]),
        CAST(:nets AS bigint[]), CAST(:currencies AS text[]), CAST(:sources AS text[]),
        CAST(:available AS timestamptz[]), CAST(:created AS timestamptz[]), CAST(:scopes AS text[])
    ) AS rows (bt_id, type, amount, fee, net, currency, source, available_on, created, scope)
    ORDER BY bt_id
    ON CONFLICT (bt_id) DO UPDATE SET scope = EXCLUDED.scope, swept_at = EXCLUDED.swept_at
    WHERE known.scope IS NULL
    """
)

_UNANSWERED = text(
    """
    WITH payments AS (
        UPDATE payment SET asked_at = stack_now()
        WHERE payment_id IN (
            SELECT payment_id FROM payment
            WHERE state IN ('action_required', 'processing') AND payment_intent_id IS NOT NULL
                AND COALESCE(asked_at, changed_at) < (SELECT stack_now()) - interval '60 seconds'
            ORDER BY changed_at
            LIMIT :rows_max
            FOR UPDATE SKIP LOCKED
        )
        RETURNING campaign_id, '/v1/payment_intents/' || payment_intent_id AS path
    ), refunds AS (
        UPDATE refund_decision SET asked_at = stack_now()
        WHERE decision_id IN (
            SELECT decision_id FROM refund_decision
            WHERE state = 'pending' AND refund_id IS NOT NULL
                AND COALESCE(asked_at, changed_at) < (SELECT stack_now()) - interval '1 hour'
            ORDER BY decided_at
            LIMIT :rows_max
            FOR UPDATE SKIP LOCKED
        )
        RETURNING campaign_id, '/v1/refunds/' || refund_id AS path
    )
    SELECT campaign_id, path FROM payments UNION ALL SELECT campaign_id, path FROM refunds
    """
)
