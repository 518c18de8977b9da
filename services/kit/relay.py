"""The relay: sends the outbox to the broker, in sequence, and marks what the broker acknowledged.

One relay per shard at a time: a lease row with an epoch, renewed while it works; a standby takes over when the lease
runs out. One batch is in flight; per stream only the acknowledged prefix is marked, so a failed send never lets a later
event of its stream overtake it for good. A stale relay that wakes can only send duplicates, which the gates skip: its
marking is refused by the epoch. It refuses to run when the topic knows more than its outbox (a restored database).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2

from contracts.topics import events_topic
from services.kit import telemetry
from services.kit.clock import monotonic_seconds
from services.kit.failpoint import failpoint
from services.kit.statements import Direct

LEASE_SECONDS = 10
BATCH_ROWS_MAX = 500
IDLE_POLL_SECONDS = 0.25
STANDBY_POLL_SECONDS = 1.0
RETRY_SECONDS = 1.0
REST_SECONDS = 0.02
REST_ROWS_MIN = 4
"""After a batch of so many rows the relay rests: under load the next one is larger. A single message never waits."""
KEYS_REMEMBERED_MAX = 10_000
TAIL_RECORDS_MAX = 50
TAIL_TIMEOUT_MILLISECONDS = 5000
TAIL_CHECK_TIMEOUT_SECONDS = 10

log = telemetry.logger("kit.relay")

_UNPUBLISHED = """
SELECT id, topic, key, stream, headers, payload FROM outbox WHERE published_at IS NULL ORDER BY id LIMIT :rows_max
"""
_LEASE = """
INSERT INTO relay_lease (shard, holder, epoch, expires_at)
VALUES (:shard, :holder, 1, clock_timestamp() + make_interval(secs => :seconds))
ON CONFLICT (shard) DO UPDATE SET
    epoch = relay_lease.epoch + (relay_lease.holder <> :holder)::int,
    holder = :holder,
    expires_at = clock_timestamp() + make_interval(secs => :seconds)
