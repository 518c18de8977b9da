"""Telling audit records: the same in every service, answered where they were written.

The answer is read in the transaction of the question, so that it holds whatever was committed before. A search by actor
or kind walks the records backwards by their ids; it is asked by a person now and then, and costs the writing nothing. It
cannot tell records whose transaction is still open.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.audit_trail import (
    AUDIT_ROLES,
    AuditFilter,
    AuditRecord,
    AuditRecordsShape,
    ReadAuditShape,
)
from contracts.envelope import message_class
from contracts.errors import Rejected
from services.kit.work import Work

ANSWER_CHARACTERS_MAX = 400_000
"""An answer ends before it outgrows what one message may hold; the rest is asked for again."""

_CONDITIONS = {
    "scope": "scope = :scope",
    "subject": "subject = :subject",
    "actor_id": "actor_id = :actor_id",
    "actor_role": "actor_role = :actor_role",
    "action": "starts_with(action, :action)",
    "from_at": "at >= :from_at",
    "to_at": "at < :to_at",
}
_COLUMNS = (
    "id, at, actor_id, actor_role, action, scope, subject, before, after, reason, cause_id, trace_id, place, hash"
)


async def read_records(
    connection: AsyncConnection, wanted: AuditFilter, *, before_id: int | None, limit: int
) -> tuple[list[AuditRecord], bool]:
    """The records that fit, the newest first, and whether there are older ones."""
    asked: dict[str, Any] = {name: value for name, value in wanted if value is not None}
    conditions = [_CONDITIONS[name] for name in asked]
    if before_id is not None:
        conditions.append("id < :before_id")
        asked["before_id"] = before_id
    query = f"SELECT {_COLUMNS} FROM audit_entry"  # noqa: S608 - constants
    if conditions:
        query += " WHERE " + " AND ".join(conditions)
    statement = text(query + " ORDER BY id DESC LIMIT :rows")
    found = (await connection.execute(statement, {**asked, "rows": limit + 1})).all()
    records: list[AuditRecord] = []
    characters = 0
    for row in found[:limit]:
        record = AuditRecord(**row._mapping)
        characters += len(record.model_dump_json())
        if records and characters > ANSWER_CHARACTERS_MAX:
            break
        records.append(record)
    return records, len(found) > len(records)


async def tell_records(work: Work, message: ReadAuditShape) -> None:
    """Answer a question. Raises Rejected(not_allowed) for a role that may not read the records."""
    if work.actor.role not in AUDIT_ROLES:
        raise Rejected("not_allowed")
    reply = message_class(f"{work.service}.audit_records.v1")
    if reply is None or not issubclass(reply, AuditRecordsShape):
        raise RuntimeError(f"{work.service} has no message for its audit records")
    records, more = await read_records(
        work.connection, message.wanted, before_id=message.before_id, limit=message.limit
    )
    work.reply(reply(question_id=work.cause.id, records=tuple(records), more=more))
