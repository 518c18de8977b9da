"""Refunds that are not paid yet, and how long refunds take, computed from the read model whenever somebody asks."""

from __future__ import annotations

from collections.abc import Sequence

from services.gateway.store.cursors import Page
from services.gateway.store.read_model import ReadModel, Row

FIGURES_DAYS = 90
"""How far back the public figure of settling times looks."""

LATELY_MINUTES = 5
"""The pace of a campaign's refunds is that of so many minutes of stack time, or of all the time it took when that is less."""

_OVER = "state IN ('sent', 'paid_outside', 'charged_back')"
_LATELY = f"(SELECT stack_now()) - interval '{LATELY_MINUTES} minutes'"
PROGRESS_COLUMNS = f"""
    count(*) FILTER (WHERE {_OVER}) AS refunds_paid,
    count(*) FILTER (WHERE NOT {_OVER}) AS refunds_owed,
    count(*) FILTER (WHERE state IN ('pending', 'failed')) AS refunds_waiting,
    count(*) FILTER (WHERE sent_at > {_LATELY}) AS refunds_paid_lately,
    COALESCE(sum(amount_minor) FILTER (WHERE {_OVER}), 0)::bigint AS refunds_paid_minor,
    COALESCE(sum(amount_minor) FILTER (WHERE NOT {_OVER}), 0)::bigint AS refunds_owed_minor,
    min(decided_at) FILTER (WHERE NOT {_OVER}) AS oldest_decided_at,
    date_trunc('minute', interval '1 minute' + (SELECT stack_now())
        + (
            (SELECT stack_now())
            - GREATEST({_LATELY}, min(decided_at) FILTER (WHERE state = 'decided' OR sent_at > {_LATELY}))
        )
        * NULLIF(count(*) FILTER (WHERE state = 'decided'), 0)
        / NULLIF(count(*) FILTER (WHERE sent_at > {_LATELY}), 0)) AS refunds_expected_by
"""
"""How far the refunds of one campaign are, over its rows of `refund`. The expected end speaks of those that wait for their
turn only, to the full minute: when the processor pays a pending one, or when a refused one is tried again, no pace tells."""


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


async def settling_campaigns(reads: ReadModel, *, page: Page) -> Sequence[Row]:
    """Campaigns that owe refunds, the one that owes the oldest first, one more than asked for, each with how far it is."""
    return await reads.all(
        f"""
        SELECT c.id, c.title, c.state, c.currency, r.*
        FROM (SELECT DISTINCT campaign_id FROM refund WHERE NOT {_OVER} AND decided_at IS NOT NULL) AS owing
        JOIN campaign AS c ON c.id = owing.campaign_id
        CROSS JOIN LATERAL (SELECT {PROGRESS_COLUMNS} FROM refund WHERE campaign_id = c.id) AS r
        WHERE CAST(:after_at AS timestamptz) IS NULL
            OR (r.oldest_decided_at, c.id) > (:after_at, CAST(:after_id AS uuid))
        ORDER BY r.oldest_decided_at, c.id
        LIMIT :limit
        """,  # noqa: S608 - constants of this module
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
