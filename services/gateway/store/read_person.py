"""What the gateway keeps of one person, for that person: accounts, sessions, acts, reports of faults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.gateway.store.read_model import ReadModel, Row
from services.kit.database import sql

ROWS_MAX = 5_000
"""Rows of one part. One more is read, which tells that there are more."""

_ACCOUNT = "SELECT subject_id, role, supplier_id, label, created_at FROM account WHERE subject_id = :subject_id"
_SESSIONS = """
SELECT created_at, last_seen_at, expires_at, revoked_at AS ended_at, client FROM session
WHERE subject_id = :subject_id ORDER BY created_at DESC LIMIT :rows
"""
_PASSKEYS = """
SELECT name, created_at, last_used_at FROM passkey WHERE subject_id = :subject_id ORDER BY created_at LIMIT :rows
"""
_INVITATIONS = """
SELECT campaign_id, created_at, expires_at, used_at, revoked_at FROM member_invitation
WHERE issued_by = :subject_id ORDER BY created_at DESC LIMIT :rows
"""
_TOKENS = """
SELECT scopes, created_at, expires_at, last_used_at FROM access_token
WHERE subject_id = :subject_id ORDER BY created_at DESC LIMIT :rows
"""
_ACTS = """
SELECT kind, resource_type, resource_id, campaign_id, received_at FROM operation
WHERE actor_id = :subject_id ORDER BY created_at DESC LIMIT :rows
"""
_ISSUES = """
SELECT i.id, i.campaign_id, i.commitment_id, i.state, t.description, i.reported_at, i.decided_at
FROM issue AS i
LEFT JOIN public.issue_text AS t ON t.issue_id = i.id
WHERE i.participant_id = :subject_id ORDER BY i.reported_at DESC LIMIT :rows
"""


async def own_account(connection: AsyncConnection, subject_id: UUID) -> Any:
    """The account's row."""
    return (await connection.execute(sql(_ACCOUNT), {"subject_id": subject_id})).one()


async def own_sessions(connection: AsyncConnection, subject_id: UUID) -> Sequence[Any]:
    """The person's sessions, without anything that could be used as one."""
    return (await connection.execute(sql(_SESSIONS), {"subject_id": subject_id, "rows": ROWS_MAX + 1})).all()


async def own_passkeys(connection: AsyncConnection, subject_id: UUID) -> Sequence[Any]:
    """The person's passkeys by the names that the person gave them."""
    return (await connection.execute(sql(_PASSKEYS), {"subject_id": subject_id, "rows": ROWS_MAX + 1})).all()


async def own_invitations(connection: AsyncConnection, subject_id: UUID) -> Sequence[Any]:
    """The invitations that the person issued; who used them is somebody else's data."""
    return (await connection.execute(sql(_INVITATIONS), {"subject_id": subject_id, "rows": ROWS_MAX + 1})).all()


async def own_tokens(connection: AsyncConnection, subject_id: UUID) -> Sequence[Any]:
    """The person's access tokens, without anything that could be used as one."""
    return (await connection.execute(sql(_TOKENS), {"subject_id": subject_id, "rows": ROWS_MAX + 1})).all()


async def own_acts(connection: AsyncConnection, subject_id: UUID) -> Sequence[Any]:
    """What the person asked for, the newest first."""
    return (await connection.execute(sql(_ACTS), {"subject_id": subject_id, "rows": ROWS_MAX + 1})).all()


async def own_issues(reads: ReadModel, subject_id: UUID) -> Sequence[Row]:
    """The faults that the person reported, with their texts."""
    return await reads.all(_ISSUES, subject_id=subject_id, rows=ROWS_MAX + 1)
