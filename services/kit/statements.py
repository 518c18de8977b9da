"""Statements that go straight to asyncpg, for the paths that run for every request and every message.

SQLAlchemy's layers cost 0.2 ms and more of processor time a statement and as much again for a connection; the driver alone
takes 0.04 ms. Statements keep their named parameters (`:name`) and stay in the store files; the driver prepares each once
per connection. `fetch` and `run` take a connection of either kind, so that a statement can stand beside those of
SQLAlchemy in one transaction. An error comes as asyncpg's own; `database.is_transient` knows both.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, TypeAlias, cast

import asyncpg
from pydantic_core import from_json
from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.database import CONNECT_TIMEOUT_SECONDS, STATEMENTS_MAX, server_settings, sql

ACQUIRE_TIMEOUT_SECONDS = 30
CLOSE_TIMEOUT_SECONDS = 10

Driver: TypeAlias = "asyncpg.Connection[Any]"
Connection: TypeAlias = "AsyncConnection | Driver"
Row: TypeAlias = "asyncpg.Record"

_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]\w*)")


@lru_cache(maxsize=STATEMENTS_MAX)
def numbered(statement: str) -> tuple[str, tuple[str, ...]]:
    """The statement with `$1` for its first named parameter and so on, and the names in that sequence. A name that stands
    twice has one number."""
    names = tuple(dict.fromkeys(_PARAMETER.findall(statement)))
    place = {name: f"${number}" for number, name in enumerate(names, 1)}
    return _PARAMETER.sub(lambda found: place[found.group(1)], statement), names


async def fetch(connection: Connection, statement: str, /, **values: Any) -> list[Row]:
    """Every row of a statement. Raises KeyError without a value for a parameter, and what asyncpg raises."""
    text, names = numbered(statement)
    rows: list[Row] = await (await _driver(connection)).fetch(text, *(values[name] for name in names))
    return rows


async def fetch_one(connection: Connection, statement: str, /, **values: Any) -> Row | None:
    """The row of a statement that has at most one. Raises as `fetch` does."""
    rows = await fetch(connection, statement, **values)
    return rows[0] if rows else None


async def _driver(connection: Connection) -> Driver:
    # Asked by the class alone: the metaclass of either makes `isinstance` a call into Python.
    if type(connection) is asyncpg.Connection:
        return connection
    layered = cast(AsyncConnection, connection)
    driver: Driver = layered.sync_connection.connection.driver_connection  # type: ignore[union-attr]
    if not driver.is_in_transaction():
        # SQLAlchemy begins the transaction with its own first statement; the driver's must not be committed before it.
        await layered.execute(sql("SELECT 1"))
    return driver


class Direct:
    """Connections of asyncpg itself, opened when they are first needed, at most `size` at a time; the one used last is
    used next. Whoever has one gives it back without an open transaction.

    asyncpg's own pool costs twice what a statement does: a task, a timer and a round of resets each time.
    `changes` are settings of the server that differ from the usual ones."""

    def __init__(self, url: str, *, size: int, application_name: str, changes: dict[str, str] | None = None) -> None:
        self._url = url.replace("postgresql+asyncpg://", "postgresql://")
        self._settings = server_settings(application_name) | (changes or {})
        self._places = asyncio.Semaphore(size)
        self._idle: list[Driver] = []
        self._closed = False

    async def fetch(self, statement: str, /, **values: Any) -> list[Row]:
        """Every row of a statement that is a transaction of its own."""
        driver = await self._take()
        try:
            return await fetch(driver, statement, **values)
        finally:
            self._give_back(driver)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Driver]:
        """A connection with a transaction, committed on leaving without an error. Raises TimeoutError when none becomes
        free, asyncpg.InterfaceError after the close."""
        driver = await self._take()
        try:
            async with driver.transaction():
                yield driver
        finally:
            self._give_back(driver)

    async def close(self) -> None:
        """Close what is idle; what is in use is closed when it is given back."""
        self._closed = True
        while self._idle:
            await _close(self._idle.pop())

    async def _take(self) -> Driver:
        if self._places.locked():
            async with asyncio.timeout(ACQUIRE_TIMEOUT_SECONDS):
                await self._places.acquire()
        else:
            await self._places.acquire()
        try:
            while self._idle:
                driver = self._idle.pop()
                if not driver.is_closed():
                    return driver
            return await self._connect()
        except BaseException:
            self._places.release()
            raise

    def _give_back(self, driver: Driver) -> None:
        self._places.release()
        if self._closed or driver.is_in_transaction():
            # A block that was cut off in the middle leaves a connection whose state nobody knows.
            driver.terminate()
        elif not driver.is_closed():
            self._idle.append(driver)

    async def _connect(self) -> Driver:
        if self._closed:
            raise asyncpg.InterfaceError("the connections are closed")
        driver: Driver = await asyncpg.connect(
            self._url, timeout=CONNECT_TIMEOUT_SECONDS, server_settings=self._settings
        )
        for name in ("json", "jsonb"):
            await driver.set_type_codec(name, schema="pg_catalog", encoder=str, decoder=from_json)
        return driver


async def _close(driver: Driver) -> None:
    try:
        await driver.close(timeout=CLOSE_TIMEOUT_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        driver.terminate()
