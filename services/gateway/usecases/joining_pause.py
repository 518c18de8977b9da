"""Whether joining pauses, asked at most once a second however many people join.

Said here, before a card is asked for anything; the escrow service decides in any case, so an answer that is a second old
does no harm. A platform that was never measured is left to escrow.
"""

from __future__ import annotations

from services.gateway.store.read_float import paused_currencies
from services.gateway.store.read_model import ReadModel
from services.kit.clock import monotonic_seconds

KEPT_SECONDS = 1.0


class JoiningPause:
    """Remembers the newest answer."""

    def __init__(self, reads: ReadModel) -> None:
        self._reads = reads
        self._paused = False
        self._asked_at = float("-inf")

    async def holds(self) -> bool:
        """Whether the float has no room for another payment. The platform collects in one currency."""
        now = monotonic_seconds()
        if now - self._asked_at >= KEPT_SECONDS:
            # Marked first, so that the people who come meanwhile do not all ask.
            self._asked_at = now
            self._paused = bool(await paused_currencies(self._reads))
        return self._paused
