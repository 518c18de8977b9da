"""Send kept events of a stream again: a consumer saw a gap longer than its patience."""

from __future__ import annotations

from contracts.common import RepublishEventsShape
from contracts.envelope import Message
from services.kit.database import sql
from services.kit.work import Work

REPUBLISH_SUFFIX = ".republish_events.v1"
REPUBLISH_ROWS_MAX = 10_000


async def republish(work: Work, message: Message | None) -> None:
    """Mark the asked events of our own stream as unsent; the relay sends them again with the same ids and numbers."""
    if not isinstance(message, RepublishEventsShape) or not message.stream.startswith(f"{work.service}:"):
        return
    await work.connection.execute(
        sql(
            "UPDATE outbox SET published_at = NULL WHERE stream = :stream AND seq BETWEEN :low AND :high "
            "AND published_at IS NOT NULL"
        ),
        {
            "stream": message.stream,
            "low": message.from_seq,
            "high": min(message.to_seq, message.from_seq + REPUBLISH_ROWS_MAX),
        },
    )
