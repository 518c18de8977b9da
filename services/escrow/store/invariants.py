"""The ledger's invariants as questions: each query returns its violations, and nothing when all is well.

Owns what can be told from escrow's own database; what needs another service's projection or Stripe's lists is joined by
the audit. Every row has the same shape: `what` (a sentence), `scope`, `subject`, `facts`. The names are those of the
audit's catalogue. `chain_faults` recomputes every hash, which SQL cannot.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.ledger import GENESIS_HASH, canonical_values, chained_hash

CHAIN_ROWS_AT_ONCE = 2_000
"""Transfers read at once while hashes are recomputed."""

# Each movement with the kind it counts as: a reversal counts as the kind it takes back, its signs being turned already.
_MOVED = """
    moved AS (
        SELECT t.scope, t.commitment_id, t.plan_id, COALESCE(original.kind, t.kind) AS kind,
            split_part(e.account, ':', 1) AS class, e.amount_minor
        FROM ledger_transfer t
        JOIN ledger_entry e ON e.scope = t.scope AND e.position = t.position
        LEFT JOIN ledger_transfer original ON original.scope = t.scope AND original.position = t.reverses
        WHERE t.scope <> 'platform'
    )
"""

_FLOWS = """
    COALESCE(-SUM(amount_minor) FILTER (
        WHERE kind IN ('lock', 'late_receipt') AND class = 'psp_clearing'), 0) AS received,
    COALESCE(-SUM(amount_minor) FILTER (WHERE class = 'goodwill'), 0) AS goodwill,
    COALESCE(SUM(amount_minor) FILTER (
        WHERE kind IN ('refund_sent', 'refund_failed') AND class = 'psp_clearing'), 0) AS refunded,
    COALESCE(SUM(amount_minor) FILTER (WHERE class = 'house_paid'), 0) AS paid_outside,
    COALESCE(-SUM(amount_minor) FILTER (
        WHERE kind IN ('dispute_withdrawn', 'dispute_reinstated') AND class = 'dispute_hold'
            OR kind = 'dispute_shifted' AND class = 'refund_payable'), 0) AS disputed,
    COALESCE(SUM(amount_minor) FILTER (
        WHERE kind IN ('clear', 'clear_undone', 'reserve_release') AND class = 'supplier_payable'), 0) AS cleared,
    COALESCE(SUM(amount_minor) FILTER (WHERE kind = 'fee' AND class = 'platform_fee'), 0) AS fee,
    COALESCE(SUM(amount_minor) FILTER (WHERE kind = 'transfer_sent' AND class = 'psp_clearing'), 0)
        - COALESCE(SUM(amount_minor) FILTER (
            WHERE kind = 'transfer_back' AND class = 'supplier_payable'), 0) AS supplier_paid,
    COALESCE(SUM(amount_minor) FILTER (WHERE class IN (
        'escrow', 'refund_payable', 'dispute_hold', 'reserve', 'supplier_payable')), 0) AS owed
"""

_I1 = """
    SELECT 'a transfer does not sum to zero' AS what, scope, position::text AS subject,
        jsonb_build_object('total_minor', SUM(amount_minor)) AS facts
    FROM ledger_entry
    GROUP BY scope, position
    HAVING SUM(amount_minor) <> 0
    UNION ALL
    SELECT 'a transfer has no entries', t.scope, t.position::text, jsonb_build_object('cause', t.cause)
    FROM ledger_transfer t
    WHERE NOT EXISTS (SELECT FROM ledger_entry e WHERE e.scope = t.scope AND e.position = t.position)
    UNION ALL
    SELECT 'an entry has no transfer', e.scope, e.position::text, jsonb_build_object('account', e.account)
    FROM ledger_entry e
    WHERE NOT EXISTS (SELECT FROM ledger_transfer t WHERE t.scope = e.scope AND t.position = e.position)
"""

_I2 = f"""
    WITH {_MOVED}, flows AS (SELECT scope, {_FLOWS} FROM moved GROUP BY scope)
    SELECT 'money came and is not accounted for' AS what, scope, scope AS subject, to_jsonb(flows) AS facts
    FROM flows
    WHERE received + goodwill <> owed + supplier_paid + fee + refunded + paid_outside + disputed
