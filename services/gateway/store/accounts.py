"""Accounts and sessions: the gateway's own tables about people.

An e-mail address is stored sealed and found by a keyed hash, so that the table alone tells nobody's address. Tokens are
stored hashed. Erasing a person is done in `erasures.py`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.gateway.auth.identity import Identity
from services.gateway.domain.proofs import Proof
from services.gateway.domain.roles import STAFF

TOKEN_BYTES = 32
CSRF_BYTES = 16
STAFF_IDLE = timedelta(minutes=30)
STAFF_LIFE = timedelta(hours=12)
OTHERS_IDLE = timedelta(days=14)
OTHERS_LIFE = timedelta(days=60)
SEEN_EVERY = timedelta(seconds=60)
"""How often a session's last use is written: coarse, so that reads stay reads."""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be made. `email_sealed` and `email_lookup` stand together or not at all."""

    role: str
    subject_id: UUID = field(default_factory=uuid4)
    supplier_id: UUID | None = None
    label: str | None = None
    external_id: str | None = None
    email_lookup: bytes | None = field(default=None, repr=False)
    email_sealed: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """An account as stored, without its address."""

    subject_id: UUID
    role: str
    supplier_id: UUID | None
    label: str | None
    external_id: str | None


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session; the token is shown once and stored hashed."""

    token: str = field(repr=False)
    csrf_token: str = field(repr=False)
    session_id: UUID
    expires_at: datetime


def token_hash(token: str) -> bytes:
    """How a session's token is stored."""
    return hashlib.sha256(token.encode()).digest()


def email_lookup(key: str, email: str) -> bytes:
    """The keyed hash by which an address is found; letter case and outer spaces do not count."""
    return hmac.new(base64.b64decode(key), email.strip().lower().encode(), hashlib.sha256).digest()


_INSERT_ACCOUNTS = text(
    """
    INSERT INTO account (subject_id, role, supplier_id, label, external_id, email_lookup, email_sealed)
    SELECT * FROM unnest(
        CAST(:subject_ids AS uuid[]), CAST(:roles AS text[]), CAST(:supplier_ids AS uuid[]), CAST(:labels AS text[]),
        CAST(:external_ids AS text[]), CAST(:lookups AS bytea[]), CAST(:sealed AS text[])
    )
    ON CONFLICT DO NOTHING
    RETURNING subject_id
    """
)
_INSERT_SESSIONS = text(
    """
    INSERT INTO session (
        token_hash, session_id, subject_id, csrf_token, created_at, last_seen_at, idle_seconds, expires_at, proof, client,
        proven_at
    )
    SELECT token_hash, session_id, subject_id, csrf_token, :now, :now, idle_seconds, expires_at, :proof, :client,
           CAST(:proven_at AS timestamptz)
    FROM unnest(
        CAST(:hashes AS bytea[]), CAST(:session_ids AS uuid[]), CAST(:subject_ids AS uuid[]), CAST(:csrf AS text[]),
        CAST(:idle AS integer[]), CAST(:expires AS timestamptz[])
    ) AS rows (token_hash, session_id, subject_id, csrf_token, idle_seconds, expires_at)
    """
)
_SELECT_SESSIONS = text(
    """
    SELECT EXISTS (SELECT FROM passkey WHERE subject_id = a.subject_id)
           OR EXISTS (SELECT FROM authenticator WHERE subject_id = a.subject_id AND confirmed_at IS NOT NULL) AS has_factor,
           s.token_hash, s.session_id, s.csrf_token, s.expires_at, s.last_seen_at,
           s.proof, s.proven_at, a.subject_id, a.role, a.supplier_id, a.label
    FROM session AS s
    JOIN account AS a ON a.subject_id = s.subject_id
    WHERE s.token_hash = ANY(CAST(:hashes AS bytea[]))
      AND s.revoked_at IS NULL
      AND s.expires_at > :now
      AND s.last_seen_at + make_interval(secs => s.idle_seconds) > :now
    """
)
_RAISE_SESSION = text(
    """
    WITH before AS (
        SELECT session_id, token_hash FROM session
        WHERE session_id = :session_id AND revoked_at IS NULL AND expires_at > :now
        FOR UPDATE
    )
    UPDATE session AS s
    SET token_hash = :hash, csrf_token = :csrf, proof = :proof, proven_at = :now, last_seen_at = :now
    FROM before
    WHERE s.session_id = before.session_id
    RETURNING before.token_hash AS old_hash, s.expires_at
    """
)
_ACCOUNT_COLUMNS = "subject_id, role, supplier_id, label, external_id"


async def insert_accounts(connection: AsyncConnection, accounts: Sequence[NewAccount]) -> set[UUID]:
    """Make accounts; those whose address or external id is known already are passed over. Returns the new ones."""
    rows = await connection.execute(
        _INSERT_ACCOUNTS,
        {
            "subject_ids": [account.subject_id for account in accounts],
            "roles": [account.role for account in accounts],
            "supplier_ids": [account.supplier_id for account in accounts],
            "labels": [account.label for account in accounts],
            "external_ids": [account.external_id for account in accounts],
            "lookups": [account.email_lookup for account in accounts],
            "sealed": [account.email_sealed for account in accounts],
        },
    )
    return {row.subject_id for row in rows}


async def account_by_email(connection: AsyncConnection, lookup: bytes) -> Account | None:
    """The account with an address, or None."""
    row = (
        await connection.execute(
            text(f"SELECT {_ACCOUNT_COLUMNS} FROM account WHERE email_lookup = :lookup"),  # noqa: S608 - constant
            {"lookup": lookup},
        )
    ).one_or_none()
    return _account(row) if row is not None else None


