"""Reading the active generation: one pool whose search path is its schema.

Reads run without an explicit transaction (one round trip each); they need no snapshot across statements, because every
answer is made from one statement. A switch to another generation opens a new pool and lets the old one run dry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from services.gateway.store.generations import schema_name
from services.kit.database import CONNECT_TIMEOUT_SECONDS, sql

READ_TIMEOUT_MILLISECONDS = 10_000

Row = Mapping[str, Any]


class ReadModel:
    """The active generation's rows."""

    def __init__(self, url: str, *, generation: int, pool_size: int) -> None:
        self._url = url
        self._pool_size = pool_size
        self.generation = generation
        self._engine = self._open(generation)

    async def all(self, statement: str, **parameters: Any) -> list[Row]:
        """Every row of a statement."""
        async with self._engine.connect() as connection:
            result = await connection.execute(sql(statement), parameters)
            names = list(result.keys())
            return [dict(zip(names, row, strict=True)) for row in result]

    async def one(self, statement: str, **parameters: Any) -> Row | None:
        """The row of a statement that has at most one."""
        rows = await self.all(statement, **parameters)
        return rows[0] if rows else None

    async def switch(self, generation: int) -> None:
        """Read another generation from now on."""
        if generation == self.generation:
            return
        before, self._engine, self.generation = self._engine, self._open(generation), generation
        await before.dispose()

    async def close(self) -> None:
        """Give the connections back."""
        await self._engine.dispose()

    def _open(self, generation: int) -> AsyncEngine:
        return create_async_engine(
            self._url,
            isolation_level="AUTOCOMMIT",
            pool_size=self._pool_size,
            max_overflow=self._pool_size,
            pool_timeout=10,
            connect_args={
                "timeout": CONNECT_TIMEOUT_SECONDS,
                "server_settings": {
                    "application_name": "gateway-reads",
                    "search_path": f"{schema_name(generation)},public",
                    "statement_timeout": str(READ_TIMEOUT_MILLISECONDS),
                    "default_transaction_read_only": "on",
                    "jit": "off",
                },
            },
        )
