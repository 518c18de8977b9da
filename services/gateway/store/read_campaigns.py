"""Campaigns as people see them, with who may see them inside each statement.

Everybody sees open campaigns; a signed-in participant is a member and sees the members' campaigns; a supplier sees the
campaigns it is invited to; a private campaign is seen by those who have a commitment in it or were admitted by an
invitation. Drafts and reviews are for staff. Whoever may not see a campaign gets the same answer as for one that does not exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.gateway.auth.identity import Identity
from services.gateway.store.cursors import Page
from services.gateway.store.generations import consumer_name
from services.gateway.store.read_model import ReadModel, Row
from services.gateway.store.read_refunds import PROGRESS_COLUMNS

_PROGRESS_COLUMNS = """
    c.id, c.state, c.close_reason, c.joining_ended, c.target_units, c.capacity_units, c.seq, c.visibility,
    COALESCE(c.held_units, 0) AS held_units, COALESCE(c.reserved_units, 0) AS reserved_units,
    (SELECT COALESCE(SUM(m.quantity), 0) FROM commitment AS m
     WHERE m.state = 'LOCKED' AND m.id IN (
         SELECT d.commitment_id FROM dispute AS d WHERE d.campaign_id = c.id AND d.state = 'open'
     ))::bigint AS disputed_units,
    COALESCE(c.held_commitments, 0) AS held_commitments
"""

_NEEDS_ADDRESS = "COALESCE(c.terms->>'delivers_to' = 'participant_address', false) AS needs_address"

_SUMMARY_COLUMNS = (
    _PROGRESS_COLUMNS  # noqa: S608 - constants of this module
    + """,
    c.title, c.category, c.unit_price_minor, c.currency, c.close_at, c.opened_at, c.drafted_at,
    EXISTS (
        SELECT FROM case_record WHERE scope = CAST(c.id AS text) AND state = 'open' AND blocking
    ) AS frozen,
    EXISTS (SELECT FROM float_gauge WHERE currency = c.currency AND NOT admits) AS joining_paused,
    EXISTS (
        SELECT FROM gate WHERE consumer = :consumer AND state <> 'open' AND stream = ANY(ARRAY[
            'campaigns:' || c.id, 'escrow:' || c.id, 'suppliers:' || c.id, 'notifications:' || c.id])
    ) AS stale
"""
)

VISIBLE = """
(
    :staff
    OR (c.opened_at IS NOT NULL AND (
        c.visibility = 'open'
        OR (:member AND c.visibility = 'members')
        OR EXISTS (SELECT FROM invitation WHERE campaign_id = c.id AND supplier_id = CAST(:supplier_id AS uuid))
        OR EXISTS (SELECT FROM commitment WHERE campaign_id = c.id AND participant_id = CAST(:subject_id AS uuid))
        OR EXISTS (SELECT FROM campaign_admission WHERE campaign_id = c.id AND subject_id = CAST(:subject_id AS uuid))
    ))
)
"""

_DETAIL_COLUMNS = (
    _SUMMARY_COLUMNS  # noqa: S608 - constants of this module
    + """,
    c.product, c.terms, c.terms_hash, c.constraints, c.state_since, c.author_id, c.supplier_ids, c.returned_reason,
    c.missing_sign_offs, c.final_units, c.accepted_supplier_id,
    l.escrow_minor, l.refund_payable_minor, l.dispute_hold_minor, l.reserve_minor, l.supplier_payable_minor,
    l.platform_fee_minor, l.refunded_minor, l.supplier_paid_minor,
    w.supplier_id AS window_supplier_id, w.opens_at AS window_opens_at, w.closes_at AS window_closes_at,
    w.units AS window_units,
    s.display_name AS supplier_name,
    f.verdict AS fulfillment_verdict,
    settled.settled_at, refunds.*
"""
)

_DETAIL_JOINS = (
    """
FROM campaign AS c
LEFT JOIN campaign_ledger AS l ON l.scope_id = CAST(c.id AS text)
LEFT JOIN LATERAL (
    SELECT supplier_id, opens_at, closes_at, units FROM invitation
    WHERE campaign_id = c.id AND state IN ('open', 'accepted') ORDER BY invited_at DESC LIMIT 1
) AS w ON true
LEFT JOIN supplier AS s ON s.id = COALESCE(c.accepted_supplier_id, w.supplier_id)
LEFT JOIN campaign_fulfillment AS f ON f.campaign_id = c.id
LEFT JOIN campaign_settlement AS settled ON settled.campaign_id = c.id
LEFT JOIN LATERAL (
    SELECT """  # noqa: S608 - constants
    + PROGRESS_COLUMNS
    + """ FROM refund WHERE campaign_id = c.id AND c.state = 'CLOSED'
) AS refunds ON true
"""
)

_LIST = (
    "SELECT "
    + _SUMMARY_COLUMNS
    + "FROM campaign AS c WHERE "
    + VISIBLE
    + """
  AND (CAST(:states AS text[]) IS NULL OR c.state = ANY(CAST(:states AS text[])))
  AND (CAST(:after_at AS timestamptz) IS NULL OR (c.drafted_at, c.id) < (:after_at, CAST(:after_id AS uuid)))
