"""What escrow's own database tells: the ledger's questions, and the repeats, plans and evidence beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from deploy.audit.evidence import Evidence, PlanTold
from deploy.audit.findings import Finding, Findings
from deploy.audit.snapshot import Snapshot, rows, stream
from services.escrow.store.invariants import violations
from services.kit.audit_seal import row_hash

LEDGER_QUESTIONS = ("I1", "I2", "I8", "I9", "I10", "I14", "I16", "I17", "I18", "I23")
"""Asked by the service's own queries; what a check here adds comes to the same entry."""
AUDITOR_ROLE = "escrow_auditor"

_TWICE = (
    """
    SELECT 'a cause was posted twice' AS what, min(scope) AS scope, cause AS subject,
        jsonb_build_object('transfers', count(*)) AS facts
    FROM ledger_transfer
    GROUP BY cause
    HAVING count(*) > 1
    """,
    # A transfer that was taken back does not count: what follows it is the right one.
    """
    WITH standing AS (
        SELECT t.scope, t.position, t.commitment_id,
            CASE WHEN t.kind IN ('lock', 'late_receipt') THEN 'receipt' ELSE t.kind END AS way, t.kind
        FROM ledger_transfer t
        WHERE t.kind IN ('lock', 'late_receipt', 'refund_sent', 'refund_failed', 'transfer_sent', 'transfer_back',
                'topup', 'bank_payout')
            AND NOT EXISTS (SELECT FROM ledger_transfer r WHERE r.scope = t.scope AND r.reverses = t.position)
    )
    SELECT 'an object at Stripe is posted twice in one way' AS what, min(s.scope) AS scope, e.object_id AS subject,
        jsonb_build_object('way', s.way, 'transfers', count(*)) AS facts
    FROM standing s
    JOIN ledger_entry e ON e.scope = s.scope AND e.position = s.position AND e.object_id IS NOT NULL
    GROUP BY e.object_id, s.way
    HAVING count(*) > 1
    UNION ALL
    SELECT 'a commitment was funded twice', scope, commitment_id::text, jsonb_build_object('locks', count(*))
    FROM standing
    WHERE kind = 'lock'
    GROUP BY scope, commitment_id
    HAVING count(*) > 1
    """,
    """
    SELECT 'an intent has two objects of one kind at Stripe' AS what, min(scope) AS scope, intent_id::text AS subject,
        jsonb_build_object('kind', kind, 'objects', to_jsonb((array_agg(object_id))[1:5])) AS facts
    FROM psp_object
    WHERE intent_id IS NOT NULL AND kind <> 'adopted'
    GROUP BY intent_id, kind
    HAVING count(*) > 1
    """,
)
_INTENTS_TWICE = """
    SELECT 'an intent was recorded twice' AS what, min(scope) AS scope, object_id AS subject,
        jsonb_build_object('purpose', purpose, 'ordinal', ordinal, 'intents', count(*)) AS facts
    FROM intent
    GROUP BY purpose, object_id, ordinal
    HAVING count(*) > 1
    UNION ALL
    SELECT 'a call for one object was done twice', min(scope), object_id,
        jsonb_build_object('purpose', purpose, 'ordinals', jsonb_agg(ordinal))
    FROM intent
    WHERE purpose IN ('payment', 'transfer', 'top_up') AND state = 'answered' AND answer ->> 'outcome' = 'done'
    GROUP BY purpose, object_id
    HAVING count(*) > 1
"""
_RELIED = """
    SELECT t.scope, t.plan_id::text AS plan_id, t.kind, t.relied_on, count(*) AS lines,
        f.accepted_event_id, f.delivery_event_id, f.inspection_event_id
    FROM ledger_transfer t
    LEFT JOIN campaign_fact f ON CAST(f.campaign_id AS text) = t.scope
    WHERE t.kind IN ('clear', 'reserve_release', 'transfer_sent')
    GROUP BY t.scope, t.plan_id, t.kind, t.relied_on, f.accepted_event_id, f.delivery_event_id, f.inspection_event_id
"""
_UNAPPROVED = """
    SELECT 'money moved that needs two people, without a plan that has them' AS what, t.scope, t.position::text AS subject,
        jsonb_build_object('kind', t.kind, 'plan_id', t.plan_id) AS facts
    FROM ledger_transfer t
    LEFT JOIN clearing_plan p ON p.plan_id = t.plan_id AND p.scope = t.scope
    WHERE (t.kind IN ('clear', 'reserve_release', 'transfer_sent', 'fee', 'refund_paid_outside', 'goodwill', 'correction')
            OR t.kind = 'transfer_back' AND EXISTS (
                SELECT FROM ledger_entry e
                WHERE e.scope = t.scope AND e.position = t.position AND e.account = 'dispute_loss'))
        AND (p.approver_id IS NULL OR p.approver_id = p.maker_id)
"""
_COLUMN_RIGHTS = """
    SELECT 'somebody may change what is append-only' AS what, '' AS scope, table_name || '.' || column_name AS subject,
        jsonb_build_object('grantee', grantee, 'privilege', privilege_type) AS facts
    FROM information_schema.column_privileges
    WHERE table_name IN ('ledger_transfer', 'ledger_entry') AND privilege_type = 'UPDATE' AND grantee <> (
        SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = CAST('ledger_transfer' AS regclass))
"""
_SEALED = """
    SELECT id, at, actor_id, actor_role, action, scope, subject, before, after, reason, cause_id, trace_id,
        place, previous_hash, hash
    FROM audit_entry
    WHERE hash IS NOT NULL
    ORDER BY place
"""
_DISCARDS = """
    SELECT 'a message was discarded by fewer than two people' AS what, key AS scope, message_id::text AS subject,
        jsonb_build_object('service', CAST(:service AS text)) AS facts
    FROM parked
    WHERE discarded_by IS NOT NULL AND discard_approved_by IS NOT DISTINCT FROM discarded_by
"""


