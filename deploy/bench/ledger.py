"""How many transfers per second one hot campaign takes, and what a second instance adds, on a real database.

Owns the figures and their baselines, all of one run: the same function with one transfer per transaction, so that the
ratio says what batches gain on this machine whatever its speed; and one instance on one campaign beside two instances
on fifty, so that the ratio says whether campaigns wait for each other.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from deploy.bench.ledger_posting import ROOT, LedgerDatabase, ledger_databases, open_campaigns, payments, post_all
from services.escrow.store.invariants import violations

TRANSFERS = 30_000
BATCH_TRANSFERS = 500
BASELINE_TRANSFERS = 500
INSTANCES = 2
CAMPAIGNS = 50
INSTANCE_SECONDS_MAX = 300


def bench_ledger(folder: Path, *, transfers: int = TRANSFERS, batch_transfers: int = BATCH_TRANSFERS) -> dict[str, Any]:
    """Measure in a throw-away database; `folder` keeps the database server's data when none is given by address.

    Returns rates per second (`hot_transfers_per_second`, its baseline, the median batch's rate, one and two instances)
    and what was measured. Raises RuntimeError when the ledger does not verify afterwards: a fast wrong ledger is no
    figure.
    """
    with ledger_databases(folder) as database:
        found = asyncio.run(_hot(database.app, transfers, batch_transfers))
        found |= _instances(database, transfers, batch_transfers)
        asyncio.run(verify(database.app))
    return found


async def verify(app_url: str) -> None:
    """Raise RuntimeError unless transfers balance, money is accounted for, the chains and running balances hold."""
    engine = create_async_engine(app_url)
    try:
        async with engine.connect() as connection:
            for invariant in ("I1", "I2", "I17", "I18"):
                if await violations(connection, invariant):
                    raise RuntimeError(f"the ledger does not verify after the measurement: {invariant}")
    finally:
        await engine.dispose()


async def _hot(app_url: str, transfers: int, batch_transfers: int) -> dict[str, Any]:
    engine = create_async_engine(app_url)
    try:
        single = await _into_one(engine, BASELINE_TRANSFERS, 1)
        batches = await _into_one(engine, transfers, batch_transfers)
    finally:
        await engine.dispose()
    return {
        "hot_transfers_per_second": round(transfers / sum(batches)),
        "baseline_hot_transfers_per_second": round(BASELINE_TRANSFERS / sum(single)),
        "median_batch_hot_transfers_per_second": round(batch_transfers / statistics.median(batches)),
        "transfers": transfers,
        "batch_transfers": batch_transfers,
        "seconds": round(sum(batches), 3),
    }


async def _into_one(engine: AsyncEngine, transfers: int, batch_transfers: int) -> list[float]:
    """Post so many payments into one new campaign; returns each transaction's seconds, the first (cold) one left out."""
    given = payments(await open_campaigns(engine, 1), transfers + batch_transfers)
    return (await post_all(engine, given, batch_transfers))[1:]


def _instances(database: LedgerDatabase, transfers: int, batch_transfers: int) -> dict[str, Any]:
    one = _rate(database.app, instances=1, campaigns=1, transfers=transfers, batch_transfers=batch_transfers)
    two = _rate(
        database.app, instances=INSTANCES, campaigns=CAMPAIGNS, transfers=transfers, batch_transfers=batch_transfers
    )
    return {
        "two_instances_ratio": round(two / one, 2),
        "two_instances_transfers_per_second": round(two),
        "baseline_one_instance_transfers_per_second": round(one),
    }


def _rate(app_url: str, *, instances: int, campaigns: int, transfers: int, batch_transfers: int) -> float:
    """Transfers per second of so many processes together, from the first's beginning to the last's end."""
    each = [str(campaigns // instances), str(transfers // instances), str(batch_transfers)]
    command = [sys.executable, "-m", "deploy.bench.ledger_instance", app_url, *each]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own module
        for _ in range(instances)
    ]
    try:
        for process in running:
            if process.stdout is None or process.stdout.readline().strip() != "ready":
                raise RuntimeError("an instance did not start")
        for process in running:
            _go(process)
        told = [json.loads(process.communicate(timeout=INSTANCE_SECONDS_MAX)[0]) for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()
    return (
        instances * (transfers // instances) / (max(one["ended"] for one in told) - min(one["began"] for one in told))
    )


def _go(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        process.stdin.write("go\n")
        process.stdin.flush()