async def accounts_by_external_id(connection: AsyncConnection, external_ids: Sequence[str]) -> dict[str, Account]:
    """The accounts that scripts named by their own ids."""
    rows = await connection.execute(
        text(
            f"SELECT {_ACCOUNT_COLUMNS} FROM account "  # noqa: S608 - constant
            "WHERE external_id = ANY(CAST(:external_ids AS text[]))"
        ),
        {"external_ids": list(external_ids)},
    )
    return {row.external_id: _account(row) for row in rows}


async def open_sessions(
    connection: AsyncConnection,
    accounts: Sequence[Account],
    *,
    now: datetime,
    proof: Proof = "local",
    client: str | None = None,
) -> list[OpenedSession]:
    """Open one session per account, each with a token of 256 random bits. Times are wall time. `proof` is how these
    people proved who they are, `client` by which program."""
    opened: list[OpenedSession] = []
    idle: list[int] = []
    for account in accounts:
        staff = account.role in STAFF
        idle.append(int((STAFF_IDLE if staff else OTHERS_IDLE).total_seconds()))
        opened.append(
            OpenedSession(
                token=secrets.token_urlsafe(TOKEN_BYTES),
                csrf_token=secrets.token_urlsafe(CSRF_BYTES),
                session_id=uuid4(),
                expires_at=now + (STAFF_LIFE if staff else OTHERS_LIFE),
            )
        )
    await connection.execute(
        _INSERT_SESSIONS,
        {
            "now": now,
            "proof": proof,
            "client": client,
            "proven_at": now,
            "hashes": [token_hash(session.token) for session in opened],
            "session_ids": [session.session_id for session in opened],
            "subject_ids": [account.subject_id for account in accounts],
            "csrf": [session.csrf_token for session in opened],
            "idle": idle,
            "expires": [session.expires_at for session in opened],
        },
    )
    return opened


async def identities(connection: AsyncConnection, hashes: Sequence[bytes], *, now: datetime) -> dict[bytes, Identity]:
    """The identities behind live sessions, and a coarse note that they were used."""
    rows = (await connection.execute(_SELECT_SESSIONS, {"hashes": list(hashes), "now": now})).all()
    unseen = [row.token_hash for row in rows if row.last_seen_at < now - SEEN_EVERY]
    if unseen:
        await connection.execute(
            text("UPDATE session SET last_seen_at = :now WHERE token_hash = ANY(CAST(:hashes AS bytea[]))"),
            {"now": now, "hashes": unseen},
        )
    return {
        bytes(row.token_hash): Identity(
            subject_id=row.subject_id,
            role=row.role,
            supplier_id=row.supplier_id,
            session_id=row.session_id,
            label=row.label,
            csrf_token=row.csrf_token,
            expires_at=row.expires_at,
            proof=row.proof,
            proven_at=row.proven_at,
            has_factor=row.has_factor,
        )
        for row in rows
    }


async def revoke_session(connection: AsyncConnection, session_id: UUID, *, now: datetime) -> bytes | None:
    """End a session at once; returns its token's hash, so that every gateway forgets it."""
    row = await connection.execute(
        text(
            "UPDATE session SET revoked_at = :now WHERE session_id = :session_id AND revoked_at IS NULL "
            "RETURNING token_hash"
        ),
        {"now": now, "session_id": session_id},
    )
    value = row.scalar_one_or_none()
    return bytes(value) if value is not None else None


async def revoke_token(connection: AsyncConnection, hashed: bytes, *, now: datetime) -> UUID | None:
    """End the session whose token has this hash; its id, or None when there is none that lives."""
    row = await connection.execute(
        text(
            "UPDATE session SET revoked_at = :now WHERE token_hash = :hash AND revoked_at IS NULL RETURNING session_id"
        ),
        {"now": now, "hash": hashed},
    )
    ended: UUID | None = row.scalar_one_or_none()
    return ended


async def raise_session(
    connection: AsyncConnection, session_id: UUID, *, proof: Proof, now: datetime
) -> tuple[OpenedSession, bytes] | None:
    """Give a session a new token because its person proved more; the hash of the old token comes with it. None when the
    session has ended meanwhile. It does not live longer for it."""
    opened = OpenedSession(secrets.token_urlsafe(TOKEN_BYTES), secrets.token_urlsafe(CSRF_BYTES), session_id, now)
    row = (
        await connection.execute(
            _RAISE_SESSION,
            {
                "session_id": session_id,
                "hash": token_hash(opened.token),
                "csrf": opened.csrf_token,
                "proof": proof,
                "now": now,
            },
        )
    ).one_or_none()
    if row is None:
        return None
    return replace(opened, expires_at=row.expires_at), bytes(row.old_hash)


async def live_hashes(connection: AsyncConnection, subject_id: UUID) -> list[bytes]:
    """The token hashes of an account's sessions, so that what is remembered of them can be forgotten."""
    rows = await connection.execute(
        text("SELECT token_hash FROM session WHERE subject_id = :subject_id AND revoked_at IS NULL"),
        {"subject_id": subject_id},
    )
    return [bytes(row.token_hash) for row in rows]


def _account(row: Any) -> Account:
    return Account(
        subject_id=row.subject_id,
        role=row.role,
        supplier_id=row.supplier_id,
        label=row.label,
        external_id=row.external_id,
    )
