"""Sessions in memory: the identity behind a token, read from the database in bulk and kept for some seconds.

A revoked session is forgotten at once, here and by a notice at every other gateway; when the notices were interrupted
everything is forgotten. The cache saves a query per request, nothing else: an unknown token is always looked up.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contracts.errors import Rejected
from services.gateway.auth.identity import Identity
from services.gateway.domain.proofs import Proof
from services.gateway.store import accounts
from services.gateway.store.session_list import end_sessions, end_sessions_beyond
from services.gateway.usecases.coalesce import Coalescer
from services.kit.clock import monotonic_seconds, wall_now

NOTIFY_CHANNEL = "gateway_session"
CACHED_MAX = 20_000
TOKENS_PER_QUERY_MAX = 500
TOKENS_QUEUED_MAX = 5_000
TOKEN_CHARACTERS_MAX = 100


class Sessions:
    """Looks up, caches and revokes sessions. One per process."""

    def __init__(self, engine: AsyncEngine, *, cache_seconds: float) -> None:
        self._engine = engine
        self._cache_seconds = cache_seconds
        self._cached: OrderedDict[bytes, tuple[Identity, float]] = OrderedDict()
        self._loads: Coalescer[bytes, Identity | None] = Coalescer(
            self._load, batch_max=TOKENS_PER_QUERY_MAX, queue_max=TOKENS_QUEUED_MAX, workers=2
        )

    async def identity(self, token: str) -> Identity | None:
        """The account behind a token, or None when there is no such live session."""
        if len(token) > TOKEN_CHARACTERS_MAX:
            return None
        hashed = accounts.token_hash(token)
        cached = self._cached.get(hashed)
        if cached is not None:
            identity, until = cached
            if monotonic_seconds() < until and (identity.expires_at is None or wall_now() < identity.expires_at):
                return identity
            del self._cached[hashed]
        return await self._loads.submit(hashed)

    async def revoke(self, identity: Identity) -> None:
        """End a session: forgotten here at once, and everywhere by a notice."""
        async with self._engine.begin() as connection:
            hashed = await accounts.revoke_session(connection, identity.session_id, now=wall_now())
            if hashed is not None:
                await self.tell_ended(connection, hashed)
        if hashed is not None:
            self.forget(hashed)

    async def end(self, subject_id: UUID, *, only: UUID | None = None, except_for: UUID | None = None) -> int:
        """End sessions of an account at once, everywhere; how many were ended."""
        async with self._engine.begin() as connection:
            ended = await end_sessions(connection, subject_id, now=wall_now(), only=only, except_for=except_for)
            for hashed in ended:
                await self.tell_ended(connection, hashed)
        for hashed in ended:
            self.forget(hashed)
        return len(ended)

    async def end_token(self, connection: AsyncConnection, token: str) -> None:
        """End the session of a token in the caller's transaction: the browser gets another one."""
        hashed = accounts.token_hash(token)
        if await accounts.revoke_token(connection, hashed, now=wall_now()):
            await self.tell_ended(connection, hashed)
            self.forget(hashed)

    async def keep_newest(self, connection: AsyncConnection, subject_id: UUID) -> None:
        """End in the caller's transaction what an account has beyond its bound of sessions."""
        for hashed in await end_sessions_beyond(connection, subject_id, now=wall_now()):
            await self.tell_ended(connection, hashed)
            self.forget(hashed)

    async def step_up(self, connection: AsyncConnection, identity: Identity, proof: Proof) -> accounts.OpenedSession:
        """Rotate a session's token in the caller's transaction, because its person proved more. Raises
        Rejected(not_signed_in) when it has ended meanwhile."""
        raised = await accounts.raise_session(connection, identity.session_id, proof=proof, now=wall_now())
        if raised is None:
            raise Rejected("not_signed_in")
        opened, before = raised
        await self.tell_ended(connection, before)
        self.forget(before)
        return opened

    async def forget_account(self, connection: AsyncConnection, subject_id: UUID) -> None:
        """Have every gateway read an account's sessions again: what it can sign in with has changed."""
        for hashed in await accounts.live_hashes(connection, subject_id):
            await self.tell_ended(connection, hashed)

    async def tell_ended(self, connection: AsyncConnection, hashed: bytes) -> None:
        """Have every gateway, this one too, forget a session when the caller commits."""
        await connection.execute(
            text("SELECT pg_notify(:channel, :hash)"), {"channel": NOTIFY_CHANNEL, "hash": hashed.hex()}
        )

    def forget(self, hashed: bytes) -> None:
        """Drop one session from the cache."""
        self._cached.pop(hashed, None)

    def forget_all(self) -> None:
        """Drop everything: a notice of a revocation may have been missed."""
        self._cached.clear()

    async def _load(self, hashes: Sequence[bytes]) -> Sequence[Identity | None | Exception]:
        async with self._engine.begin() as connection:
            found = await accounts.identities(connection, list(dict.fromkeys(hashes)), now=wall_now())
        until = monotonic_seconds() + self._cache_seconds
        for hashed, identity in found.items():
            self._cached[hashed] = (identity, until)
        while len(self._cached) > CACHED_MAX:
            self._cached.popitem(last=False)
        return [found.get(hashed) for hashed in hashes]
