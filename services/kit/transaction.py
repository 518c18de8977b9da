"""Open a Work: one transaction with its stream heads locked in sorted sequence and the clock read after the locks.

Every writer of a service (message batches, deadlines, answers of intents, loops) comes through here, so that the locks
are always taken in the same sequence and nothing is committed without its events.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from services.kit.database import sql
from services.kit.flush import flush
from services.kit.service import Service
from services.kit.work import Work


async def lock_heads(connection: AsyncConnection, service: Service, scopes: Iterable[str]) -> dict[str, int]:
    """Lock the stream heads of these scopes, sorted so that two transactions never wait for each other in a ring;
    missing ones are made. Returns the last number of each scope's own stream."""
    wanted = sorted(set(scopes))
    if not wanted:
        return {}
    streams = [f"{service.name}:{scope}" for scope in wanted]
    query = sql(
        f"SELECT stream, seq FROM {service.head_table} "  # noqa: S608 - a service's constant
        "WHERE stream = ANY(CAST(:streams AS text[])) ORDER BY stream FOR UPDATE"
    )
    rows = (await connection.execute(query, {"streams": streams})).all()
    if len(rows) < len(streams):
        await connection.execute(
            sql(
                f"INSERT INTO {service.head_table} (stream) "  # noqa: S608 - a service's constant
                "SELECT stream FROM unnest(CAST(:streams AS text[])) AS stream ORDER BY stream ON CONFLICT DO NOTHING"
            ),
            {"streams": streams},
        )
        rows = (await connection.execute(query, {"streams": streams})).all()
    return {row.stream.split(":", 1)[1]: row.seq for row in rows}


async def make_work(connection: AsyncConnection, service: Service, scopes: Iterable[str]) -> Work:
    """A Work on an open transaction: heads locked, clock read, freezes known."""
    heads = await lock_heads(connection, service, scopes)
    state = (
        await connection.execute(
            sql(
                "SELECT stack_now() AS now, "
                "ARRAY(SELECT scope FROM frozen_scope WHERE scope = ANY(CAST(:scopes AS text[]))) AS frozen"
            ),
            {"scopes": list(heads)},
        )
    ).one()
    session = AsyncSession(bind=connection, autoflush=False, expire_on_commit=False)
    return Work(
        service=service.name,
        connection=connection,
        session=session,
        now=state.now,
        heads=heads,
        frozen=set(state.frozen),
    )


@asynccontextmanager
async def begin(engine: AsyncEngine, service: Service) -> AsyncIterator[AsyncConnection]:
    """A transaction in the consumer's schema; committed on leaving without an error."""
    async with engine.begin() as connection:
        if service.search_path:
            await connection.execute(sql(f"SET LOCAL search_path TO {service.search_path}, public"))
        yield connection


async def finish_work(work: Work, service: Service) -> None:
    """The end of a Work before its commit: the service's own bulk writes, then the kit's."""
    if service.finish is not None:
        await service.finish(work)
    await flush(work, head_table=service.head_table)


@asynccontextmanager
async def work_on(engine: AsyncEngine, service: Service, scopes: Iterable[str]) -> AsyncIterator[Work]:
    """A whole Work over these scopes, committed on leaving. The caller takes a cause in hand before publishing."""
    async with begin(engine, service) as connection:
        work = await make_work(connection, service, scopes)
        yield work
        await finish_work(work, service)
