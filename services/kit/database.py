"""Engines, transactions, and the question whether a database error passes by itself.

A transient error (lost connection, deadlock, lock timeout, serialization) rolls back and is retried with backoff; it is
never parked. Everything else is either a rule's answer or a bug.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

LOCK_TIMEOUT_MILLISECONDS = 10_000
STATEMENT_TIMEOUT_MILLISECONDS = 60_000
IDLE_IN_TRANSACTION_TIMEOUT_MILLISECONDS = 60_000
CONNECT_TIMEOUT_SECONDS = 10
RETRY_DELAY_SECONDS_MIN = 0.05
RETRY_DELAY_SECONDS_MAX = 5.0
RETRIES_MAX = 8
STATEMENTS_MAX = 512

_TRANSIENT_SQLSTATES = ("40001", "40P01", "55P03", "57P01", "57P02", "57P03", "53300", "08", "25P03")

DATABASE_ERRORS = (OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What a database that does not answer, or not as expected, raises, whichever way it is asked: for loops that go on."""

T = TypeVar("T")


def create_engine(url: str, *, pool_size: int = 8, application_name: str = "alpmera") -> AsyncEngine:
    """An engine with bounded pool and bounded waits on locks and statements."""
    return create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=30,
        connect_args={
            "timeout": CONNECT_TIMEOUT_SECONDS,
            "server_settings": server_settings(application_name),
        },
    )


def server_settings(application_name: str) -> dict[str, str]:
    """What every connection of a service tells the server: its name, and bounded waits on locks and statements."""
    return {
        "application_name": application_name,
        "lock_timeout": str(LOCK_TIMEOUT_MILLISECONDS),
        "statement_timeout": str(STATEMENT_TIMEOUT_MILLISECONDS),
        "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MILLISECONDS),
        "jit": "off",
        # A statement prepared while its table was empty keeps the sequential scan of that day in its generic plan; the
        # kit's look-ups are all by key, so an index is the right plan from the first row on.
        "enable_seqscan": "off",
    }


@lru_cache(maxsize=STATEMENTS_MAX)
def sql(statement: str) -> TextClause:
    """The statement, parsed once per process: SQLAlchemy finds its compiled form by the object, which is much cheaper than
    by a text that is made anew for each execution. Only for texts that the code itself holds, never for one with values."""
    return text(statement)


def sqlstate(error: BaseException) -> str | None:
    """The SQLSTATE behind an error, when there is one."""
    cause: Any = getattr(error, "orig", error)
    for candidate in (cause, getattr(cause, "__cause__", None)):
        state = getattr(candidate, "sqlstate", None) or getattr(candidate, "pgcode", None)
        if state:
            return str(state)
    return None


def is_transient(error: BaseException) -> bool:
    """Whether trying again later may succeed without anybody mending anything."""
    if isinstance(error, (ConnectionError, asyncio.TimeoutError, OSError, asyncpg.InterfaceError)):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = sqlstate(error)
    if state is not None:
        return state.startswith(_TRANSIENT_SQLSTATES)
    return isinstance(error, (OperationalError, InterfaceError))


def retry_delay_seconds(attempt: int) -> float:
    """Exponential backoff with full jitter, bounded. `attempt` counts from 1."""
    ceiling = min(RETRY_DELAY_SECONDS_MAX, RETRY_DELAY_SECONDS_MIN * 2 ** min(attempt, 10))
    return random.uniform(RETRY_DELAY_SECONDS_MIN, ceiling)  # noqa: S311 - spreading retries is no secret


async def run_transaction(engine: AsyncEngine, action: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Run `action` in one transaction; a transient failure is retried up to `RETRIES_MAX` times, then raised."""
    for attempt in range(1, RETRIES_MAX + 1):
        try:
            async with engine.begin() as connection:
                return await action(connection)
        except Exception as error:
            if not is_transient(error) or attempt == RETRIES_MAX:
                raise
            await asyncio.sleep(retry_delay_seconds(attempt))
    raise AssertionError("unreachable: the last attempt returns or raises")
