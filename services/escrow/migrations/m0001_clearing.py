"""Statements of revision 0001: clearing plans and their lines, and what the database holds about them.

Two people: the maker and a different approver, by CHECK. What was approved stays as it was approved, by trigger. The
record and each attempt of a transfer intent needs such a plan, and a campaign whose recorded state allows it; a fact
that Stripe tells later is never refused here, because it has happened.
"""

from services.escrow.migrations.m0001_guards import DEFINER

PLAN = """
CREATE TABLE clearing_plan (
    plan_id uuid PRIMARY KEY,
    scope text COLLATE "C" NOT NULL REFERENCES ledger_scope (scope),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('release', 'reserve_release')),
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    state text COLLATE "C" NOT NULL DEFAULT 'DRAFT' CHECK (
        state IN ('DRAFT', 'APPROVED', 'CLEARING', 'CLEARED', 'SENDING', 'SENT', 'STOPPED')
    ),
    maker_id text NOT NULL,
    approver_id text,
    supplier_id uuid NOT NULL,
    plan_hash text COLLATE "C" NOT NULL CHECK (plan_hash ~ '^[0-9a-f]{64}$'),
    gross_minor bigint NOT NULL CHECK (gross_minor >= 0),
    reserve_minor bigint NOT NULL CHECK (reserve_minor >= 0),
    fee_minor bigint NOT NULL CHECK (fee_minor >= 0),
    net_minor bigint NOT NULL CHECK (net_minor >= 0),
    currency text COLLATE "C" NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
    conditions jsonb NOT NULL DEFAULT '[]',
    reason text NOT NULL,
    transfer_ordinal integer NOT NULL DEFAULT 1 CHECK (transfer_ordinal > 0),
    transfer_id text COLLATE "C" UNIQUE,
    stop_code text,
    given_up_by text,
    given_up_approver text,
    submitted_at timestamptz NOT NULL,
    approved_at timestamptz,
    sent_at timestamptz,
    stopped_at timestamptz,
    UNIQUE (scope, kind, version),
    CONSTRAINT clearing_plan_approver_is_not_its_maker CHECK (approver_id <> maker_id),
    CONSTRAINT clearing_plan_has_two_people CHECK (state IN ('DRAFT', 'STOPPED') OR approver_id IS NOT NULL),
    CONSTRAINT clearing_plan_given_up_by_two CHECK (given_up_approver <> given_up_by),
    CONSTRAINT clearing_plan_adds_up CHECK (gross_minor = reserve_minor + fee_minor + net_minor),
    CONSTRAINT clearing_plan_sent_names_its_transfer CHECK (state <> 'SENT' OR net_minor = 0 OR transfer_id IS NOT NULL)
)
"""
# gross = what the lines take out of escrow (release) or out of the reserve (reserve_release).

ONE_AT_A_TIME = """
CREATE UNIQUE INDEX clearing_plan_one_at_a_time ON clearing_plan (scope)
WHERE state IN ('CLEARING', 'CLEARED', 'SENDING')
"""

LINE = """
CREATE TABLE clearing_line (
    plan_id uuid NOT NULL REFERENCES clearing_plan (plan_id),
    commitment_id uuid NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    to_reserve boolean NOT NULL DEFAULT false,
    cleared_at timestamptz,
    PRIMARY KEY (plan_id, commitment_id)
)
"""

PLAN_STEP = f"""
CREATE FUNCTION clearing_plan_step() RETURNS trigger {DEFINER} AS $$
DECLARE
    steps CONSTANT text[] := ARRAY['DRAFT', 'APPROVED', 'CLEARING', 'CLEARED', 'SENDING', 'SENT'];
BEGIN
    IF (NEW.plan_id, NEW.scope, NEW.kind, NEW.version, NEW.maker_id, NEW.supplier_id, NEW.currency)
        IS DISTINCT FROM (OLD.plan_id, OLD.scope, OLD.kind, OLD.version, OLD.maker_id, OLD.supplier_id, OLD.currency)
        OR (OLD.state <> 'DRAFT' AND
            (NEW.approver_id, NEW.plan_hash, NEW.gross_minor, NEW.reserve_minor, NEW.fee_minor, NEW.net_minor,
                NEW.conditions, NEW.reason)
            IS DISTINCT FROM
            (OLD.approver_id, OLD.plan_hash, OLD.gross_minor, OLD.reserve_minor, OLD.fee_minor, OLD.net_minor,
                OLD.conditions, OLD.reason))
    THEN
        RAISE EXCEPTION 'plan % stays as it was submitted and approved', OLD.plan_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'clearing_plan_stays_as_approved';
    END IF;
    IF NEW.state <> OLD.state AND (
        OLD.state IN ('SENT', 'STOPPED')
        OR array_position(steps, NEW.state) < array_position(steps, OLD.state)
        OR (NEW.state = 'STOPPED' AND OLD.state = 'SENDING' AND NEW.given_up_approver IS NULL AND EXISTS (
            SELECT FROM intent i WHERE i.purpose = 'transfer' AND i.object_id = OLD.plan_id::text AND i.attempts > 0))
    ) THEN
        RAISE EXCEPTION 'plan % cannot go from % to %', OLD.plan_id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'clearing_plan_goes_forward';
    END IF;
    RETURN NEW;
END $$
"""  # noqa: S608 - constants