"""  # noqa: S608 - constants

_I8 = f"""
    WITH {_MOVED}, flows AS (
        SELECT scope, commitment_id, {_FLOWS} FROM moved WHERE commitment_id IS NOT NULL GROUP BY scope, commitment_id
    )
    SELECT 'more was given back or cleared than was received' AS what, scope, commitment_id::text AS subject,
        to_jsonb(flows) AS facts
    FROM flows
    WHERE received + goodwill < refunded + paid_outside + cleared + disputed
    UNION ALL
    SELECT 'a commitment of a settled closed campaign is not paid back whole', f.scope, f.commitment_id::text, to_jsonb(f)
    FROM flows f
    JOIN ledger_scope s ON s.scope = f.scope
    WHERE s.campaign_state = 'CLOSED' AND s.settled_at IS NOT NULL
        AND f.received + f.goodwill <> f.refunded + f.paid_outside + f.disputed
        AND NOT EXISTS (SELECT FROM cases c WHERE c.closed_at IS NULL AND c.subject = f.commitment_id::text)
"""  # noqa: S608 - constants

_I9 = """
    SELECT 'what is held is less than what is owed' AS what, 'platform' AS scope, currency AS subject,
        jsonb_build_object('held_minor', held, 'owed_minor', owed) AS facts
    FROM (
        SELECT s.currency,
            COALESCE(-SUM(a.balance_minor) FILTER (
                WHERE a.class IN ('psp_clearing', 'psp_pending', 'psp_available', 'psp_reserved')), 0) AS held,
            COALESCE(SUM(a.balance_minor) FILTER (
                WHERE a.class IN ('escrow', 'refund_payable', 'dispute_hold', 'reserve', 'supplier_payable')), 0)
                + GREATEST(COALESCE(SUM(a.balance_minor) FILTER (WHERE a.class = 'suspense'), 0), 0) AS owed
        FROM ledger_account a
        JOIN ledger_scope s ON s.scope = a.scope
        GROUP BY s.currency
    ) sums
    WHERE held < owed
"""

_I10 = f"""
    WITH {_MOVED}, flows AS (
        SELECT plan_id, {_FLOWS},
            COALESCE(SUM(amount_minor) FILTER (WHERE kind IN ('clear', 'clear_undone') AND class = 'reserve'), 0) AS kept,
            COALESCE(SUM(amount_minor) FILTER (WHERE kind = 'transfer_sent' AND class = 'psp_clearing'), 0) AS paid
        FROM moved
        WHERE plan_id IS NOT NULL
        GROUP BY plan_id
    ), lines AS (
        SELECT plan_id,
            COALESCE(SUM(amount_minor) FILTER (WHERE NOT to_reserve), 0) AS payable,
            COALESCE(SUM(amount_minor) FILTER (WHERE to_reserve), 0) AS reserve
        FROM clearing_line
        GROUP BY plan_id
    ), sent AS (
        SELECT plan_id, COUNT(*) AS transfers
        FROM ledger_transfer
        WHERE kind = 'transfer_sent'
        GROUP BY plan_id
    )
    SELECT 'a sent plan did not pay its lines less the fee' AS what, p.scope, p.plan_id::text AS subject,
        jsonb_build_object('flows', to_jsonb(f), 'lines', to_jsonb(l), 'fee_minor', p.fee_minor, 'net_minor', p.net_minor)
            AS facts
    FROM clearing_plan p
    LEFT JOIN flows f ON f.plan_id = p.plan_id
    LEFT JOIN lines l ON l.plan_id = p.plan_id
    LEFT JOIN sent n ON n.plan_id = p.plan_id
    WHERE p.state = 'SENT' AND NOT COALESCE(
        f.cleared = l.payable
        AND f.kept = l.reserve
        AND f.fee = p.fee_minor
        AND f.cleared = p.gross_minor - p.reserve_minor
        AND f.cleared - f.fee = p.net_minor
        AND f.paid = p.net_minor
        AND COALESCE(n.transfers, 0) = CASE WHEN p.net_minor > 0 THEN 1 ELSE 0 END, false)
    UNION ALL
    SELECT 'a plan was paid that is not sent, or more than once', COALESCE(p.scope, ''), n.plan_id::text,
        jsonb_build_object('transfers', n.transfers, 'state', p.state)
    FROM sent n
    LEFT JOIN clearing_plan p ON p.plan_id = n.plan_id
    WHERE n.transfers > 1 OR p.state IS DISTINCT FROM 'SENT'
    UNION ALL
    SELECT 'a plan by hand moved another sum than its lines', p.scope, p.plan_id::text,
        jsonb_build_object('kind', p.kind, 'lines_minor', h.lines, 'moved_minor', h.moved, 'state', p.state)
    FROM clearing_plan p
    CROSS JOIN LATERAL (
        SELECT
            COALESCE((SELECT SUM(e.amount_minor) FROM ledger_transfer t
                JOIN ledger_entry e ON e.scope = t.scope AND e.position = t.position AND e.amount_minor > 0
                WHERE t.plan_id = p.plan_id
                    AND t.kind IN ('refund_decided', 'refund_paid_outside', 'goodwill', 'transfer_back')), 0) AS moved,
            COALESCE((SELECT SUM(amount_minor) FROM clearing_line
                WHERE plan_id = p.plan_id AND cleared_at IS NOT NULL AND failed_code IS NULL), 0) AS lines
    ) h
    WHERE p.kind IN ('manual_refund', 'partial_refund', 'outside_payout', 'goodwill') AND h.moved <> h.lines
        OR p.kind = 'recovery' AND h.moved <> CASE p.state WHEN 'DONE' THEN p.net_minor ELSE 0 END
