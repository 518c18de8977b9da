"""How many transfers per second one hot campaign takes, through the real posting function on a real database.

Owns the figure and its baseline, both of one run: the same function with one transfer per transaction, so that the ratio
says what batches gain on this machine whatever its speed. It works in a database of its own, made for the run and
dropped after it, because a ledger cannot be cleaned. It measures postings, not journeys: events, the broker and calls to
Stripe are not in it.
"""

import asyncio
import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from deploy.local.infra import start_infra
from services.escrow.domain import postings
from services.escrow.store.invariants import violations
from services.escrow.store.ledger import open_ledger
from services.kit.runtime import GC_ALLOCATIONS
from services.kit.service import Service
from services.kit.transaction import make_work

ROOT = Path(__file__).resolve().parents[2]
TRANSFERS = 30_000
BATCH_TRANSFERS = 500
BASELINE_TRANSFERS = 500
MIGRATE_SECONDS_MAX = 120
SERVICE = Service(name="escrow", topics=(), head_table="ledger_scope")


@dataclass(frozen=True, slots=True)
class Payment:
    """What is known of a payment before it is posted: made beforehand, because others make it in real life."""

    commitment_id: UUID
    intent_id: UUID
    charge_id: str
    event_id: UUID


def bench_ledger(folder: Path, *, transfers: int = TRANSFERS, batch_transfers: int = BATCH_TRANSFERS) -> dict[str, Any]:
    """Measure in a throw-away database; `folder` keeps the database server's data when none is given by address.

    Returns rates per second (`hot_transfers_per_second`, its baseline, the median batch's rate) and what was measured.
    Raises RuntimeError when the ledger does not verify afterwards: a fast wrong ledger is no figure.
    """
    name = f"bench_{uuid4().hex[:8]}"
    with start_infra(folder, parts={"postgres"}) as infra:
        owner_url, app_url = infra.create_database(name)
        try:
            migrate(owner_url, f"{name}_app")
            with _as_a_service_runs():
                return asyncio.run(_measure(app_url, transfers, batch_transfers))
        finally:
            infra.drop_database(name)


@contextmanager
def _as_a_service_runs() -> Iterator[None]:
    """Collect garbage as rarely as a service does (`services.kit.runtime`), and as before afterwards."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_ALLOCATIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def migrate(owner_url: str, app_role: str) -> None:
    """Make escrow's tables in an empty database."""
    environment = os.environ | {"ALPMERA_ESCROW_OWNER_DATABASE_URL": owner_url, "ALPMERA_MIGRATE_APP_ROLE": app_role}
    command = [sys.executable, "-m", "services.kit.migrate", "escrow"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=MIGRATE_SECONDS_MAX)  # noqa: S603 - our own module


async def _measure(app_url: str, transfers: int, batch_transfers: int) -> dict[str, Any]:
    engine = create_async_engine(app_url)
    try:
        single = await _post_all(engine, BASELINE_TRANSFERS, 1)
        batches = await _post_all(engine, transfers, batch_transfers)
        async with engine.connect() as connection:
            for invariant in ("I1", "I2", "I17", "I18"):
                if await violations(connection, invariant):
                    raise RuntimeError(f"the ledger does not verify after the measurement: {invariant}")
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


async def _post_all(engine: AsyncEngine, transfers: int, batch_transfers: int) -> list[float]:
    """Post so many payments into one new campaign; returns each transaction's seconds, the first (cold) one left out."""
    scope = str(uuid4())
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO ledger_scope (stream) VALUES (:s)"), {"s": f"escrow:{scope}"})
    given = [
        Payment(uuid4(), uuid4(), f"ch_{number:024d}_{scope[:8]}", uuid4())
        for number in range(transfers + batch_transfers)
    ]
    seconds = [
        await post_batch(engine, scope, given[start : start + batch_transfers])
        for start in range(0, len(given), batch_transfers)
    ]
    return seconds[1:]


async def post_batch(engine: AsyncEngine, scope: str, payments: Sequence[Payment]) -> float:
    """One transaction as the service makes it: lock, load, post, write, commit. Returns its seconds."""
    started = time.perf_counter()
    async with engine.begin() as connection:
        work = await make_work(connection, SERVICE, [scope])
        ledger = await open_ledger(work, [scope])
        batch = [
            postings.lock(
                scope,
                payment.commitment_id,
                12_000,
                intent_id=payment.intent_id,
                object_id=payment.charge_id,
                facts=postings.Facts(relied_on=(payment.event_id,)),
            )
            for payment in payments
        ]
        await ledger.prepare(batch)
        for posting in batch:
            ledger.post(posting)
        await ledger.write()
    return time.perf_counter() - started
