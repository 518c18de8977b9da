"""Many small requests, few transactions: items that arrive while one batch is under way go together in the next.

An idle gateway handles an item at once, alone. After a batch of several the next one gathers until as many have come
again, or for a moment: so it is no smaller under load, and nobody waits for people who do not come. One item that breaks a
batch does not fail the others: the batch is then tried item by item. It cannot make a slow database fast; it only stops
paying per request.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


GATHER_SECONDS = 0.015
"""How long a batch waits for more at most."""
GATHER_ITEMS_MIN = 4
"""After a batch of so many the next one waits for as many."""


class QueueFullError(Exception):
    """More items are waiting than the bound allows; nothing was done with this one."""


class Coalescer(Generic[Item, Result]):
    """Runs `handle` over batches of at most `batch_max` items with at most `workers` batches at a time.

    `handle` answers one result or exception per item, in the given sequence.
    """

    def __init__(
        self,
        handle: Callable[[Sequence[Item]], Awaitable[Sequence[Result | Exception]]],
        *,
        batch_max: int,
        queue_max: int,
        workers: int = 1,
    ) -> None:
        self._handle = handle
        self._batch_max = batch_max
        self._queue_max = queue_max
        self._workers_max = workers
        self._queue: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._gathering: deque[tuple[int, asyncio.Event]] = deque()

    async def submit(self, item: Item) -> Result:
        """The result for one item. Raises QueueFullError, or what `handle` answered for it."""
        if len(self._queue) >= self._queue_max:
            raise QueueFullError
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queue.append((item, future))
        if self._gathering and len(self._queue) >= self._gathering[0][0]:
            self._gathering.popleft()[1].set()
        if len(self._running) < self._workers_max:
            task = asyncio.create_task(self._work())
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        # An item whose request was given up is still carried out: its act may be stored already.
        return await asyncio.shield(future)

    async def drain(self) -> None:
        """Wait until nothing is queued or under way, for a clean stop."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _work(self) -> None:
        while self._queue:
            batch = [self._queue.popleft() for _ in range(min(self._batch_max, len(self._queue)))]
            await self._answer(batch)
            if GATHER_ITEMS_MIN <= len(batch) < self._batch_max:
                await self._gather(len(batch))

    async def _gather(self, wanted: int) -> None:
        if len(self._queue) >= wanted:
            return
        waiting = wanted, asyncio.Event()
        self._gathering.append(waiting)
        try:
            await asyncio.wait_for(waiting[1].wait(), timeout=GATHER_SECONDS)
        except TimeoutError:
            if waiting in self._gathering:
                self._gathering.remove(waiting)

    async def _answer(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._handle([item for item, _ in batch])
        except Exception as error:
            if len(batch) == 1:
                _settle(batch[0][1], error)
                return
            for pair in batch:
                await self._answer([pair])
            return
        for (_, future), result in zip(batch, results, strict=True):
            _settle(future, result)


def _settle(future: asyncio.Future[Result], result: Result | Exception) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
        # The waiter may be gone; an exception nobody fetches must not be logged as forgotten.
        future.exception()
    else:
        future.set_result(result)
