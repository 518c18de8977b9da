"""The float's gauge as the escrow service told it last: what it carries, and whether joining goes on."""

from __future__ import annotations

from collections.abc import Sequence

from services.gateway.store.read_model import ReadModel, Row

_GAUGES = """
SELECT currency, available_minor, worst_case_fees_minor, buffer_minor, room_minor, next_fee_minor, admits, gauged_at
FROM float_gauge ORDER BY currency
"""


async def gauges(reads: ReadModel) -> Sequence[Row]:
    """One gauge per currency; none before the float was ever measured."""
    return await reads.all(_GAUGES)


async def paused_currencies(reads: ReadModel) -> Sequence[Row]:
    """The currencies in which joining pauses."""
    return await reads.all("SELECT currency FROM float_gauge WHERE NOT admits")
