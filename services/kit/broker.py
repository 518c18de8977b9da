"""The broker's side of a consumer: one FastStream subscriber per service that hands whole batches to the batch handler.

The acknowledgement is manual and comes after the commit; the offset of a batch is never committed before its effects
are. Headers are read by the kit, so that one bad header cannot spoil a batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain
from typing import Any

from aiokafka import ConsumerRecord
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from services.kit import parking, telemetry
from services.kit.batch import BatchHandler
from services.kit.clock import monotonic_seconds
from services.kit.database import is_transient, retry_delay_seconds
from services.kit.failpoint import failpoint
from services.kit.received import Received, Unreadable, read_record
from services.kit.settings import KitSettings

SESSION_TIMEOUT_MILLISECONDS = 10_000
HEARTBEAT_MILLISECONDS = 3_000
MAX_POLL_INTERVAL_MILLISECONDS = 300_000
GETMANY_TIMEOUT_MILLISECONDS = 200
RETRIES_BEFORE_LOUD = 5
REST_SECONDS_MAX = 0.06
REST_RECORDS_MIN = 4
"""After a batch of so many records the consumer rests as long as the batch took, up to the bound: under load the next
batch is larger, and what a transaction costs is paid less often. A single message never waits."""

log = telemetry.logger("kit.broker")


class ClusterMismatchError(RuntimeError):
    """The broker that answers is not the one that was started for this stack."""


def make_broker(settings: KitSettings, *, client_id: str) -> KafkaBroker:
    """A FastStream broker; nothing connects yet. Handlers get records and nothing is injected: finding out what to inject
    costs a turn of the thread pool for each batch."""
    return KafkaBroker(
        settings.kafka,
        client_id=client_id,
        request_timeout_ms=40_000,
        logger=None,
        graceful_timeout=30.0,
        apply_types=False,
    )


async def _unread(records: tuple[ConsumerRecord, ...], original: Any = None) -> Any:
    """A parser that hands the records over unread (FastStream's own decodes headers and would fail a whole batch)."""
    return KafkaMessage(body=b"", headers={}, raw_message=records, consumer=None)  # type: ignore[arg-type]


async def _records_of(message: Any) -> Any:
    """A decoder whose result is the records themselves: the kit reads each by its type."""
    return message.raw_message


def subscribe_records(
    broker: KafkaBroker,
    on_records: Callable[[Sequence[ConsumerRecord]], Awaitable[None]],
    *,
    topics: Sequence[str],
    group: str,
    **options: Any,
) -> Any:
    """Subscribe a function to whole batches of unread records, from a group's first one on; acknowledging is its own
    affair. `options` are FastStream's. Returns FastStream's subscriber."""
    subscription = broker.subscriber(
        *topics,
        batch=True,
        group_id=group,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.MANUAL,
        parser=_unread,
        decoder=_records_of,
        **options,
    )
    subscription(on_records)
    _poll_at_once(subscription)
    return subscription


def _poll_at_once(subscription: Any) -> None:
    """Let a batch subscriber ask for the next records as soon as it has waited for some in vain. FastStream's own sleeps once
    more for the poll's timeout, so that every second message after an idle moment came a tenth of a second late."""

    async def next_records(consumer: Any) -> tuple[ConsumerRecord, ...]:
        found = await consumer.getmany(timeout_ms=subscription.batch_timeout_ms, max_records=subscription.max_records)
        return tuple(chain.from_iterable(found.values()))

    subscription.get_msg = next_records


def subscribe(
    broker: KafkaBroker,
    handler: BatchHandler,
    settings: KitSettings,
    *,
    topics: Sequence[str],
) -> Any:
    """Subscribe a batch handler to topics under its consumer group. Returns FastStream's subscriber."""
    prefix = settings.kafka_prefix

    async def on_records(records: Sequence[ConsumerRecord]) -> None:
        began = monotonic_seconds()
        await _apply_until_done(handler, records, prefix)
        await _commit(subscription.consumer, handler)
        await asyncio.sleep(_rest_seconds(handler, len(records), monotonic_seconds() - began))

    subscription = subscribe_records(
        broker,
        on_records,
        topics=[prefix + topic for topic in topics],
        group=prefix + handler.service.consumer,
        max_records=settings.batch_records_max,
        batch_timeout_ms=GETMANY_TIMEOUT_MILLISECONDS,
        session_timeout_ms=SESSION_TIMEOUT_MILLISECONDS,
        heartbeat_interval_ms=HEARTBEAT_MILLISECONDS,
        max_poll_interval_ms=MAX_POLL_INTERVAL_MILLISECONDS,
        fetch_max_wait_ms=500,
    )
    return subscription


def _rest_seconds(handler: BatchHandler, records: int, took_seconds: float) -> float:
    own = handler.service.rest_seconds
    return max(own, min(REST_SECONDS_MAX, took_seconds)) if records >= REST_RECORDS_MIN else own


async def _apply_until_done(handler: BatchHandler, records: Sequence[ConsumerRecord], prefix: str) -> None:
    """Apply a batch; what fails for a passing reason is tried again for ever, since the offset must not move past it."""
    received: list[Received] = []
    unreadable: list[Unreadable] = []
    for record in records:
        read = read_record(
            record.topic.removeprefix(prefix),
            record.key,
            record.headers,
            record.value,
            partition=record.partition,
            offset=record.offset,
        )
        if isinstance(read, Received):
            received.append(read)
        else:
            unreadable.append(read)
    attempt = 0
    while True:
        try:
            for bad in unreadable:
                await parking.park_unreadable(handler, bad)
            unreadable = []
            await handler.apply(received)
        except Exception as error:
            if handler.stopping.is_set():
                raise
            attempt += 1
            if not is_transient(error) or attempt > RETRIES_BEFORE_LOUD:
                log.error(
                    "kit.batch.failed",
                    consumer=handler.service.consumer,
                    error=f"{type(error).__name__}: {error}"[:500],
                )
            await asyncio.sleep(retry_delay_seconds(attempt))
        else:
            return


async def _commit(consumer: Any, handler: BatchHandler) -> None:
    failpoint(f"{handler.service.name}.before_offset")
    try:
        await consumer.commit()
    except (CommitFailedError, IllegalStateError, KafkaError) as error:
        # The group was rebalanced while the batch was handled: another member sees the messages again, and its gates
        # skip them.
        log.warning("kit.offset.commit", consumer=handler.service.consumer, error=type(error).__name__)
    failpoint(f"{handler.service.name}.after_offset")


async def check_cluster(bootstrap: str, cluster_id: str | None) -> None:
    """Raise ClusterMismatchError when another broker answers at this address."""
    if cluster_id is None:
        return
    from aiokafka.admin import AIOKafkaAdminClient  # a start-up check only

    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answered = (await admin.describe_cluster())["cluster_id"]
    finally:
        await admin.close()
    if answered != cluster_id:
        raise ClusterMismatchError(f"expected cluster {cluster_id}, reached {answered}")
