"""Suppliers, invitations and issues as people see them; whose they are is part of each statement."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.gateway.store.read_model import ReadModel, Row

ROWS_MAX = 500

_INVITATIONS = """
SELECT i.id, i.campaign_id, i.supplier_id, i.state, i.units, i.final, i.terms_hash, i.opens_at, i.closes_at,
       i.invited_at, c.title AS campaign_title, c.unit_price_minor, c.currency, c.terms
FROM invitation AS i
JOIN campaign AS c ON c.id = i.campaign_id
WHERE (CAST(:supplier_id AS uuid) IS NULL OR i.supplier_id = :supplier_id)
"""

_ISSUES = """
SELECT i.id, i.campaign_id, i.commitment_id, i.participant_id, i.state, i.reported_at, i.decided_at, t.description
FROM issue AS i
LEFT JOIN issue_text AS t ON t.issue_id = i.id
"""


async def suppliers(reads: ReadModel) -> Sequence[Row]:
    """The registered suppliers, by name."""
    return await reads.all(
        "SELECT id, display_name, tier FROM supplier ORDER BY display_name, id LIMIT :limit", limit=ROWS_MAX
    )


async def supplier_by_id(reads: ReadModel, supplier_id: UUID) -> Row | None:
    """One supplier, or None."""
    return await reads.one("SELECT id, display_name, tier FROM supplier WHERE id = :id", id=supplier_id)


async def invitations(reads: ReadModel, *, supplier_id: UUID | None, state: str | None) -> Sequence[Row]:
    """Invitations, the newest first: a supplier's own, or all for staff (`supplier_id` None)."""
    return await reads.all(
        _INVITATIONS
        + "AND (CAST(:state AS text) IS NULL OR i.state = :state) ORDER BY i.invited_at DESC, i.id LIMIT :limit",
        supplier_id=supplier_id,
        state=state,
        limit=ROWS_MAX,
    )


async def invitation_by_id(reads: ReadModel, invitation_id: UUID, *, supplier_id: UUID | None) -> Row | None:
    """One invitation: a supplier sees only its own."""
    return await reads.one(_INVITATIONS + "AND i.id = :id", supplier_id=supplier_id, id=invitation_id)


async def is_campaign_supplier(reads: ReadModel, campaign_id: UUID, supplier_id: UUID | None) -> bool:
    """Whether a supplier was ever invited to a campaign."""
    row = await reads.one(
        "SELECT EXISTS (SELECT FROM invitation WHERE campaign_id = :campaign_id AND supplier_id = :supplier_id) AS yes",
        campaign_id=campaign_id,
        supplier_id=supplier_id,
    )
    return bool(row and row["yes"])


async def campaign_issues(reads: ReadModel, campaign_id: UUID) -> Sequence[Row]:
    """The issues of a campaign, the oldest first."""
    return await reads.all(
        _ISSUES + "WHERE i.campaign_id = :campaign_id ORDER BY i.reported_at, i.id LIMIT :limit",
        campaign_id=campaign_id,
        limit=ROWS_MAX,
    )


async def open_issues(reads: ReadModel) -> Sequence[Row]:
    """Issues that wait for a decision, the oldest first."""
    return await reads.all(_ISSUES + "WHERE i.state = 'open' ORDER BY i.reported_at, i.id LIMIT :limit", limit=ROWS_MAX)


async def issue_by_id(reads: ReadModel, issue_id: UUID) -> Row | None:
    """One issue, or None."""
    return await reads.one(_ISSUES + "WHERE i.id = :id", id=issue_id)
