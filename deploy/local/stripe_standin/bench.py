"""Processor time of one call, after few payments and after many.

Run as ``python -m deploy.local.stripe_standin.bench --payments 100000``. Owns the figure that a
call costs about a millisecond however many payments there are. It measures the stand-in's process
only, on Linux, not the disk and not the caller; a busy machine makes all figures larger.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

from deploy.local.stripe_standin.core import Call, Standin
from deploy.local.stripe_standin.forms import Params
from deploy.local.stripe_standin.payment_intents import create
from deploy.local.stripe_standin.settings import Settings
from deploy.local.stripe_standin.store import FILE_NAME, Store

KEY = "sk_test_bench"
FEW = 10
CALLS = 500
ROUNDS = 9
IN_FLIGHT = 16
FILL_BATCH = 500
START_SECONDS = 60.0


def _fill(data_dir: Path, payments: int) -> None:
    """Make payments through the same handler, without HTTP."""

    async def work() -> None:
        standin = Standin(Settings(data_dir, KEY, KEY, "http://localhost"), Store(data_dir))

        def batch() -> None:
            for _ in range(min(FILL_BATCH, payments)):
                create(standin, Call("POST", "/v1/payment_intents", Params(dict(_payment("pm_card_visa")))))

        for _ in range(max(1, payments // FILL_BATCH)):
            await standin.store.transact(batch)
        await standin.store.close()

    asyncio.run(work())


def _payment(payment_method: str) -> dict[str, Any]:
    return {
        "amount": "1200",
        "currency": "usd",
        "confirm": "true",
        "return_url": "http://localhost/back",
        "payment_method": payment_method,
    }


class Subject:
    """One stand-in under measurement."""

    def __init__(self, data_dir: Path) -> None:
        self.file = data_dir / FILE_NAME
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = ("-m", "deploy.local.stripe_standin", "--port", str(port), "--api-key", KEY)
        self.begun = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
            [sys.executable, *command, "--data-dir", str(data_dir)]
        )
        self.start_seconds = 0.0
        self.cpu_ms: list[float] = []

    async def ready(self, http: aiohttp.ClientSession) -> None:
        """Wait until it answers, then warm it up."""
        while time.monotonic() < self.begun + START_SECONDS:
            try:
                async with http.get(f"{self.url}/healthz"):
                    self.start_seconds = time.monotonic() - self.begun
                    await _calls(http, self.url, CALLS)
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.02)
        raise TimeoutError("the stand-in did not start")

    async def round(self, http: aiohttp.ClientSession) -> None:
        """Measure some calls."""
        before = _cpu_seconds(self.process.pid)
        await _calls(http, self.url, CALLS)
        self.cpu_ms.append((_cpu_seconds(self.process.pid) - before) / CALLS * 1_000)

    def figures(self) -> dict[str, float]:
        """The median and the best round, and what the process weighs."""
        return {
            "cpu_ms_per_call_median": round(statistics.median(self.cpu_ms), 3),
            "cpu_ms_per_call_best": round(min(self.cpu_ms), 3),
            "start_seconds": round(self.start_seconds, 2),
            "memory_megabytes": round(_memory_bytes(self.process.pid) / 1e6, 1),
            "file_megabytes": round(self.file.stat().st_size / 1e6, 1),
        }


async def _measure(data_dirs: list[Path]) -> list[dict[str, float]]:
    """Take turns, so that other work on the machine weighs on all alike."""
    subjects = [Subject(data_dir) for data_dir in data_dirs]
    try:
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as http:
            for subject in subjects:
                await subject.ready(http)
            for _ in range(ROUNDS):
                for subject in subjects:
                    await subject.round(http)
            return [subject.figures() for subject in subjects]
    finally:
        for subject in subjects:
            subject.process.terminate()
            subject.process.wait()


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def _calls(http: aiohttp.ClientSession, url: str, count: int) -> None:
    places = asyncio.Semaphore(IN_FLIGHT)

    async def one() -> None:
        async with places:
            key = {"Idempotency-Key": os.urandom(12).hex()}
            async with http.post(f"{url}/v1/payment_intents", data=_payment("pm_card_visa"), headers=key) as answer:
                answer.raise_for_status()

    await asyncio.gather(*(one() for _ in range(count)))


def main() -> int:
    """Print both figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payments", type=int, default=100_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        sizes = (FEW, arguments.payments)
        data_dirs = [Path(name) / str(payments) for payments in sizes]
        for data_dir, payments in zip(data_dirs, sizes, strict=True):
            _fill(data_dir, payments)
        figures = asyncio.run(_measure(data_dirs))
    named = {f"after_{payments}_payments": found for payments, found in zip(sizes, figures, strict=True)}
    sys.stdout.write(json.dumps(named, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
