"""The intents' rows: claiming with a lease, putting back, starting over with a new ordinal, stopping."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.kit.database import sql
from services.kit.service import Intent, Service
from services.kit.transaction import begin, finish_work, make_work
from services.kit.work import Work, intent_id

_OPEN = """
    state IN ('recorded', 'attempted') AND NOT waiting
        AND (not_before IS NULL OR not_before <= clock_timestamp())
        AND (lease_until IS NULL OR lease_until < clock_timestamp())
"""
# Each purpose's oldest are found by its own part of the index, however many of another purpose wait; those that are not
# paced come first. The rows' state is looked at again under their locks, because another instance may have been faster.
_CLAIMABLE = f"""
    SELECT id FROM intent WHERE {_OPEN} AND id = ANY(ARRAY(
        SELECT oldest.id
        FROM unnest(CAST(:purposes AS text[]), CAST(:lanes AS integer[]), CAST(:paced AS boolean[]),
            CAST(:frozen_too AS boolean[])) AS lane (purpose, rows_max, paced, frozen_too)
        CROSS JOIN LATERAL (
            SELECT id, recorded_wall FROM intent AS wanted
            WHERE purpose = lane.purpose AND {_OPEN}
                AND (lane.frozen_too OR NOT EXISTS (SELECT FROM frozen_scope WHERE frozen_scope.scope = wanted.scope))
                AND (CAST(:only AS uuid) IS NULL OR id = :only)
            ORDER BY recorded_wall
            LIMIT lane.rows_max
        ) AS oldest
        ORDER BY lane.paced, oldest.recorded_wall
        LIMIT :rows_max
    ))
    ORDER BY recorded_wall
