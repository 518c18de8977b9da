"""Rebuild the read model: a new generation from the first event, beside the old one, compared, switched at once.

The old generation answers every request meanwhile. The two are compared scope by scope (a campaign is a scope) where
both have seen exactly the same events, in one snapshot; a difference stops the switch, because one of the two is wrong
and a person must say which. It needs the owner's role for the new tables; accounts, sessions, kept acts and received
webhooks are no projection and are not touched.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from services.gateway.handlers import TOPICS
from services.gateway.projecting import Projecting
from services.gateway.running import GENERATION_CHANNEL
from services.gateway.store import comparison
from services.gateway.store.generations import (
    active_generation,
    consumer_name,
    create_statements,
    drop_statements,
    grant_statements,
    newest_generation,
)
from services.kit import telemetry
from services.kit.clock import monotonic_seconds
from services.kit.database import create_engine
from services.kit.runtime import Runtime
from services.kit.service import Service
from services.kit.settings import KitSettings

REBUILD_LOCK_KEY = 7_120_312
CATCH_UP_SECONDS_MAX = 3_600.0
COMPARE_SECONDS_MAX = 60.0
POLL_SECONDS = 0.5

log = telemetry.logger("gateway.rebuild")

Report = Callable[[str], None]


class RebuildError(RuntimeError):
    """The rebuild stopped; the active generation is as it was."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did. `moving` are scopes whose two sides never stood at the same event while they were compared;
    `differences` name table, scope and both sides' counts."""

    generation: int
    before: int
    switched: bool
    scopes_compared: int
    moving: tuple[str, ...] = ()
    differences: tuple[str, ...] = field(default=())
    seconds: float = 0.0


async def rebuild(
    owner_url: str,
    settings: KitSettings,
    *,
    app_role: str | None,
    accept_differences: bool = False,
    report: Report = lambda _: None,
) -> Rebuilt:
    """Rebuild and switch. With `accept_differences` the new generation is taken though it differs from the old one.

    Raises RebuildError when another rebuild runs or the events cannot be read in time.
    """
    began = monotonic_seconds()
    owner = create_async_engine(owner_url)
    try:
        async with _only_one(owner):
            before, generation = await _prepare(owner, app_role)
            report(f"generation {generation} is being built beside generation {before}")
            engine = create_engine(settings.database_url.get_secret_value(), application_name="gateway-rebuild")
            running = Runtime(Service(name="gateway", topics=(), poison_policy="stale"), settings, engine)
            projecting = Projecting(running, settings, generation=generation)
            try:
                await projecting.start()
                await _catch_up(settings, generation, report)
                result = await _compare(owner, before, generation, report)
                if not result.differences or accept_differences:
                    await _switch(owner, before, generation)
                    result = replace(result, switched=True)
                    report(f"generation {generation} answers from now on")
            finally:
                await projecting.stop()
                await engine.dispose()
            return replace(result, seconds=monotonic_seconds() - began)
    finally:
        await owner.dispose()


@asynccontextmanager
async def _only_one(owner: AsyncEngine) -> AsyncIterator[None]:
    async with owner.connect() as connection:
        row = await connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": REBUILD_LOCK_KEY})
        if not row.scalar_one():
            raise RebuildError("another rebuild is under way")
        yield


async def _prepare(owner: AsyncEngine, app_role: str | None) -> tuple[int, int]:
    """Make the next generation's tables; remains of an earlier, unfinished rebuild are removed."""
    async with owner.begin() as connection:
        before = await active_generation(connection)
        generation = await newest_generation(connection) + 1
        unfinished = await connection.execute(text("SELECT number FROM read_generation WHERE state = 'building'"))
        for row in unfinished.all():
            await _remove(connection, row.number)
        auditor = (
            await connection.execute(text("SELECT count(*) FROM pg_roles WHERE rolname = 'auditor'"))
        ).scalar_one()
        statements = [
            *create_statements(generation),
            *grant_statements(generation, app_role=app_role, auditor_role="auditor" if auditor else None),
        ]
        for statement in statements:
            await connection.execute(text(statement))
        await connection.execute(
            text("INSERT INTO read_generation (number, state) VALUES (:number, 'building')"), {"number": generation}
        )
    return before, generation


