"""Everything the platform writes, searched for words: topics, databases, logs, traces.

A word is looked for in bytes as they lie there, whatever their letters' case; what is sealed does not show it. Stand-ins
for the outside world (the mailbox, the payment processor) know addresses and are left aside.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from contracts.topics import SERVICES, TOPICS
from deploy.audit.canaries import log_files
from deploy.audit.topics import KafkaTopics
from deploy.local.addresses import StackAddresses
from deploy.local.paths import logs_folder

TRACES_MAX = 3_000
LOOKBACK_MILLISECONDS = 3_600_000

_TABLES = """
SELECT table_schema, table_name FROM information_schema.tables
WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
"""


async def places(addresses: StackAddresses, words: Iterable[str]) -> dict[str, set[str]]:
    """Where each word lies open: `topic campaigns.events`, `table escrow.payment`, `log gateway.log`, `traces`."""
    words = list(words)
    wanted = [word.lower() for word in words]
    found: dict[str, set[str]] = {word: set() for word in wanted}
    for part in (_topics, _tables, _logs, _traces):
        await part(addresses, wanted, found)
    return {word: found[word.lower()] for word in words}


async def _topics(addresses: StackAddresses, words: list[str], found: dict[str, set[str]]) -> None:
    async for record in KafkaTopics(addresses.kafka_bootstrap).read([topic.name for topic in TOPICS]):
        told = b"\n".join([record.body or b"", record.key.encode(), *record.headers.values()]).lower()
        for word in words:
            if word.encode() in told:
                found[word].add(f"topic {record.topic}")


async def _tables(addresses: StackAddresses, words: list[str], found: dict[str, set[str]]) -> None:
    for service in SERVICES:
        engine = create_async_engine(addresses.auditor_url(service), poolclass=NullPool)
        async with engine.connect() as connection:
            for schema, table in (await connection.execute(text(_TABLES))).all():
                query = text(
                    "SELECT word FROM unnest(CAST(:words AS text[])) AS word WHERE EXISTS ("  # noqa: S608 - own names
                    f'SELECT FROM "{schema}"."{table}" AS kept WHERE position(word IN lower(CAST(kept AS text))) > 0)'
                )
                for word in (await connection.execute(query, {"words": words})).scalars():
                    found[word].add(f"table {service}.{table}")
        await engine.dispose()


async def _logs(addresses: StackAddresses, words: list[str], found: dict[str, set[str]]) -> None:
    for path in log_files(logs_folder()):
        with path.open("rb") as file:
            for line in file:
                told = line.lower()
                for word in words:
                    if word.encode() in told:
                        found[word].add(f"log {path.name}")


async def _traces(addresses: StackAddresses, words: list[str], found: dict[str, set[str]]) -> None:
    if not addresses.traces_url:
        return
    query = {"limit": TRACES_MAX, "lookback": LOOKBACK_MILLISECONDS}
    async with httpx.AsyncClient(base_url=addresses.traces_url, timeout=60) as viewer:
        answer = await viewer.get("/api/v2/traces", params=query)
        assert answer.status_code == 200, answer.text
        told = json.dumps(answer.json()).lower()
    for word in words:
        if word in told:
            found[word].add("traces")