WHERE relay_lease.holder = :holder OR relay_lease.expires_at < clock_timestamp()
RETURNING epoch
"""
_MARK = """
UPDATE outbox SET published_at = clock_timestamp() WHERE id = ANY(CAST(:ids AS bigint[]))
AND EXISTS (SELECT FROM relay_lease WHERE shard = :shard AND holder = :holder AND epoch = :epoch)
"""
_UNKNOWN = """
SELECT tail.id::text AS id FROM unnest(CAST(:ids AS uuid[])) AS tail (id)
WHERE NOT EXISTS (SELECT FROM outbox WHERE outbox.message_id = tail.id)
"""


class TopicAheadError(RuntimeError):
    """The topic holds events that the outbox does not know: the database was restored to an earlier moment."""


class Relay:
    """The relay of one service's outbox (one shard)."""

    def __init__(
        self,
        *,
        service: str,
        direct: Direct,
        bootstrap: str,
        instance: str,
        prefix: str = "",
        shard: int = 0,
        publishes_events: bool = True,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.service = service
        self._direct = direct
        self.instance = instance
        self.prefix = prefix
        self.shard = shard
        self.lease_seconds = lease_seconds
        self.publishes_events = publishes_events
        self._bootstrap = bootstrap
        self._producer: AIOKafkaProducer | None = None
        self._kick = asyncio.Event()
        self._checked = False
        self.epoch: int | None = None
        self._renewed_at = 0.0

    def kick(self) -> None:
        """There is something to send."""
        self._kick.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Relay until told to stop; a broken broker is waited for."""
        try:
            while not stopping.is_set():
                try:
                    sent = await self.step()
                except (KafkaError, OSError) as error:
                    log.warning("kit.relay.broker", service=self.service, error=type(error).__name__)
                    await self._drop_producer()
                    sent = None
                    await self._sleep(RETRY_SECONDS)
                if sent is not None and REST_ROWS_MIN <= sent < BATCH_ROWS_MAX:
                    await asyncio.sleep(REST_SECONDS)
                if sent == 0:
                    await self._sleep(IDLE_POLL_SECONDS if self.epoch is not None else STANDBY_POLL_SECONDS)
        finally:
            await self._drop_producer()

    async def step(self) -> int:
        """Hold or take the lease and send one batch; returns how many messages were sent."""
        self._kick.clear()
        if not await self._hold_lease():
            return 0
        if not self._checked:
            await self.refuse_if_topic_ahead()
            self._checked = True
        rows = await self._direct.fetch(_UNPUBLISHED, rows_max=BATCH_ROWS_MAX)
        if not rows:
            return 0
        failpoint(f"{self.service}.relay.read")
        acknowledged = await self._send(rows)
        failpoint(f"{self.service}.relay.sent")
        await self._mark(acknowledged)
        return len(acknowledged)

    async def _hold_lease(self) -> bool:
        now = monotonic_seconds()
        if self.epoch is not None and now - self._renewed_at < self.lease_seconds / 3:
            return True
        rows = await self._direct.fetch(_LEASE, shard=self.shard, holder=self.instance, seconds=self.lease_seconds)
        if not rows:
            self.epoch = None
            return False
        self.epoch = rows[0]["epoch"]
        self._renewed_at = now
        return True

    async def _send(self, rows: Sequence[Any]) -> list[int]:
        producer = await self._connected()
        futures = []
        for row in rows:
            headers = [(name, value.encode()) for name, value in row["headers"].items()]
            body = row["payload"].encode() if row["payload"] else None
            futures.append(
                await producer.send(self.prefix + row["topic"], value=body, key=row["key"].encode(), headers=headers)
            )
        results = await asyncio.gather(*futures, return_exceptions=True)
        acknowledged: list[int] = []
        broken: set[str] = set()
        for row, result in zip(rows, results, strict=True):
            stream = row["stream"] or f"no-stream/{row['key']}"
            if isinstance(result, BaseException):
                log.warning("kit.relay.send", service=self.service, topic=row["topic"], error=type(result).__name__)
                broken.add(stream)
            elif stream not in broken:
                acknowledged.append(row["id"])
        if broken:
            await self._drop_producer()
        return acknowledged

    async def _mark(self, ids: list[int]) -> None:
        await self._direct.fetch(_MARK, ids=ids, shard=self.shard, holder=self.instance, epoch=self.epoch)

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                acks="all",
                enable_idempotence=True,
                linger_ms=0,
                max_request_size=1024 * 1024,
                client_id=f"{self.service}-relay",
                partitioner=_partition,
            )
            await producer.start()
            self._producer = producer
        return self._producer

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                await asyncio.wait_for(producer.stop(), timeout=5)
            except (TimeoutError, KafkaError) as error:
                log.warning("kit.relay.stop", service=self.service, error=type(error).__name__)

    async def _sleep(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._kick.wait(), timeout=seconds)
        except TimeoutError:
            return

    async def refuse_if_topic_ahead(self) -> None:
        """Compare the tail of each partition of the own events topic with the outbox. Raises TopicAheadError."""
        if not self.publishes_events:
            return
        # A topic made a moment ago may have no leader yet, and the client then waits long: give up early, be run again.
        unknown = await asyncio.wait_for(
            self._unknown_tail(self.prefix + events_topic(self.service)), timeout=TAIL_CHECK_TIMEOUT_SECONDS
        )
        if unknown:
            raise TopicAheadError(
                f"{self.service}: the topic holds {len(unknown)} events that the outbox does not know; "
                "the database was restored to an earlier moment: run recover before relaying"
            )

    async def _unknown_tail(self, topic: str) -> list[str]:
        consumer = AIOKafkaConsumer(topic, bootstrap_servers=self._bootstrap, enable_auto_commit=False)
        await consumer.start()
        try:
            partitions = sorted(consumer.assignment())
            ends = await consumer.end_offsets(partitions)
            starts = await consumer.beginning_offsets(partitions)
            wanted = 0
            for partition in partitions:
                first = max(starts[partition], ends[partition] - TAIL_RECORDS_MAX)
                consumer.seek(partition, first)
                wanted += ends[partition] - first
            ids: list[str] = []
            seen = 0
            while seen < wanted:
                batch = await consumer.getmany(timeout_ms=TAIL_TIMEOUT_MILLISECONDS)
                if not batch:
                    break
                for records in batch.values():
                    seen += len(records)
                    ids += [v.decode() for record in records for n, v in record.headers if n == "ce_id"]
        finally:
            await consumer.stop()
        if not ids:
            return []
        rows = await self._direct.fetch(_UNKNOWN, ids=ids)
        return [row["id"] for row in rows]


def _partition(key: bytes, partitions: list[int], _available: list[int]) -> int:
    """The partition of a key, the one that every Kafka client gives it."""
    return partitions[_key_hash(key) % len(partitions)]


@lru_cache(maxsize=KEYS_REMEMBERED_MAX)
def _key_hash(key: bytes) -> int:
    """Remembered, because the client computes it in Python and a campaign's messages all have one key."""
    return int(murmur2(key)) & 0x7FFFFFFF
