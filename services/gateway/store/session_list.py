"""Somebody's sessions: those that live, and ending them. Wall time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

SHOWN_MAX = 200
SESSIONS_MAX = 50
"""How many sessions an account has at once; a further one ends the one that was used longest ago."""

_LIST = text(
    """
    SELECT session_id AS id, created_at, last_seen_at, expires_at, proof, client
    FROM session
    WHERE subject_id = :subject_id
      AND revoked_at IS NULL
      AND expires_at > :now
      AND last_seen_at + make_interval(secs => idle_seconds) > :now
    ORDER BY last_seen_at DESC, session_id
    LIMIT :limit
    """
)
_END = text(
    """
    UPDATE session SET revoked_at = :now
    WHERE subject_id = :subject_id AND revoked_at IS NULL
      AND (CAST(:only AS uuid) IS NULL OR session_id = CAST(:only AS uuid))
      AND (CAST(:except_for AS uuid) IS NULL OR session_id <> CAST(:except_for AS uuid))
    RETURNING token_hash
    """
)
_END_BEYOND = text(
    """
    UPDATE session SET revoked_at = :now
    WHERE session_id IN (
        SELECT session_id FROM session
        WHERE subject_id = :subject_id
          AND revoked_at IS NULL
          AND expires_at > :now
          AND last_seen_at + make_interval(secs => idle_seconds) > :now
        ORDER BY last_seen_at DESC, created_at DESC, session_id
        OFFSET :kept
    )
    RETURNING token_hash
    """
)


async def list_sessions(connection: AsyncConnection, subject_id: UUID, *, now: datetime) -> Sequence[Mapping[str, Any]]:
    """The sessions of an account that live, the last used first."""
    rows = await connection.execute(_LIST, {"subject_id": subject_id, "now": now, "limit": SHOWN_MAX})
    return [dict(row) for row in rows.mappings()]


async def end_sessions(
    connection: AsyncConnection,
    subject_id: UUID,
    *,
    now: datetime,
    only: UUID | None = None,
    except_for: UUID | None = None,
) -> list[bytes]:
    """End sessions of an account: one, all but one, or all. Returns their tokens' hashes."""
    parameters = {"subject_id": subject_id, "now": now, "only": only, "except_for": except_for}
    return [bytes(row.token_hash) for row in await connection.execute(_END, parameters)]


async def end_sessions_beyond(
    connection: AsyncConnection, subject_id: UUID, *, now: datetime, kept: int = SESSIONS_MAX
) -> list[bytes]:
    """End an account's sessions beyond those that were used last. Returns their tokens' hashes."""
    parameters = {"subject_id": subject_id, "now": now, "kept": kept}
    return [bytes(row.token_hash) for row in await connection.execute(_END_BEYOND, parameters)]
