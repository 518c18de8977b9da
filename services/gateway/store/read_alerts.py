"""A person's alert rules with what became of them; whose they are is part of each statement."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.gateway.store.read_model import ReadModel, Row

ROWS_MAX = 100
"""Rules in the list: those that wait, then the newest of those that are over."""

_RULES = """
SELECT r.id, r.campaign_id, r.rule, r.set_at, r.removed_at, e.ended_at, e.end_reason, c.title AS campaign_title,
       f.firings, f.fired_at
FROM alert_rule AS r
LEFT JOIN campaign AS c ON c.id = r.campaign_id
LEFT JOIN alert_end AS e ON e.rule_id = r.id
LEFT JOIN LATERAL (
    SELECT count(*) AS firings, max(fired_at) AS fired_at FROM alert_firing WHERE rule_id = r.id
) AS f ON true
WHERE r.participant_id = :participant_id
"""
_OVER = "(e.ended_at IS NOT NULL OR (r.campaign_id IS NOT NULL AND f.firings > 0))"


async def own_alerts(reads: ReadModel, participant_id: UUID, *, rows_max: int = ROWS_MAX) -> Sequence[Row]:
    """A person's rules without those that were removed: the waiting ones first, then the newest."""
    query = f"{_RULES} AND r.removed_at IS NULL ORDER BY {_OVER}, r.set_at DESC, r.id LIMIT :rows"
    return await reads.all(query, participant_id=participant_id, rows=rows_max)


async def own_alert(reads: ReadModel, participant_id: UUID, rule_id: UUID) -> Row | None:
    """One of a person's rules, also a removed one; None when it is none of theirs."""
    return await reads.one(f"{_RULES} AND r.id = :rule_id", participant_id=participant_id, rule_id=rule_id)
