"""Statements on many commitments at once: the decisions that move every held commitment of a campaign."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from services.campaigns.domain.commitments import Word
from services.campaigns.store.loaded import loaded_rows, write_pending
from services.kit import telemetry
from services.kit.flush import write_audits
from services.kit.work import Work


@dataclass(frozen=True, slots=True)
class Moved:
    """How many commitments were moved, how many units they hold together, and how many of these are in dispute."""

    commitments: int
    units: int
    disputed_units: int


_END_LOCKED = text(
    "WITH moved AS ("
    "UPDATE commitment SET state = :state, ended_at = :at, end_reason = :reason "
    "WHERE campaign_id = :campaign_id AND state = 'LOCKED' "
    "AND commitment_id <> ALL(CAST(:except_ids AS uuid[])) "
    "RETURNING commitment_id, quantity, open_disputes"
    "), told AS ("
    "INSERT INTO audit_entry (at, actor_id, actor_role, action, scope, subject, before, after, reason, cause_id, trace_id) "
    "SELECT :at, :actor_id, :actor_role, :action, CAST(CAST(:campaign_id AS uuid) AS text), CAST(commitment_id AS text), "
    "jsonb_build_object('state', 'LOCKED'), jsonb_build_object('state', CAST(:state AS text)), :reason, :cause_id, :trace_id "
    "FROM moved ORDER BY commitment_id"
    ") SELECT count(*) AS commitments, COALESCE(sum(quantity), 0) AS units, "
    "COALESCE(sum(quantity) FILTER (WHERE open_disputes > 0), 0) AS disputed_units FROM moved"
)
_WORDS = {"REFUNDED": Word.REFUND, "RELEASED": Word.RELEASE}


async def end_locked_commitments(
    work: Work, campaign_id: UUID, *, state: str, reason: str, at: datetime, except_ids: Collection[UUID] = ()
) -> Moved:
    """Move every LOCKED commitment of a campaign, but for `except_ids`, to a final state with one statement, which also
    leaves the audit record of each.

    This transaction's own changes are written before, so that the statement sees them, and its rows in memory are
    brought up to date after. Sums kept in memory are forgotten.
    """
    await write_pending(work)
    await write_audits(work)
    parameters = {
        "campaign_id": campaign_id,
        "state": state,
        "reason": reason,
        "at": at,
        "except_ids": list(except_ids),
        "action": f"commitment.{_WORDS[state]}",
        "actor_id": work.actor.id,
        "actor_role": work.actor.role,
        "cause_id": work.cause.id,
        "trace_id": telemetry.trace_id_of(work.cause.traceparent),
    }
    found = (await work.connection.execute(_END_LOCKED, parameters)).one()
    rows = loaded_rows(work)
    for row in rows.commitments.values():
        if row is None or row.campaign_id != campaign_id or row.state != "LOCKED" or row.commitment_id in except_ids:
            continue
        row.state = state
        row.ended_at = at
        row.end_reason = reason
    for pair in [pair for pair in rows.participant_units if pair[0] == campaign_id]:
        del rows.participant_units[pair]
    return Moved(int(found.commitments), int(found.units), int(found.disputed_units))
