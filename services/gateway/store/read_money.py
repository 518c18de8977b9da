"""The ledger's transfers as people read them: one commitment's, one campaign's, the whole platform's.

Who may see a row is part of the statement. A commitment's list holds its own transfers, the transfers of the plan that
released it, and what the payment processor settled for its charge.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.gateway.auth.identity import Identity
from services.gateway.store.account_classes import ACCOUNT_CLASSES
from services.gateway.store.cursors import Page
from services.gateway.store.read_campaigns import VISIBLE, viewer
from services.gateway.store.read_model import ReadModel, Row

MOVEMENTS_MAX = 500
"""Most movements of one commitment that a page shows; one with a refund and a dispute has about ten."""

_CLASSES = ", ".join(f"t.{name}_minor" for name in ACCOUNT_CLASSES)
_COLUMNS = f"""
    t.id, t.scope_id, t.position, t.kind, t.currency, t.at, t.commitment_id, t.plan_id, t.reverses, t.reason, t.hash,
    t.previous_hash, t.amount_minor, {_CLASSES}
"""  # noqa: S608 - constants of this module

# The batch's own trace is that of its newest message; what happened to one commitment is told by its own event.
_OF_COMMITMENT = f"""
WITH own AS (
    SELECT c.id, c.campaign_id FROM commitment AS c
    WHERE c.id = :id AND c.participant_id = :participant_id
), touched AS (
    SELECT t.id, t.plan_id, t.object_id, t.kind FROM ledger_transfer AS t JOIN own ON t.commitment_id = own.id
), picked AS (
    SELECT id FROM touched
    UNION
    SELECT t.id FROM ledger_transfer AS t
    WHERE t.commitment_id IS NULL
      AND t.plan_id IN (SELECT plan_id FROM touched WHERE kind IN ('clear', 'reserve_release'))
    UNION
    SELECT t.id FROM ledger_transfer AS t
    WHERE t.kind = 'psp_settle' AND t.object_id IN (SELECT object_id FROM touched WHERE object_id IS NOT NULL)
)
SELECT {_COLUMNS},
    COALESCE(
        CASE
            WHEN t.kind = 'lock' THEN m.held_trace_id
            WHEN t.kind = 'refund_decided' THEN decided.decided_trace_id
            WHEN t.kind = 'refund_sent' THEN sent.sent_trace_id
        END,
        t.trace_id
    ) AS trace_id,
    newest.number AS checkpoint_number, newest.position AS checkpoint_position
FROM own
JOIN ledger_transfer AS t ON t.id IN (SELECT id FROM picked) AND t.scope_id = CAST(own.campaign_id AS text)
LEFT JOIN commitment_money AS m ON m.commitment_id = own.id
LEFT JOIN LATERAL (
    SELECT decided_trace_id FROM refund WHERE refund.commitment_id = own.id AND refund.decided_at = t.at LIMIT 1
) AS decided ON true
LEFT JOIN LATERAL (
    SELECT sent_trace_id FROM refund WHERE refund.commitment_id = own.id AND refund.sent_at = t.at LIMIT 1
) AS sent ON true
LEFT JOIN LATERAL (
    SELECT number, position FROM checkpoint
    WHERE checkpoint.scope = CAST(own.campaign_id AS text) ORDER BY number DESC LIMIT 1
) AS newest ON true
ORDER BY t.position
LIMIT :limit
"""  # noqa: S608 - constants of this module

_OF_CAMPAIGN = f"""
SELECT {_COLUMNS} FROM ledger_transfer AS t
WHERE t.scope_id = :scope AND (CAST(:before AS bigint) IS NULL OR t.position < :before)
ORDER BY t.position DESC
LIMIT :limit
"""  # noqa: S608 - constants of this module

# A campaign that the viewer may not see stays unnamed; its figures are in the totals, so its transfers are here.
_OF_PLATFORM = f"""
WITH part AS (
    SELECT * FROM ledger_transfer AS t
    WHERE CAST(:after_at AS timestamptz) IS NULL OR (t.at, t.id) < (:after_at, CAST(:after_id AS uuid))
    ORDER BY t.at DESC, t.id DESC
    LIMIT :limit
)
SELECT {_COLUMNS}, c.id AS campaign_id, c.title AS campaign_title
FROM part AS t
LEFT JOIN campaign AS c
    ON c.id = CASE WHEN t.scope_id <> 'platform' THEN CAST(t.scope_id AS uuid) END AND {VISIBLE}
ORDER BY t.at DESC, t.id DESC
"""  # noqa: S608 - constants of this module


async def commitment_movements(reads: ReadModel, commitment_id: UUID, *, participant_id: UUID) -> Sequence[Row]:
    """The movements of an own commitment, the oldest first; nothing for one that is somebody else's."""
    return await reads.all(_OF_COMMITMENT, id=commitment_id, participant_id=participant_id, limit=MOVEMENTS_MAX)


async def campaign_transfers(reads: ReadModel, campaign_id: UUID, *, before: int | None, limit: int) -> Sequence[Row]:
    """A campaign's transfers, the newest first; one more than asked for tells that there are more. The caller has
    checked that the campaign is visible."""
    return await reads.all(_OF_CAMPAIGN, scope=str(campaign_id), before=before, limit=limit + 1)


async def platform_transfers(reads: ReadModel, identity: Identity | None, page: Page) -> Sequence[Row]:
    """Every transfer, the newest first, with the campaign where this person may see it."""
    return await reads.all(
        _OF_PLATFORM, **viewer(identity), after_at=page.after_at, after_id=page.after_id, limit=page.limit + 1
    )
