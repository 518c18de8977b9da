"""Accepted acts and received webhooks: what the gateway stores in the transaction that accepts them.

Key, actor, request hash, operation and the outbox commands are one transaction, so that an act is either accepted whole
or not at all. Kept acts are never changed; keys of money acts never expire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.gateway.domain.operation import KINDS, Operation
from services.kit.statements import Connection, fetch

ATTEMPTS_MAX = 20
PAUSE_LOCK_KEY = 7_120_311
"""Advisory lock: acts hold it shared while they are stored; whoever pauses the clock takes it once exclusively after
setting the pause, and then knows that no act is still being stored."""


@dataclass(frozen=True, slots=True)
class StackClock:
    """The stack's clock as the gateway's database sees it."""

    now: datetime
    paused: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """An act as stored, with the hash of the request that it belongs to."""

    operation: Operation
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class NewOperation:
    """An act to be stored."""

    operation: Operation
    key: str
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class NewPspEvent:
    """A verified webhook to be stored."""

    id: str
    type: str
    scope: str
    signed_at: datetime


_COLUMNS = "id, actor_id, request_hash, kind, resource_id, campaign_id, attempt, baseline, received_at"

_INSERT_OPERATIONS = """
INSERT INTO operation (
    id, actor_id, idempotency_key, request_hash, kind, resource_type, resource_id, campaign_id, attempt, baseline,
    received_at
)
SELECT id, actor_id, key, request_hash, kind, resource_type, resource_id, campaign_id, attempt, baseline, :now
FROM unnest(
    CAST(:ids AS uuid[]), CAST(:actors AS uuid[]), CAST(:keys AS text[]), CAST(:hashes AS bytea[]),
    CAST(:kinds AS text[]), CAST(:types AS text[]), CAST(:resources AS uuid[]), CAST(:campaigns AS uuid[]),
    CAST(:attempts AS integer[]), CAST(:baselines AS integer[])
) AS rows (
    id, actor_id, key, request_hash, kind, resource_type, resource_id, campaign_id, attempt, baseline
)
ORDER BY id
ON CONFLICT DO NOTHING
RETURNING id
"""
_SELECT_OPERATIONS = f"SELECT {_COLUMNS} FROM operation WHERE id = ANY(CAST(:ids AS uuid[]))"  # noqa: S608
_BUMP_ATTEMPT = """
INSERT INTO payment_attempt AS old (commitment_id, attempts) VALUES (:commitment_id, 2)
ON CONFLICT (commitment_id) DO UPDATE SET attempts = old.attempts + 1 WHERE old.attempts < :attempts_max
RETURNING attempts
"""
_INSERT_ISSUE_TEXTS = """
INSERT INTO issue_text (issue_id, participant_id, description)
SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:participants AS uuid[]), CAST(:texts AS text[]))
ON CONFLICT DO NOTHING
"""
_INSERT_PSP_EVENTS = """
INSERT INTO psp_event (id, type, scope, signed_at, received_at)
SELECT id, type, scope, signed_at, :now
FROM unnest(
    CAST(:ids AS text[]), CAST(:types AS text[]), CAST(:scopes AS text[]), CAST(:signed AS timestamptz[])
) AS rows (id, type, scope, signed_at)
ORDER BY id
ON CONFLICT DO NOTHING
RETURNING id
"""


async def hold_clock(connection: Connection) -> StackClock:
    """Read the stack's clock for acts that are stored in this transaction, and keep it from being moved meanwhile."""
    # The lock is a statement of its own: a statement that waited for it would still read the older row.
    await fetch(connection, "SELECT pg_advisory_xact_lock_shared(:key)", key=PAUSE_LOCK_KEY)
    return await read_clock(connection)


async def read_clock(connection: Connection) -> StackClock:
    """The stack's clock now."""
    (row,) = await fetch(connection, "SELECT stack_now() AS now, paused FROM stack_clock")
    return StackClock(row["now"], row["paused"])


async def insert_operations(connection: Connection, operations: Sequence[NewOperation], *, now: datetime) -> set[UUID]:
    """Store acts; those known already are passed over. Returns the ids of the new ones."""
    rows = await fetch(
        connection,
        _INSERT_OPERATIONS,
        now=now,
        ids=[new.operation.id for new in operations],
        actors=[new.operation.actor_id for new in operations],
        keys=[new.key for new in operations],
        hashes=[new.request_hash for new in operations],
        kinds=[new.operation.kind for new in operations],
        types=[KINDS[new.operation.kind].resource_type for new in operations],
        resources=[new.operation.resource_id for new in operations],
        campaigns=[new.operation.campaign_id for new in operations],
        attempts=[new.operation.attempt for new in operations],
        baselines=[new.operation.baseline for new in operations],
    )
    return {row["id"] for row in rows}


async def stored_operations(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Stored]:
    """Acts by their ids."""
    rows = await fetch(connection, _SELECT_OPERATIONS, ids=list(ids))
    return {row["id"]: Stored(_operation(row), bytes(row["request_hash"])) for row in rows}


async def next_attempt(connection: Connection, commitment_id: UUID) -> int | None:
    """Count one more card for a commitment (the first came with the join); None when the bound is reached."""
    rows = await fetch(connection, _BUMP_ATTEMPT, commitment_id=commitment_id, attempts_max=ATTEMPTS_MAX)
    return int(rows[0]["attempts"]) if rows else None


async def insert_issue_texts(connection: Connection, texts: Sequence[tuple[UUID, UUID, str]]) -> None:
    """Keep what participants wrote about faults (issue, participant, description); events carry a digest only."""
    await fetch(
        connection,
        _INSERT_ISSUE_TEXTS,
        ids=[issue_id for issue_id, _, _ in texts],
        participants=[participant_id for _, participant_id, _ in texts],
        texts=[description for _, _, description in texts],
    )


async def insert_psp_events(connection: Connection, events: Sequence[NewPspEvent], *, now: datetime) -> set[str]:
    """Store verified webhooks; a duplicate changes nothing. Returns the ids of the new ones."""
    rows = await fetch(
        connection,
        _INSERT_PSP_EVENTS,
        now=now,
        ids=[event.id for event in events],
        types=[event.type for event in events],
        scopes=[event.scope for event in events],
        signed=[event.signed_at for event in events],
    )
    return {row["id"] for row in rows}


def _operation(row: Mapping[str, Any]) -> Operation:
    names = ("id", "actor_id", "kind", "resource_id", "campaign_id", "attempt", "baseline", "received_at")
    return Operation(**{name: row[name] for name in names})
