"""Disputes as staff see them, and the records that speak about one."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.gateway.store.read_model import ReadModel, Row

ROWS_MAX = 500
MESSAGES_MAX = 200

_SELECT = """
SELECT d.id, d.psp_dispute_id, d.campaign_id, d.commitment_id, d.amount_minor, d.currency, d.state, d.status, d.reason,
    d.opened_at, d.evidence_due_by, d.evidence_state, d.evidence_hash, d.prepared_by, d.submitted_by, d.paper_digest
FROM dispute AS d
"""

_RECORDS = """
SELECT c.reference, c.quantity, c.amount_minor, c.currency, c.terms_hash, c.participant_id, c.created_at, c.locked_at,
    campaign.product, campaign.terms, campaign.close_at,
    v.dispatched_at, v.tracking, v.delivered_at, v.evidence AS delivery_evidence, v.inspection_until,
    i.reported_at AS issue_reported_at, i.state AS issue_state
FROM commitment AS c
JOIN campaign ON campaign.id = c.campaign_id
LEFT JOIN commitment_delivery AS v ON v.commitment_id = c.id
LEFT JOIN LATERAL (
    SELECT reported_at, state FROM issue WHERE issue.commitment_id = c.id ORDER BY reported_at DESC LIMIT 1
) AS i ON true
WHERE c.id = :commitment_id
"""

_MESSAGES = """
SELECT template, template_version, recorded_at, result FROM message
WHERE participant_id = :participant_id AND campaign_id = :campaign_id
ORDER BY recorded_at, id
LIMIT :limit
"""


async def disputes(reads: ReadModel, *, state: str | None) -> Sequence[Row]:
    """Disputes, the newest first."""
    return await reads.all(
        _SELECT
        + "WHERE (CAST(:state AS text) IS NULL OR d.state = :state) ORDER BY d.opened_at DESC, d.id LIMIT :limit",
        state=state,
        limit=ROWS_MAX,
    )


async def dispute_by_id(reads: ReadModel, dispute_id: UUID) -> Row | None:
    """One dispute, or None."""
    return await reads.one(_SELECT + "WHERE d.id = :id", id=dispute_id)


async def records_of(reads: ReadModel, commitment_id: UUID) -> Row | None:
    """What was agreed, paid and delivered for a commitment."""
    return await reads.one(_RECORDS, commitment_id=commitment_id)


async def messages_to(reads: ReadModel, participant_id: UUID, campaign_id: UUID) -> Sequence[Row]:
    """Which messages were sent to a person about a campaign, the oldest first."""
    return await reads.all(_MESSAGES, participant_id=participant_id, campaign_id=campaign_id, limit=MESSAGES_MAX)
