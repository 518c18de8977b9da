"""Statements of revision 0004: acts by hand have plans as releases have, and the database refuses them without.

What is new is held beside the guards of revision 0001, in triggers of its own. A statement that writes transfers passes
`ledger_by_hand`, which looks only at the kinds that people decide: each needs a plan of its kind at work that two
different people approved, and must be what one line of that plan says. A refund that the system decides names no plan
and passes.
"""

from services.escrow.migrations.m0001_guards import DEFINER, INDEX_PLANS

KINDS = (
    "'release', 'reserve_release', 'manual_refund', 'partial_refund', 'outside_payout', 'goodwill', 'recovery', "
    "'correction', 'give_up'"
)
STATES = "'DRAFT', 'APPROVED', 'CLEARING', 'CLEARED', 'SENDING', 'SENT', 'DONE', 'STOPPED'"
SOURCES = "'escrow', 'reserve', 'refund_payable', 'supplier_payable', 'goodwill', 'dispute_loss'"

COLUMNS = (
    "ALTER TABLE clearing_plan DROP CONSTRAINT clearing_plan_kind_check, DROP CONSTRAINT clearing_plan_state_check",
    f"""
    ALTER TABLE clearing_plan
        ADD CONSTRAINT clearing_plan_kind_check CHECK (kind IN ({KINDS})),
        ADD CONSTRAINT clearing_plan_state_check CHECK (state IN ({STATES})),
        ALTER COLUMN supplier_id DROP NOT NULL,
        ADD COLUMN reason_code text COLLATE "C",
        ADD COLUMN evidence jsonb NOT NULL DEFAULT '[]',
        ADD COLUMN target_plan_id uuid REFERENCES clearing_plan (plan_id),
        ADD COLUMN target_position bigint CHECK (target_position > 0),
        ADD COLUMN submitted_event_id uuid,
        ADD COLUMN approved_event_id uuid,
        ADD COLUMN lines_applied integer NOT NULL DEFAULT 0 CHECK (lines_applied >= 0),
        ADD COLUMN lines_failed integer NOT NULL DEFAULT 0 CHECK (lines_failed >= 0),
        ADD COLUMN calls_open integer NOT NULL DEFAULT 0 CHECK (calls_open >= 0),
        ADD CONSTRAINT clearing_plan_of_a_release_names_its_payee
            CHECK (supplier_id IS NOT NULL OR kind NOT IN ('release', 'reserve_release', 'recovery')),
        ADD CONSTRAINT clearing_plan_by_hand_says_why
            CHECK (kind IN ('release', 'reserve_release') OR reason_code IS NOT NULL AND evidence <> '[]')
    """,
    f"""
    ALTER TABLE clearing_line
        ADD COLUMN source text COLLATE "C" NOT NULL DEFAULT 'escrow' CHECK (source IN ({SOURCES})),
        ADD COLUMN failed_code text COLLATE "C"
    """,
    "ALTER TABLE refund_decision DROP CONSTRAINT refund_decision_state_check",
    """
    ALTER TABLE refund_decision
        ADD CONSTRAINT refund_decision_state_check
            CHECK (state IN ('decided', 'pending', 'paid', 'failed', 'paid_outside')),
        ADD COLUMN plan_id uuid REFERENCES clearing_plan (plan_id),
        ADD COLUMN outside_plan_id uuid REFERENCES clearing_plan (plan_id)
    """,
    "DROP INDEX clearing_plan_one_at_a_time",
    """
    CREATE UNIQUE INDEX clearing_plan_one_at_a_time ON clearing_plan (scope)
    WHERE kind IN ('release', 'reserve_release') AND state IN ('CLEARING', 'CLEARED', 'SENDING')
    """,
    "CREATE UNIQUE INDEX clearing_plan_one_at_its_lines ON clearing_plan (scope) WHERE state = 'CLEARING'",
    "CREATE INDEX clearing_plan_target ON clearing_plan (target_plan_id) WHERE target_plan_id IS NOT NULL",
    "CREATE UNIQUE INDEX ledger_transfer_is_taken_back_once ON ledger_transfer (scope, reverses) WHERE reverses IS NOT NULL",
)
# clearing_plan_one_at_its_lines: plans by hand whose calls are under way may be many, but only one plan of a campaign
# moves its lines at a time, so that two never count on the same balance.

_FROZEN_ALWAYS = (
    "plan_id, {0}.scope, {0}.kind, {0}.version, {0}.maker_id, {0}.supplier_id, {0}.currency, {0}.target_plan_id, "
    "{0}.target_position, {0}.reason_code, {0}.evidence"
)
_FROZEN_APPROVED = (
    "approver_id, {0}.plan_hash, {0}.gross_minor, {0}.reserve_minor, {0}.fee_minor, {0}.net_minor, {0}.conditions, "
    "{0}.reason"
)


def _row(names: str, which: str) -> str:
    return f"({which}.{names.format(which)})"


