"""Units, states, terms and invitations: I6, I12, I13, I15, the second halves of I2 and I23, and I24 and I25 in tables.

What spans two databases is walked in the sequence of ids on both sides at once, a bounded number of rows in memory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import Any
from uuid import UUID

from contracts.terms import Terms
from deploy.audit.campaign_fold import CampaignFold
from deploy.audit.evidence import Evidence, InvitationTold
from deploy.audit.findings import Finding, Findings
from deploy.audit.snapshot import Snapshot, rows, stream
from services.escrow.store.invariants import CLASS_SUMS, COMMITTED

_UNITS = """
    WITH summed AS (
        SELECT campaign_id,
            COALESCE(SUM(quantity) FILTER (WHERE state = 'LOCKED'), 0) AS held,
            COALESCE(SUM(quantity) FILTER (WHERE reservation_open), 0) AS reserved,
            COALESCE(SUM(quantity) FILTER (WHERE state = 'LOCKED' AND open_disputes > 0), 0) AS disputed,
            count(*) FILTER (WHERE state = 'LOCKED') AS held_commitments,
            count(*) FILTER (WHERE reservation_open) AS open_reservations
        FROM commitment
        GROUP BY campaign_id
    ), judged AS (
        SELECT c.campaign_id, c.capacity_units, c.held_units, c.reserved_units, c.held_commitments, c.open_reservations,
            c.disputed_units, COALESCE(s.held, 0) AS held, COALESCE(s.reserved, 0) AS reserved,
            COALESCE(s.disputed, 0) AS disputed,
            COALESCE(s.held_commitments, 0) AS held_count, COALESCE(s.open_reservations, 0) AS open_count
        FROM campaign c
        LEFT JOIN summed s ON s.campaign_id = c.campaign_id
    )
    SELECT CASE WHEN held + reserved > capacity_units THEN 'more units are taken than the capacity has'
            ELSE 'a campaign counts other units than its commitments have' END AS what,
        campaign_id::text AS scope, campaign_id::text AS subject,
        jsonb_build_object('capacity_units', capacity_units, 'held', held, 'reserved', reserved,
            'counted_held', held_units, 'counted_reserved', reserved_units, 'disputed', disputed,
            'counted_disputed', disputed_units) AS facts
    FROM judged
    WHERE held + reserved > capacity_units
        OR (held, reserved, disputed, held_count, open_count)
            <> (held_units, reserved_units, disputed_units, held_commitments, open_reservations)
"""
_TERMS = """
    SELECT 'a commitment stands under other terms than its campaign' AS what, m.campaign_id::text AS scope,
        m.commitment_id::text AS subject,
        jsonb_build_object('terms_hash', m.terms_hash, 'campaign_terms_hash', c.terms_hash,
            'unit_price_minor', m.unit_price_minor, 'campaign_unit_price_minor', c.unit_price_minor) AS facts
    FROM commitment m
    JOIN campaign c ON c.campaign_id = m.campaign_id
    WHERE m.terms_hash <> c.terms_hash OR m.unit_price_minor <> c.unit_price_minor OR m.currency <> c.currency
        OR m.amount_minor <> m.quantity * m.unit_price_minor
    UNION ALL
    SELECT 'a campaign stands under terms that no version has', c.campaign_id::text, c.campaign_id::text,
        jsonb_build_object('terms_hash', c.terms_hash, 'version', c.terms_version)
    FROM campaign c
    WHERE NOT EXISTS (
        SELECT FROM terms_version v
        WHERE v.campaign_id = c.campaign_id AND v.version = c.terms_version AND v.terms_hash = c.terms_hash
    )
"""
_COMMITMENTS = "SELECT campaign_id::text AS scope, commitment_id, state, amount_minor, currency FROM commitment ORDER BY commitment_id"
_CHARGED = """
    SELECT t.scope, t.commitment_id, t.kind, -SUM(e.amount_minor)::bigint AS amount_minor, s.currency
    FROM ledger_transfer t
    JOIN ledger_entry e ON e.scope = t.scope AND e.position = t.position AND e.account = 'psp_clearing'
    JOIN ledger_scope s ON s.scope = t.scope
    WHERE t.kind IN ('lock', 'late_receipt')
    GROUP BY t.scope, t.commitment_id, t.kind, t.position, s.currency
    ORDER BY t.commitment_id
