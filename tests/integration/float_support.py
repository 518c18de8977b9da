"""Room in the float without a top-up: a stage begins as a platform whose float was measured."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from services.escrow.domain.float_rule import FLOAT_SHARES
from services.escrow.store.float_gauge import change_shares


async def give_room(engine: AsyncEngine, room_minor: int) -> None:
    """Spread this room over the shares; the first pass of reconciliation measures what there really is."""
    await change_shares(engine, [room_minor // FLOAT_SHARES] * FLOAT_SHARES)