PLAN_STEP = f"""
CREATE OR REPLACE FUNCTION clearing_plan_step() RETURNS trigger {DEFINER} AS $$
DECLARE
    steps CONSTANT text[] := ARRAY['DRAFT', 'APPROVED', 'CLEARING', 'CLEARED', 'SENDING', 'SENT', 'DONE'];
BEGIN
    IF {_row(_FROZEN_ALWAYS, "NEW")} IS DISTINCT FROM {_row(_FROZEN_ALWAYS, "OLD")}
        OR (OLD.state <> 'DRAFT' AND {_row(_FROZEN_APPROVED, "NEW")} IS DISTINCT FROM {_row(_FROZEN_APPROVED, "OLD")})
    THEN
        RAISE EXCEPTION 'plan % stays as it was submitted and approved', OLD.plan_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'clearing_plan_stays_as_approved';
    END IF;
    IF NEW.state <> OLD.state AND (
        OLD.state IN ('SENT', 'DONE', 'STOPPED')
        OR array_position(steps, NEW.state) < array_position(steps, OLD.state)
        OR (NEW.state = 'STOPPED' AND OLD.state = 'SENDING' AND NEW.given_up_approver IS NULL AND EXISTS (
            SELECT FROM intent i
            WHERE i.purpose IN ('transfer', 'transfer_reversal') AND i.object_id = OLD.plan_id::text AND i.attempts > 0))
    ) THEN
        RAISE EXCEPTION 'plan % cannot go from % to %', OLD.plan_id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'clearing_plan_goes_forward';
    END IF;
    IF (NEW.given_up_by, NEW.given_up_approver) IS DISTINCT FROM (OLD.given_up_by, OLD.given_up_approver)
        AND NOT EXISTS (
            SELECT FROM clearing_plan g
            WHERE g.kind = 'give_up' AND g.target_plan_id = NEW.plan_id AND g.scope = NEW.scope AND g.state = 'CLEARING'
                AND g.maker_id = NEW.given_up_by AND g.approver_id = NEW.given_up_approver
                AND g.approver_id <> g.maker_id)
    THEN
        RAISE EXCEPTION 'plan % is given up by an approved plan only', OLD.plan_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'clearing_plan_given_up_by_a_plan';
    END IF;
    RETURN NEW;
END $$
"""  # noqa: S608 - constants

LINE_FROZEN = f"""
CREATE OR REPLACE FUNCTION clearing_line_frozen() RETURNS trigger {DEFINER} AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.plan_id, NEW.commitment_id, NEW.amount_minor, NEW.to_reserve, NEW.source)
        IS NOT DISTINCT FROM (OLD.plan_id, OLD.commitment_id, OLD.amount_minor, OLD.to_reserve, OLD.source)
        AND (OLD.failed_code IS NULL OR NEW.failed_code = OLD.failed_code)
    THEN
        RETURN NEW;
    END IF;
    IF TG_OP <> 'INSERT' OR NOT EXISTS (
        SELECT FROM clearing_plan p WHERE p.plan_id = NEW.plan_id AND p.state = 'DRAFT')
    THEN
        RAISE EXCEPTION 'the lines of a plan stay as they were submitted'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'clearing_line_stays_as_submitted';
    END IF;
    RETURN NEW;
END $$
"""  # noqa: S608 - constants

# A plan by hand may call too (a recovery takes back a transfer), but never for a transfer to a supplier.
INTENT_GUARD = f"""
CREATE OR REPLACE FUNCTION transfer_intent_guard() RETURNS trigger {DEFINER} AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM clearing_plan p
        JOIN ledger_scope s ON s.scope = p.scope
        WHERE p.plan_id::text = NEW.object_id
            AND p.scope = NEW.scope
            AND p.approver_id <> p.maker_id
            AND p.state IN ('CLEARING', 'CLEARED', 'SENDING')
            AND CASE
                WHEN NEW.purpose = 'transfer_reversal' THEN p.kind = 'recovery'
                ELSE p.kind IN ('release', 'reserve_release')
                    AND s.campaign_state = CASE p.kind WHEN 'release' THEN 'INSPECTION' ELSE 'COMPLETED' END
                    AND NOT s.paused
                    AND s.latch = 'clearing'
                    AND s.latch_plan_id = p.plan_id
            END
    ) THEN
        RAISE EXCEPTION 'a % of plan % in scope % may not be tried now', NEW.purpose, NEW.object_id, NEW.scope
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_intent_needs_its_plan';
    END IF;
    RETURN NEW;
END $$
"""  # noqa: S608 - constants

EXACT_REVERSE = f"""
CREATE FUNCTION ledger_is_exact_reverse(the_scope text, the_position bigint, the_original bigint) RETURNS boolean
LANGUAGE plpgsql STABLE {INDEX_PLANS} AS $$
BEGIN
    RETURN EXISTS (SELECT FROM ledger_entry o WHERE o.scope = the_scope AND o.position = the_original)
        AND NOT EXISTS (
            SELECT FROM (
                SELECT account, -amount_minor AS amount_minor, object_id
                FROM ledger_entry
                WHERE scope = the_scope AND position = the_original
            ) o
            FULL JOIN (
                SELECT account, amount_minor, object_id
                FROM ledger_entry
                WHERE scope = the_scope AND position = the_position
            ) r ON r.account = o.account
            WHERE (r.amount_minor, r.object_id) IS DISTINCT FROM (o.amount_minor, o.object_id)
        );
END $$
"""  # noqa: S608 - constants

