"""The rows behind records and statements. Who may see them is part of each statement."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.gateway.store.read_model import ReadModel, Row

ROWS_MAX = 2_000
"""Most commitments of one person's year; the statement's own bound."""
PLANS_MAX = 500

_REFUNDS = """
SELECT r.amount_minor, r.currency, r.reason, r.state, r.decided_at, r.sent_at
FROM refund AS r JOIN commitment AS c ON c.id = r.commitment_id
WHERE c.id = :id AND c.participant_id = :participant_id
ORDER BY r.decided_at, r.decision_id LIMIT :limit
"""

# Balances at the year's end are sums of everything up to it; what happened in the year is bounded on both sides.
_YEAR = """
SELECT * FROM (
    SELECT c.id, c.reference, campaign.title AS campaign_title, t.currency,
        COALESCE(-SUM(t.psp_clearing_minor) FILTER (
            WHERE t.kind IN ('lock', 'late_receipt') AND t.at >= :from_at), 0) AS charged,
        COALESCE(SUM(COALESCE(t.psp_clearing_minor, 0) + COALESCE(t.house_paid_minor, 0)) FILTER (
            WHERE t.kind IN ('refund_sent', 'refund_failed', 'refund_paid_outside') AND t.at >= :from_at), 0) AS refunded,
        COALESCE(SUM(t.supplier_payable_minor) FILTER (
            WHERE t.kind IN ('clear', 'clear_undone', 'reserve_release') AND t.at >= :from_at), 0) AS released,
        COALESCE(SUM(t.escrow_minor), 0) + COALESCE(SUM(t.reserve_minor), 0) + COALESCE(SUM(t.dispute_hold_minor), 0)
            AS held_at_end,
        COALESCE(SUM(t.refund_payable_minor), 0) AS owed_at_end,
        COUNT(*) FILTER (WHERE t.at >= :from_at) AS moved,
        c.created_at
    FROM commitment AS c
    JOIN campaign ON campaign.id = c.campaign_id
    JOIN ledger_transfer AS t ON t.commitment_id = c.id AND t.at < :to_at
    WHERE c.participant_id = :participant_id
    GROUP BY c.id, c.reference, campaign.title, t.currency, c.created_at
) AS own
WHERE moved > 0 OR held_at_end > 0 OR owed_at_end > 0
ORDER BY created_at, id LIMIT :limit
"""

_PLANS = """
SELECT id, kind, state, line_count, gross_minor, reserve_minor, fee_minor, net_minor, currency, transfer_id, submitted_at
FROM clearing_plan
WHERE campaign_id = :campaign_id AND kind IN ('release', 'reserve_release')
  AND (CAST(:supplier_id AS uuid) IS NULL OR supplier_id = CAST(:supplier_id AS uuid))
ORDER BY submitted_at, id LIMIT :limit
"""

# One supplier accepts a campaign, so that all that is cleared in it is cleared for the supplier of its plans.
_SUPPLIER_SUMS = """
SELECT
    COALESCE(SUM(t.supplier_payable_minor) FILTER (
        WHERE t.kind IN ('clear', 'clear_undone', 'reserve_release')), 0) AS cleared,
    COALESCE(SUM(t.platform_fee_minor), 0) AS fee,
    COALESCE(SUM(t.psp_clearing_minor) FILTER (WHERE t.kind = 'transfer_sent'), 0) AS sent,
    COALESCE(-SUM(t.psp_clearing_minor) FILTER (WHERE t.kind = 'transfer_back'), 0) AS back,
    COALESCE(SUM(t.supplier_payable_minor), 0) AS waiting,
    COALESCE(SUM(t.reserve_minor), 0) AS reserve
FROM ledger_transfer AS t
WHERE t.scope_id = :scope AND EXISTS (
    SELECT FROM clearing_plan AS p
    WHERE p.campaign_id = :campaign_id AND p.kind IN ('release', 'reserve_release')
      AND (CAST(:supplier_id AS uuid) IS NULL OR p.supplier_id = CAST(:supplier_id AS uuid))
)
"""


async def own_refunds(reads: ReadModel, commitment_id: UUID, *, participant_id: UUID) -> Sequence[Row]:
    """The refunds of an own commitment, the oldest first."""
    return await reads.all(_REFUNDS, id=commitment_id, participant_id=participant_id, limit=ROWS_MAX)


async def own_year(reads: ReadModel, participant_id: UUID, *, from_at: object, to_at: object) -> Sequence[Row]:
    """A person's commitments with a movement in a span of time, or with funds held or owed at its end."""
    return await reads.all(_YEAR, participant_id=participant_id, from_at=from_at, to_at=to_at, limit=ROWS_MAX)


async def supplier_plans(reads: ReadModel, campaign_id: UUID, *, supplier_id: UUID | None) -> Sequence[Row]:
    """A campaign's clearing plans, the oldest first; a supplier's own ones, all of them for staff (None)."""
    return await reads.all(_PLANS, campaign_id=campaign_id, supplier_id=supplier_id, limit=PLANS_MAX)


async def supplier_sums(reads: ReadModel, campaign_id: UUID, *, supplier_id: UUID | None) -> Row:
    """What was cleared for a supplier, taken as fee, transferred, and is still to come; zeros when nothing was."""
    row = await reads.one(_SUPPLIER_SUMS, scope=str(campaign_id), campaign_id=campaign_id, supplier_id=supplier_id)
    if row is None:
        raise RuntimeError("a sum has a row")
    return row
