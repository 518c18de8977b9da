"""The walk: move the simulated clock from deadline to deadline, and let the platform act and quiet down in between.

Pause new writes, wait quiet, move to the next moment at which anything is due (a deadline of a service, a date of the
stand-in), let it act, go on; at the end the writes go on. The offset only grows and is refused with real Stripe and in
production. `grain_seconds` lets several due moments inside one slot act together (replay moves in slots of one hour).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from contracts.topics import SERVICES
from deploy.local.addresses import StackAddresses
from deploy.local.errors import StackError
from deploy.quiet import QuietProbe
from services.gateway.store.operations import PAUSE_LOCK_KEY

QUIET_TIMEOUT_SECONDS = 120.0
STEPS_MAX = 100_000

_NEXT_DUE = text("SELECT min(acts_at) FROM deadline WHERE settled_at IS NULL")
_READ = text("SELECT offset_seconds, version, stack_now() AS now FROM stack_clock")
_SET = text("UPDATE stack_clock SET offset_seconds = :offset, version = :version WHERE offset_seconds <= :offset")
_PAUSE = text("UPDATE stack_clock SET paused = :paused, paused_at = clock_timestamp()")
_TELL = text("SELECT pg_notify('stack_clock', '')")


class ClockRefusedError(StackError):
    """This stack's clock must not be moved."""


class StackClock:
    """The simulated clock of a running local stack. Use as an async context manager."""

    def __init__(self, addresses: StackAddresses, *, quiet_timeout_seconds: float = QUIET_TIMEOUT_SECONDS) -> None:
        if addresses.stripe_kind != "stand-in":
            raise ClockRefusedError("The clock can only be moved with the payment stand-in, never with real Stripe.")
        self.probe = QuietProbe(addresses)
        self.quiet_timeout_seconds = quiet_timeout_seconds
        self._engines: dict[str, AsyncEngine] = {
            service: create_async_engine(addresses.owner_url(service), pool_size=1) for service in SERVICES
        }
        self._http = httpx.AsyncClient(
            base_url=addresses.stripe_url, headers={"Authorization": f"Bearer {addresses.stripe_key}"}, timeout=60
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for engine in self._engines.values():
            await engine.dispose()
        await self._http.aclose()
        await self.probe.close()

    async def now(self) -> datetime:
        """Stack time."""
        async with self._engines["campaigns"].connect() as connection:
            found: datetime = (await connection.execute(_READ)).one().now
            return found

    async def advance(
        self,
        span: timedelta,
        *,
        grain_seconds: int = 0,
        progress: Callable[[datetime], None] | None = None,
    ) -> int:
        """Walk forward by `span`; returns the number of steps. Raises NotQuietError when the platform does not follow."""
        return await self.advance_to(await self.now() + span, grain_seconds=grain_seconds, progress=progress)

    async def advance_to(
        self,
        target: datetime,
        *,
        grain_seconds: int = 0,
        progress: Callable[[datetime], None] | None = None,
    ) -> int:
        """Walk to a moment of stack time. A moment that lies in the past is no error: nothing moves."""
        async with self._paused_writes():
            await self.probe.wait(self.quiet_timeout_seconds)
            for step in range(STEPS_MAX):
                now = await self.now()
                if now >= target:
                    return step
                due = await self._next_due()
                following = target if due is None or due > target else max(due, now)
                if grain_seconds:
                    following = min(target, max(following, now + timedelta(seconds=grain_seconds)))
                await self._set(following - now)
                await self.probe.wait(self.quiet_timeout_seconds)
                if progress is not None:
                    progress(following)
        raise ClockRefusedError(f"the walk took more than {STEPS_MAX} steps")

    @asynccontextmanager
    async def _paused_writes(self) -> AsyncIterator[None]:
        await self._pause(paused=True)
        try:
            yield
        finally:
            await self._pause(paused=False)

    async def _pause(self, *, paused: bool) -> None:
        async with self._engines["gateway"].begin() as connection:
            await connection.execute(_PAUSE, {"paused": paused})
            await connection.execute(_TELL)
        if paused:
            # Acts hold this lock shared while they are stored: once it was ours, none that read "not paused" is left.
            async with self._engines["gateway"].begin() as connection:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": PAUSE_LOCK_KEY})

    async def _next_due(self) -> datetime | None:
        async def of(service: str) -> datetime | None:
            async with self._engines[service].connect() as connection:
                found: datetime | None = (await connection.execute(_NEXT_DUE)).scalar_one_or_none()
                return found

        moments = [moment for moment in await asyncio.gather(*map(of, SERVICES)) if moment is not None]
        other = (await self._http.get("/_standin/next_due")).json()["next_due"]
        if other is not None:
            moments.append(datetime.fromtimestamp(other, UTC))
        return min(moments, default=None)

    async def _set(self, span: timedelta) -> None:
        """Add a span (whole seconds, at least one) to the offset of every service and of the stand-in."""
        async with self._engines["campaigns"].connect() as connection:
            row = (await connection.execute(_READ)).one()
        offset = row.offset_seconds + max(1, int(span.total_seconds()) + (span.microseconds > 0))
        version = row.version + 1
        answer = await self._http.post("/_standin/clock", json={"offset_seconds": offset, "version": version})
        answer.raise_for_status()

        async def move(service: str) -> None:
            async with self._engines[service].begin() as connection:
                await connection.execute(_SET, {"offset": offset, "version": version})
                await connection.execute(_TELL)

        await asyncio.gather(*map(move, SERVICES))
