"""Rows by which operations are resolved: outcomes of commands, plans whose transfer is tried again, top-ups."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.gateway.store.read_model import ReadModel, Row


async def command_outcomes(reads: ReadModel, command_ids: Sequence[UUID]) -> dict[UUID, Row]:
    """What became of commands, as far as it is known."""
    rows = await reads.all(
        "SELECT command_id, code, facts, subject_id FROM outcome WHERE command_id = ANY(CAST(:ids AS uuid[]))",
        ids=list(command_ids),
    )
    return {row["command_id"]: row for row in rows}


async def plan_transfers(reads: ReadModel, plan_ids: Sequence[UUID]) -> dict[UUID, Row]:
    """The state of plans and how often their transfer was refused."""
    rows = await reads.all(
        "SELECT id, state, refused_code, refused_transfers FROM clearing_plan WHERE id = ANY(CAST(:ids AS uuid[]))",
        ids=list(plan_ids),
    )
    return {row["id"]: row for row in rows}


async def top_ups(reads: ReadModel, top_up_ids: Sequence[UUID]) -> dict[UUID, Row]:
    """Top-ups that have arrived."""
    rows = await reads.all(
        "SELECT id, amount_minor, currency FROM top_up WHERE id = ANY(CAST(:ids AS uuid[]))", ids=list(top_up_ids)
    )
    return {row["id"]: row for row in rows}
