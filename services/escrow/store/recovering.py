"""The statements of recovery: what only a database that was set back needs, and only its owner may do.

The application's role has none of these rights. Nothing here decides; the steps in `services/escrow/recover` do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contracts.envelope import PLATFORM_SCOPE
from services.kit.database import sql

MARK_PREFIX = "recover:"
ADVISORY_LOCK = 0x616C7276
PROCESS_NAMES = ("escrow", "escrow-direct")
"""What the service's own connections call themselves."""

GUARDS = (
    ("ledger_transfer", "ledger_transfer_sealed"),
    ("ledger_transfer", "ledger_transfer_by_hand"),
    ("intent", "transfer_intent_recorded"),
    ("intent", "transfer_intent_attempted"),
    ("intent", "reversal_intent_recorded"),
    ("intent", "reversal_intent_attempted"),
    ("clearing_plan", "clearing_plan_step"),
    ("clearing_line", "clearing_line_frozen"),
)
"""Guards that judge an act by the state of its moment. What comes back was judged then; now the state is another. Sums,
running balances, positions and heads are checked as ever, by triggers that stay."""


@asynccontextmanager
async def guards_off(connection: AsyncConnection) -> AsyncIterator[None]:
    """Put the guards of a moment aside for the rest of this transaction, and back before its end. A rollback puts them
    back too, and nobody else can write meanwhile: the change holds the tables' locks."""
    for table, trigger in GUARDS:
        await connection.execute(sql(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}"))
    yield
    for table, trigger in GUARDS:
        await connection.execute(sql(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}"))


# -- marks ------------------------------------------------------------------------------------------------------------


async def marks(engine: AsyncEngine) -> dict[str, int]:
    """The marks of a recovery that is under way, by name; empty when there is none."""
    async with engine.connect() as connection:
        found = await connection.execute(
            sql("SELECT name, read_until FROM reconciliation WHERE starts_with(name, :prefix)"), {"prefix": MARK_PREFIX}
        )
        return {row.name.removeprefix(MARK_PREFIX): int(row.read_until) for row in found}


async def set_mark(engine: AsyncEngine, name: str, value: int) -> None:
    """Remember that a step is done, or a figure that later steps need. The first value stays."""
    async with engine.begin() as connection:
        await connection.execute(
            sql("INSERT INTO reconciliation (name, read_until) VALUES (:name, :value) ON CONFLICT DO NOTHING"),
            {"name": MARK_PREFIX + name, "value": value},
        )


async def drop_marks(engine: AsyncEngine) -> None:
    """The recovery is over."""
    async with engine.begin() as connection:
        await connection.execute(
            sql("DELETE FROM reconciliation WHERE starts_with(name, :prefix)"), {"prefix": MARK_PREFIX}
        )


async def service_sessions(engine: AsyncEngine) -> int:
    """How many connections of the service itself this database has."""
    async with engine.connect() as connection:
        found = await connection.execute(
            sql(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND application_name = ANY (CAST(:names AS text[]))"
            ),
            {"names": list(PROCESS_NAMES)},
        )
        return int(found.scalar_one())


async def newest_told(engine: AsyncEngine) -> datetime:
    """The stack time of the newest message in the outbox: up to when this database knows. The epoch when it is empty."""
    async with engine.connect() as connection:
        found = await connection.execute(sql("SELECT max(headers ->> 'ce_time') FROM outbox"))
        newest = found.scalar_one()
        return datetime.fromisoformat(newest) if newest else datetime.fromtimestamp(0, UTC)


async def stack_now(engine: AsyncEngine) -> datetime:
    """Stack time by this database's clock."""
    async with engine.connect() as connection:
        found: datetime = (await connection.execute(sql("SELECT stack_now()"))).scalar_one()
        return found


# -- the own topic ----------------------------------------------------------------------------------------------------


async def heads(engine: AsyncEngine) -> dict[str, int]:
    """The last number of every own stream."""
    async with engine.connect() as connection:
        found = await connection.execute(sql("SELECT stream, seq FROM ledger_scope"))
        return {row.stream: int(row.seq) for row in found}


async def known_ids(engine: AsyncEngine, ids: Iterable[UUID]) -> set[UUID]:
    """Which of these messages the outbox holds."""
    async with engine.connect() as connection:
        found = await connection.execute(
            sql("SELECT message_id FROM outbox WHERE message_id = ANY (CAST(:ids AS uuid[]))"), {"ids": list(ids)}
        )
        return {row.message_id for row in found}


async def mark_published(engine: AsyncEngine, ids: Sequence[UUID]) -> int:
    """Mark as sent what the topic holds though the outbox does not know it; returns how many."""
    async with engine.begin() as connection:
        done = await connection.execute(
            sql(
                "UPDATE outbox SET published_at = clock_timestamp() "
                "WHERE message_id = ANY (CAST(:ids AS uuid[])) AND published_at IS NULL"
            ),
            {"ids": list(ids)},
        )
        return done.rowcount


async def newest_row(engine: AsyncEngine) -> int:
    """The outbox's newest row."""
    async with engine.connect() as connection:
        return int((await connection.execute(sql("SELECT COALESCE(max(id), 0) FROM outbox"))).scalar_one())


async def causes_after(engine: AsyncEngine, row_id: int) -> set[UUID]:
    """The causes of every message in the outbox after this row."""
    async with engine.connect() as connection:
        found = await connection.execute(
            sql("SELECT DISTINCT headers ->> 'causation_id' AS cause FROM outbox WHERE id > :row_id"),
            {"row_id": row_id},
        )
        return {UUID(row.cause) for row in found if row.cause}


async def adopt_outbox(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put messages that the topic holds back into the outbox, as sent."""
    await connection.execute(
        sql(
            "INSERT INTO outbox (message_id, topic, key, type, stream, seq, headers, payload, published_at) "
            "VALUES (:message_id, :topic, :key, :type, :stream, :seq, CAST(:headers AS jsonb), :payload, "
            "clock_timestamp())"
        ),
        list(rows),
    )


async def set_head(connection: AsyncConnection, stream: str, seq: int) -> None:
    """The stream's own counter continues after this number."""
    await connection.execute(
        sql("UPDATE ledger_scope SET seq = :seq WHERE stream = :stream"), {"stream": stream, "seq": seq}
    )


async def ledger_head(connection: AsyncConnection, scope: str) -> tuple[str, int]:
    """The chain's head and how many transfers the scope has."""
    found = await connection.execute(
        sql("SELECT chain_head, transfer_count FROM ledger_scope WHERE scope = :scope"), {"scope": scope}
    )
    row = found.one()
    return row.chain_head, int(row.transfer_count)


async def hash_at(connection: AsyncConnection, scope: str, position: int) -> str | None:
    """The hash of the transfer at a position."""
    found = await connection.execute(
        sql("SELECT hash FROM ledger_transfer WHERE scope = :scope AND position = :position"),
        {"scope": scope, "position": position},
    )
    hashed: str | None = found.scalar_one_or_none()
    return hashed


async def transfer_entries(connection: AsyncConnection, cause: str) -> list[Any]:
    """The entries of the transfer with this cause: account, amount, object; empty when it is not in the ledger."""
    found = await connection.execute(
        sql(
            "SELECT e.account, e.amount_minor, e.object_id FROM ledger_transfer t "
            "JOIN ledger_entry e ON e.scope = t.scope AND e.position = t.position WHERE t.cause = :cause"
        ),
        {"cause": cause},
    )
    return list(found)


async def causes_of_object(
    connection: AsyncConnection, scope: str, object_id: str, kinds: Sequence[str]
) -> list[tuple[str, int]]:
    """Causes of a scope's transfers of these kinds about one object, with the amount that clearing shows, in sequence."""
    found = await connection.execute(
        sql(
            "SELECT t.cause, e.amount_minor FROM ledger_transfer t "
            "JOIN ledger_entry e ON e.scope = t.scope AND e.position = t.position AND e.account = 'psp_clearing' "
            "WHERE t.scope = :scope AND t.kind = ANY (CAST(:kinds AS text[])) AND e.object_id = :object_id "
            "ORDER BY t.position"
        ),
        {"scope": scope, "kinds": list(kinds), "object_id": object_id},
    )
    return [(row.cause, int(row.amount_minor)) for row in found]


async def unnamed_top_up(connection: AsyncConnection, amount_minor: int) -> str | None:
    """The object of the oldest top-up of this amount in the ledger that no row names."""
    found = await connection.execute(
        sql(
            "SELECT e.object_id FROM ledger_transfer t "
            "JOIN ledger_entry e ON e.scope = t.scope AND e.position = t.position AND e.account = 'psp_clearing' "
            "WHERE t.scope = :scope AND t.kind = 'topup' AND e.amount_minor = -CAST(:amount AS bigint) "
            "AND NOT EXISTS (SELECT FROM top_up WHERE topup_id = e.object_id) ORDER BY t.position LIMIT 1"
        ),
        {"scope": PLATFORM_SCOPE, "amount": amount_minor},
    )
    object_id: str | None = found.scalar_one_or_none()
    return object_id


# -- rows that follow from what was taken over ------------------------------------------------------------------------


async def open_case_row(connection: AsyncConnection, case: Mapping[str, Any]) -> bool:
    """Put back a case that was told; False when it is there."""
    made = await connection.execute(
        sql(
            "INSERT INTO cases (case_id, kind, scope, subject, severity, blocking, facts, opened_at) "
            "VALUES (:case_id, :kind, :scope, :subject, :severity, :blocking, CAST(:facts AS jsonb), :opened_at) "
            "ON CONFLICT DO NOTHING RETURNING case_id"
        ),
        dict(case),
    )
    return made.one_or_none() is not None


async def close_case_row(connection: AsyncConnection, case_id: UUID, resolution: str, at: datetime) -> Any:
    """Close a case that was told to be closed; its row, or None when it was closed already."""
    closed = await connection.execute(
        sql(
            "UPDATE cases SET closed_at = :at, resolution = :resolution WHERE case_id = :case_id AND closed_at IS NULL "
            "RETURNING kind, scope, subject"
        ),
        {"case_id": case_id, "resolution": resolution, "at": at},
    )
    await connection.execute(sql("DELETE FROM frozen_scope WHERE case_id = :case_id"), {"case_id": case_id})
    return closed.one_or_none()


async def mark_lines(connection: AsyncConnection, scope: str) -> None:
    """Mark the plans' lines that the ledger or a case shows as worked off."""
    await connection.execute(
        sql(
            "UPDATE clearing_line l SET cleared_at = t.created_at FROM clearing_plan p, ledger_transfer t "
            "WHERE p.plan_id = l.plan_id AND p.scope = :scope AND t.scope = p.scope AND t.plan_id = l.plan_id "
            "AND t.commitment_id = l.commitment_id AND l.cleared_at IS NULL AND t.kind IN "
            "('clear', 'reserve_release', 'refund_decided', 'refund_paid_outside', 'goodwill')"
        ),
        {"scope": scope},
    )
    await connection.execute(
        sql(
            "UPDATE clearing_line l SET cleared_at = c.opened_at, failed_code = c.facts ->> 'code' "
            "FROM clearing_plan p, cases c WHERE p.plan_id = l.plan_id AND p.scope = :scope "
            "AND c.kind = 'plan_line_failed' AND c.subject = l.plan_id || ':' || l.commitment_id "
            "AND l.cleared_at IS NULL"
        ),
        {"scope": scope},
    )
    # A recovery's lines are reasons and have no posting of their own.
    await connection.execute(
        sql(
            "UPDATE clearing_line l SET cleared_at = COALESCE(p.sent_at, p.approved_at) FROM clearing_plan p "
            "WHERE p.plan_id = l.plan_id AND p.scope = :scope AND p.kind = 'recovery' "
            "AND p.lines_applied > 0 AND l.cleared_at IS NULL"
        ),
        {"scope": scope},
    )


async def answer_intents(connection: AsyncConnection, outcomes: Mapping[UUID, str], at: datetime) -> None:
    """Mark calls whose result was told as answered."""
    if not outcomes:
        return
    await connection.execute(
        sql(
            "UPDATE intent SET state = 'answered', attempts = GREATEST(attempts, 1), answered_at = :at, secret = NULL, "
            "lease_until = NULL, answer = jsonb_build_object('outcome', rows.outcome, 'recovered', true) "
            "FROM unnest(CAST(:ids AS uuid[]), CAST(:outcomes AS text[])) AS rows (id, outcome) "
            "WHERE intent.id = rows.id AND state IN ('recorded', 'attempted')"
        ),
        {"ids": list(outcomes), "outcomes": list(outcomes.values()), "at": at},
    )


async def doubt_intents(engine: AsyncEngine, since: datetime) -> int:
    """Whatever may have been called in the lost time counts as attempted, at its beginning and just now: a key that is
    too old to be trusted is looked for first. Returns how many."""
    async with engine.begin() as connection, guards_off(connection):
        done = await connection.execute(
            sql(
                "UPDATE intent SET state = 'attempted', attempts = GREATEST(attempts, 1), lease_until = NULL, "
                "first_attempted_at = COALESCE(first_attempted_at, LEAST(recorded_at, CAST(:since AS timestamptz))), "
                "first_attempted_wall = COALESCE(first_attempted_wall, LEAST(recorded_wall, CAST(:since AS timestamptz))), "
                "last_attempted_wall = clock_timestamp() WHERE state IN ('recorded', 'attempted')"
            ),
            {"since": since},
        )
        return done.rowcount


async def attempt_transfer(engine: AsyncEngine, plan_id: UUID) -> None:
    """The transfer of this plan exists at Stripe, so it was called."""
    async with engine.begin() as connection, guards_off(connection):
        await connection.execute(
            sql(
                "UPDATE intent SET state = 'attempted', attempts = GREATEST(attempts, 1), "
                "first_attempted_at = COALESCE(first_attempted_at, recorded_at), "
                "first_attempted_wall = COALESCE(first_attempted_wall, recorded_wall), "
                "last_attempted_wall = clock_timestamp() "
                "WHERE purpose = 'transfer' AND object_id = :plan_id AND state = 'recorded'"
            ),
            {"plan_id": str(plan_id)},
        )
