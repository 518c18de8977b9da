"""One moment of the five databases: a read-only transaction each, held open for the whole audit.

What is compared inside one database is compared at one moment, whatever goes on meanwhile. Two databases are two
moments, a few milliseconds apart; what is compared across them is judged on a quiet platform only, or up to numbers
that both sides name. Escrow is read before campaigns, which it follows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from contracts.topics import TOPICS
from services.gateway.store.generations import consumer_name, schema_name

SEQUENCE = ("notifications", "gateway", "suppliers", "escrow", "campaigns")
"""In which sequence the moments are taken: followers first, so that what they know is known to whom they follow."""

STREAM_ROWS_AT_ONCE = 2_000
"""Rows fetched at once when a result is streamed."""

HEAD_TABLES = {"escrow": "ledger_scope"}
"""Services whose stream heads lie in a table of their own."""

WITHOUT_GATES = frozenset({"operators", "gateway.replies"})


@dataclass(frozen=True)
class Snapshot:
    """Open read-only transactions by service."""

    connections: Mapping[str, AsyncConnection]
    read_model: int
    now: datetime
    """Stack time at the snapshot."""
    taken_at: float
    """When the first of the moments was taken, in seconds of wall time since 1970."""

    def of(self, service: str) -> AsyncConnection:
        """The connection to a service's database."""
        return self.connections[service]

    @property
    def read_schema(self) -> str:
        """The schema of the read model that answers."""
        return schema_name(self.read_model)

    def consumer(self, service: str) -> str:
        """The consumer group under which a service's gates stand."""
        return consumer_name(self.read_model) if service == "gateway" else service


async def rows(connection: AsyncConnection, query: str, **parameters: Any) -> list[dict[str, Any]]:
    """All rows of a query whose result is small."""
    return [dict(row) for row in (await connection.execute(text(query), parameters)).mappings()]


async def value(connection: AsyncConnection, query: str, **parameters: Any) -> Any:
    """The one value of a query."""
    return (await connection.execute(text(query), parameters)).scalar_one()


async def stream(connection: AsyncConnection, query: str, **parameters: Any) -> AsyncIterator[Any]:
    """The rows of a query of any size, a bounded number in memory."""
    result = await connection.stream(
        text(query), parameters, execution_options={"yield_per": STREAM_ROWS_AT_ONCE, "stream_results": True}
    )
    async for row in result:
        yield row


@asynccontextmanager
async def take_snapshot(databases: Mapping[str, str]) -> AsyncIterator[Snapshot]:
    """Open a snapshot of the databases named by service; the addresses need the right to read only."""
    async with AsyncExitStack() as stack:
        connections: dict[str, AsyncConnection] = {}
        for service in SEQUENCE:
            engine = create_async_engine(databases[service], poolclass=NullPool)
            stack.push_async_callback(engine.dispose)
            connection = await stack.enter_async_context(engine.connect())
            await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            # The first statement takes the moment. A large campaign's sums may sort in memory.
            await connection.execute(text("SELECT set_config('work_mem', '64MB', true)"))
            connections[service] = connection
        number = await value(connections["gateway"], "SELECT number FROM read_generation WHERE state = 'active'")
        now = await value(connections["escrow"], "SELECT stack_now()")
        taken_at = await value(
            connections[SEQUENCE[0]], "SELECT CAST(extract(epoch FROM transaction_timestamp()) AS double precision)"
        )
        yield Snapshot(connections, int(number), now, float(taken_at))


async def heads(snapshot: Snapshot, service: str) -> dict[str, int]:
    """The last number of each stream of a service."""
    table = HEAD_TABLES.get(service, "stream_head")
    found = await rows(snapshot.of(service), f"SELECT stream, seq FROM {table} WHERE seq > 0")  # noqa: S608 - a constant
    return {row["stream"]: row["seq"] for row in found}


def followers(producer: str) -> list[str]:
    """The services whose gates follow a producer's events."""
    name = f"{producer}.events"
    return [
        consumer
        for topic in TOPICS
        if topic.name == name
        for consumer in topic.consumers
        if consumer not in WITHOUT_GATES
    ]


def event_producers() -> list[str]:
    """The services that tell events."""
    return [topic.producer for topic in TOPICS if topic.name.endswith(".events")]