"""  # noqa: S608 - constants

_I14 = """
    SELECT 'a settled final campaign still owes' AS what, a.scope, a.account AS subject,
        jsonb_build_object('balance_minor', a.balance_minor) AS facts
    FROM ledger_account a
    JOIN ledger_scope s ON s.scope = a.scope
    WHERE s.settled_at IS NOT NULL AND s.campaign_state IN ('CLOSED', 'COMPLETED') AND a.balance_minor <> 0
        AND a.class IN ('escrow', 'refund_payable', 'dispute_hold', 'reserve', 'supplier_payable')
        AND NOT EXISTS (
            SELECT FROM cases c
            WHERE c.closed_at IS NULL AND (
                c.subject = split_part(a.account, ':', 2)
                OR a.account = 'supplier_payable' AND c.scope = a.scope
            )
        )
"""

_I16 = """
    SELECT 'a plan went on without two different people' AS what, scope, plan_id::text AS subject,
        jsonb_build_object('state', state) AS facts
    FROM clearing_plan
    WHERE state NOT IN ('DRAFT', 'STOPPED') AND approver_id IS NOT DISTINCT FROM maker_id
        OR state NOT IN ('DRAFT', 'STOPPED') AND approver_id IS NULL
        OR given_up_approver IS NOT DISTINCT FROM given_up_by AND given_up_by IS NOT NULL
