"""Storage for the `limits` library in the gateway's database, shared by every gateway, in two kinds.

`GatheredWindows` answers from memory and exchanges counts with the database once per `EXCHANGE_SECONDS`, all keys in one
transaction: a request never waits for it. What it may let through beyond a limit is bounded: a gateway learns the others'
hits at most `EXCHANGE_SECONDS` after a hit of its own, so each time somebody comes to it anew it may take too many for
that long, and never more than the limit itself in its window. While the database does not answer, each gateway counts
alone.
`ExactWindows` asks the database for every hit; it is for what guards secrets and is rare.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from math import floor
from typing import NamedTuple

from limits.aio.storage import Storage
from limits.aio.storage.base import SlidingWindowCounterSupport
from limits.storage.base import TimestampedSlidingWindow
from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway.store.rate_windows import add_hits, read_hits, remove_ended
from services.kit.clock import wall_now, wall_seconds

EXCHANGE_SECONDS = 1.0
WINDOWS_MAX = 100_000
"""How many windows one gateway remembers; beyond it the one longest unused is forgotten, after its exchange."""
KEYS_PER_EXCHANGE_MAX = 10_000
KEY_BYTES = 16
WINDOWS_KEPT = 2
"""A window counts while the next one lasts."""

Seconds = Callable[[], float]


@dataclass(slots=True)
class Window:
    """One window's count: what the database knew at the last exchange, and what it has not been told."""

    shared: int
    unsent: int
    ends_at: float

    @property
    def hits(self) -> int:
        """The hits known here."""
        return self.shared + self.unsent


class Taken(NamedTuple):
    """Whether a hit was taken, and what counts now: the previous window's hits with the seconds for which they still
    count, and the present window's."""

    taken: bool
    previous: int
    previous_seconds_left: float
    current: int


class _Windows(Storage, SlidingWindowCounterSupport, TimestampedSlidingWindow):
    """What both kinds have in common: the library's interface in terms of sliding windows."""

    STORAGE_SCHEME = None

    def __init__(self, *, secret: bytes, seconds: Seconds = wall_seconds) -> None:
        super().__init__()
        self._secret = secret
        self._seconds = seconds

    @property
    def base_exceptions(self) -> type[Exception]:
        """Errors are ours to tell apart; the library wraps none."""
        return ValueError

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Hits and remaining seconds of the previous window, then of the present one."""
        now = self._seconds()
        previous, current = self.sliding_window_keys(key, expiry, now)
        elapsed = now % expiry
        return await self.get(previous), expiry - elapsed, await self.get(current), 2 * expiry - elapsed

    async def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget both windows."""
        for window in self.sliding_window_keys(key, expiry, self._seconds()):
            await self.clear(window)

    async def get_expiry(self, key: str) -> float:
        """When the present hits stop counting, at the latest."""
        return self._seconds()

    def _digest(self, key: str) -> bytes:
        return hashlib.blake2b(key.encode(), key=self._secret, digest_size=KEY_BYTES).digest()


