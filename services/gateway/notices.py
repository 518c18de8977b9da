"""Listen to notices of the database: another gateway's commit, a revoked session, a new generation of the read model.

A notice is only a wake-up. When the connection was lost anything may have been missed: every cache is forgotten and
everything is looked at again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import asyncpg

from services.kit import telemetry
from services.kit.database import CONNECT_TIMEOUT_SECONDS, retry_delay_seconds

PROBE_SECONDS = 5.0

Handler = Callable[[str], None]

log = telemetry.logger("gateway.notices")


async def listen(
    url: str, handlers: Mapping[str, Handler], *, on_connected: Callable[[], None], stopping: asyncio.Event
) -> None:
    """Call a channel's handler with each notice's payload, until told to stop; reconnect with backoff."""
    failures = 0
    while not stopping.is_set():
        try:
            await _listen_once(url, handlers, on_connected, stopping)
            failures = 0
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
            failures += 1
            log.warning("gateway.notices.lost", error=type(error).__name__, failures=failures)
            await asyncio.sleep(retry_delay_seconds(min(failures, 10)))


async def _listen_once(
    url: str, handlers: Mapping[str, Handler], on_connected: Callable[[], None], stopping: asyncio.Event
) -> None:
    connection: Any = await asyncpg.connect(
        url.replace("postgresql+asyncpg://", "postgresql://", 1), timeout=CONNECT_TIMEOUT_SECONDS
    )
    try:
        for channel, handler in handlers.items():
            await connection.add_listener(channel, _listener(handler))
        on_connected()
        while not stopping.is_set():
            try:
                await asyncio.wait_for(stopping.wait(), timeout=PROBE_SECONDS)
            except TimeoutError:
                # A connection that died without a word is found out by asking it something.
                await connection.execute("SELECT 1", timeout=CONNECT_TIMEOUT_SECONDS)
    finally:
        await connection.close(timeout=CONNECT_TIMEOUT_SECONDS)


def _listener(handler: Handler) -> Any:
    def on_notice(_connection: Any, _pid: int, _channel: str, payload: str) -> None:
        handler(payload)

    return on_notice
