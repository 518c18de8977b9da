"""A world at rest for the audit's tests: its databases to copy and break, its records, its journal."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from contracts.ledger import GENESIS_HASH, canonical_values, chained_hash
from deploy.audit.journal import Line, StandinJournal
from deploy.audit.run import Report, World, run_audit
from deploy.audit.topics import KafkaTopics, Record
from deploy.local.databases import Role, address
from services.escrow.store.invariants import _CHAIN
from services.kit.create_topics import create_topics
from tests.fixtures.infra import PARTS


@dataclass
class Recorded:
    """A journal as it was read, to be tampered with."""

    money: list[Line]
    keyed: list[Line]
    sums: Mapping[str, int]

    async def facts(self) -> AsyncIterator[list[Line]]:
        yield self.money

    async def requests(self) -> AsyncIterator[list[Line]]:
        yield self.keyed

    async def balance(self) -> Mapping[str, int]:
        return self.sums

    def copy(self) -> Recorded:
        return Recorded(json.loads(json.dumps(self.money)), json.loads(json.dumps(self.keyed)), dict(self.sums))


@dataclass(frozen=True)
class Remembered:
    """Records as they were read from the broker, so that a broken copy needs no broker of its own."""

    records: list[Record]

    async def read(self, names: Sequence[str]) -> AsyncIterator[Record]:
        for record in self.records:
            if record.topic in names:
                yield record


@dataclass
class Still:
    """The world at rest: databases by service, the topics' prefix, the journal; copies of it are broken."""

    databases: dict[str, str]
    prefix: str
    journal: Recorded
    live: StandinJournal
    completed: UUID
    closed: UUID
    opened: UUID
    records: list[Record]
    copies: list[str] = field(default_factory=list)

    def world(self, **changes: Any) -> World:
        """What the audit is given."""
        names = self.databases | changes.pop("databases", {})
        given = World(
            databases={service: PARTS.infra.auditor_url(name) for service, name in names.items()},
            topics=Remembered(self.records),
            journal=self.journal,
        )
        return replace(given, **changes)

    @property
    def broker(self) -> KafkaTopics:
        """The topics themselves."""
        return KafkaTopics(PARTS.infra.kafka_bootstrap, self.prefix)

    def copy(self, service: str) -> str:
        """A copy of one service's database; returns its name."""
        name = f"audit_{service}_{uuid4().hex[:10]}"
        PARTS.infra.clone_database(self.databases[service], name)
        self.copies.append(name)
        return name

    async def rows(self, service: str, query: str, **parameters: Any) -> list[Any]:
        """Read one service's database."""
        engine = create_async_engine(PARTS.infra.auditor_url(self.databases[service]), poolclass=NullPool)
        try:
            async with engine.connect() as connection:
                return list((await connection.execute(text(query), parameters)).all())
        finally:
            await engine.dispose()

    async def broken(self, service: str, *statements: str, **parameters: Any) -> World:
        """The world with one database changed past every guard."""
        name = self.copy(service)
        await tamper(name, *statements, **parameters)
        return self.world(databases={service: name})

    async def topics_again(self) -> str:
        """The same records on topics of their own; returns the prefix."""
        prefix = f"a{uuid4().hex[:8]}."
        await create_topics(PARTS.infra.kafka_bootstrap, prefix=prefix)
        async with producing() as producer:
            for record in self.records:
                await producer.send_and_wait(
                    prefix + record.topic,
                    value=record.body,
                    key=record.key.encode(),
                    headers=list(record.headers.items()),
                    partition=record.partition,
                )
        return prefix


async def rewrite_history(database: str, scope: str, *, position: int) -> None:
    """Change a transfer and make every later hash of its scope anew, as somebody who knows the rules could."""
    reader = create_async_engine(PARTS.infra.auditor_url(database), poolclass=NullPool)
    async with reader.connect() as connection:
        given = {"scope": scope, "position": 0, "rows_max": 100_000}
        found = [dict(row._mapping) for row in await connection.execute(_CHAIN, given)]
    await reader.dispose()
    head, changes = GENESIS_HASH, []
    for values in (each for each in found if each["scope"] == scope):
        del values["hash"]
        if values["position"] == position:
            values["reason"] = "rewritten"
        head = chained_hash(head, canonical_values(values))
        if values["position"] >= position:
            changes.append(f"UPDATE ledger_transfer SET hash = '{head}', reason = CASE WHEN position = {position} "
                           f"THEN 'rewritten' ELSE reason END WHERE scope = :s AND position = {values['position']}")  # noqa: S608  # fmt: skip
    await tamper(database, *changes, f"UPDATE ledger_scope SET chain_head = '{head}' WHERE scope = :s", s=scope)


async def tamper(database: str, *statements: str, **parameters: Any) -> None:
    """Change rows as somebody with every right could."""
    admin = PARTS.infra.postgres_admin_url
    role = Role("postgres", "")
    url = address(admin, database, role).replace("//postgres:@", f"//{admin.split('//')[1].split('@')[0]}@")
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SET session_replication_role = replica"))
            for statement in statements:
                wanted = {name: value for name, value in parameters.items() if f":{name}" in statement}
                await connection.execute(text(statement), wanted)
    finally:
        await engine.dispose()


@asynccontextmanager
async def producing() -> AsyncIterator[AIOKafkaProducer]:
    """A producer of nobody's."""
    producer = AIOKafkaProducer(bootstrap_servers=PARTS.infra.kafka_bootstrap, acks="all")
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def audited(world: World) -> Report:
    """The audit of a world at rest, without waiting."""
    return await run_audit(world, wait_seconds=0)


def violated(report: Report) -> dict[str, int]:
    """The invariants that are violated, with their counts."""
    return {name: entry.violations for name, entry in report.findings.entries.items() if entry.violations}


def told(report: Report, invariant: str) -> list[str]:
    """The sentences of an invariant's examples."""
    return [each.what for each in report.findings.entries[invariant].examples]
