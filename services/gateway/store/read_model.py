"""Reading the active generation: one pool whose search path is its schema.

Reads run without an explicit transaction (one round trip each); they need no snapshot across statements, because every
answer is made from one statement. A switch to another generation opens a new pool and lets the old one run dry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asyncpg

from services.gateway.store.generations import schema_name
from services.kit.statements import Direct

READ_TIMEOUT_MILLISECONDS = 10_000
READERS_FACTOR = 2
"""Readers beside writers: a slow list must not keep a page waiting."""

Row = Mapping[str, Any]


class ReadModel:
    """The active generation's rows."""

    def __init__(self, url: str, *, generation: int, pool_size: int) -> None:
        self._url = url
        self._pool_size = pool_size
        self.generation = generation
        self._direct = self._open(generation)

    async def all(self, statement: str, **parameters: Any) -> list[Row]:
        """Every row of a statement."""
        direct = self._direct
        try:
            rows = await direct.fetch(statement, **parameters)
        except asyncpg.InterfaceError:
            if direct is self._direct:
                raise
            # The generation was switched while this read waited for a connection of the old one.
            rows = await self._direct.fetch(statement, **parameters)
        return [dict(row) for row in rows]

    async def one(self, statement: str, **parameters: Any) -> Row | None:
        """The row of a statement that has at most one."""
        rows = await self.all(statement, **parameters)
        return rows[0] if rows else None

    async def switch(self, generation: int) -> None:
        """Read another generation from now on."""
        if generation == self.generation:
            return
        before, self._direct, self.generation = self._direct, self._open(generation), generation
        await before.close()

    async def close(self) -> None:
        """Give the connections back."""
        await self._direct.close()

    def _open(self, generation: int) -> Direct:
        return Direct(
            self._url,
            size=self._pool_size * READERS_FACTOR,
            application_name="gateway-reads",
            changes={
                "search_path": f"{schema_name(generation)},public",
                "statement_timeout": str(READ_TIMEOUT_MILLISECONDS),
                "default_transaction_read_only": "on",
                "enable_seqscan": "on",
            },
        )