"""
_UNDECIDED = """
    SELECT l.commitment_id FROM clearing_line l JOIN clearing_plan p ON p.plan_id = l.plan_id
    WHERE p.state NOT IN ('DRAFT', 'SENT', 'STOPPED')
    UNION
    SELECT CAST(split_part(account, ':', 2) AS uuid) FROM ledger_account WHERE class = 'dispute_hold' AND balance_minor <> 0
    UNION
    SELECT commitment_id FROM dispute WHERE ended_at IS NULL
"""
_PROJECTED = ("escrow", "refund_payable", "dispute_hold", "reserve", "supplier_payable", "platform_fee")


async def check_units(snapshot: Snapshot, findings: Findings) -> None:
    """I6: units recomputed from commitments, against the capacity and the campaign's own counts."""
    findings.add_rows("I6", await rows(snapshot.of("campaigns"), _UNITS))


async def check_states(snapshot: Snapshot, findings: Findings, fold: CampaignFold) -> None:
    """I12: rows against the fold of events."""
    campaigns = snapshot.of("campaigns")
    async for row in stream(campaigns, "SELECT campaign_id::text AS id, state FROM campaign"):
        fold.compare_campaign(row.id, row.state)
    async for row in stream(campaigns, "SELECT campaign_id::text AS scope, commitment_id, state FROM commitment"):
        fold.compare_commitment(row.scope, row.commitment_id, row.state)
    fold.compare_rest()


async def check_terms(snapshot: Snapshot, findings: Findings) -> None:
    """I15: terms as joined, and hashes recomputed from the terms themselves."""
    campaigns = snapshot.of("campaigns")
    findings.add_rows("I15", await rows(campaigns, _TERMS))
    async for row in stream(
        campaigns, "SELECT campaign_id::text AS scope, version, terms, terms_hash FROM terms_version"
    ):
        if Terms.model_validate(row.terms).hash() != row.terms_hash:
            findings.add("I15", Finding("terms do not give their hash", row.scope, str(row.version)))


async def check_charged(snapshot: Snapshot, findings: Findings) -> None:
    """I15: what was charged for a commitment is its units × price."""
    async for held, booked in side_by_side(
        stream(snapshot.of("campaigns"), _COMMITMENTS), stream(snapshot.of("escrow"), _CHARGED)
    ):
        for row in booked:
            told = {"kind": row.kind, "charged_minor": row.amount_minor}
            if held is None:
                what = "money was taken for a commitment that campaigns does not know"
                findings.add("I15", Finding(what, row.scope, str(row.commitment_id), told))
            elif (row.amount_minor, row.currency, row.scope) != (held.amount_minor, held.currency, held.scope):
                told |= {"due_minor": held.amount_minor}
                findings.add("I15", Finding("another amount was charged", row.scope, str(row.commitment_id), told))


async def check_funded(snapshot: Snapshot, findings: Findings, held_up: Collection[str]) -> None:
    """I23, quiet: a commitment is called locked if and only if escrow or reserve holds money for it."""
    undecided = {row["commitment_id"] for row in await rows(snapshot.of("escrow"), _UNDECIDED)}
    committed = f"SELECT scope, commitment_id, committed_minor FROM ({COMMITTED}) AS held ORDER BY commitment_id"  # noqa: S608
    async for held, booked in side_by_side(
        stream(snapshot.of("campaigns"), _COMMITMENTS), stream(snapshot.of("escrow"), committed)
    ):
        row = booked[0] if booked else None
        identity = held.commitment_id if held is not None else booked[0].commitment_id
        scope = held.scope if held is not None else booked[0].scope
        if identity in undecided or scope in held_up:
            continue
        locked = held is not None and held.state == "LOCKED"
        if locked != (row is not None):
            what = (
                "a commitment is locked without money" if locked else "money is committed and its commitment not locked"
            )
            told = {
                "state": held.state if held is not None else None,
                "committed_minor": row.committed_minor if row is not None else 0,
            }
            findings.add("I23", Finding(what, scope, str(identity), told))