async def _remove(connection: AsyncConnection, generation: int) -> None:
    for statement in drop_statements(generation):
        await connection.execute(text(statement))
    for table in ("gate", "parked", "attempt", "inbox"):
        await connection.execute(
            text(f"DELETE FROM {table} WHERE consumer = :consumer"),  # noqa: S608 - names just above
            {"consumer": consumer_name(generation)},
        )
    await connection.execute(text("DELETE FROM read_generation WHERE number = :number"), {"number": generation})


async def _catch_up(settings: KitSettings, generation: int, report: Report) -> None:
    """Wait until the new generation has read what the topics held when it was asked."""
    partitions = await _partitions(settings)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka,
        group_id=settings.kafka_prefix + consumer_name(generation),
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(partitions)
        deadline = monotonic_seconds() + CATCH_UP_SECONDS_MAX
        told = -1
        while monotonic_seconds() < deadline:
            behind = 0
            for partition in partitions:
                committed = await consumer.committed(partition)
                behind += max(0, ends[partition] - (committed or 0))
            if behind == 0:
                return
            if behind != told:
                told = behind
                report(f"{behind} events to read")
            await asyncio.sleep(POLL_SECONDS)
    finally:
        await consumer.stop()
    raise RebuildError("the events could not be read in time; the active generation is as it was")


async def _partitions(settings: KitSettings) -> list[TopicPartition]:
    """Every partition of the topics that the projection reads."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        described = await admin.describe_topics([settings.kafka_prefix + topic for topic in TOPICS])
    finally:
        await admin.close()
    missing = [topic["topic"] for topic in described if not topic["partitions"]]
    if missing:
        raise RebuildError(f"the topics {', '.join(missing)} do not exist")
    return [TopicPartition(topic["topic"], each["partition"]) for topic in described for each in topic["partitions"]]


async def _compare(owner: AsyncEngine, before: int, generation: int, report: Report) -> Rebuilt:
    """Compare scopes as their two sides come to stand at the same events; stop when all are, or at the bound."""
    compared: set[str] = set()
    differences: set[str] = set()
    moving: set[str] = set()
    deadline = monotonic_seconds() + COMPARE_SECONDS_MAX
    while True:
        async with owner.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ")
            level, moving = await comparison.level_scopes(connection, before, generation)
            fresh = level - compared
            differences |= await comparison.differences(connection, before, generation, scopes=fresh)
        compared |= fresh
        moving -= compared
        if not moving or differences or monotonic_seconds() > deadline:
            break
        await asyncio.sleep(POLL_SECONDS)
    report(f"{len(compared)} scopes compared, {len(differences)} differences, {len(moving)} were moving")
    return Rebuilt(
        generation=generation,
        before=before,
        switched=False,
        scopes_compared=len(compared),
        moving=tuple(sorted(moving)),
        differences=tuple(sorted(differences)),
    )


async def _switch(owner: AsyncEngine, before: int, generation: int) -> None:
    """Make the new generation the active one in one transaction; the one before stays for a look back, older ones go."""
    async with owner.begin() as connection:
        older = await connection.execute(text("SELECT number FROM read_generation WHERE state = 'retired'"))
        for row in older.all():
            await _remove(connection, row.number)
        await connection.execute(
            text("UPDATE read_generation SET state = 'retired' WHERE number = :number"), {"number": before}
        )
        await connection.execute(
            text(
                "UPDATE read_generation SET state = 'active', activated_at = clock_timestamp() WHERE number = :number"
            ),
            {"number": generation},
        )
        await connection.execute(
            text("SELECT pg_notify(:channel, :number)"), {"channel": GENERATION_CHANNEL, "number": str(generation)}
        )
    log.info("gateway.generation.switched", before=before, after=generation)