ORDER BY c.drafted_at DESC, c.id DESC
LIMIT :limit
"""
)


def viewer(identity: Identity | None) -> dict[str, Any]:
    """The parameters by which a statement decides what somebody may see."""
    return {
        "staff": identity is not None and identity.is_staff,
        "member": identity is not None and identity.is_participant,
        "supplier_id": identity.supplier_id if identity is not None else None,
        "subject_id": identity.subject_id if identity is not None else None,
    }


async def list_campaigns(
    reads: ReadModel, identity: Identity | None, *, states: Sequence[str] | None, page: Page
) -> Sequence[Row]:
    """Campaigns that somebody may see, the newest first; one more than the page holds tells that there are more."""
    return await reads.all(
        _LIST,
        **viewer(identity),
        consumer=consumer_name(reads.generation),
        states=list(states) if states is not None else None,
        after_at=page.after_at,
        after_id=page.after_id,
        limit=page.limit + 1,
    )


async def visible_campaign(reads: ReadModel, campaign_id: UUID, identity: Identity | None) -> Row | None:
    """One campaign with all that its page shows, or None when there is nothing this person can see."""
    return await reads.one(
        f"SELECT {_DETAIL_COLUMNS} {_DETAIL_JOINS} WHERE c.id = :id AND {VISIBLE}",
        **viewer(identity),
        id=campaign_id,
        consumer=consumer_name(reads.generation),
    )


async def visible_progress(reads: ReadModel, campaign_id: UUID, identity: Identity | None) -> Row | None:
    """The figures of a campaign that move while people join, and whether joining needs an address."""
    return await reads.one(
        f"SELECT {_PROGRESS_COLUMNS}, {_NEEDS_ADDRESS} FROM campaign AS c "  # noqa: S608 - constants of this module
        f"WHERE c.id = :id AND {VISIBLE}",
        **viewer(identity),
        id=campaign_id,
    )


async def seen_without_admission(reads: ReadModel, campaign_id: UUID, subject_id: UUID) -> bool:
    """Whether a participant sees a campaign also without having been let into it."""
    query = """
    SELECT 1 AS seen FROM campaign AS c WHERE c.id = :id AND (
        c.visibility IN ('open', 'members')
        OR EXISTS (SELECT FROM commitment WHERE campaign_id = c.id AND participant_id = :subject_id)
    )
    """
    return await reads.one(query, id=campaign_id, subject_id=subject_id) is not None


async def campaign_title(reads: ReadModel, campaign_id: UUID) -> str | None:
    """The title of an opened campaign, for somebody who holds an invitation to it."""
    row = await reads.one("SELECT title FROM campaign WHERE id = :id AND opened_at IS NOT NULL", id=campaign_id)
    return str(row["title"]) if row is not None else None


async def progress_of(reads: ReadModel, campaign_ids: Sequence[UUID]) -> dict[UUID, Row]:
    """The moving figures of many campaigns, for streams whose viewers were checked when they began."""
    rows = await reads.all(
        f"SELECT {_PROGRESS_COLUMNS} FROM campaign AS c WHERE c.id = ANY(CAST(:ids AS uuid[]))",  # noqa: S608 - constants
        ids=list(campaign_ids),
    )
    return {row["id"]: row for row in rows}


async def waiting_for_plan(reads: ReadModel) -> Sequence[Row]:
    """Campaigns whose inspection is over with a verdict that allows a release and that have no plan under way."""
    return await reads.all(
        "SELECT "  # noqa: S608 - constants of this module
        + _SUMMARY_COLUMNS
        + """
        FROM campaign AS c
        JOIN campaign_fulfillment AS f ON f.campaign_id = c.id AND f.verdict IN ('release', 'release_less_reserve')
        WHERE c.state = 'INSPECTION'
          AND NOT EXISTS (SELECT FROM clearing_plan WHERE campaign_id = c.id AND kind = 'release' AND state <> 'STOPPED')
        ORDER BY c.state_since LIMIT 200
        """,
        consumer=consumer_name(reads.generation),
    )
