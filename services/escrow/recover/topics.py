"""Reading whole topics without a consumer group: recovery leaves no trace in any group's offsets.

What the broker gives is read in the sequence of each partition, up to the end as it was at the beginning of the reading.
It cannot read what a topic's retention has dropped; own events are kept for ever, commands for seven days.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer

from services.escrow.recover.errors import RecoverError
from services.kit.received import Received, Unreadable, read_record

READ_TIMEOUT_MILLISECONDS = 5_000
RECORDS_AT_ONCE_MAX = 2_000
EMPTY_READS_MAX = 6


async def read_topic(bootstrap: str, topic: str, *, prefix: str = "") -> AsyncIterator[list[Received]]:
    """Every readable record of a topic from the first to its present end, in parts. Records whose headers are not ours
    are passed over: they were parked when they first came. Raises RecoverError when the broker gives no more."""
    consumer = AIOKafkaConsumer(
        prefix + topic, bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        places = sorted(consumer.assignment())
        ends = await consumer.end_offsets(places)
        for place, first in (await consumer.beginning_offsets(places)).items():
            consumer.seek(place, first)
        empty = 0
        while any([await consumer.position(place) < ends[place] for place in places]):
            batches = await consumer.getmany(timeout_ms=READ_TIMEOUT_MILLISECONDS, max_records=RECORDS_AT_ONCE_MAX)
            empty = 0 if batches else empty + 1
            if empty >= EMPTY_READS_MAX:
                raise RecoverError("recover_topic_unreadable", f"{topic} gives no more records before its end")
            read = [
                read_record(
                    topic,
                    record.key,
                    record.headers,
                    record.value,
                    partition=record.partition,
                    offset=record.offset,
                )
                for records in batches.values()
                for record in records
            ]
            yield [each for each in read if not isinstance(each, Unreadable)]
    finally:
        await consumer.stop()
