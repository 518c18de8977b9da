"""Remove what has expired, by the table of retention, once an hour and a bounded number of rows at a time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from services.gateway.domain.retention import RETENTION, ROWS_AT_ONCE_MAX
from services.kit import telemetry
from services.kit.clock import wall_now
from services.kit.database import DATABASE_ERRORS, sql

SWEEP_SECONDS = 3_600.0

log = telemetry.logger("gateway.retention")


async def sweep_expired(engine: AsyncEngine, stopping: asyncio.Event) -> None:
    """Sweep until told to stop."""
    while not stopping.is_set():
        try:
            removed = await sweep_once(engine)
            if removed:
                log.info("gateway.retention.removed", rows=removed)
        except DATABASE_ERRORS as error:
            log.warning("gateway.retention.later", error=type(error).__name__)
        try:
            await asyncio.wait_for(stopping.wait(), timeout=SWEEP_SECONDS)
        except TimeoutError:
            continue


async def sweep_once(engine: AsyncEngine) -> int:
    """One round; returns how many rows were removed."""
    removed = 0
    for kept in RETENTION:
        if kept.sweep is None or kept.days is None:
            continue
        before = wall_now() - timedelta(days=kept.days)
        while True:
            async with engine.begin() as connection:
                found = await connection.execute(sql(kept.sweep), {"before": before, "rows": ROWS_AT_ONCE_MAX})
            removed += found.rowcount
            if found.rowcount < ROWS_AT_ONCE_MAX:
                break
    return removed
