"""What age costs a ledger: the price of a posting with ten thousand and with five million entries, and the audit of one
million.

Owns these figures; all is posted through the real posting function into one hot campaign, which is the worst case: every
balance, cause and position is looked up among all the others. The price is the median transaction of a hundred, and its
baseline the same median when the ledger was young. It takes minutes, because five million entries are really posted.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from deploy.audit.check_ledger import ledger_findings
from deploy.audit.findings import Findings
from deploy.bench.ledger_posting import (
    ENTRIES_PER_TRANSFER,
    LedgerDatabase,
    ledger_databases,
    open_campaigns,
    payments,
    post_all,
)

BATCH_TRANSFERS = 500
MEASURED_BATCHES = 100
YOUNG_ENTRIES = 10_000
AUDITED_ENTRIES = 1_000_000
OLD_ENTRIES = 5_000_000
BATCHES_AT_ONCE = 20


def bench_ledger_depth(
    folder: Path,
    *,
    young_entries: int = YOUNG_ENTRIES,
    audited_entries: int = AUDITED_ENTRIES,
    old_entries: int = OLD_ENTRIES,
    measured_batches: int = MEASURED_BATCHES,
) -> dict[str, Any]:
    """Returns `posting_age_ratio` (old ÷ young, of the median batch), the milliseconds of both, and the seconds of the
    audit. Raises RuntimeError when the audit finds something."""
    with ledger_databases(folder) as database:
        return asyncio.run(
            _measure(database, (young_entries, audited_entries, old_entries), measured_batches=measured_batches)
        )


async def _measure(database: LedgerDatabase, ages: tuple[int, int, int], *, measured_batches: int) -> dict[str, Any]:
    young_entries, audited_entries, old_entries = ages
    engine = create_async_engine(database.app)
    try:
        scopes = await open_campaigns(engine, 1)
        posted = await _fill(engine, scopes, 0, young_entries)
        young, posted = await _price(engine, scopes, posted, measured_batches)
        posted = await _fill(engine, scopes, posted, audited_entries)
        audit_seconds = await _audit(database.owner)
        posted = await _fill(engine, scopes, posted, old_entries)
        old, posted = await _price(engine, scopes, posted, measured_batches)
    finally:
        await engine.dispose()
    return {
        "posting_age_ratio": round(old / young, 2),
        "old_batch_milliseconds": round(old * 1000, 1),
        "baseline_young_batch_milliseconds": round(young * 1000, 1),
        "audit_million_seconds": round(audit_seconds, 1),
        "audited_entries": audited_entries,
        "entries": posted,
    }


async def _fill(engine: AsyncEngine, scopes: list[str], posted: int, entries: int) -> int:
    """Post until there are so many entries; returns how many there are."""
    while posted < entries:
        count = min(BATCHES_AT_ONCE * BATCH_TRANSFERS, -(-(entries - posted) // ENTRIES_PER_TRANSFER))
        await post_all(engine, payments(scopes, count), BATCH_TRANSFERS)
        posted += count * ENTRIES_PER_TRANSFER
    return posted


async def _price(engine: AsyncEngine, scopes: list[str], posted: int, batches: int) -> tuple[float, int]:
    """The median seconds of one transaction, and how many entries there are now."""
    seconds = await post_all(engine, payments(scopes, batches * BATCH_TRANSFERS), BATCH_TRANSFERS)
    return statistics.median(seconds), posted + batches * BATCH_TRANSFERS * ENTRIES_PER_TRANSFER


async def _audit(owner_url: str) -> float:
    """Seconds of every question that the audit asks the ledger, the recomputed hashes among them."""
    engine = create_async_engine(owner_url)
    began = time.perf_counter()
    try:
        async with engine.connect() as connection:
            findings = Findings()
            await ledger_findings(connection, findings)
    finally:
        await engine.dispose()
    if not findings.clean:
        raise RuntimeError(f"the audit of the measured ledger found something: {findings.entries}")
    return time.perf_counter() - began
