"""Access tokens: for a person's own scripts, held to scopes, shown once, stored hashed.

A token is looked up at each request, so that one that was ended does nothing from that moment on.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.errors import Rejected
from services.gateway.auth.identity import Identity
from services.gateway.domain.token_scopes import scopes_of
from services.gateway.store import access_tokens as store
from services.gateway.store.accounts import SEEN_EVERY, TOKEN_BYTES, token_hash
from services.gateway.store.own_records import record_account_act
from services.kit.clock import wall_now

PREFIX = "alp_"
"""How every access token begins, so that it is told from a session's and found by those who search for leaked secrets."""
HINT_CHARACTERS = 8
LIFE = timedelta(days=365)
STAFF_LIFE = timedelta(days=90)
"""What staff's scripts use sees more, and is renewed more often."""
TOKEN_CHARACTERS_MAX = 100


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token as its maker sees it, once."""

    token: str = field(repr=False)
    row: Any


async def make_token(
    engine: AsyncEngine, identity: Identity, scopes: Sequence[str], traceparent: str | None
) -> NewToken | None:
    """Make a token; None when the person has as many as one may have. Raises Rejected(not_allowed) for a scope that the
    role may not give."""
    if not set(scopes) <= set(scopes_of(identity.role)):
        raise Rejected("not_allowed", scopes=scopes_of(identity.role))
    token = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    now, token_id = wall_now(), uuid4()
    async with engine.begin() as connection:
        row = await store.insert_token(
            connection, identity.subject_id, token_id=token_id, hashed=token_hash(token),
            scopes=sorted(set(scopes)), hint=token[:HINT_CHARACTERS], now=now, expires_at=now + (LIFE if identity.is_participant else STAFF_LIFE),
        )  # fmt: skip
        if row is None:
            return None
        await record_account_act(
            connection, identity, "access_token.made", subject=token_id, after={"scopes": row.scopes},
            traceparent=traceparent,
        )  # fmt: skip
    return NewToken(token, row)


async def token_identity(engine: AsyncEngine, token: str) -> tuple[Identity, frozenset[str]] | None:
    """The account behind a token and what it may ask, or None for one that is unknown, ended or expired. A scope that the
    account's role has lost since is gone with it."""
    if len(token) > TOKEN_CHARACTERS_MAX:
        return None
    now = wall_now()
    async with engine.begin() as connection:
        row = await store.find_token(connection, token_hash(token), now=now)
        if row is None:
            return None
        if row.last_used_at is None or row.last_used_at < now - SEEN_EVERY:
            await store.note_used(connection, row.id, now=now)
    identity = Identity(
        subject_id=row.subject_id,
        role=row.role,
        supplier_id=row.supplier_id,
        session_id=row.id,
        proof="access_token",
        label=row.label,
        expires_at=row.expires_at,
    )
    return identity, frozenset(row.scopes) & frozenset(scopes_of(row.role))
