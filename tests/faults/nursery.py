"""The test's side of `armed_process`: starts service processes, arms failpoints in them, and hears how they ended."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
LOAD_SECONDS_MAX = 120.0
ANSWER_SECONDS_MAX = 30.0
MODULES = (
    "services.campaigns.handlers",
    "services.escrow.handlers",
    "services.suppliers.handlers",
    "services.notifications.handlers",
    "services.gateway.app",
    "services.kit.runtime",
    "tests.fixtures.kit_service",
)
"""What every start would load: all of a service but its `__main__`, which each child runs anew."""


class Nursery:
    """Bears one service process at a time. Use as an async context manager."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process
        self._listening: asyncio.Task[None]
        self._answers: asyncio.Queue[str] = asyncio.Queue()
        self._ended = asyncio.Event()
        self.pid = 0
        self.exit_code: int | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.faults.armed_process", *MODULES),
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith("ALPMERA_")},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self._listening = asyncio.create_task(self._listen())
        assert await asyncio.wait_for(self._answers.get(), timeout=LOAD_SECONDS_MAX) == "ready"
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._listening

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            word, _, rest = line.decode().strip().partition(" ")
            if word == "ended":
                self.exit_code = int(rest)
                self._ended.set()
            else:
                self._answers.put_nowait(line.decode().strip())

    @property
    def is_alive(self) -> bool:
        """Whether the child runs."""
        return self.pid != 0 and not self._ended.is_set()

    async def start(self, module: str, environment: Mapping[str, str], log: Path) -> None:
        """Start a service's module as a process; the one before it must have ended."""
        assert not self.is_alive
        self._ended.clear()
        self._say({"start": module, "environment": dict(environment), "log": str(log)})
        word, _, pid = (await self._answer()).partition(" ")
        assert word == "started"
        self.pid = int(pid)

    async def arm(self, failpoints: str) -> None:
        """Arm failpoints in the running process; returns when they are."""
        assert self.is_alive
        self._say({"arm": failpoints})
        assert await self._answer() == f"armed {failpoints}"

    def kill(self) -> None:
        """SIGKILL to the child."""
        if self.is_alive:
            os.kill(self.pid, signal.SIGKILL)

    async def ended(self, timeout_seconds: float) -> int:
        """Wait for the child's end; its exit code, negative for a signal. Raises TimeoutError."""
        await asyncio.wait_for(self._ended.wait(), timeout=timeout_seconds)
        assert self.exit_code is not None
        return self.exit_code

    def _say(self, wanted: Mapping[str, object]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(wanted).encode() + b"\n")

    async def _answer(self) -> str:
        return await asyncio.wait_for(self._answers.get(), timeout=ANSWER_SECONDS_MAX)
