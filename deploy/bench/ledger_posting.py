"""Posting payments into a throw-away ledger as the service does: what every figure of the ledger is measured with.

Owns the throw-away database and one transaction of many postings through the real posting function, with its guards,
balances, causes and hash chain. It measures postings, not journeys: events, the broker and calls to Stripe are not in it.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.infra import Infra, start_infra
from services.escrow.domain import postings
from services.escrow.store.ledger import open_ledger
from services.kit.runtime import GC_ALLOCATIONS
from services.kit.service import Service
from services.kit.transaction import make_work

ROOT = Path(__file__).resolve().parents[2]
ENTRIES_PER_TRANSFER = 2
MIGRATE_SECONDS_MAX = 120
SERVICE = Service(name="escrow", topics=(), head_table="ledger_scope")


class LedgerDatabase(NamedTuple):
    """Addresses of a throw-away ledger: with the right to change tables, and with the service's rights."""

    owner: str
    app: str


@dataclass(frozen=True, slots=True)
class Payment:
    """What is known of a payment before it is posted: made beforehand, because others make it in real life."""

    scope: str
    commitment_id: UUID
    intent_id: UUID
    charge_id: str
    event_id: UUID


@contextmanager
def ledger_databases(folder: Path) -> Iterator[LedgerDatabase]:
    """A migrated, empty database of escrow, dropped afterwards; `folder` keeps the server's data when none is given by
    address."""
    with start_infra(folder, parts={"postgres"}) as infra, _database(infra) as database, _as_a_service_runs():
        yield database


@contextmanager
def _database(infra: Infra) -> Iterator[LedgerDatabase]:
    name = f"bench_{uuid4().hex[:8]}"
    database = LedgerDatabase(*infra.create_database(name))
    try:
        _migrate(database.owner, f"{name}_app")
        yield database
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


def _migrate(owner_url: str, app_role: str) -> None:
    environment = os.environ | {"ALPMERA_ESCROW_OWNER_DATABASE_URL": owner_url, "ALPMERA_MIGRATE_APP_ROLE": app_role}
    command = [sys.executable, "-m", "services.kit.migrate", "escrow"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=MIGRATE_SECONDS_MAX)  # noqa: S603 - our own module


async def open_campaigns(engine: AsyncEngine, count: int) -> list[str]:
    """Make so many empty scopes."""
    scopes = [str(uuid4()) for _ in range(count)]
    async with engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO ledger_scope (stream) SELECT unnest(CAST(:streams AS text[]))"),
            {"streams": [f"escrow:{scope}" for scope in scopes]},
        )
    return scopes


def payments(scopes: Sequence[str], count: int) -> list[Payment]:
    """So many payments, spread over the scopes in turn."""
    made = []
    for number in range(count):
        scope = scopes[number % len(scopes)]
        made.append(Payment(scope, uuid4(), uuid4(), f"ch_{number:024d}_{uuid4().hex[:12]}", uuid4()))
    return made


async def post_batch(engine: AsyncEngine, some: Sequence[Payment]) -> float:
    """One transaction as the service makes it: lock, load, post, write, commit. Returns its seconds."""
    started = time.perf_counter()
    scopes = list(dict.fromkeys(payment.scope for payment in some))
    async with engine.begin() as connection:
        work = await make_work(connection, SERVICE, scopes)
        ledger = await open_ledger(work, scopes)
        batch = [
            postings.lock(
                payment.scope,
                payment.commitment_id,
                12_000,
                intent_id=payment.intent_id,
                object_id=payment.charge_id,
                facts=postings.Facts(relied_on=(payment.event_id,)),
            )
            for payment in some
        ]
        await ledger.prepare(batch)
        for posting in batch:
            ledger.post(posting)
        await ledger.write()
    return time.perf_counter() - started


async def post_all(engine: AsyncEngine, some: Sequence[Payment], batch_transfers: int) -> list[float]:
    """Post all of them in batches; returns the seconds of each transaction."""
    return [
        await post_batch(engine, some[start : start + batch_transfers])
        for start in range(0, len(some), batch_transfers)
    ]