async def check_projection(snapshot: Snapshot, findings: Findings, held_up: Collection[str]) -> None:
    """I2, quiet: each account class of a campaign is what the read model shows of it."""
    held: dict[str, dict[str, int]] = {}
    async for row in stream(snapshot.of("escrow"), CLASS_SUMS):
        if row[1] in _PROJECTED and row.balance_minor:
            held.setdefault(row.scope, {})[row[1]] = row.balance_minor
    names = ", ".join(f"{name}_minor" for name in _PROJECTED)
    query = f"SELECT scope_id AS scope, {names} FROM {snapshot.read_schema}.campaign_ledger"  # noqa: S608 - constants
    async for row in stream(snapshot.of("gateway"), query):
        shown = {name: amount for name in _PROJECTED if (amount := getattr(row, f"{name}_minor"))}
        ours = held.pop(row.scope, {})
        if shown != ours and row.scope not in held_up:
            told = {"ledger": ours, "read_model": shown}
            findings.add("I2", Finding("the read model shows other sums than the ledger", row.scope, row.scope, told))
    for scope, ours in held.items():
        if scope not in held_up:
            findings.add("I2", Finding("the read model lacks a campaign's sums", scope, scope, {"ledger": ours}))


async def check_invitations(snapshot: Snapshot, findings: Findings, evidence: Evidence) -> None:
    """I13: one answer to each invitation, received in its window; one acceptance per campaign."""
    query = "SELECT invitation_id::text AS id, campaign_id::text AS scope, state, opens_at, closes_at, answered_at FROM invitation"
    accepted: dict[str, str] = {}
    async for row in stream(snapshot.of("suppliers"), query):
        told = evidence.invitations.get(row.id, InvitationTold(row.scope))
        facts = {
            "state": row.state,
            "answers": told.answers,
            "answered_at": row.answered_at,
            "closes_at": row.closes_at,
        }
        if len(told.answers) > 1:
            findings.add("I13", Finding("an invitation has more than one answer", row.scope, row.id, facts))
        elif told.answers and told.answers[0] != row.state:
            findings.add(
                "I13", Finding("an invitation's row has another answer than was told", row.scope, row.id, facts)
            )
        if row.state != "accepted":
            continue
        if row.scope in accepted:
            findings.add(
                "I13", Finding("a campaign is accepted twice", row.scope, row.id, {"also": accepted[row.scope]})
            )
        accepted[row.scope] = row.id
        windows = [(row.opens_at, row.closes_at)] + ([told.window] if told.window else [])
        moments = [row.answered_at] + ([told.received_at] if told.received_at else [])
        if not all(opens and opens <= at < closes for opens, closes in windows for at in moments):
            findings.add("I13", Finding("an acceptance outside its window", row.scope, row.id, facts))


async def side_by_side(
    ours: AsyncIterator[Any], theirs: AsyncIterator[Any]
) -> AsyncIterator[tuple[Any | None, list[Any]]]:
    """Two results in the sequence of `commitment_id`, walked together: one row of the first (or None) with the rows of
    the second about the same commitment. Rows of the first that nobody speaks of come with an empty list."""
    end = (None, UUID(int=(1 << 128) - 1))

    async def step(source: AsyncIterator[Any]) -> tuple[Any | None, UUID]:
        row = await anext(source, None)
        return end if row is None else (row, row.commitment_id)

    (mine, my_id), (their, their_id) = await step(ours), await step(theirs)
    while mine is not None or their is not None:
        identity = min(my_id, their_id)
        found, same = (mine if my_id == identity else None), []
        if mine is not None and my_id == identity:
            mine, my_id = await step(ours)
        while their is not None and their_id == identity:
            same.append(their)
            their, their_id = await step(theirs)
        yield found, same
