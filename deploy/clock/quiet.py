"""When is the platform quiet? Outboxes empty, consumers level with their topics, no intent open, nothing due undone.

An intent that waits for a person or for the payment provider's own time does not count: it is answered, or held by an
open case. What this cannot see: a message that a client has not sent yet; the caller pauses new writes first.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from contracts.topics import SERVICES, TOPICS
from deploy.local.addresses import StackAddresses
from services.gateway.store.generations import consumer_name

PROBE_SECONDS = 0.03
NOT_GROUPS = ("operators", "gateway.replies")

_STATE = text(
    """
    SELECT
        (SELECT count(*) FROM outbox WHERE published_at IS NULL) AS unsent,
        (SELECT COALESCE(max(id), 0) FROM outbox) AS last_sent,
        (SELECT count(*) FROM gate WHERE state IN ('gap', 'early', 'resuming')) AS waiting,
        (SELECT count(*) FROM intent WHERE state IN ('recorded', 'attempted') AND NOT waiting
            AND NOT EXISTS (SELECT FROM frozen_scope WHERE frozen_scope.scope = intent.scope)) AS intents,
        (SELECT count(*) FROM deadline WHERE settled_at IS NULL AND acts_at <= stack_now()) AS due
    """
)
_SWEEPABLE = text(
    "SELECT count(*) FROM balance_transaction "
    "WHERE swept_at IS NULL AND scope IS NOT NULL AND available_on <= stack_now()"
)


@dataclass(frozen=True)
class Loudness:
    """What is not done yet, per cause; quiet when all are zero."""

    unsent: int
    lag: int
    waiting: int
    intents: int
    due: int
    standin: int
    sweepable: int

    @property
    def quiet(self) -> bool:
        """Whether nothing is left."""
        return not any((self.unsent, self.lag, self.waiting, self.intents, self.due, self.standin, self.sweepable))

    def words(self) -> str:
        """What is left, for people."""
        named = {
            "messages unsent": self.unsent,
            "messages unread": self.lag,
            "streams waiting": self.waiting,
            "calls open": self.intents,
            "deadlines due": self.due,
            "webhooks undelivered": self.standin,
            "movements not swept": self.sweepable,
        }
        return ", ".join(f"{count} {name}" for name, count in named.items() if count) or "nothing"


class NotQuietError(RuntimeError):
    """The platform did not become quiet in time; the text says what is left."""


class QuietProbe:
    """Asks databases, broker and stand-in; keeps its connections over many probes."""

    def __init__(self, addresses: StackAddresses) -> None:
        self.addresses = addresses
        self.engines: dict[str, AsyncEngine] = {
            service: create_async_engine(addresses.auditor_url(service), pool_size=1) for service in SERVICES
        }
        self._admin: AIOKafkaAdminClient | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._http = httpx.AsyncClient(
            base_url=addresses.stripe_url, headers={"Authorization": f"Bearer {addresses.stripe_key}"}, timeout=30
        )
        self._sent = -1

    async def close(self) -> None:
        """Close every connection."""
        for engine in self.engines.values():
            await engine.dispose()
        if self._admin is not None:
            await self._admin.close()
        if self._consumer is not None:
            await self._consumer.stop()
        await self._http.aclose()

    async def loudness(self) -> Loudness:
        """One probe. Quiet only counts when nothing was written between the first look at the outboxes and the last."""
        before = await self._states()
        lag = await self._lag()
        standin = await self._standin()
        sweepable = await self._count("escrow", _SWEEPABLE)
        after = await self._states()
        moved = int(before[1] != after[1])
        state = after[0]
        return Loudness(
            unsent=state["unsent"] + moved,
            lag=lag,
            waiting=state["waiting"],
            intents=state["intents"],
            due=state["due"],
            standin=standin,
            sweepable=sweepable,
        )

    async def wait(self, timeout_seconds: float) -> None:
        """Wait until the platform is quiet. Raises NotQuietError with what is left."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout_seconds
        pause = PROBE_SECONDS
        while True:
            found = await self.loudness()
            if found.quiet:
                return
            if loop.time() > end:
                raise NotQuietError(f"the platform did not become quiet in {timeout_seconds:.0f} s: {found.words()}")
            await asyncio.sleep(pause)
            pause = min(0.5, pause * 1.2)

    async def _states(self) -> tuple[dict[str, int], tuple[int, ...]]:
        rows = await asyncio.gather(*(self._row(service) for service in SERVICES))
        sums = {name: sum(row[name] for row in rows) for name in ("unsent", "waiting", "intents", "due")}
        return sums, tuple(row["last_sent"] for row in rows)

    async def _row(self, service: str) -> dict[str, int]:
        async with self.engines[service].connect() as connection:
            return dict((await connection.execute(_STATE)).mappings().one())

    async def _count(self, service: str, query: object) -> int:
        async with self.engines[service].connect() as connection:
            return int((await connection.execute(query)).scalar_one())  # type: ignore[call-overload]

    async def _lag(self) -> int:
        """Messages that a named consumer group has not committed yet, over all topics."""
        if self._admin is None or self._consumer is None:
            self._admin = AIOKafkaAdminClient(bootstrap_servers=self.addresses.kafka_bootstrap)
            await self._admin.start()
            self._consumer = AIOKafkaConsumer(bootstrap_servers=self.addresses.kafka_bootstrap)
            await self._consumer.start()
        partitions = {
            topic.name: [TopicPartition(topic.name, number) for number in range(topic.partitions)] for topic in TOPICS
        }
        ends = await self._consumer.end_offsets([each for some in partitions.values() for each in some])
        lag = 0
        for group, topics in (await self._groups()).items():
            committed = await self._admin.list_consumer_group_offsets(group)
            for topic in topics:
                for partition in partitions[topic]:
                    found = committed.get(partition)
                    lag += ends[partition] - max(0, found.offset if found else 0)
        return lag

    async def _groups(self) -> dict[str, list[str]]:
        groups: dict[str, list[str]] = {}
        for topic in TOPICS:
            for consumer in topic.consumers:
                if consumer not in NOT_GROUPS:
                    groups.setdefault(consumer, []).append(topic.name)
        projection = groups.pop("gateway")
        active = text("SELECT number FROM read_generation WHERE state = 'active'")
        groups[consumer_name(await self._count("gateway", active))] = projection
        return groups

    async def _standin(self) -> int:
        if self.addresses.stripe_kind != "stand-in":
            return 0
        answer = (await self._http.get("/_standin/quiet")).json()
        return 0 if answer["quiet"] else max(1, int(answer["undelivered_webhooks"]))