"""

_I17 = """
    SELECT 'the head differs from the last transfer' AS what, s.scope, s.stream AS subject,
        jsonb_build_object('transfer_count', s.transfer_count, 'last', t.last, 'transfers', t.n) AS facts
    FROM ledger_scope s
    LEFT JOIN (
        SELECT scope, COUNT(*) AS n, MAX(position) AS last FROM ledger_transfer GROUP BY scope
    ) t ON t.scope = s.scope
    LEFT JOIN ledger_transfer l ON l.scope = s.scope AND l.position = s.transfer_count
    WHERE s.transfer_count <> COALESCE(t.n, 0) OR s.transfer_count <> COALESCE(t.last, 0)
        OR s.chain_head <> COALESCE(l.hash, repeat('0', 64))
    UNION ALL
    SELECT 'somebody may change what is append-only', '', c.relname::text,
        jsonb_build_object('grantee', COALESCE(r.rolname, 'public'), 'privilege', g.privilege_type)
    FROM pg_class c
    CROSS JOIN LATERAL aclexplode(c.relacl) g
    LEFT JOIN pg_roles r ON r.oid = g.grantee
    WHERE c.relname IN (
            'ledger_transfer', 'ledger_entry', 'ledger_account', 'checkpoint', 'platform_checkpoint', 'platform_cover')
        AND c.relkind = 'r' AND g.grantee <> c.relowner
        AND (g.privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES', 'MAINTAIN')
            OR c.relname = 'ledger_account' AND g.privilege_type = 'INSERT')
    UNION ALL
    SELECT 'rows of the ledger were changed or deleted', '', relname::text,
        jsonb_build_object('updated', n_tup_upd, 'deleted', n_tup_del)
    FROM pg_stat_user_tables
    WHERE relname IN ('ledger_transfer', 'ledger_entry', 'checkpoint', 'platform_checkpoint', 'platform_cover')
        AND (n_tup_upd > 0 OR n_tup_del > 0)
    UNION ALL
    SELECT 'a guard of the ledger is off or gone', '', wanted.name, '{}'::jsonb
    FROM unnest(ARRAY[
        'ledger_entry_seal', 'ledger_transfer_sealed', 'ledger_transfer_is_append_only', 'ledger_entry_is_append_only',
        'ledger_account_follows_its_entries', 'ledger_account_stays', 'ledger_scope_stays',
        'ledger_scope_head_follows_its_transfers', 'checkpoint_is_append_only',
        'platform_checkpoint_is_append_only', 'platform_cover_is_append_only', 'clearing_plan_step', 'clearing_line_frozen',
        'transfer_intent_recorded', 'transfer_intent_attempted', 'ledger_transfer_by_hand',
        'reversal_intent_recorded', 'reversal_intent_attempted'
    ]) AS wanted (name)
    WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgname = wanted.name AND t.tgenabled IN ('O', 'A'))
"""

_I18 = """
    WITH running AS (
        SELECT scope, account, position, balance_minor, version,
            SUM(amount_minor) OVER w AS balance_due, ROW_NUMBER() OVER w AS version_due,
            ROW_NUMBER() OVER (PARTITION BY scope, account ORDER BY position DESC) AS from_end
        FROM ledger_entry
        WINDOW w AS (PARTITION BY scope, account ORDER BY position)
    )
    SELECT 'a running balance or version is wrong' AS what, scope, account AS subject,
        jsonb_build_object('position', position, 'balance_minor', balance_minor, 'due_minor', balance_due,
            'version', version, 'version_due', version_due) AS facts
    FROM running
    WHERE balance_minor <> balance_due OR version <> version_due
    UNION ALL
    SELECT 'an account differs from its last entry', COALESCE(a.scope, r.scope), COALESCE(a.account, r.account),
        jsonb_build_object('balance_minor', a.balance_minor, 'due_minor', r.balance_due,
            'version', a.version, 'version_due', r.version_due)
    FROM ledger_account a
    FULL JOIN (SELECT * FROM running WHERE from_end = 1) r ON r.scope = a.scope AND r.account = a.account
    WHERE a.balance_minor IS DISTINCT FROM r.balance_due OR a.version IS DISTINCT FROM r.version_due
    UNION ALL
    SELECT 'an account holds what it may not hold', scope, account,
        jsonb_build_object('position', position, 'balance_minor', balance_minor)
    FROM ledger_entry
    WHERE balance_minor < 0 AND split_part(account, ':', 1) NOT IN (
            'psp_clearing', 'psp_pending', 'psp_available', 'psp_reserved',
            'psp_cost', 'dispute_loss', 'goodwill', 'platform_float', 'suspense')
        OR balance_minor > 0 AND account IN ('psp_reserved', 'goodwill')
