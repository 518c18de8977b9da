"""Tell open pages how a campaign moves: one query per commit for all campaigns that somebody watches.

A stream holds only the newest figures: a slow page misses steps, never the present. The number of streams is bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contracts.errors import Rejected
from services.gateway.store.projection import Rows
from services.gateway.store.read_campaigns import progress_of
from services.gateway.store.read_model import ReadModel
from services.kit import telemetry
from services.kit.database import is_transient

TICK_SECONDS = 5.0
PAUSE_SECONDS = 0.2
"""Between two looks at the read model, so that a rush of commits costs five queries a second and not fifty."""

log = telemetry.logger("gateway.progress")


@dataclass(eq=False)
class Watcher:
    """One open stream: the newest figures it has not sent."""

    campaign_id: UUID
    newest: Mapping[str, Any] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Progress:
    """The open streams of this process."""

    def __init__(self, reads: ReadModel, *, streams_max: int) -> None:
        self._reads = reads
        self._streams_max = streams_max
        self._watchers: dict[UUID, set[Watcher]] = {}
        self._count = 0
        self._dirty: set[UUID] = set()
        self._wake = asyncio.Event()
        self.stopping = False

    def open(self, campaign_id: UUID) -> Watcher:
        """Begin to watch a campaign. Raises Rejected(too_many_waiting) past the bound."""
        if self._count >= self._streams_max:
            raise Rejected("too_many_waiting")
        watcher = Watcher(campaign_id)
        self._watchers.setdefault(campaign_id, set()).add(watcher)
        self._count += 1
        return watcher

    def close(self, watcher: Watcher) -> None:
        """Stop watching."""
        watchers = self._watchers.get(watcher.campaign_id, set())
        if watcher in watchers:
            watchers.discard(watcher)
            self._count -= 1
            if not watchers:
                del self._watchers[watcher.campaign_id]

    def committed(self, rows: Rows) -> None:
        """A batch was committed to the read model by this process."""
        concerned = rows.touched_campaigns & self._watchers.keys()
        if concerned:
            self._dirty |= concerned
            self._wake.set()

    def committed_elsewhere(self) -> None:
        """Another gateway committed a batch."""
        if self._watchers:
            self._dirty.update(self._watchers)
            self._wake.set()

    def stop(self) -> None:
        """End every stream, so that the server can stop."""
        self.stopping = True
        for watchers in self._watchers.values():
            for watcher in watchers:
                watcher.changed.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Hand the newest figures to the streams, until told to stop."""
        while not stopping.is_set():
            try:
                await asyncio.wait_for(self._wake.wait(), timeout=TICK_SECONDS)
            except TimeoutError:
                self._dirty.update(self._watchers)
            self._wake.clear()
            dirty, self._dirty = self._dirty, set()
            try:
                rows = await progress_of(self._reads, list(dirty)) if dirty else {}
            except Exception as error:
                if not is_transient(error):
                    log.error("gateway.progress.failed", error=f"{type(error).__name__}: {error}"[:300])
                rows = {}
            for campaign_id, row in rows.items():
                for watcher in self._watchers.get(campaign_id, ()):
                    if watcher.newest is None or watcher.newest["seq"] < row["seq"]:
                        watcher.newest = row
                        watcher.changed.set()
            await asyncio.sleep(PAUSE_SECONDS)