BY_HAND = f"""
CREATE FUNCTION ledger_by_hand() RETURNS trigger {DEFINER} {INDEX_PLANS} AS $$
DECLARE
    act record;
    plan clearing_plan;
    line clearing_line;
    moved bigint;
    allowed boolean;
BEGIN
    FOR act IN
        SELECT f.scope, f.position, f.kind, f.cause, f.commitment_id, f.plan_id, f.reverses
        FROM fresh f
        WHERE f.kind IN ('refund_paid_outside', 'goodwill', 'clear_undone', 'transfer_back', 'correction')
            OR f.kind = 'refund_decided' AND f.plan_id IS NOT NULL
    LOOP
        IF act.kind = 'transfer_back' AND NOT EXISTS (
            SELECT FROM ledger_entry e
            WHERE e.scope = act.scope AND e.position = act.position AND e.account = 'dispute_loss')
        THEN
            CONTINUE; -- What Stripe took back is owed to the supplier again, whoever asked for it.
        END IF;
        SELECT * INTO plan FROM clearing_plan p
        WHERE p.plan_id = act.plan_id AND p.scope = act.scope AND p.approver_id <> p.maker_id;
        allowed := FOUND;
        SELECT * INTO line FROM clearing_line l
        WHERE l.plan_id = act.plan_id AND l.commitment_id = act.commitment_id AND l.failed_code IS NULL;
        SELECT max(e.amount_minor) INTO moved FROM ledger_entry e
        WHERE e.scope = act.scope AND e.position = act.position;
        allowed := allowed AND CASE act.kind
            WHEN 'refund_decided' THEN plan.kind IN ('manual_refund', 'partial_refund') AND plan.state = 'CLEARING'
                AND line.amount_minor = moved
                AND EXISTS (
                    SELECT FROM ledger_entry e WHERE e.scope = act.scope AND e.position = act.position
                        AND e.account = line.source || ':' || line.commitment_id)
            WHEN 'refund_paid_outside' THEN plan.kind IN ('outside_payout', 'correction') AND plan.state = 'CLEARING'
                AND line.amount_minor = moved
                AND act.cause = 'out:' || plan.plan_id || ':' || line.commitment_id
            WHEN 'goodwill' THEN plan.kind = 'goodwill' AND plan.state = 'CLEARING'
                AND line.amount_minor = moved
                AND act.cause = 'gw:' || plan.plan_id || ':' || line.commitment_id
            WHEN 'clear_undone' THEN plan.kind IN ('release', 'reserve_release')
                AND plan.state IN ('CLEARING', 'CLEARED', 'SENDING', 'STOPPED')
                AND line.amount_minor = moved
                AND act.cause = 'unclr:' || plan.plan_id || ':' || line.commitment_id
                AND (plan.given_up_approver <> plan.given_up_by OR NOT EXISTS (
                    SELECT FROM intent i
                    WHERE i.purpose = 'transfer' AND i.object_id = plan.plan_id::text AND i.attempts > 0))
            WHEN 'transfer_back' THEN plan.kind = 'correction' AND plan.state = 'CLEARING'
                OR plan.kind = 'recovery' AND moved = plan.net_minor AND EXISTS (
                    SELECT FROM intent i
                    WHERE i.purpose = 'transfer_reversal' AND i.object_id = plan.plan_id::text
                        AND (i.attempts > 0 OR i.state IN ('attempted', 'answered')))
            ELSE plan.kind = 'correction' AND plan.state = 'CLEARING' AND act.cause = 'cor:' || plan.plan_id
                AND plan.target_position = act.reverses
                AND ledger_is_exact_reverse(act.scope, act.position, act.reverses)
        END;
        IF NOT coalesce(allowed, false) THEN
            RAISE EXCEPTION '% at % of scope % has no plan of two people that says so', act.kind, act.position, act.scope
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_by_hand_needs_its_plan';
        END IF;
    END LOOP;
    RETURN NULL;
END $$
"""  # noqa: S608 - constants

TRIGGERS = (
    """
    CREATE TRIGGER ledger_transfer_by_hand AFTER INSERT ON ledger_transfer REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_by_hand()
    """,
    """
    CREATE TRIGGER reversal_intent_recorded AFTER INSERT ON intent
    FOR EACH ROW WHEN (NEW.purpose = 'transfer_reversal')
    EXECUTE FUNCTION transfer_intent_guard()
    """,
    """
    CREATE TRIGGER reversal_intent_attempted BEFORE UPDATE ON intent
    FOR EACH ROW WHEN (
        NEW.purpose = 'transfer_reversal'
        AND (NEW.attempts > OLD.attempts OR (NEW.state = 'attempted' AND OLD.state <> 'attempted'))
    )
    EXECUTE FUNCTION transfer_intent_guard()
    """,
)

STATEMENTS = (*COLUMNS, PLAN_STEP, LINE_FROZEN, INTENT_GUARD, EXACT_REVERSE, BY_HAND, *TRIGGERS)