"""

_I23 = """
    SELECT 'a hold without an open dispute' AS what, a.scope, a.account AS subject,
        jsonb_build_object('balance_minor', a.balance_minor) AS facts
    FROM ledger_account a
    WHERE a.class = 'dispute_hold' AND a.balance_minor > 0 AND NOT EXISTS (
        SELECT FROM ledger_transfer o
        WHERE o.commitment_id = split_part(a.account, ':', 2)::uuid AND o.kind = 'dispute_opened'
            AND NOT EXISTS (
                SELECT FROM ledger_transfer x WHERE x.cause = 'dpe' || substr(o.cause, 4)
            )
    )
    UNION ALL
    SELECT 'money is committed in a campaign that is completed', a.scope, a.account,
        jsonb_build_object('balance_minor', a.balance_minor)
    FROM ledger_account a
    JOIN ledger_scope s ON s.scope = a.scope
    WHERE s.campaign_state = 'COMPLETED' AND a.class = 'escrow' AND a.balance_minor > 0
        AND NOT EXISTS (
            SELECT FROM cases c WHERE c.closed_at IS NULL AND c.subject = split_part(a.account, ':', 2)
        )
"""

QUERIES: Mapping[str, str] = MappingProxyType(
    {
        "I1": _I1,
        "I2": _I2,
        "I8": _I8,
        "I9": _I9,
        "I10": _I10,
        "I14": _I14,
        "I16": _I16,
        "I17": _I17,
        "I18": _I18,
        "I23": _I23,
    }
)

COMMITTED = """
    SELECT a.scope, split_part(a.account, ':', 2)::uuid AS commitment_id, SUM(a.balance_minor)::bigint AS committed_minor
    FROM ledger_account a
    WHERE a.class IN ('escrow', 'reserve') AND a.balance_minor > 0
    GROUP BY a.scope, commitment_id
"""
"""Commitments with money in escrow or reserve: the audit compares them with the commitments that campaigns calls locked."""

CLASS_SUMS = (
    "SELECT scope, class, SUM(balance_minor)::bigint AS balance_minor FROM ledger_account GROUP BY scope, class"
)
"""The sum of each account class per scope: the audit compares them with the campaign's projection."""


async def violations(connection: AsyncConnection, name: str) -> list[dict[str, Any]]:
    """The violations of one invariant; for I17 the recomputed hashes too."""
    found = [dict(row._mapping) for row in await connection.execute(text(QUERIES[name]))]
    if name == "I17":
        found += [fault async for fault in chain_faults(connection)]
    return found


async def chain_faults(connection: AsyncConnection) -> AsyncIterator[dict[str, Any]]:
    """Recompute every transfer's hash from its stored content; yield those that differ."""
    scope, position, head = "", 0, GENESIS_HASH
    while True:
        rows = (
            await connection.execute(_CHAIN, {"scope": scope, "position": position, "rows_max": CHAIN_ROWS_AT_ONCE})
        ).all()
        for row in rows:
            values = dict(row._mapping)
            stored = values.pop("hash")
            if row.scope != scope:
                scope, head = row.scope, GENESIS_HASH
            position = row.position
            if chained_hash(head, canonical_values(values)) != stored:
                yield {
                    "what": "a transfer's content does not give its hash",
                    "scope": scope,
                    "subject": str(position),
                    "facts": {"hash": stored},
                }
            head = stored
        if len(rows) < CHAIN_ROWS_AT_ONCE:
            return


_CHAIN = text(
    """
    SELECT t.scope, s.currency, t.position, t.kind, t.cause, t.commitment_id, t.plan_id, t.reverses, t.reason,
        t.event_at, t.relied_on, t.hash, COALESCE(e.entries, '[]'::jsonb) AS entries
    FROM ledger_transfer t
    JOIN ledger_scope s ON s.scope = t.scope
    LEFT JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_object(
            'account', account, 'amount_minor', amount_minor, 'balance_minor', balance_minor,
            'version', version, 'object_id', object_id)) AS entries
        FROM ledger_entry
        WHERE scope = t.scope AND position = t.position
    ) e ON true
    WHERE (t.scope, t.position) > (:scope, :position)
    ORDER BY t.scope, t.position
    LIMIT :rows_max
    """
)
