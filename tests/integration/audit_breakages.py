"""What the audit's tests break in a database, past every guard: name → (invariant, service, statements).

The parameters `completed`, `closed` and `opened` are the three campaigns of the small world.
"""

from __future__ import annotations

AN_ENTRY = "SELECT ctid FROM ledger_entry WHERE scope = :completed ORDER BY position, account LIMIT 1"
A_REFUND = "SELECT scope, position FROM ledger_transfer WHERE kind = 'refund_sent' ORDER BY position LIMIT 1"
LONG_AGO = "clock_timestamp() - interval '5 minutes'"

BROKEN: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "I1 an entry's amount": (
        "I1",
        "escrow",
        (f"UPDATE ledger_entry SET amount_minor = amount_minor + 1 WHERE ctid = ({AN_ENTRY})",),
    ),
    "I2 a cost booked as owed": (
        "I2",
        "escrow",
        (
            "UPDATE ledger_entry SET account = 'escrow:' || gen_random_uuid(), balance_minor = 0 "
            "WHERE account = 'psp_cost' AND scope = :completed",
        ),
    ),
    "I2 the read model's sum": (
        "I2",
        "gateway",
        ("UPDATE read_1.campaign_ledger SET escrow_minor = escrow_minor + 1 WHERE scope_id = :opened",),
    ),
    "I3 a settlement taken out": (
        "I3",
        "escrow",
        (
            "DELETE FROM ledger_entry e USING ledger_transfer t WHERE t.scope = e.scope AND t.position = e.position "
            "AND t.kind = 'psp_settle' AND t.scope = :closed",
            "DELETE FROM ledger_transfer WHERE kind = 'psp_settle' AND scope = :closed",
        ),
    ),
    "I3 clearing not as noted": (
        "I3",
        "escrow",
        ("INSERT INTO clearing_object VALUES ('ch_nobody', :opened, 500, stack_now())",),
    ),
    "I4 a message that is not sent": (
        "I4",
        "suppliers",
        (
            f"UPDATE outbox SET published_at = NULL, created_at = {LONG_AGO} "
            "WHERE id = (SELECT max(id) FROM outbox WHERE stream IS NOT NULL)",
        ),
    ),
    "I5 a cause posted twice": (
        "I5",
        "escrow",
        (
            "ALTER TABLE ledger_transfer DROP CONSTRAINT ledger_transfer_cause_is_unique",
            "UPDATE ledger_transfer SET cause = (SELECT min(cause) FROM ledger_transfer WHERE kind = 'lock') "
            "WHERE kind = 'lock'",
        ),
    ),
    "I5 a call done twice": (
        "I5",
        "escrow",
        (
            "INSERT INTO intent (id, purpose, object_id, ordinal, scope, request, state, answer, recorded_at) "
            "SELECT gen_random_uuid(), purpose, object_id, 2, scope, request, state, answer, recorded_at "
            "FROM intent WHERE purpose = 'transfer'",
        ),
    ),
    "I6 more units than the capacity": (
        "I6",
        "campaigns",
        (
            "ALTER TABLE campaign DROP CONSTRAINT never_oversold",
            "UPDATE campaign SET capacity_units = 1 WHERE campaign_id = CAST(:opened AS uuid)",
        ),
    ),
    "I6 counts that are not the commitments'": (
        "I6",
        "campaigns",
        ("UPDATE campaign SET reserved_units = reserved_units + 1 WHERE campaign_id = CAST(:opened AS uuid)",),
    ),
    "I7 money cleared without its evidence": (
        "I7",
        "escrow",
        ("UPDATE ledger_transfer SET relied_on = '{}' WHERE kind = 'clear'",),
    ),
    "I8 a refund above what was received": (
        "I8",
        "escrow",
        (f"UPDATE ledger_entry SET amount_minor = amount_minor * 2 WHERE (scope, position) = ({A_REFUND})",),
    ),
    "I9 more owed than held": (
        "I9",
        "escrow",
        ("UPDATE ledger_account SET balance_minor = 50000000 WHERE class = 'escrow' AND scope = :opened",),
    ),
    "I10 a plan that paid another amount": (
        "I10",
        "escrow",
        ("UPDATE clearing_plan SET fee_minor = fee_minor - 1, net_minor = net_minor + 1",),
    ),
    "I12 a campaign's state": (
        "I12",
        "campaigns",
        ("UPDATE campaign SET state = 'INSPECTION' WHERE campaign_id = CAST(:opened AS uuid)",),
    ),
    "I12 a commitment's state": (
        "I12",
        "campaigns",
        ("UPDATE commitment SET state = 'RELEASED' WHERE campaign_id = CAST(:closed AS uuid) AND state = 'REFUNDED'",),
    ),
    "I13 an acceptance after the window": (
        "I13",
        "suppliers",
        (
            "ALTER TABLE invitation DROP CONSTRAINT accepted_inside_the_window",
            "UPDATE invitation SET answered_at = closes_at + interval '1 second' WHERE state = 'accepted'",
        ),
    ),
    "I14 a settled campaign that owes": (
        "I14",
        "escrow",
        ("UPDATE ledger_scope SET settled_at = stack_now(), campaign_state = 'CLOSED' WHERE scope = :opened",),
    ),
    "I15 terms changed after joining": (
        "I15",
        "campaigns",
        ("UPDATE commitment SET terms_hash = repeat('0', 64) WHERE campaign_id = CAST(:opened AS uuid)",),
    ),
    "I15 another amount charged": (
        "I15",
        "campaigns",
        (
            "UPDATE commitment SET quantity = quantity + 1, amount_minor = amount_minor + unit_price_minor "
            "WHERE campaign_id = CAST(:completed AS uuid)",
        ),
    ),
    "I16 the maker approves": (
        "I16",
        "escrow",
        (
            "ALTER TABLE clearing_plan DROP CONSTRAINT clearing_plan_approver_is_not_its_maker",
            "UPDATE clearing_plan SET approver_id = maker_id",
        ),
    ),
    "I17 a transfer's reason rewritten": (
        "I17",
        "escrow",
        ("UPDATE ledger_transfer SET reason = 'other' WHERE kind = 'refund_sent'",),
    ),
    "I17 a right to change entries": ("I17", "escrow", ("GRANT UPDATE (amount_minor) ON ledger_entry TO PUBLIC",)),
    "I17 a guard switched off": (
        "I17",
        "escrow",
        ("ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_seal",),
    ),
    "I17 an audit record's chain rewritten": (
        "I17",
        "campaigns",
        ("UPDATE audit_entry SET hash = md5('a') || md5('b') WHERE place = 2",),
    ),
    "I17 an audit record's content changed": (
        "I17",
        "escrow",
        ("UPDATE audit_entry SET actor_id = 'somebody else' WHERE place = 3",),
    ),
    "I17 an audit record removed": ("I17", "suppliers", ("DELETE FROM audit_entry WHERE place = 2",)),
    "I17 the last audit record removed": (
        "I17",
        "campaigns",
        ("DELETE FROM audit_entry WHERE place = (SELECT max(place) FROM audit_entry)",),
    ),
    "I17 an audit record put in between": (
        "I17",
        "campaigns",
        (
            "INSERT INTO audit_entry (at, actor_id, actor_role, action, scope, subject, reason, place, previous_hash, hash) "
            "SELECT at, actor_id, actor_role, action, scope, subject, reason, 0, previous_hash, md5('c') || md5('d') "
            "FROM audit_entry WHERE place = 1",
        ),
    ),
    **{
        f"I21 {service}: {table} changed without a record": (
            "I21",
            service,
            (
                f"DELETE FROM audit_entry WHERE id = (SELECT max(id) FROM audit_entry WHERE action ~ '{actions}' "
                "AND before <> after)",
            ),
        )
        for service, table, actions in (
            ("campaigns", "campaign", "^campaign[.](submit|accept|joining_counted)"),
            ("campaigns", "commitment", "^commitment[.](refund|release)"),
            ("escrow", "reservation", "^escrow[.]reservation[.]released"),
            ("escrow", "payment", "^escrow[.]payment[.]"),
            ("escrow", "refund_decision", "^escrow[.]refund[.]moved"),
            ("escrow", "clearing_plan", "^escrow[.]plan[.]"),
            ("suppliers", "invitation", "^invitation[.]accepted"),
            ("suppliers", "campaign", "^campaign[.]phase"),
        )
    },
    "I21 a record in the middle of a story gone": (
        "I21",
        "escrow",
        ("DELETE FROM audit_entry WHERE action = 'escrow.plan.moved' AND after->>'state' = 'CLEARING'",),
    ),
    "I21 a state set by hand": (
        "I21",
        "suppliers",
        ("UPDATE campaign SET phase = 'closed' WHERE campaign_id = CAST(:opened AS uuid)",),
    ),
    "I21 a record without an actor": ("I21", "campaigns", ("UPDATE audit_entry SET actor_id = '' WHERE place = 1",)),
    "I12 a recorded step that no table allows": (
        "I12",
        "campaigns",
        (
            "UPDATE audit_entry SET before = jsonb_set(before, '{state}', '\"RELEASED\"') "
            "WHERE action = 'commitment.funds_held' AND place = ("
            "SELECT min(place) FROM audit_entry WHERE action = 'commitment.funds_held')",
        ),
    ),
    "I25 an address in an audit record": (
        "I25",
        "campaigns",
        ("UPDATE audit_entry SET reason = 'as theo@example.org asked' WHERE place = 1",),
    ),
    "I18 a running balance": (
        "I18",
        "escrow",
        (f"UPDATE ledger_entry SET balance_minor = balance_minor + 1 WHERE ctid = ({AN_ENTRY})",),
    ),
    "I23 locked without money": (
        "I23",
        "campaigns",
        ("UPDATE commitment SET state = 'WITHDRAWN' WHERE campaign_id = CAST(:opened AS uuid)",),
    ),
    "I24 a column that is not whole": (
        "I24",
        "suppliers",
        ("ALTER TABLE milestone ADD COLUMN tip_minor numeric",),
    ),
    "I24 a second currency": (
        "I24",
        "escrow",
        ("UPDATE payment SET currency = 'eur' WHERE campaign_id = CAST(:opened AS uuid)",),
    ),
    "I25 an address in the ledger": (
        "I25",
        "escrow",
        ("UPDATE ledger_transfer SET reason = 'for theo@example.org' WHERE kind = 'refund_sent'",),
    ),
}
