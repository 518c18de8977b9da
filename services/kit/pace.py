"""How fast the calls of one purpose are made: a token bucket, and a pause that the other side asked for.

The executor asks before it claims, so that nothing is journaled as attempted that only waits for its turn, and waiting
takes no place among the calls under way. It bounds this process only; two instances together may send twice as many, and
the other side's own refusal (429) then says so. A pause is forgotten by a restart; the next refusal brings it back.
"""

from __future__ import annotations

from services.kit.clock import monotonic_seconds

PAUSE_SECONDS_MAX = 60.0
"""The longest pause that is obeyed (wall time); whoever wants a longer one says so again afterwards."""
BURST_SECONDS = 0.1
"""So much of a second's calls may be made at once after a rest: more would break a limit that is counted per second."""
CALLS_UNBOUNDED = 1_000_000


class Pace:
    """`rate_per_second` tokens flow in, none while paused; without a rate only pauses bound the calls."""

    def __init__(self, rate_per_second: int | None = None) -> None:
        self.rate_per_second = rate_per_second
        self._most = max(1.0, rate_per_second * BURST_SECONDS) if rate_per_second else 0.0
        self._tokens = self._most
        self._filled_at = monotonic_seconds()
        self._paused_until = 0.0

    def room(self) -> int:
        """How many calls may be made now."""
        now = monotonic_seconds()
        if now < self._paused_until:
            return 0
        if self.rate_per_second is None:
            return CALLS_UNBOUNDED
        self._fill(now)
        return int(self._tokens)

    def take(self) -> None:
        """One call is made; `room` said that it may be."""
        self._tokens -= 1.0

    def pause(self, seconds: float) -> None:
        """Make no call for so long, because the other side asked for it; afterwards begin without a burst."""
        until = monotonic_seconds() + min(max(seconds, 0.0), PAUSE_SECONDS_MAX)
        if until > self._paused_until:
            self._paused_until = self._filled_at = until
            self._tokens = 0.0

    def seconds_until_room(self) -> float:
        """How long until a call may be made; zero when one may be made now."""
        now = monotonic_seconds()
        wait = max(self._paused_until - now, 0.0)
        if self.rate_per_second is None:
            return wait
        self._fill(now)
        return wait + max(1.0 - self._tokens, 0.0) / self.rate_per_second

    def _fill(self, now: float) -> None:
        if self.rate_per_second is not None and now > self._filled_at:
            self._tokens = min(self._most, self._tokens + (now - self._filled_at) * self.rate_per_second)
            self._filled_at = now
