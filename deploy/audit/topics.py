"""Reading topics from their first record to their end, partition by partition in sequence, a bounded part in memory.

No consumer group is joined and nothing is committed, so the platform's consumers do not notice. The end is taken when
reading begins; what comes later is not read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition

POLL_MILLISECONDS = 5_000
RECORDS_AT_ONCE_MAX = 2_000
SILENT_POLLS_MAX = 6
"""Polls without a record before the broker is taken to be gone."""


class TopicUnreadableError(RuntimeError):
    """A topic is missing, or the broker stopped answering."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a topic."""

    topic: str
    partition: int
    offset: int
    key: str
    headers: Mapping[str, bytes]
    body: bytes | None
    written_at: float = 0.0
    """When the broker took it, in seconds of wall time since 1970."""

    def header(self, name: str) -> str:
        """A header's text; empty when it is missing."""
        return self.headers.get(name, b"").decode(errors="replace")


class TopicSource(Protocol):
    """Where records come from."""

    def read(self, names: Sequence[str]) -> AsyncIterator[Record]:
        """Every record of these topics, each partition in its sequence."""


@dataclass(frozen=True)
class KafkaTopics:
    """The broker's topics; `prefix` stands before each name."""

    bootstrap: str
    prefix: str = ""

    async def read(self, names: Sequence[str]) -> AsyncIterator[Record]:
        """Every record of these topics up to their present ends. Raises TopicUnreadableError."""
        consumer = AIOKafkaConsumer(
            *[self.prefix + name for name in names],
            bootstrap_servers=self.bootstrap,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_bytes=16 * 1024 * 1024,
            max_partition_fetch_bytes=4 * 1024 * 1024,
        )
        await consumer.start()
        try:
            # Without a group, a client is assigned every partition of the topics it names.
            partitions = sorted(consumer.assignment())
            missing = {self.prefix + name for name in names} - {partition.topic for partition in partitions}
            if missing:
                raise TopicUnreadableError(f"a topic is missing: {', '.join(sorted(missing))}")
            ends = await consumer.end_offsets(partitions)
            left = {partition for partition in partitions if ends[partition] > 0}
            await consumer.seek_to_beginning(*partitions)
            for partition in list(left):
                if await consumer.position(partition) >= ends[partition]:
                    left.discard(partition)
            async for record in self._records(consumer, ends, left):
                yield record
        finally:
            await consumer.stop()

    async def _records(
        self, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int], left: set[TopicPartition]
    ) -> AsyncIterator[Record]:
        silent = 0
        while left:
            batches = await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=RECORDS_AT_ONCE_MAX)
            silent = 0 if batches else silent + 1
            if silent >= SILENT_POLLS_MAX:
                raise TopicUnreadableError(f"the broker gives no more records of {sorted({p.topic for p in left})}")
            for partition, records in batches.items():
                for record in records:
                    if record.offset < ends[partition]:
                        yield Record(
                            topic=partition.topic.removeprefix(self.prefix),
                            partition=partition.partition,
                            offset=record.offset,
                            key=(record.key or b"").decode(errors="replace"),
                            headers=dict(record.headers),
                            body=record.value,
                            written_at=record.timestamp / 1000,
                        )
            for partition in list(left):
                if await consumer.position(partition) >= ends[partition]:
                    left.discard(partition)
