"""Commitments as people see them: one row from four tables, each written by the service that owns its facts.

Who may see a row is part of the statement, never a check after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from contracts.errors import Rejected
from services.gateway.store.cursors import Page
from services.gateway.store.read_model import ReadModel, Row

_SELECT = """
SELECT
    c.id, c.campaign_id, c.participant_id, c.quantity, c.terms_hash, c.reference, c.state, c.reserved_until,
    c.created_at, c.locked_at, c.withdrawn_was, c.fail_reason, c.refusal_code, c.refusal_facts,
    COALESCE(c.amount_minor, c.quantity * campaign.unit_price_minor) AS amount_minor,
    COALESCE(c.currency, campaign.currency) AS currency,
    campaign.title AS campaign_title, campaign.state AS campaign_state, campaign.close_at, campaign.joining_ended,
    campaign.unit_price_minor,
    m.payment_state, m.attempt, m.decline_code, m.retry_until, m.released_at,
    r.state AS refund_state, r.amount_minor AS refund_minor, r.reason AS refund_reason,
    r.decided_at AS refund_decided_at, r.sent_at AS refund_sent_at,
    (SELECT CAST(sum(amount_minor) AS bigint) FROM refund WHERE refund.commitment_id = c.id) AS refunded_minor,
    d.state AS delivery_state, d.tracking, d.inspection_until, d.dispatched_at, d.delivered_at,
    i.id AS issue_id, i.state AS issue_state, i.reported_at AS issue_reported_at, i.decided_at AS issue_decided_at,
    w.closes_at AS window_closes_at,
    p.state AS dispute_state, p.status AS dispute_status, p.charged_back AS dispute_charged_back,
    p.opened_at AS dispute_opened_at, p.state_at AS dispute_state_at, p.amount_minor AS dispute_minor
FROM commitment AS c
JOIN campaign ON campaign.id = c.campaign_id
LEFT JOIN commitment_money AS m ON m.commitment_id = c.id
LEFT JOIN LATERAL (
    SELECT state, amount_minor, reason, decided_at, sent_at FROM refund
    WHERE refund.commitment_id = c.id ORDER BY state_at DESC LIMIT 1
) AS r ON true
LEFT JOIN commitment_delivery AS d ON d.commitment_id = c.id
LEFT JOIN LATERAL (
    SELECT id, state, reported_at, decided_at FROM issue
    WHERE issue.commitment_id = c.id ORDER BY reported_at DESC LIMIT 1
) AS i ON true
LEFT JOIN LATERAL (
    SELECT closes_at FROM invitation
    WHERE invitation.campaign_id = c.campaign_id AND invitation.state = 'open' LIMIT 1
) AS w ON true
LEFT JOIN LATERAL (
    SELECT state, status, charged_back, opened_at, state_at, amount_minor FROM dispute
    WHERE dispute.commitment_id = c.id ORDER BY (state = 'open') DESC, state_at DESC LIMIT 1
) AS p ON true
"""

_OWN_PAGE = (
    _SELECT
    + """
WHERE c.participant_id = :participant_id
  AND c.state <> 'REFUSED'
  AND (CAST(:state AS text) IS NULL OR c.state = :state)
  AND (CAST(:campaign_id AS uuid) IS NULL OR c.campaign_id = :campaign_id)
  AND (CAST(:after_at AS timestamptz) IS NULL OR (c.created_at, c.id) < (:after_at, CAST(:after_id AS uuid)))
ORDER BY c.created_at DESC, c.id DESC
LIMIT :limit
"""
)

_CAMPAIGN_PAGE = """
SELECT c.id, c.reference, c.quantity, c.amount_minor, c.currency, c.state, c.created_at,
       r.state AS refund_state,
       d.state AS delivery_state, d.tracking, d.inspection_until,
       i.id AS issue_id, i.state AS issue_state,
       EXISTS (SELECT FROM dispute WHERE dispute.commitment_id = c.id AND dispute.state = 'open') AS in_dispute
FROM commitment AS c
LEFT JOIN LATERAL (
    SELECT state FROM refund WHERE refund.commitment_id = c.id ORDER BY state_at DESC LIMIT 1
) AS r ON true
LEFT JOIN commitment_delivery AS d ON d.commitment_id = c.id
LEFT JOIN LATERAL (
    SELECT id, state FROM issue WHERE issue.commitment_id = c.id ORDER BY reported_at DESC LIMIT 1
) AS i ON true
WHERE c.campaign_id = :campaign_id
  AND c.state <> 'REFUSED'
  AND (CAST(:state AS text) IS NULL OR c.state = :state)
  AND (CAST(:after_at AS timestamptz) IS NULL OR (c.created_at, c.id) < (:after_at, CAST(:after_id AS uuid)))
ORDER BY c.created_at DESC, c.id DESC
LIMIT :limit
"""


async def commitments_by_id(reads: ReadModel, ids: Sequence[UUID]) -> dict[UUID, Row]:
    """Commitments by id, for the gateway's own use after it has checked whose operation asks."""
    rows = await reads.all(_SELECT + "WHERE c.id = ANY(CAST(:ids AS uuid[]))", ids=list(ids))
    return {row["id"]: row for row in rows}


async def visible_commitment(reads: ReadModel, commitment_id: UUID, *, participant_id: UUID | None) -> Row | None:
    """One commitment: a participant sees only an own one; staff (`participant_id` None) see any."""
    return await reads.one(
        _SELECT + "WHERE c.id = :id AND (CAST(:participant_id AS uuid) IS NULL OR c.participant_id = :participant_id)",
        id=commitment_id,
        participant_id=participant_id,
    )


async def own_commitment(reads: ReadModel, commitment_id: UUID, participant_id: UUID) -> Row:
    """One commitment of a participant's own. Raises Rejected(not_found) for another's, as for one that does not exist."""
    row = await visible_commitment(reads, commitment_id, participant_id=participant_id)
    if row is None:
        raise Rejected("not_found")
    return row


async def own_commitments(
    reads: ReadModel, participant_id: UUID, *, state: str | None, campaign_id: UUID | None, page: Page
) -> Sequence[Row]:
    """A participant's commitments, the newest first; one more than the page holds tells that there are more."""
    return await reads.all(
        _OWN_PAGE,
        participant_id=participant_id,
        state=state,
        campaign_id=campaign_id,
        after_at=page.after_at,
        after_id=page.after_id,
        limit=page.limit + 1,
    )


async def campaign_commitments(reads: ReadModel, campaign_id: UUID, *, state: str | None, page: Page) -> Sequence[Row]:
    """The commitments of a campaign without who made them, for staff and for its supplier."""
    return await reads.all(
        _CAMPAIGN_PAGE,
        campaign_id=campaign_id,
        state=state,
        after_at=page.after_at,
        after_id=page.after_id,
        limit=page.limit + 1,
    )
