"""Hold back whoever asks too often: which limits a request meets, and what is told about them.

Counting is the `limits` library's, in sliding windows over the shared storage of `count_windows.py`. It cannot tell a
person from a program, and many addresses of one attacker are many to it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway.domain.limits import LIMITS, LimitName
from services.gateway.problems import ProblemError
from services.gateway.usecases.count_windows import EXCHANGE_SECONDS, ExactWindows, GatheredWindows, Taken
from services.kit import telemetry
from services.kit.clock import wall_seconds
from services.kit.database import DATABASE_ERRORS

REMOVE_EVERY_EXCHANGES = 60

log = telemetry.logger("gateway.limits")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a request stands with one limit: how many hits it allows in how many seconds, how many are left, and in how
    many seconds there is more."""

    name: str
    amount: int
    window_seconds: int
    remaining: int
    reset_seconds: int

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The two fields of draft-ietf-httpapi-ratelimit-headers."""
        policy = f'"{self.name}";q={self.amount};w={self.window_seconds}'
        left = f'"{self.name}";r={self.remaining};t={self.reset_seconds}'
        return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", left.encode())]


class RateLimits:
    """The limits of one gateway. Before `use` they count in memory alone."""

    def __init__(self, profile: str, changes: Mapping[LimitName, str], *, secret: bytes) -> None:
        chosen: dict[LimitName, str] = {**LIMITS[profile], **changes}
        self._items: dict[LimitName, RateLimitItem] = {name: parse(limit) for name, limit in chosen.items() if limit}
        self._secret = secret
        self._gathered = GatheredWindows(secret=secret)
        self._exact: SlidingWindowCounterRateLimiter | None = None
        self._engine: AsyncEngine | None = None

    def use(self, engine: AsyncEngine) -> None:
        """Share counts with the other gateways through this database."""
        self._engine = engine
        self._exact = SlidingWindowCounterRateLimiter(ExactWindows(engine, secret=self._secret))

    async def hit(self, name: LimitName, whose: str) -> Standing | None:
        """Count one request. Raises ProblemError(rate_limited) when there is none left; None without such a limit.

        It never waits for the database; see `count_windows.py` for what that may let through."""
        item = self._items.get(name)
        if item is None:
            return None
        counted = self._gathered.take(item.key_for(name, whose), item.amount, item.get_expiry())
        return _told(_standing(name, item, counted), taken=counted.taken)

    async def hit_exactly(self, name: LimitName, whose: str) -> Standing | None:
        """Count one request in the database itself, for what guards a secret. Raises as `hit` does, and what the database
        raises."""
        item = self._items.get(name)
        if item is None or self._exact is None:
            return await self.hit(name, whose)
        taken = await self._exact.hit(item, name, whose)
        window = await self._exact.get_window_stats(item, name, whose)
        standing = Standing(
            name=name,
            amount=item.amount,
            window_seconds=item.get_expiry(),
            remaining=max(0, int(window.remaining)) if taken else 0,
            reset_seconds=max(1, math.ceil(window.reset_time - wall_seconds())),
        )
        return _told(standing, taken=taken)

    async def run(self, stopping: asyncio.Event) -> None:
        """Exchange counts with the database, until told to stop."""
        rounds = 0
        while not stopping.is_set():
            await asyncio.sleep(EXCHANGE_SECONDS)
            rounds += 1
            try:
                await self.exchange()
                if rounds % REMOVE_EVERY_EXCHANGES == 0 and self._engine is not None:
                    await self._gathered.remove_ended(self._engine)
            except DATABASE_ERRORS as error:
                log.warning("gateway.limits.alone", error=type(error).__name__)

    async def exchange(self) -> None:
        """Exchange counts with the database now."""
        if self._engine is not None:
            await self._gathered.exchange(self._engine)


def _standing(name: LimitName, item: RateLimitItem, counted: Taken) -> Standing:
    """Where somebody stands after a hit, by the library's formulas for sliding windows."""
    expiry = item.get_expiry()
    weighted = counted.previous * counted.previous_seconds_left / expiry + counted.current
    more_in = counted.previous_seconds_left if counted.current else float(expiry)
    if counted.previous:
        # The next of the previous window's hits ceases to count after its share of the window.
        more_in = min(more_in, counted.previous_seconds_left % (expiry / counted.previous))
    return Standing(
        name=name,
        amount=item.amount,
        window_seconds=expiry,
        remaining=max(0, item.amount - math.floor(weighted)) if counted.taken else 0,
        reset_seconds=max(1, math.ceil(more_in)),
    )


def _told(standing: Standing, *, taken: bool) -> Standing:
    """The standing of a hit that was taken. Raises RateLimitedError for one that was not."""
    if taken:
        return standing
    log.warning("gateway.limits.reached", limit=standing.name)
    raise RateLimitedError(standing)


class RateLimitedError(ProblemError):
    """Too many requests; carries where the sender stands."""

    def __init__(self, standing: Standing) -> None:
        facts = {
            "limit": standing.name,
            "requests_max": standing.amount,
            "window_seconds": standing.window_seconds,
            "retry_after_seconds": standing.reset_seconds,
        }
        super().__init__("rate_limited", facts=facts, headers={"Retry-After": str(standing.reset_seconds)})
        self.standing = standing
