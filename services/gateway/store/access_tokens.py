"""Access tokens and calendar feeds: made, found by the hash of their secret, listed, ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.database import sql

TOKENS_MAX = 20
"""Live tokens of one person."""

_INSERT = sql(
    """
    INSERT INTO access_token (id, token_hash, subject_id, scopes, hint, created_at, expires_at)
    SELECT :id, :hash, :subject_id, CAST(:scopes AS text[]), :hint, :now, :expires_at
    WHERE (SELECT count(*) FROM access_token WHERE subject_id = :subject_id AND expires_at > :now) < :tokens_max
    RETURNING id, scopes, hint, created_at, expires_at, last_used_at
    """
)
_LIST = sql(
    """
    SELECT id, scopes, hint, created_at, expires_at, last_used_at FROM access_token
    WHERE subject_id = :subject_id AND expires_at > :now ORDER BY created_at DESC, id
    """
)
_FIND = sql(
    """
    SELECT t.id, t.scopes, t.expires_at, t.last_used_at, a.subject_id, a.role, a.supplier_id, a.label
    FROM access_token AS t JOIN account AS a ON a.subject_id = t.subject_id
    WHERE t.token_hash = :hash AND t.expires_at > :now
    """
)
_RENEW = sql(
    """
    INSERT INTO calendar_feed (subject_id, token_hash, created_at) VALUES (:subject_id, :hash, :now)
    ON CONFLICT (subject_id) DO UPDATE SET token_hash = EXCLUDED.token_hash, created_at = EXCLUDED.created_at
    """
)


async def insert_token(  # noqa: PLR0913 - one keyword for each column
    connection: AsyncConnection,
    subject_id: UUID,
    *,
    token_id: UUID,
    hashed: bytes,
    scopes: Sequence[str],
    hint: str,
    now: datetime,
    expires_at: datetime,
) -> Any:
    """Keep a new token; None when the person has as many as one may have."""
    found = await connection.execute(
        _INSERT,
        {
            "id": token_id,
            "hash": hashed,
            "subject_id": subject_id,
            "scopes": list(scopes),
            "hint": hint,
            "now": now,
            "expires_at": expires_at,
            "tokens_max": TOKENS_MAX,
        },
    )
    return found.one_or_none()


async def tokens_of(connection: AsyncConnection, subject_id: UUID, *, now: datetime) -> Sequence[Any]:
    """A person's live tokens, the newest first, without anything that could be used as one."""
    return (await connection.execute(_LIST, {"subject_id": subject_id, "now": now})).all()


async def find_token(connection: AsyncConnection, hashed: bytes, *, now: datetime) -> Any:
    """The token with this hash and its account, or None."""
    return (await connection.execute(_FIND, {"hash": hashed, "now": now})).one_or_none()


async def note_used(connection: AsyncConnection, token_id: UUID, *, now: datetime) -> None:
    """Note that a token was used."""
    await connection.execute(
        sql("UPDATE access_token SET last_used_at = :now WHERE id = :id"), {"now": now, "id": token_id}
    )


async def delete_token(connection: AsyncConnection, subject_id: UUID, token_id: UUID) -> bool:
    """End one of a person's tokens; False when it is none of theirs."""
    found = await connection.execute(
        sql("DELETE FROM access_token WHERE id = :id AND subject_id = :subject_id RETURNING id"),
        {"id": token_id, "subject_id": subject_id},
    )
    return found.one_or_none() is not None


async def renew_feed(connection: AsyncConnection, subject_id: UUID, *, hashed: bytes, now: datetime) -> None:
    """Give a person's calendar a new secret; the one before leads nowhere."""
    await connection.execute(_RENEW, {"subject_id": subject_id, "hash": hashed, "now": now})


async def feed_made_at(connection: AsyncConnection, subject_id: UUID) -> datetime | None:
    """When a person's calendar got its secret, or None."""
    found: datetime | None = (
        await connection.execute(
            sql("SELECT created_at FROM calendar_feed WHERE subject_id = :subject_id"), {"subject_id": subject_id}
        )
    ).scalar_one_or_none()
    return found


async def delete_feed(connection: AsyncConnection, subject_id: UUID) -> bool:
    """End a person's calendar; False when there is none."""
    found = await connection.execute(
        sql("DELETE FROM calendar_feed WHERE subject_id = :subject_id RETURNING subject_id"), {"subject_id": subject_id}
    )
    return found.one_or_none() is not None


async def feed_owner(connection: AsyncConnection, hashed: bytes) -> UUID | None:
    """Whose calendar has this secret, or None."""
    found: UUID | None = (
        await connection.execute(sql("SELECT subject_id FROM calendar_feed WHERE token_hash = :hash"), {"hash": hashed})
    ).scalar_one_or_none()
    return found
