"""Ending sessions, tokens and ways of signing in from outside of them: by the operator, not by the person. Wall time.

Every gateway is told in the same transaction. It removes nothing that tells what an account did.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

LOOKUP_BYTES = 32

_END = text(
    """
    WITH ended AS (
        UPDATE session SET revoked_at = :now
        WHERE revoked_at IS NULL AND (CAST(:subject_id AS uuid) IS NULL OR subject_id = CAST(:subject_id AS uuid))
        RETURNING subject_id, token_hash
    )
    SELECT subject_id, count(pg_notify(:channel, encode(token_hash, 'hex'))) AS ended FROM ended GROUP BY subject_id
    """
)
_END_TOKENS = text(
    """
    WITH ended AS (
        DELETE FROM access_token
        WHERE (CAST(:subject_id AS uuid) IS NULL OR subject_id = CAST(:subject_id AS uuid)) RETURNING subject_id
    )
    SELECT subject_id, count(*) AS ended FROM ended GROUP BY subject_id
    """
)
_END_FEEDS = text(
    """
    DELETE FROM calendar_feed
    WHERE (CAST(:subject_id AS uuid) IS NULL OR subject_id = CAST(:subject_id AS uuid)) RETURNING subject_id, 1 AS ended
    """
)
_FACTORS = tuple(
    text(f"DELETE FROM {table} WHERE subject_id = :subject_id")  # noqa: S608 - constants
    for table in ("passkey", "authenticator", "recovery_code")
)
_CODES = text(
    "DELETE FROM mail_code WHERE email_lookup = (SELECT email_lookup FROM account WHERE subject_id = :subject_id)"
)
_FORGET_ADDRESS = text("UPDATE account SET email_lookup = :nothing WHERE subject_id = :subject_id")
_REVOKE_INVITATIONS = text(
    "UPDATE member_invitation SET revoked_at = :now "
    "WHERE issued_by = :subject_id AND revoked_at IS NULL AND used_at IS NULL"
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How much of one account was ended."""

    sessions: int = 0
    access_tokens: int = 0
    calendars: int = 0


async def end_every_secret(
    connection: AsyncConnection, subject_id: UUID | None, *, channel: str, now: datetime
) -> Mapping[UUID, Ended]:
    """End an account's sessions, access tokens and calendar address, or with None everybody's; what was ended of whom."""
    asked = {"subject_id": subject_id}
    counts: dict[UUID, dict[str, int]] = {}
    for name, statement, parameters in (
        ("sessions", _END, asked | {"channel": channel, "now": now}),
        ("access_tokens", _END_TOKENS, asked),
        ("calendars", _END_FEEDS, asked),
    ):
        for row in await connection.execute(statement, parameters):
            counts.setdefault(row.subject_id, {})[name] = row.ended
    return {whose: Ended(**ended) for whose, ended in counts.items()}


async def close_account(connection: AsyncConnection, subject_id: UUID, *, now: datetime) -> None:
    """Take from an account every way of signing in, and the invitations that it gave and nobody used.

    No address finds it any more; the sealed address stays, so that it is known whose acts these were."""
    for statement in (*_FACTORS, _CODES):
        await connection.execute(statement, {"subject_id": subject_id})
    await connection.execute(_REVOKE_INVITATIONS, {"subject_id": subject_id, "now": now})
    nothing = secrets.token_bytes(LOOKUP_BYTES)
    await connection.execute(_FORGET_ADDRESS, {"subject_id": subject_id, "nothing": nothing})
