"""Write what a Work has gathered, in bulk, at the end of its transaction: one statement per table.

Sequence matters in one place: cases come first, because a case that is really new publishes an event, and the stream
heads come last, when every event has its number.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.envelope import canonical_json
from services.kit.buffers import OutboxRow, acts_at
from services.kit.database import sql
from services.kit.failpoint import failpoint
from services.kit.statements import Connection, fetch
from services.kit.work import Work, case_id

NOTIFY_CHANNEL = "outbox"

_INSERT_OUTBOX = """
WITH inserted AS (
    INSERT INTO outbox (message_id, topic, key, type, stream, seq, headers, payload)
    SELECT message_id, topic, key, type, stream, seq, headers::jsonb, payload
    FROM unnest(
        CAST(:message_ids AS uuid[]), CAST(:topics AS text[]), CAST(:keys AS text[]), CAST(:types AS text[]),
        CAST(:streams AS text[]), CAST(:seqs AS bigint[]), CAST(:headers AS text[]), CAST(:payloads AS text[])
    ) WITH ORDINALITY AS rows (message_id, topic, key, type, stream, seq, headers, payload, position)
    ORDER BY position
)
SELECT pg_notify(:channel, '')
"""
_INSERT_DEADLINES = sql(
    """
    INSERT INTO deadline (id, kind, scope, subject, due_at, acts_at, payload, traceparent, correlation_id)
    SELECT gen_random_uuid(), kind, scope, subject, due_at, acts_at, payload::jsonb, traceparent, correlation_id
    FROM unnest(
        CAST(:kinds AS text[]), CAST(:scopes AS text[]), CAST(:subjects AS text[]), CAST(:dues AS timestamptz[]),
        CAST(:acts AS timestamptz[]), CAST(:payloads AS text[]), CAST(:traceparents AS text[]),
        CAST(:correlations AS uuid[])
    ) AS rows (kind, scope, subject, due_at, acts_at, payload, traceparent, correlation_id)
    ORDER BY kind, subject
    ON CONFLICT (kind, subject) DO UPDATE SET
        scope = EXCLUDED.scope, due_at = EXCLUDED.due_at, acts_at = EXCLUDED.acts_at, payload = EXCLUDED.payload,
        traceparent = EXCLUDED.traceparent, correlation_id = EXCLUDED.correlation_id,
        settled_at = NULL, outcome = NULL
    """
)
_DELETE_DEADLINES = sql(
    """
    DELETE FROM deadline USING unnest(CAST(:kinds AS text[]), CAST(:subjects AS text[])) AS rows (kind, subject)
    WHERE deadline.kind = rows.kind AND deadline.subject = rows.subject
    """
)
_INSERT_INTENTS = sql(
    """
    INSERT INTO intent (
        id, purpose, object_id, ordinal, scope, request, secret, recorded_at,
        cause_id, correlation_id, received_at, traceparent
    )
    SELECT id, purpose, object_id, ordinal, scope, request::jsonb, secret, :now,
           cause_id, correlation_id, received_at, traceparent
    FROM unnest(
        CAST(:ids AS uuid[]), CAST(:purposes AS text[]), CAST(:objects AS text[]), CAST(:ordinals AS integer[]),
        CAST(:scopes AS text[]), CAST(:requests AS text[]), CAST(:secrets AS text[]), CAST(:causes AS uuid[]),
        CAST(:correlations AS uuid[]), CAST(:received AS timestamptz[]), CAST(:traceparents AS text[])
    ) AS rows (
        id, purpose, object_id, ordinal, scope, request, secret, cause_id, correlation_id, received_at, traceparent
    )
    ON CONFLICT DO NOTHING
    """
)
_INSERT_AUDITS = sql(
    """
    INSERT INTO audit_entry (
        at, actor_id, actor_role, action, scope, subject, before, after, reason, cause_id, trace_id
    )
    SELECT at, actor_id, actor_role, action, scope, subject, before::jsonb, after::jsonb, reason, cause_id, trace_id
    FROM unnest(
        CAST(:at AS timestamptz[]), CAST(:actor_id AS text[]), CAST(:actor_role AS text[]), CAST(:action AS text[]),
        CAST(:scope AS text[]), CAST(:subject AS text[]), CAST(:before AS text[]), CAST(:after AS text[]),
        CAST(:reason AS text[]), CAST(:cause_id AS uuid[]), CAST(:trace_id AS text[])
    ) AS rows (at, actor_id, actor_role, action, scope, subject, before, after, reason, cause_id, trace_id)
    """
)


async def flush(work: Work, *, head_table: str) -> None:
    """Write everything the Work holds. Called once, just before the commit."""
    await work.session.flush()
    buffers = work.buffers
    await _write_cases(work)
    if buffers.unscheduled:
        pairs = sorted(buffers.unscheduled)
        await work.connection.execute(
            _DELETE_DEADLINES, {"kinds": [kind for kind, _ in pairs], "subjects": [subject for _, subject in pairs]}
        )
    await _write_deadlines(work)
    await _write_intents(work)
    await write_audits(work)
    if work.touched_heads:
        await write_heads(work, head_table)
    if buffers.outbox:
        await insert_outbox(work.connection, buffers.outbox)
    failpoint(f"{work.service}.before_commit")


async def insert_outbox(connection: Connection, rows: list[OutboxRow]) -> None:
    """Insert messages to be sent, in the given sequence, and wake the relay when they are committed."""
    await fetch(
        connection,
        _INSERT_OUTBOX,
        message_ids=[row.message_id for row in rows],
        topics=[row.topic for row in rows],
        keys=[row.key for row in rows],
        types=[row.type for row in rows],
        streams=[row.stream for row in rows],
        seqs=[row.seq for row in rows],
        headers=[to_json(row.headers).decode() for row in rows],
        payloads=[row.payload for row in rows],
        channel=NOTIFY_CHANNEL,
    )


async def _write_cases(work: Work) -> None:
    cases = list(work.buffers.cases.values())
    work.buffers.cases.clear()
    for case in cases:
        nth = (
            await work.connection.execute(
                sql("SELECT count(*) FROM cases WHERE kind = :kind AND subject = :subject"),
                {"kind": case["kind"], "subject": case["subject"]},
            )
        ).scalar_one()
        identity = case_id(work.service, case["kind"], case["subject"], nth + 1)
        made = (
            await work.connection.execute(
                sql(
                    "INSERT INTO cases (case_id, kind, scope, subject, severity, blocking, facts, opened_at) "
                    "VALUES (:case_id, :kind, :scope, :subject, :severity, :blocking, CAST(:facts AS jsonb), :now) "
                    "ON CONFLICT DO NOTHING RETURNING case_id"
                ),
                {
                    **{name: case[name] for name in ("kind", "scope", "subject", "severity", "blocking")},
                    "case_id": identity,
                    "facts": json.dumps(case["facts"]),
                    "now": work.now,
                },
            )
        ).one_or_none()
        if made is None:
            continue
        if case["blocking"]:
            await freeze(work.connection, identity, case["scope"], work.service)
        if case["cause"] is not None:
            work.for_cause(case["cause"])
        work.publish_case_opened(identity, case)
        if case["cause"] is not None:
            work.audit(
                "case.opened",
                scope=case["scope"],
                subject=case["subject"],
                before=None,
                after={"case": "open", "case_id": str(identity), "kind": case["kind"], "blocking": case["blocking"]},
            )


async def freeze(connection: AsyncConnection, identity: Any, scope: str, service: str) -> None:
    """Record that a blocking case holds a scope."""
    await connection.execute(
        sql(
            "INSERT INTO frozen_scope (case_id, scope, service, frozen_at) "
            "VALUES (:case_id, :scope, :service, stack_now()) ON CONFLICT DO NOTHING"
        ),
        {"case_id": identity, "scope": scope, "service": service},
    )


async def _write_deadlines(work: Work) -> None:
    rows = list(work.buffers.deadlines.values())
    if not rows:
        return
    await work.connection.execute(
        _INSERT_DEADLINES,
        {
            "kinds": [row.kind for row in rows],
            "scopes": [row.scope for row in rows],
            "subjects": [row.subject for row in rows],
            "dues": [row.due_at for row in rows],
            "acts": [acts_at(row) for row in rows],
            "payloads": [json.dumps(row.payload) for row in rows],
            "traceparents": [row.traceparent for row in rows],
            "correlations": [row.correlation_id for row in rows],
        },
    )


async def _write_intents(work: Work) -> None:
    rows = list(work.buffers.intents.values())
    if not rows:
        return
    await work.connection.execute(
        _INSERT_INTENTS,
        {
            "now": work.now,
            "ids": [row.id for row in rows],
            "purposes": [row.purpose for row in rows],
            "objects": [row.object_id for row in rows],
            "ordinals": [row.ordinal for row in rows],
            "scopes": [row.scope for row in rows],
            "requests": [json.dumps(row.request) for row in rows],
            "secrets": [row.secret for row in rows],
            "causes": [row.cause.id for row in rows],
            "correlations": [row.cause.correlation_id or row.cause.id for row in rows],
            "received": [row.cause.received_at for row in rows],
            "traceparents": [row.cause.traceparent for row in rows],
        },
    )


async def write_audits(work: Work) -> None:
    """Write the audit rows gathered so far; before a statement that writes some of its own, so that they follow."""
    rows = work.buffers.audits
    if not rows:
        return
    names = ("at", "actor_id", "actor_role", "action", "scope", "subject", "reason", "cause_id", "trace_id")
    columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in names}
    for name in ("before", "after"):
        columns[name] = [None if row[name] is None else canonical_json(row[name]).decode() for row in rows]
    await work.connection.execute(_INSERT_AUDITS, columns)
    rows.clear()


async def write_heads(work: Work, head_table: str) -> None:
    """Store the new last numbers of the streams this transaction wrote to."""
    scopes = sorted(work.touched_heads)
    await work.connection.execute(
        sql(
            f"UPDATE {head_table} AS head SET seq = rows.seq "  # noqa: S608 - a service's constant
            "FROM unnest(CAST(:streams AS text[]), CAST(:seqs AS bigint[])) AS rows (stream, seq) "
            "WHERE head.stream = rows.stream"
        ),
        {
            "streams": [f"{work.service}:{scope}" for scope in scopes],
            "seqs": [work.head(scope) for scope in scopes],
        },
    )
