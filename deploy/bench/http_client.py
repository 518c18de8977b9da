"""A client that costs little, so that a measurement meets the server and not itself: prepared requests on open connections.

It understands what our servers answer: a status line, headers with a length, a body. It is no client for anything else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from services.kit.clock import monotonic_seconds

ANSWER_SECONDS_MAX = 30
HEADER_BYTES_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and after how many seconds."""

    status: int
    body: bytes
    seconds: float


def request_bytes(method: str, path: str, *, host: str, body: bytes = b"", **headers: str) -> bytes:
    """A request as it goes over the wire; underscores in names of headers stand for hyphens."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Connection:
    """One open connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, request: bytes) -> Answer:
        """Send a request and read its answer. Raises TimeoutError, OSError, ValueError."""
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=HEADER_BYTES_MAX)
        began = monotonic_seconds()
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            self._writer.write(request)
            head = await self._reader.readuntil(b"\r\n\r\n")
            body = await self._reader.readexactly(_length(head))
        return Answer(int(head[9:12]), body, monotonic_seconds() - began)

    async def close(self) -> None:
        """Close it."""
        if self._writer is not None:
            self._writer.close()
            await self._writer.wait_closed()


async def rate(port: int, make: Callable[[], bytes], *, expect: int, seconds: float, connections: int) -> float:
    """Answers per second over so many connections at once, each asking again when it was answered. Raises RuntimeError on
    another status than the expected one."""
    end = monotonic_seconds() + seconds
    began = monotonic_seconds()

    async def worker() -> int:
        connection, answered = Connection(port), 0
        try:
            while monotonic_seconds() < end:
                answer = await connection.ask(make())
                if answer.status != expect:
                    raise RuntimeError(f"answered {answer.status}: {answer.body[:300]!r}")
                answered += 1
        finally:
            await connection.close()
        return answered

    counts = await asyncio.gather(*(worker() for _ in range(connections)))
    return sum(counts) / (monotonic_seconds() - began)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ValueError("an answer without a length")
