"""A token bucket: how many calls of one kind may be sent per second, and a pause that the other side asked for.

It bounds this process only; two instances together may send twice as many, and Stripe's own refusal (429) then says so.
"""

from __future__ import annotations

import asyncio

from services.kit.clock import monotonic_seconds

PAUSE_SECONDS_MAX = 60.0


class TokenBucket:
    """`rate_per_second` tokens flow in; at most one second's worth is kept."""

    def __init__(self, rate_per_second: int) -> None:
        self._rate = rate_per_second
        self._tokens = float(rate_per_second)
        self._filled_at = monotonic_seconds()
        self._paused_until = 0.0
        self._lock = asyncio.Lock()

    async def take(self) -> None:
        """Wait for a token. Callers are served one after the other."""
        async with self._lock:
            while True:
                now = monotonic_seconds()
                self._tokens = min(float(self._rate), self._tokens + (now - self._filled_at) * self._rate)
                self._filled_at = now
                wait = max(self._paused_until - now, 0.0)
                if wait == 0.0 and self._tokens >= 1.0:
                    self._tokens -= 1.0
                    return
                await asyncio.sleep(max(wait, (1.0 - self._tokens) / self._rate))

    def pause(self, seconds: float) -> None:
        """Send nothing for so long, because the other side asked for it."""
        self._paused_until = max(self._paused_until, monotonic_seconds() + min(seconds, PAUSE_SECONDS_MAX))
