"""The stack's clock as readers see it."""

from __future__ import annotations

from services.gateway.store.read_model import ReadModel, Row


async def stack_clock(reads: ReadModel) -> Row:
    """Stack time, how far it was moved, and whether it is being moved now."""
    row = await reads.one("SELECT stack_now() AS now, offset_seconds, paused FROM stack_clock")
    if row is None:
        raise RuntimeError("the stack clock has no row")
    return row
