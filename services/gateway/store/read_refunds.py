"""Refunds that are not paid yet, and how long refunds take, computed from the read model whenever somebody asks."""

from __future__ import annotations

from collections.abc import Sequence

from services.gateway.store.cursors import Page
from services.gateway.store.read_model import ReadModel, Row

FIGURES_DAYS = 90
"""How far back the public figure of settling times looks."""


async def unsettled_refunds(reads: ReadModel, *, page: Page) -> Sequence[Row]:
    """Refunds that are owed, the oldest first, one more than asked for; with stack time beside each."""
    return await reads.all(
        """
        SELECT decision_id AS id, campaign_id, commitment_id, amount_minor, currency, reason, state, decided_at, state_at,
               COALESCE(failures, 0) AS failures, stack_now() AS now
        FROM refund
        WHERE state NOT IN ('sent', 'paid_outside', 'charged_back') AND decided_at IS NOT NULL
            AND (CAST(:after_at AS timestamptz) IS NULL
                OR (decided_at, decision_id) > (:after_at, CAST(:after_id AS uuid)))
        ORDER BY decided_at, decision_id
        LIMIT :limit
        """,
        after_at=page.after_at,
        after_id=page.after_id,
        limit=page.limit + 1,
    )


async def refund_figures(reads: ReadModel) -> Row:
    """How many are owed and since when, and the 95th percentile of the time from decision to payment, in seconds."""
    row = await reads.one(
        """
        SELECT stack_now() AS as_of,
               count(*) FILTER (WHERE state NOT IN ('sent', 'paid_outside', 'charged_back')) AS unsettled,
               min(decided_at) FILTER (WHERE state NOT IN ('sent', 'paid_outside', 'charged_back')) AS oldest_decided_at,
               count(*) FILTER (WHERE sent_at > stack_now() - CAST(:days AS integer) * interval '1 day') AS settled,
               percentile_disc(0.95) WITHIN GROUP (ORDER BY EXTRACT(EPOCH FROM sent_at - decided_at))
                   FILTER (WHERE sent_at > stack_now() - CAST(:days AS integer) * interval '1 day') AS ninety_fifth_percentile_seconds
        FROM refund
        WHERE decided_at IS NOT NULL
        """,
        days=FIGURES_DAYS,
    )
    if row is None:
        raise RuntimeError("an aggregate gave no row")
    return row
