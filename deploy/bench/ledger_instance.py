"""One instance of escrow that posts into campaigns of its own: `python -m deploy.bench.ledger_instance`.

Says `ready` on standard output, waits for a line, posts, and says its seconds as JSON, so that several begin together.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import typer
from sqlalchemy.ext.asyncio import create_async_engine

from deploy.bench.ledger_posting import open_campaigns, payments, post_all, post_batch


async def _run(app_url: str, *, campaigns: int, transfers: int, batch_transfers: int) -> None:
    engine = create_async_engine(app_url)
    try:
        scopes = await open_campaigns(engine, campaigns)
        first, given = payments(scopes, batch_transfers), payments(scopes, transfers)
        # The first transaction is cold: connections, prepared statements.
        await post_batch(engine, first)
        typer.echo("ready")
        await asyncio.to_thread(sys.stdin.readline)
        began = time.time()
        await post_all(engine, given, batch_transfers)
        typer.echo(json.dumps({"began": began, "ended": time.time()}))
    finally:
        await engine.dispose()


def main(app_url: str, campaigns: int, transfers: int, batch_transfers: int) -> None:
    """Post so many transfers into so many new campaigns."""
    asyncio.run(_run(app_url, campaigns=campaigns, transfers=transfers, batch_transfers=batch_transfers))


if __name__ == "__main__":
    typer.run(main)