LINE_FROZEN = f"""
CREATE FUNCTION clearing_line_frozen() RETURNS trigger {DEFINER} AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.plan_id, NEW.commitment_id, NEW.amount_minor, NEW.to_reserve)
        IS NOT DISTINCT FROM (OLD.plan_id, OLD.commitment_id, OLD.amount_minor, OLD.to_reserve)
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
"""

# The record is checked after the insert, so that recording the same intent again stays a no-op at any time.
INTENT_GUARD = f"""
CREATE FUNCTION transfer_intent_guard() RETURNS trigger {DEFINER} AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM clearing_plan p
        JOIN ledger_scope s ON s.scope = p.scope
        WHERE p.plan_id::text = NEW.object_id
            AND p.scope = NEW.scope
            AND p.state IN ('CLEARING', 'CLEARED', 'SENDING')
            AND p.approver_id <> p.maker_id
            AND s.campaign_state = CASE p.kind WHEN 'release' THEN 'INSPECTION' ELSE 'COMPLETED' END
            AND NOT s.paused
            AND s.latch = 'clearing'
            AND s.latch_plan_id = p.plan_id
    ) THEN
        RAISE EXCEPTION 'a transfer of plan % in scope % may not be tried now', NEW.object_id, NEW.scope
            USING ERRCODE = 'check_violation', CONSTRAINT = 'transfer_intent_needs_its_plan';
    END IF;
    RETURN NEW;
END $$
"""

_TRIGGERS = (
    """
    CREATE TRIGGER clearing_plan_step BEFORE UPDATE ON clearing_plan
    FOR EACH ROW EXECUTE FUNCTION clearing_plan_step()
    """,
    """
    CREATE TRIGGER clearing_plan_stays BEFORE DELETE OR TRUNCATE ON clearing_plan
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('a plan stays')
    """,
    """
    CREATE TRIGGER clearing_line_frozen BEFORE INSERT OR UPDATE OR DELETE ON clearing_line
    FOR EACH ROW EXECUTE FUNCTION clearing_line_frozen()
    """,
    """
    CREATE TRIGGER clearing_line_stays BEFORE TRUNCATE ON clearing_line
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('a line stays')
    """,
    """
    CREATE TRIGGER transfer_intent_recorded AFTER INSERT ON intent
    FOR EACH ROW WHEN (NEW.purpose = 'transfer')
    EXECUTE FUNCTION transfer_intent_guard()
    """,
    """
    CREATE TRIGGER transfer_intent_attempted BEFORE UPDATE ON intent
    FOR EACH ROW WHEN (
        NEW.purpose = 'transfer'
        AND (NEW.attempts > OLD.attempts OR (NEW.state = 'attempted' AND OLD.state <> 'attempted'))
    )
    EXECUTE FUNCTION transfer_intent_guard()
    """,
    """
    CREATE TRIGGER transfer_intent_keeps_its_object BEFORE UPDATE ON intent
    FOR EACH ROW WHEN (
        (NEW.purpose, NEW.object_id, NEW.ordinal, NEW.scope) <> (OLD.purpose, OLD.object_id, OLD.ordinal, OLD.scope)
    )
    EXECUTE FUNCTION ledger_refuse('an intent keeps its purpose and object')
    """,
)

STATEMENTS = (PLAN, ONE_AT_A_TIME, LINE, PLAN_STEP, LINE_FROZEN, INTENT_GUARD, *_TRIGGERS)
