"""Clearing plans and cases as staff see them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.gateway.store.cursors import Page
from services.gateway.store.read_model import ReadModel, Row

ROWS_MAX = 500

_PLANS = """
SELECT id, campaign_id, kind, state, plan_hash, maker_id, approver_id, reason, supplier_id, gross_minor, reserve_minor,
       fee_minor, net_minor, currency, line_count, conditions, transfer_id, refused_code, refused_transfers,
       submitted_at, reason_code, evidence, target_plan_id, target_position, preview, lines_applied, lines_failed
FROM clearing_plan
"""

# The gateway's own cases (a message its projection could not fold) stand in the kit's table and are told by no event.
_CASES = """
SELECT * FROM (
    SELECT case_id AS id, service, kind, scope, subject_id, severity, blocking, facts, state, resolution, opened_at,
           closed_at, asked_by, asked_words, asked_evidence, closed_by, closed_words
    FROM case_record
    UNION ALL
    SELECT case_id, 'gateway', kind, scope, subject, severity, blocking, facts,
           CASE WHEN closed_at IS NULL THEN 'open' ELSE 'closed' END, resolution, opened_at, closed_at,
           NULL, NULL, NULL, NULL, NULL
    FROM cases
) AS every
"""


async def plan_by_id(reads: ReadModel, plan_id: UUID) -> Row | None:
    """One clearing plan, or None."""
    return await reads.one(_PLANS + "WHERE id = :id", id=plan_id)


async def campaign_plans(reads: ReadModel, campaign_id: UUID) -> Sequence[Row]:
    """A campaign's clearing plans, the newest first."""
    return await reads.all(
        _PLANS + "WHERE campaign_id = :campaign_id ORDER BY submitted_at DESC, id LIMIT :limit",
        campaign_id=campaign_id,
        limit=ROWS_MAX,
    )


async def plan_lines(reads: ReadModel, plan_id: UUID, *, page: Page) -> Sequence[Row]:
    """The lines of a plan, one more than asked for."""
    return await reads.all(
        """
        SELECT commitment_id AS id, amount_minor, currency, to_reserve, account, before_minor, after_minor, told_at
        FROM plan_line
        WHERE plan_id = :plan_id
            AND (CAST(:after_at AS timestamptz) IS NULL
                OR (told_at, commitment_id) > (:after_at, CAST(:after_id AS uuid)))
        ORDER BY told_at, commitment_id
        LIMIT :limit
        """,
        plan_id=plan_id,
        after_at=page.after_at,
        after_id=page.after_id,
        limit=page.limit + 1,
    )


async def plans_waiting(reads: ReadModel) -> Sequence[Row]:
    """Plans that wait for a person: for the second approval, or after a refused transfer."""
    return await reads.all(
        _PLANS
        + "WHERE state = 'SUBMITTED' OR (state = 'SENDING' AND refused_transfers > 0) "
        + "ORDER BY submitted_at, id LIMIT :limit",
        limit=ROWS_MAX,
    )


async def case_by_id(reads: ReadModel, case_id: UUID) -> Row | None:
    """One case, or None."""
    return await reads.one(_CASES + "WHERE id = :id", id=case_id)


async def cases(reads: ReadModel, *, state: str | None, scope: str | None = None) -> Sequence[Row]:
    """Cases of all services, the newest first."""
    return await reads.all(
        _CASES
        + "WHERE (CAST(:state AS text) IS NULL OR state = :state) AND (CAST(:scope AS text) IS NULL OR scope = :scope) "
        + "ORDER BY opened_at DESC, id LIMIT :limit",
        state=state,
        scope=scope,
        limit=ROWS_MAX,
    )
