"""The stand-in's two clocks.

Owns stack time (wall time plus an offset that only grows), in which every Stripe object is dated,
and wall time, in which webhooks are signed and retried. It cannot notice that the services run on
another offset: the one who moves time compares versions.
"""

from __future__ import annotations

import time
from dataclasses import dataclass


def wall_seconds() -> float:
    """Wall time in seconds since 1970, for signatures, retries and leases."""
    return time.time()


@dataclass(slots=True)
class StackClock:
    """Stack time; never runs backwards, not even when the machine's clock does."""

    offset_seconds: float = 0.0
    version: int = 0
    latest: int = 0

    def now(self) -> int:
        """Stack time in whole seconds since 1970."""
        self.latest = max(self.latest, int(wall_seconds() + self.offset_seconds))
        return self.latest

    def refusal(self, offset_seconds: float, version: int) -> str | None:
        """Why a move is refused, or None when it may be made."""
        if version < self.version:
            return f"the clock is at version {self.version} already"
        if offset_seconds < self.offset_seconds:
            return f"the offset only grows and is {self.offset_seconds} already"
        if version == self.version and offset_seconds != self.offset_seconds:
            return f"version {version} is already set to another offset"
        return None