"""  # noqa: S608 - constants
_CLAIM = sql(
    f"""
    UPDATE intent SET
        state = 'attempted', attempts = attempts + 1,
        first_attempted_at = COALESCE(first_attempted_at, stack_now()),
        first_attempted_wall = COALESCE(first_attempted_wall, clock_timestamp()),
        prior_attempted_wall = last_attempted_wall, last_attempted_wall = clock_timestamp(),
        lease_until = clock_timestamp() + make_interval(secs => :lease), lease_holder = :holder
    WHERE id = ANY(ARRAY({_CLAIMABLE} FOR UPDATE SKIP LOCKED))
    RETURNING id, purpose, object_id, ordinal, scope, request, secret, state, attempts, recorded_at,
        first_attempted_at, cause_id, correlation_id, received_at, traceparent
    """  # noqa: S608 - constants
)
LANE_FIELDS = ("purposes", "lanes", "paced", "frozen_too", "rows_max")


async def claim(
    engine: AsyncEngine, service: Service, parameters: Mapping[str, Any], *, only: UUID | None = None
) -> list[Intent]:
    """Journal the attempt and take a lease; the attempt is committed before the call."""
    async with begin(engine, service) as connection:
        rows = (await connection.execute(_CLAIM, dict(parameters) | {"only": only})).all()
    return [Intent(**row._mapping) for row in rows]


async def claimable(engine: AsyncEngine, parameters: Mapping[str, Any]) -> list[UUID]:
    """The ids that could be claimed now."""
    wanted = {name: parameters[name] for name in LANE_FIELDS}
    async with engine.connect() as connection:
        rows = await connection.execute(sql(_CLAIMABLE), wanted | {"only": None})
        return [row.id for row in rows]


async def release_leases(engine: AsyncEngine, holder: str) -> None:
    """Give back every lease of this holder; for a starting process, which can hold none yet."""
    async with engine.begin() as connection:
        await connection.execute(
            sql(
                "UPDATE intent SET lease_until = NULL, lease_holder = NULL "
                "WHERE lease_holder = :holder AND state = 'attempted'"
            ),
            {"holder": holder},
        )


async def delay(engine: AsyncEngine, identity: UUID, seconds: float) -> None:
    """Do not claim an intent before some seconds from now."""
    async with engine.begin() as connection:
        await connection.execute(
            sql("UPDATE intent SET not_before = clock_timestamp() + make_interval(secs => :seconds) WHERE id = :id"),
            {"seconds": seconds, "id": identity},
        )


async def put_back(connection: AsyncConnection, identity: UUID, seconds: float) -> None:
    """Give the lease back; the intent stays attempted and is tried again after some seconds."""
    await connection.execute(
        sql(
            "UPDATE intent SET lease_until = NULL, lease_holder = NULL, "
            "not_before = clock_timestamp() + make_interval(secs => :seconds) WHERE id = :id AND state = 'attempted'"
        ),
        {"seconds": seconds, "id": identity},
    )


async def lock_open(connection: AsyncConnection, ids: Sequence[UUID]) -> set[UUID]:
    """Lock these intents; returns those not answered or stopped yet."""
    rows = await connection.execute(
        sql("SELECT id, state FROM intent WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE"),
        {"ids": list(ids)},
    )
    return {row.id for row in rows if row.state in ("recorded", "attempted")}


async def mark_stopped(connection: AsyncConnection, identity: UUID, reason: str) -> None:
    """End an intent without an answer."""
    await connection.execute(
        sql(
            "UPDATE intent SET state = 'stopped', answer = CAST(:answer AS jsonb), answered_at = stack_now(), "
            "secret = NULL, lease_until = NULL WHERE id = :id AND state IN ('recorded', 'attempted')"
        ),
        {"id": identity, "answer": json.dumps({"stopped": reason})},
    )


async def start_over(work: Work, intent: Intent) -> None:
    """The key will repeat an error for ever and nothing was made: the same request under a new ordinal."""
    await mark_stopped(work.connection, intent.id, "stored_error")
    following = intent.ordinal + 1
    await work.connection.execute(
        sql(
            "INSERT INTO intent (id, purpose, object_id, ordinal, scope, request, secret, recorded_at, "
            "cause_id, correlation_id, received_at, traceparent) "
            "VALUES (:id, :purpose, :object_id, :ordinal, :scope, CAST(:request AS jsonb), :secret, :now, "
            ":cause_id, :correlation_id, :received_at, :traceparent) ON CONFLICT DO NOTHING"
        ),
        {
            "id": intent_id(intent.purpose, intent.object_id, following),
            "ordinal": following,
            "request": json.dumps(dict(intent.request)),
            "now": work.now,
            **{
                name: getattr(intent, name)
                for name in (
                    "purpose", "object_id", "scope", "secret", "cause_id", "correlation_id", "received_at", "traceparent",
                )
            },
        },
    )  # fmt: skip


async def stop(engine: AsyncEngine, service: Service, intent: Intent, reason: str) -> None:
    """An answer cannot be posted: stop the intent with a case, in a transaction of its own."""
    from services.kit.intents import answer_envelope  # intents imports this module

    async with begin(engine, service) as connection:
        work = await make_work(connection, service, [intent.scope])
        await mark_stopped(connection, intent.id, reason)
        work.for_cause(answer_envelope(service, intent, work.now)).open_case(
            "intent_stopped",
            scope=intent.scope,
            subject=str(intent.id),
            severity="critical",
            facts={"purpose": intent.purpose, "object_id": intent.object_id, "reason": reason},
        )
        await finish_work(work, service)


async def prior_attempt(engine: AsyncEngine, identity: UUID) -> datetime | None:
    """Wall time of the attempt before the one in hand."""
    async with engine.connect() as connection:
        return (
            await connection.execute(sql("SELECT prior_attempted_wall FROM intent WHERE id = :id"), {"id": identity})
        ).scalar_one_or_none()


async def ages(engine: AsyncEngine, identity: UUID) -> tuple[timedelta, timedelta]:
    """How long ago the first attempt was, on the stack's clock and on the wall's."""
    async with engine.connect() as connection:
        row = (
            await connection.execute(
                sql(
                    "SELECT stack_now() - first_attempted_at AS stack_age, "
                    "clock_timestamp() - first_attempted_wall AS wall_age FROM intent WHERE id = :id"
                ),
                {"id": identity},
            )
        ).one()
    return row.stack_age or timedelta(), row.wall_age or timedelta()
