"""The float's figures, its gauge and its shares.

The figures are read in one statement, so that what was let in and what is left in the shares belong together: a payment takes
from a share in the transaction that lets it in, and so the two move as one. A share is changed alone and at once, never while
another is held. Amounts are minor units of the float's currency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.escrow.domain.float_rule import Gauge, take
from services.escrow.domain.ledger import HELD_CLASSES, OWED_CLASSES
from services.escrow.domain.payments import COLLECTING_STATES
from services.escrow.store.book import among
from services.escrow.store.tables import FloatShare
from services.kit.database import sql
from services.kit.work import Work


@dataclass(frozen=True, slots=True)
class Figures:
    """What the rule needs, in one snapshot."""

    held_minor: int
    owed_minor: int
    not_yet_minor: int
    payments: tuple[tuple[int, int], ...]
    """What may still cost a fee: (amount, how many)."""
    dearest_unit_minor: int | None
    left: tuple[int, ...]
    """What is left in each share, by its number from 1."""


@dataclass(frozen=True, slots=True)
class Told:
    """The gauge as it was last told; `measured` is False on a platform that was never measured."""

    gauge: Gauge
    admits: bool
    measured: bool


@dataclass(slots=True)
class Taken:
    """The shares that a transaction holds."""

    rows: list[FloatShare]


async def figures(engine: AsyncEngine) -> Figures:
    """Read everything in one statement."""
    async with engine.connect() as connection:
        row = (
            await connection.execute(
                _FIGURES,
                {"held": list(HELD_CLASSES), "owed": list(OWED_CLASSES), "collecting": sorted(COLLECTING_STATES)},
            )
        ).one()
    return Figures(
        held_minor=row.held,
        owed_minor=row.owed,
        not_yet_minor=row.not_yet,
        payments=tuple(zip(row.amounts, row.counts, strict=True)),
        dearest_unit_minor=row.dearest,
        left=tuple(row.shares),
    )


async def left_minor(engine: AsyncEngine) -> int:
    """What is left in all shares together."""
    async with engine.connect() as connection:
        found = await connection.execute(sql("SELECT COALESCE(SUM(left_minor), 0)::bigint FROM float_share"))
        return int(found.scalar_one())


async def change_shares(engine: AsyncEngine, changes: Sequence[int]) -> None:
    """Add to shares, or take from them what is still there; each one in a transaction of its own."""
    for number, change in enumerate(changes, start=1):
        if change:
            async with engine.begin() as connection:
                await connection.execute(_CHANGE, {"share": number, "change": change})


async def take_from_shares(work: Work, fee_minor: int) -> bool:
    """Take a fee out of shares that no other transaction holds; False, and nothing taken, when they do not hold it.

    A share stays held until the commit, so a transaction takes all its fees from as few as it can, and nobody ever waits.
    """
    taken = work.cache.get(Taken)
    if taken is None:
        taken = work.cache[Taken] = Taken([])
    while True:
        takes = take([row.left_minor for row in taken.rows], fee_minor)
        if takes is not None:
            for row, part in zip(taken.rows, takes, strict=True):
                row.left_minor -= part
            return True
        more = await work.session.execute(
            select(FloatShare)
            .where(FloatShare.left_minor > 0, ~among(FloatShare.share, [row.share for row in taken.rows]))
            .order_by(FloatShare.left_minor.desc())
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        row = more.scalar_one_or_none()
        if row is None:
            return False
        taken.rows.append(row)


async def told(connection: AsyncConnection) -> Told:
    """The gauge as it was last told."""
    row = (
        await connection.execute(
            sql(
                "SELECT available_minor, worst_case_fees_minor, buffer_minor, next_fee_minor, admits, "
                "measured_at IS NOT NULL AS measured FROM float_gauge"
            )
        )
    ).one()
    gauge = Gauge(row.available_minor, row.worst_case_fees_minor, row.buffer_minor, row.next_fee_minor)
    return Told(gauge, row.admits, row.measured)


async def tell(work: Work, gauge: Gauge) -> None:
    """Remember what is told now."""
    await work.connection.execute(
        sql(
            "UPDATE float_gauge SET available_minor = :available, worst_case_fees_minor = :fees, buffer_minor = :buffer, "
            "next_fee_minor = :next_fee, admits = :admits, measured_at = :now"
        ),
        {
            "available": gauge.available_minor,
            "fees": gauge.worst_case_fees_minor,
            "buffer": gauge.buffer_minor,
            "next_fee": gauge.next_fee_minor,
            "admits": gauge.admits,
            "now": work.now,
        },
    )


_FIGURES = sql(
    """
    WITH account AS (
        SELECT scope, class, balance_minor FROM ledger_account WHERE balance_minor <> 0
    ), money AS (
        SELECT
            COALESCE(-SUM(balance_minor) FILTER (WHERE class = ANY (CAST(:held AS text[]))), 0)::bigint AS held,
            COALESCE(SUM(balance_minor) FILTER (WHERE class = ANY (CAST(:owed AS text[]))
                AND (class <> 'suspense' OR balance_minor > 0)), 0)::bigint AS owed,
            COALESCE(SUM(GREATEST(-balance_minor, 0)) FILTER (WHERE scope = 'platform'
                AND class IN ('psp_clearing', 'psp_pending', 'psp_reserved')), 0)::bigint AS not_yet
        FROM account
    ), costly AS (
        SELECT amount_minor, count(*)::bigint AS payments
        FROM (
            SELECT amount_minor FROM reservation WHERE state IN ('open', 'expiring', 'ending')
            UNION ALL
            SELECT -balance_minor FROM clearing_object
            WHERE balance_minor < 0 AND (starts_with(object_id, 'ch_') OR starts_with(object_id, 'py_'))
        ) AS each
        GROUP BY amount_minor
    )
    SELECT money.held, money.owed, money.not_yet,
        ARRAY(SELECT amount_minor FROM costly ORDER BY amount_minor) AS amounts,
        ARRAY(SELECT payments FROM costly ORDER BY amount_minor) AS counts,
        (
            SELECT MAX(fact.unit_price_minor) FROM campaign_fact AS fact
            JOIN ledger_scope AS scope ON scope.stream = 'escrow:' || fact.campaign_id
            WHERE scope.campaign_state = ANY (CAST(:collecting AS text[]))
        ) AS dearest,
        ARRAY(SELECT left_minor FROM float_share ORDER BY share) AS shares
    FROM money
    """
)

_CHANGE = sql("UPDATE float_share SET left_minor = GREATEST(left_minor + :change, 0) WHERE share = :share")
