"""The messages as they were sent: template and version, rendered subject and text, person, cause, channel, result.

A row is unique by cause, person and channel, so that one event is told to one person once. The rendered HTML is not kept
here: it says the same as the text. Rows are gathered and written with one statement at the end of the transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.work import Work

Result = Literal["pending", "sent", "bounced", "no_address", "withheld"]

_CACHE_KEY = "notifications.messages"

_INSERT = text(
    """
    INSERT INTO message (
        message_id, cause_id, cause_type, campaign_id, participant_id, channel, template, template_version,
        subject, body_text, result, event_at, recorded_at, settled_at
    )
    SELECT message_id, cause_id, cause_type, campaign_id, participant_id, 'mail', template, template_version,
           subject, body_text, result, event_at, CAST(:now AS timestamptz),
           CASE WHEN result = 'pending' THEN NULL ELSE CAST(:now AS timestamptz) END
    FROM unnest(
        CAST(:message_ids AS uuid[]), CAST(:cause_ids AS uuid[]), CAST(:cause_types AS text[]),
        CAST(:campaign_ids AS uuid[]), CAST(:participant_ids AS uuid[]), CAST(:templates AS text[]),
        CAST(:versions AS integer[]), CAST(:subjects AS text[]), CAST(:bodies AS text[]), CAST(:results AS text[]),
        CAST(:event_ats AS timestamptz[])
    ) AS rows (
        message_id, cause_id, cause_type, campaign_id, participant_id, template, template_version,
        subject, body_text, result, event_at
    )
    """
)
_NOTICES = text(
    """
    SELECT message_id, campaign_id, template, subject, recorded_at, result
    FROM message
    WHERE participant_id = :participant_id
    ORDER BY recorded_at DESC, message_id
    LIMIT :rows
    """
)
_SETTLE = text(
    """
    UPDATE message
    SET result = :result, settled_at = :now, server_answer = :server_answer
    WHERE message_id = :message_id AND result = 'pending'
    RETURNING message_id
    """
)


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message to be written. `event_at` is when the event it tells happened."""

    message_id: UUID
    cause_id: UUID
    cause_type: str
    campaign_id: UUID
    participant_id: UUID
    template: str
    template_version: int
    subject: str
    body_text: str
    result: Result
    event_at: datetime


def add_message(work: Work, row: MessageRow) -> None:
    """Gather a message for the end of the transaction."""
    _gathered(work).append(row)


async def write_messages(work: Work) -> None:
    """Write the gathered messages."""
    rows = _gathered(work)
    if not rows:
        return
    work.cache[_CACHE_KEY] = []
    await work.connection.execute(
        _INSERT,
        {
            "now": work.now,
            "message_ids": [row.message_id for row in rows],
            "cause_ids": [row.cause_id for row in rows],
            "cause_types": [row.cause_type for row in rows],
            "campaign_ids": [row.campaign_id for row in rows],
            "participant_ids": [row.participant_id for row in rows],
            "templates": [row.template for row in rows],
            "versions": [row.template_version for row in rows],
            "subjects": [row.subject for row in rows],
            "bodies": [row.body_text for row in rows],
            "results": [row.result for row in rows],
            "event_ats": [row.event_at for row in rows],
        },
    )


async def settle_message(work: Work, message_id: UUID, *, result: Result, server_answer: str | None) -> bool:
    """Write the outcome of a pending message; False when it had one already."""
    parameters = {"message_id": message_id, "result": result, "server_answer": server_answer, "now": work.now}
    return (await work.connection.execute(_SETTLE, parameters)).first() is not None


def _gathered(work: Work) -> list[MessageRow]:
    rows: list[MessageRow] = work.cache.setdefault(_CACHE_KEY, [])
    return rows


async def notices_of(connection: AsyncConnection, participant_id: UUID, *, rows_max: int) -> Sequence[Any]:
    """A person's messages, the newest first."""
    rows = await connection.execute(_NOTICES, {"participant_id": participant_id, "rows": rows_max})
    return rows.all()