async def check_ledger(snapshot: Snapshot, findings: Findings) -> None:
    """The ledger's own questions, and what was done twice."""
    await ledger_findings(snapshot.of("escrow"), findings)


async def ledger_findings(escrow: AsyncConnection, findings: Findings) -> None:
    """What one connection to escrow's database tells about its ledger."""
    for name in LEDGER_QUESTIONS:
        findings.add_rows(name, await violations(escrow, name))
    for query in _TWICE:
        findings.add_rows("I5", await rows(escrow, query))
    findings.add_rows("I16", await rows(escrow, _UNAPPROVED))
    findings.add_rows("I17", await rows(escrow, _COLUMN_RIGHTS))


async def check_kit_tables(snapshot: Snapshot, findings: Findings, service: str) -> None:
    """Intents recorded twice (I5), discards (I16), and the chain of the audit records (I17) of one service."""
    connection = snapshot.of(service)
    findings.add_rows("I5", await rows(connection, _INTENTS_TWICE))
    findings.add_rows("I16", await rows(connection, _DISCARDS, service=service))
    await _check_seal(connection, findings, service)


async def _check_seal(connection: AsyncConnection, findings: Findings, service: str) -> None:
    previous, place = "0" * 64, 0
    async for row in stream(connection, _SEALED):
        if row.place != place + 1 or row.previous_hash != previous or row.hash != row_hash(previous, row):
            what = "an audit record does not continue its chain"
            findings.add("I17", Finding(what, row.scope, str(row.id), {"service": service, "place": row.place}))
        previous, place = row.hash, row.place
    head = (await connection.execute(text("SELECT last_place, hash FROM audit_head"))).one()
    if (head.last_place, head.hash) != (place, previous):
        told = {"service": service, "last_place": head.last_place, "sealed": place}
        findings.add("I17", Finding("the audit records' head differs from the last record", "", service, told))


async def check_posted(snapshot: Snapshot, findings: Findings, evidence: Evidence) -> None:
    """I17: the ledger's hashes are those that left the database as events."""
    scopes = list(evidence.posted)
    query = """
        SELECT told.scope, told.position, told.hash, t.hash AS held
        FROM unnest(CAST(:scopes AS text[]), CAST(:positions AS bigint[]), CAST(:hashes AS text[]))
            AS told (scope, position, hash)
        JOIN ledger_scope s ON s.scope = told.scope AND s.transfer_count >= told.position
        LEFT JOIN ledger_transfer t ON t.scope = told.scope AND t.position = told.position
        WHERE t.hash IS DISTINCT FROM told.hash
    """
    found = await rows(
        snapshot.of("escrow"),
        query,
        scopes=scopes,
        positions=[evidence.posted[scope][0] for scope in scopes],
        hashes=[evidence.posted[scope][1] for scope in scopes],
    )
    for row in found:
        told = {"told": row["hash"], "held": row["held"]}
        what = "a transfer's hash is not the one that was told"
        findings.add("I17", Finding(what, row["scope"], str(row["position"]), told))


async def check_evidence(snapshot: Snapshot, findings: Findings, evidence: Evidence) -> None:
    """I7: each clearing transfer names acceptance, fulfillment and the end of inspection of its own campaign."""
    for row in await rows(snapshot.of("escrow"), _RELIED):
        named = set(row["relied_on"])
        told = {evidence.events[each][0] for each in named if evidence.events.get(each, ("", ""))[1] == row["scope"]}
        missing = [each for each in ("acceptance", "fulfillment", "end of inspection") if each not in told]
        facts = (row["accepted_event_id"], row["delivery_event_id"], row["inspection_event_id"])
        unknown = [str(each) for each in facts if each is None or each not in named]
        if missing or unknown:
            findings.add(
                "I7",
                Finding(
                    "money was cleared without its evidence",
                    row["scope"],
                    row["plan_id"] or "",
                    {"kind": row["kind"], "missing": missing, "facts_not_named": len(unknown), "lines": row["lines"]},
                ),
            )


async def check_people(
    snapshot: Snapshot, findings: Findings, evidence: Evidence, level: Callable[[str], bool]
) -> None:
    """I16: who submitted and who approved a plan are two people with the role, as the events told it then. `level` says
    whether a stream's events are all in its topic."""
    query = "SELECT plan_id::text AS plan_id, scope, state, maker_id, approver_id FROM clearing_plan"
    async for row in stream(snapshot.of("escrow"), query):
        if not level(f"escrow:{row.scope}"):
            continue
        told = evidence.plans.get(row.plan_id, PlanTold())
        for part, held, person in (("maker", row.maker_id, told.maker), ("approver", row.approver_id, told.approver)):
            if held != (person[0] if person else None):
                facts = {"held": held, "told": person[0] if person else None}
                _add_person(findings, row, part, "another person than was told", facts)
            elif person is not None and person[1] != AUDITOR_ROLE:
                _add_person(findings, row, part, "a person without the role", {"role": person[1]})
        if told.maker and told.approver and told.maker[0] == told.approver[0]:
            _add_person(findings, row, "approver", "the maker approved the plan", {})


def _add_person(findings: Findings, row: Any, part: str, what: str, facts: Mapping[str, Any]) -> None:
    findings.add("I16", Finding(what, row.scope, row.plan_id, {"part": part, "state": row.state, **facts}))
