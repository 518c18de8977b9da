"""When is the platform quiet? Outboxes empty, consumers level with their topics, no call open, nothing due undone.

One answer for everybody who waits or judges: a service's own part of it is one query on its database
(`service_state`), asked live by the probe that moves the clock and inside a snapshot by the audit. How far a service
has read is seen live by its committed offsets; in a snapshot, where offsets mean nothing, by its gates and its inbox
(`deploy.audit.levels`). An intent that waits for a person or for the payment provider's own time is not open: it is
answered, or held by an open case; one that a freeze holds back is not either. What this cannot see: a message that a
client has not sent yet; the caller pauses new writes first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from contracts.topics import SERVICES, TOPICS
from deploy.local.addresses import StackAddresses
from services.gateway.store.generations import consumer_name

PROBE_SECONDS = 0.03
PROBE_SECONDS_MAX = 0.5
NOT_GROUPS = ("operators", "gateway.replies")

_SERVICE_STATE = text(
    """
    SELECT
        (SELECT count(*) FROM outbox WHERE published_at IS NULL) AS unsent,
        (SELECT COALESCE(max(id), 0) FROM outbox) AS last_sent,
        (SELECT count(*) FROM gate WHERE state IN ('gap', 'early', 'resuming')) AS waiting,
        (SELECT count(*) FROM intent WHERE state IN ('recorded', 'attempted') AND NOT waiting
            AND NOT EXISTS (SELECT FROM frozen_scope WHERE frozen_scope.scope = intent.scope)) AS calls,
        (SELECT count(*) FROM deadline WHERE settled_at IS NULL AND acts_at <= (SELECT stack_now())) AS due
    """
)
_SWEEPABLE = text(
    "SELECT count(*) FROM balance_transaction "
    "WHERE swept_at IS NULL AND scope IS NOT NULL AND available_on <= (SELECT stack_now())"
)


WORDS = {
    "unsent": "messages to send",
    "waiting": "streams that wait",
    "calls": "calls open",
    "due": "deadlines due",
    "unread": "messages to read",
    "undelivered": "webhooks to deliver",
    "unswept": "movements to sweep",
}
"""What may be left, and how it is said."""


@dataclass(frozen=True, slots=True)
class ServiceState:
    """A service's own part at one moment; `last_sent` is the newest number of its outbox."""

    unsent: int
    last_sent: int
    waiting: int
    calls: int
    due: int


async def service_state(connection: AsyncConnection) -> ServiceState:
    """Ask a service's database, at the moment of the connection's transaction."""
    return ServiceState(**(await connection.execute(_SERVICE_STATE)).mappings().one())


def noise_of(name: str, counts: Mapping[str, int]) -> list[str]:
    """What a service or part has left, in words; empty when nothing is left."""
    return [f"{name} has {count} {WORDS[what]}" for what, count in counts.items() if count]


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

    async def close(self) -> None:
        """Close every connection."""
        for engine in self.engines.values():
            await engine.dispose()
        if self._admin is not None:
            await self._admin.close()
        if self._consumer is not None:
            await self._consumer.stop()
        await self._http.aclose()

    async def noise(self) -> list[str]:
        """One probe: what is left, in words. Quiet only counts when nothing was sent between the first look at the
        outboxes and the last."""
        before = await self._states()
        found = noise_of("the broker", {"unread": await self._lag()})
        found += noise_of("the payment stand-in", {"undelivered": await self._standin()})
        found += noise_of("escrow", {"unswept": await self._count("escrow", _SWEEPABLE)})
        after = await self._states()
        for service, state in after.items():
            moved = int(before[service].last_sent != state.last_sent)
            left = {"unsent": state.unsent + moved, "waiting": state.waiting, "calls": state.calls, "due": state.due}
            found += noise_of(service, left)
        return found

    async def wait(self, timeout_seconds: float) -> None:
        """Wait until the platform is quiet. Raises NotQuietError with what is left."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout_seconds
        pause = PROBE_SECONDS
        while True:
            found = await self.noise()
            if not found:
                return
            if loop.time() > end:
                raise NotQuietError(f"the platform did not become quiet in {timeout_seconds:.0f} s: {'; '.join(found)}")
            await asyncio.sleep(pause)
            pause = min(PROBE_SECONDS_MAX, pause * 1.2)

    async def _states(self) -> dict[str, ServiceState]:
        async def of(service: str) -> ServiceState:
            async with self.engines[service].connect() as connection:
                return await service_state(connection)

        return dict(zip(SERVICES, await asyncio.gather(*map(of, SERVICES)), strict=True))

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
