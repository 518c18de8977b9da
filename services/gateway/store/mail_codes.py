"""Codes sent by mail, as stored: keyed hashes, one row per address, whether an account has it or not. Wall time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

OUT_OF_DATE_REMOVED_MAX = 100
"""How many codes that are out of date one new code clears away."""

_PUT = text(
    """
    INSERT INTO mail_code (
        email_lookup, challenge_hash, code_hash, email_sealed, invitation_hash, issued_at, expires_at, tries_left
    )
    VALUES (
        :email_lookup, :challenge_hash, :code_hash, :email_sealed, :invitation_hash, :now, :expires_at, :tries_left
    )
    ON CONFLICT (email_lookup) DO UPDATE SET
        challenge_hash = EXCLUDED.challenge_hash, code_hash = EXCLUDED.code_hash,
        email_sealed = EXCLUDED.email_sealed, invitation_hash = EXCLUDED.invitation_hash,
        issued_at = EXCLUDED.issued_at, expires_at = EXCLUDED.expires_at, tries_left = EXCLUDED.tries_left
    """
)
_CLEAR = text(
    """
    DELETE FROM mail_code WHERE email_lookup IN (
        SELECT email_lookup FROM mail_code WHERE expires_at < :now
        ORDER BY expires_at LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    """
)
_TRY = text(
    """
    UPDATE mail_code SET tries_left = tries_left - 1
    WHERE challenge_hash = :challenge_hash AND expires_at > :now AND tries_left > 0
    RETURNING email_lookup, code_hash, email_sealed, invitation_hash
    """
)


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code to be stored. `invitation_hash` names the invitation that is being used for signing up."""

    email_lookup: bytes = field(repr=False)
    challenge_hash: bytes = field(repr=False)
    code_hash: bytes = field(repr=False)
    email_sealed: str = field(repr=False)
    invitation_hash: bytes | None = field(default=None, repr=False)


async def put_code(connection: AsyncConnection, code: NewCode, *, now: datetime, life: timedelta, tries: int) -> None:
    """Store a code in the place of an older one for the same address, and clear away what is out of date."""
    await connection.execute(
        _PUT,
        {
            "email_lookup": code.email_lookup,
            "challenge_hash": code.challenge_hash,
            "code_hash": code.code_hash,
            "email_sealed": code.email_sealed,
            "invitation_hash": code.invitation_hash,
            "now": now,
            "expires_at": now + life,
            "tries_left": tries,
        },
    )
    await connection.execute(_CLEAR, {"now": now, "limit": OUT_OF_DATE_REMOVED_MAX})


async def try_code(connection: AsyncConnection, challenge_hash: bytes, *, now: datetime) -> Mapping[str, Any] | None:
    """Take one try of the code behind a challenge; None when it is unknown, void, out of date or has no try left. The
    try counts when the caller commits."""
    found = await connection.execute(_TRY, {"challenge_hash": challenge_hash, "now": now})
    row = found.mappings().one_or_none()
    return dict(row) if row is not None else None


async def drop_code(connection: AsyncConnection, challenge_hash: bytes) -> None:
    """A code is used up."""
    await connection.execute(
        text("DELETE FROM mail_code WHERE challenge_hash = :challenge_hash"), {"challenge_hash": challenge_hash}
    )