class GatheredWindows(_Windows):
    """Counts in memory, exchanged with the database."""

    def __init__(self, *, secret: bytes, seconds: Seconds = wall_seconds) -> None:
        super().__init__(secret=secret, seconds=seconds)
        self._windows: OrderedDict[str, Window] = OrderedDict()
        self._touched: dict[str, str] = {}

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Take `amount` hits unless the weighted count of both windows would pass the limit. Never waits."""
        return self.take(key, limit, expiry, amount).taken

    def take(self, key: str, limit: int, expiry: int, amount: int = 1) -> Taken:
        """The same with what counts now, so that nobody has to look it up again: every request comes through here."""
        now = self._seconds()
        previous_key, current_key = self.sliding_window_keys(key, expiry, now)
        left = expiry - now % expiry
        previous = self._windows.get(previous_key)
        carried = previous.hits if previous is not None else 0
        current = self._window(current_key, ends_at=(floor(now / expiry) + WINDOWS_KEPT) * expiry)
        taken = floor(carried * left / expiry) + current.hits + amount <= limit
        if taken:
            current.unsent += amount
            self._touched[current_key] = previous_key
        return Taken(taken, carried, left, current.hits)

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to one window."""
        window = self._window(key, ends_at=self._seconds() + WINDOWS_KEPT * expiry)
        window.unsent += amount
        self._touched[key] = key
        return window.hits

    async def get(self, key: str) -> int:
        """The hits of one window, as far as they are known here."""
        window = self._windows.get(key)
        return window.hits if window is not None else 0

    async def check(self) -> bool:
        """Memory is always there."""
        return True

    async def reset(self) -> int | None:
        """Forget everything known here."""
        count = len(self._windows)
        self._windows.clear()
        self._touched.clear()
        return count

    async def clear(self, key: str) -> None:
        """Forget one window here."""
        self._windows.pop(key, None)
        self._touched.pop(key, None)

    async def exchange(self, engine: AsyncEngine) -> int:
        """Tell the database what was counted here and learn what was counted everywhere; returns how many windows."""
        some = list(self._touched.items())[:KEYS_PER_EXCHANGE_MAX]
        touched = {current: previous for current, previous in some if current in self._windows}
        if not touched:
            return 0
        told: dict[bytes, tuple[int, datetime]] = {}
        sent: dict[str, int] = {}
        for key in touched:
            window = self._windows[key]
            if window.unsent > 0:
                sent[key] = window.unsent
                told[self._digest(key)] = (window.unsent, datetime.fromtimestamp(window.ends_at, UTC))
        ends_at = {
            key: self._windows[current].ends_at for current, previous in touched.items() for key in (current, previous)
        }
        asked = {self._digest(key): key for key in ends_at}
        async with engine.begin() as connection:
            await add_hits(connection, told)
            known = await read_hits(connection, list(asked))
        for digest, key in asked.items():
            count = sent.get(key, 0)
            if digest in known:
                window = self._window(key, ends_at=ends_at[key])
                window.shared, window.unsent = known[digest], max(0, window.unsent - count)
        for key in touched:
            left = self._windows.get(key)
            if left is None or left.unsent == 0:
                self._touched.pop(key, None)
        return len(touched)

    async def remove_ended(self, engine: AsyncEngine) -> None:
        """Forget what is over, here and in the database."""
        now = self._seconds()
        for key in [key for key, window in self._windows.items() if window.ends_at < now]:
            if key not in self._touched:
                del self._windows[key]
        async with engine.begin() as connection:
            await remove_ended(connection, now=wall_now())

    def _window(self, key: str, *, ends_at: float) -> Window:
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = Window(0, 0, ends_at)
            while len(self._windows) > WINDOWS_MAX:
                forgotten, _ = self._windows.popitem(last=False)
                self._touched.pop(forgotten, None)
        else:
            self._windows.move_to_end(key)
        return window


class ExactWindows(_Windows):
    """Counts in the database alone, one transaction for each hit."""

    def __init__(self, engine: AsyncEngine, *, secret: bytes, seconds: Seconds = wall_seconds) -> None:
        super().__init__(secret=secret, seconds=seconds)
        self._engine = engine

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Take `amount` hits unless the weighted count of both windows would pass the limit."""
        now = self._seconds()
        previous, current = (self._digest(each) for each in self.sliding_window_keys(key, expiry, now))
        ends_at = datetime.fromtimestamp((floor(now / expiry) + WINDOWS_KEPT) * expiry, UTC)
        async with self._engine.begin() as connection:
            # The row is counted first: its lock puts those who come at once one behind the other.
            await add_hits(connection, {current: (amount, ends_at)})
            known = await read_hits(connection, [previous, current])
            taken = floor(known.get(previous, 0) * (expiry - now % expiry) / expiry) + known[current]
            if taken > limit:
                await add_hits(connection, {current: (-amount, ends_at)})
        return taken <= limit

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to one window."""
        ends_at = datetime.fromtimestamp(self._seconds() + WINDOWS_KEPT * expiry, UTC)
        async with self._engine.begin() as connection:
            await add_hits(connection, {self._digest(key): (amount, ends_at)})
            return (await read_hits(connection, [self._digest(key)]))[self._digest(key)]

    async def get(self, key: str) -> int:
        """The hits of one window."""
        async with self._engine.connect() as connection:
            return (await read_hits(connection, [self._digest(key)])).get(self._digest(key), 0)

    async def check(self) -> bool:
        """Whether the database answers."""
        async with self._engine.connect() as connection:
            return await read_hits(connection, []) == {}

    async def reset(self) -> int | None:
        """Windows are shared by all gateways; none is emptied for everybody."""
        return None

    async def clear(self, key: str) -> None:
        """Take one window's hits back."""
        hits = await self.get(key)
        if hits:
            await self.incr(key, 1, -hits)
