"""Read `gateway.replies`: what only a waiting request needs: the bank's address for a confirmation, services' answers.

Each instance reads the whole topic under a group of its own and commits no offset, so that a restart reads again what
is kept for one day. Nothing of it is stored or logged. A reply that cannot be read is dropped: the participant can pay
again while the reservation lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from faststream.kafka import KafkaBroker

from contracts.envelope import Reply, parse
from contracts.escrow import PaymentActionAddress
from services.gateway.settings import GatewaySettings
from services.gateway.usecases.redirects import Redirects
from services.kit import telemetry
from services.kit.broker import subscribe_records
from services.kit.received import Received, read_record

REPLIES_TOPIC = "gateway.replies"

OnAnswer = Callable[[Reply], None]
"""Takes a service's answer to a question."""

log = telemetry.logger("gateway.replies")


def subscribe_replies(
    broker: KafkaBroker, redirects: Redirects, on_answer: OnAnswer, settings: GatewaySettings
) -> None:
    """Subscribe this instance to the replies."""

    async def take_all(records: Sequence[Any]) -> None:
        for record in records:
            take(record, redirects, on_answer)

    topic = settings.kafka_prefix + REPLIES_TOPIC
    subscribe_records(broker, take_all, topics=[topic], group=f"{topic}-{settings.instance}")


def take(record: Any, redirects: Redirects, on_answer: OnAnswer) -> None:
    """Remember the address in one record, hand on an answer; anything else is passed over."""
    read = read_record(
        record.topic, record.key, record.headers, record.value, partition=record.partition, offset=record.offset
    )
    if not isinstance(read, Received) or read.body is None:
        return
    try:
        reply = parse(read.envelope.type, read.body)
    except ValueError:
        log.warning("gateway.reply.unreadable", message_id=str(read.envelope.id))
        return
    if isinstance(reply, PaymentActionAddress):
        redirects.remember(reply)
    elif isinstance(reply, Reply):
        on_answer(reply)
