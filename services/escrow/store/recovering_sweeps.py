"""Which balance transactions a sweep took that the ledger has and the mirror does not know: the rows of that question."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.database import sql


async def unmarked_sweeps(connection: AsyncConnection) -> list[Any]:
    """Sweeps of the ledger whose first balance transaction is not marked as swept: scope, position, run, net, moment,
    in sequence."""
    found = await connection.execute(
        sql(
            "SELECT t.scope, t.position, b.bt_id AS run, e.amount_minor AS net_minor, t.created_at "
            "FROM ledger_transfer t "
            "JOIN ledger_entry e ON e.scope = t.scope AND e.position = t.position AND e.account = 'psp_pending' "
            "JOIN balance_transaction b ON t.cause = 'sweep:' || t.scope || ':' || b.bt_id "
            "WHERE t.kind = 'psp_sweep' AND b.swept_at IS NULL ORDER BY t.scope, t.position"
        )
    )
    return list(found)


async def sweepable_then(connection: AsyncConnection, scope: str, run: str, at: datetime, position: int) -> list[Any]:
    """Balance transactions of a scope that a sweep at this moment could take: settled before it and available by then."""
    found = await connection.execute(
        sql(
            "SELECT b.bt_id, b.net FROM balance_transaction b "
            "WHERE b.scope = :scope AND b.swept_at IS NULL AND b.available_on <= :at AND b.bt_id >= :run "
            "AND NOT EXISTS (SELECT FROM ledger_transfer t WHERE t.scope = b.scope AND t.position > :position "
            "AND t.cause = 'bt:' || b.bt_id) ORDER BY b.bt_id"
        ),
        {"scope": scope, "run": run, "at": at, "position": position},
    )
    return list(found)


async def mark_swept(connection: AsyncConnection, ids: Sequence[str], at: datetime) -> None:
    """These were swept then."""
    await connection.execute(
        sql(
            "UPDATE balance_transaction SET swept_at = :at, status = 'available' "
            "WHERE bt_id = ANY (CAST(:ids AS text[]))"
        ),
        {"ids": list(ids), "at": at},
    )
