"""Listens to the database's notifications: something was written to the outbox, or the stack's clock was moved.

One connection per process, beside the poll that every loop has: a lost notification costs a poll interval, never an act.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import asyncpg

from services.kit import telemetry
from services.kit.database import CONNECT_TIMEOUT_SECONDS, is_transient, retry_delay_seconds

CHECK_SECONDS = 15.0
CLOCK_CHANNEL = "stack_clock"

log = telemetry.logger("kit.listener")


class Listener:
    """Calls a function per channel whenever it is notified."""

    def __init__(self, url: str, channels: Mapping[str, Callable[[], None]]) -> None:
        self._url = url.replace("postgresql+asyncpg://", "postgresql://")
        self._channels = channels

    async def run(self, stopping: asyncio.Event) -> None:
        """Listen until told to stop; a lost connection is made again."""
        attempt = 0
        while not stopping.is_set():
            try:
                await self._listen(stopping)
                attempt = 0
            except Exception as error:
                if not is_transient(error) and not isinstance(error, asyncpg.PostgresError):
                    raise
                attempt += 1
                await asyncio.sleep(retry_delay_seconds(attempt))

    async def _listen(self, stopping: asyncio.Event) -> None:
        connection = await asyncpg.connect(self._url, timeout=CONNECT_TIMEOUT_SECONDS)
        try:
            for channel, call in self._channels.items():
                await connection.add_listener(channel, lambda *_, call=call: call())
            while not stopping.is_set():
                try:
                    await asyncio.wait_for(stopping.wait(), timeout=CHECK_SECONDS)
                except TimeoutError:
                    await connection.execute("SELECT 1")
        finally:
            await connection.close(timeout=CONNECT_TIMEOUT_SECONDS)
