"""Run the projection of one generation: its consumer and its sweeper, startable and stoppable on their own.

The gateway runs the active generation; a rebuild runs the next one beside it. Both use the same tables of gates, each
under its own consumer name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from faststream.kafka import KafkaBroker

from services.gateway.handlers import TOPICS, projection
from services.gateway.store.projection import Rows
from services.kit import telemetry
from services.kit.broker import make_broker, subscribe
from services.kit.runtime import Runtime
from services.kit.settings import KitSettings
from services.kit.sweeper import Sweeper

STOP_TIMEOUT_SECONDS = 20.0

log = telemetry.logger("gateway.projection")


class Projecting:
    """The running projection of one generation."""

    def __init__(
        self,
        running: Runtime,
        settings: KitSettings,
        *,
        generation: int,
        on_touched: Callable[[Rows], None] | None = None,
    ) -> None:
        self.generation = generation
        self._stopping = asyncio.Event()
        self._service = projection(generation, instance=settings.instance, on_touched=on_touched)
        self._handler = running.make_handler(self._service)
        self._handler.stopping = self._stopping
        self._broker: KafkaBroker = make_broker(settings, client_id=f"{self._service.consumer}-{settings.instance}")
        subscribe(self._broker, self._handler, settings, topics=TOPICS)
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to consume."""
        self._sweeping = asyncio.create_task(self._sweep())
        await self._broker.start()
        log.info("gateway.projection.started", generation=self.generation)

    async def stop(self) -> None:
        """Let the batch in hand finish, then leave the group."""
        self._stopping.set()
        await self._broker.stop()
        if self._sweeping is not None:
            await asyncio.wait([self._sweeping], timeout=STOP_TIMEOUT_SECONDS)
            self._sweeping.cancel()
        log.info("gateway.projection.stopped", generation=self.generation)

    async def consuming(self) -> bool:
        """Whether the consumer is a member of its group with something assigned, and the broker answers."""
        if not await self._broker.ping(timeout=2.0):
            return False
        consumers = [getattr(subscriber, "consumer", None) for subscriber in self._broker.subscribers]
        return all(consumer is not None and bool(consumer.assignment()) for consumer in consumers)

    async def _sweep(self) -> None:
        while not self._stopping.is_set():
            try:
                await Sweeper(self._handler).run(self._stopping)
            except Exception as error:
                log.error("gateway.projection.sweep", error=f"{type(error).__name__}: {error}"[:300])
                await asyncio.sleep(1.0)
