"""Clearing plans' lines, and the sums that a plan needs from the ledger.

Lines are written once, while their plan is a draft; the database keeps them from then on. Sums are read inside the
transaction that holds the scope's lock, after the batch was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.ledger import PlanLine
from services.escrow.domain.release import HOLDS_LATCH, PLAN_LINES_MAX
from services.escrow.store.book import book_of
from services.escrow.store.tables import Plan
from services.kit.work import Work

RELEASES = frozenset({"release", "reserve_release"})


async def insert_lines(connection: AsyncConnection, plan_id: UUID, lines: Sequence[PlanLine]) -> None:
    """Write the lines of a draft."""
    await connection.execute(
        text(
            """
            INSERT INTO clearing_line (plan_id, commitment_id, amount_minor, to_reserve, source)
            SELECT :plan_id, commitment_id, amount_minor, to_reserve, source
            FROM unnest(
                CAST(:commitments AS uuid[]), CAST(:amounts AS bigint[]), CAST(:reserves AS boolean[]),
                CAST(:sources AS text[])
            ) AS rows (commitment_id, amount_minor, to_reserve, source)
            """
        ),
        {
            "plan_id": plan_id,
            "commitments": [line.commitment_id for line in lines],
            "amounts": [line.amount_minor for line in lines],
            "reserves": [line.to_reserve for line in lines],
            "sources": [line.source for line in lines],
        },
    )


async def lines_of(
    connection: AsyncConnection, plan_id: UUID, *, rows_max: int = PLAN_LINES_MAX, cleared: bool | None = None
) -> list[PlanLine]:
    """The plan's lines by commitment id; only the cleared or only the uncleared ones when asked."""
    found = await connection.execute(
        text(
            """
            SELECT commitment_id, amount_minor, to_reserve, source
            FROM clearing_line
            WHERE plan_id = :plan_id
                AND (CAST(:cleared AS boolean) IS NULL OR (cleared_at IS NOT NULL) = CAST(:cleared AS boolean))
            ORDER BY commitment_id
            LIMIT :rows_max
            """
        ),
        {"plan_id": plan_id, "cleared": cleared, "rows_max": rows_max},
    )
    return [
        PlanLine(
            commitment_id=row.commitment_id,
            amount_minor=row.amount_minor,
            to_reserve=row.to_reserve,
            source=row.source,
        )
        for row in found
    ]


async def mark_worked(work: Work, plan_id: UUID, codes: Mapping[UUID, str | None]) -> None:
    """Note that these lines are worked off: in the ledger, or with a code not applied."""
    await work.connection.execute(
        text(
            "UPDATE clearing_line l SET cleared_at = :now, failed_code = rows.code "
            "FROM unnest(CAST(:ids AS uuid[]), CAST(:codes AS text[])) AS rows (commitment_id, code) "
            "WHERE l.plan_id = :plan_id AND l.commitment_id = rows.commitment_id"
        ),
        {"now": work.now, "plan_id": plan_id, "ids": list(codes), "codes": list(codes.values())},
    )


async def applied_minor(connection: AsyncConnection, plan_id: UUID) -> int:
    """The sum of a plan's lines that were applied."""
    found = await connection.execute(
        text(
            "SELECT COALESCE(SUM(amount_minor), 0)::bigint FROM clearing_line "
            "WHERE plan_id = :plan_id AND cleared_at IS NOT NULL AND failed_code IS NULL"
        ),
        {"plan_id": plan_id},
    )
    return int(found.scalar_one())


async def plans_of(work: Work, scope: str) -> list[Plan]:
    """The scope's plans, oldest first."""
    book = book_of(work)
    await book.flush()
    found = await work.session.execute(
        select(Plan).where(Plan.scope == scope).order_by(Plan.submitted_at, Plan.version)
    )
    return [book.plans.keep(row) for row in found.scalars()]


async def balances_of_class(work: Work, scope: str, name: str) -> dict[UUID, int]:
    """Commitments with a balance in this class, minor units, by commitment id. Write the batch before asking."""
    found = await work.connection.execute(
        text(
            "SELECT split_part(account, ':', 2)::uuid AS commitment_id, balance_minor FROM ledger_account "
            "WHERE scope = :scope AND class = :class AND balance_minor > 0 ORDER BY commitment_id LIMIT :rows_max"
        ),
        {"scope": scope, "class": name, "rows_max": PLAN_LINES_MAX},
    )
    return {row.commitment_id: row.balance_minor for row in found}


async def class_total_minor(connection: AsyncConnection, scope: str, name: str) -> int:
    """The sum of a class in one scope, credit +."""
    found = await connection.execute(
        text(
            "SELECT COALESCE(SUM(balance_minor), 0)::bigint FROM ledger_account WHERE scope = :scope AND class = :class"
        ),
        {"scope": scope, "class": name},
    )
    return int(found.scalar_one())


async def class_totals(connection: AsyncConnection, scope: str) -> dict[str, int]:
    """The sum of each account class in one scope, credit +. Write the batch before asking."""
    found = await connection.execute(
        text(
            "SELECT class, SUM(balance_minor)::bigint AS total FROM ledger_account WHERE scope = :scope GROUP BY class"
        ),
        {"scope": scope},
    )
    return {row._mapping["class"]: row.total for row in found}


async def ledger_is_sound(connection: AsyncConnection, scope: str) -> bool:
    """Whether the scope's accounts sum to zero, each equals its last entry, and the head stands at the last transfer."""
    found = await connection.execute(
        text(
            """
            SELECT
                (SELECT COALESCE(SUM(balance_minor), 0) = 0 FROM ledger_account WHERE scope = :scope) AS zero,
                NOT EXISTS (
                    SELECT FROM ledger_account a
                    LEFT JOIN ledger_entry e
                        ON e.scope = a.scope AND e.account = a.account AND e.version = a.version
                    WHERE a.scope = :scope AND e.balance_minor IS DISTINCT FROM a.balance_minor
                ) AS same,
                (SELECT s.transfer_count = COALESCE((
                    SELECT MAX(t.position) FROM ledger_transfer t WHERE t.scope = :scope), 0)
                 FROM ledger_scope s WHERE s.scope = :scope) AS whole
            """
        ),
        {"scope": scope},
    )
    row = found.one()
    return bool(row.zero and row.same and row.whole)


async def available_minor(connection: AsyncConnection) -> int:
    """What is available at Stripe over all scopes, as a positive amount. A snapshot: Stripe has the last word."""
    found = await connection.execute(
        text("SELECT COALESCE(-SUM(balance_minor), 0)::bigint FROM ledger_account WHERE class = 'psp_available'")
    )
    return int(found.scalar_one())


async def waiting_plans(connection: AsyncConnection, *, rows_max: int) -> list[tuple[UUID, str]]:
    """Plans that are cleared and wait for available money: (plan, scope)."""
    found = await connection.execute(
        text(
            "SELECT plan_id, scope FROM clearing_plan WHERE state = 'CLEARED' AND kind IN ('release', 'reserve_release') "
            "ORDER BY approved_at LIMIT :rows_max"
        ),
        {"rows_max": rows_max},
    )
    return [(row.plan_id, row.scope) for row in found]


def holder(plans: Iterable[Plan]) -> Plan | None:
    """The release at work, if one is."""
    for plan in plans:
        if plan.state in HOLDS_LATCH and plan.kind in RELEASES:
            return plan
    return None


def at_its_lines(plans: Iterable[Plan]) -> Plan | None:
    """The plan whose lines are being worked off, if one's are."""
    for plan in plans:
        if plan.state == "CLEARING":
            return plan
    return None
