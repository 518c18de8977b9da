"""The first schema: campaigns with their content, terms, reviews and sign-offs; commitments and refused joins.

What a rule must never break is held by the database too: units taken never exceed the capacity, a final state is never
left, the reviewer is not the author, three sign-offs come from three people, a commitment's identity, quantity, price,
terms and consent never change, and records are only ever added. Triggers hold the last ones (whatever a role is granted
by default); they name their columns, so that the updates of every day do not pay for them. Foreign keys are checked at the
commit, so that a batch may be written in any sequence.
"""

from alembic import op

from services.kit.schema import create_kit_tables, grant_app

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATES = (
    "'DRAFT', 'IN_REVIEW', 'ACTIVE', 'TARGET_ACHIEVED', 'PENDING_ACCEPTANCE', 'FULFILLMENT', 'INSPECTION', "
    "'COMPLETED', 'CLOSED'"
)

_TABLES = (
    f"""
    CREATE TABLE campaign (
        campaign_id uuid PRIMARY KEY,
        state text NOT NULL CHECK (state IN ({_STATES})),
        author_id text NOT NULL,
        terms_version integer NOT NULL CHECK (terms_version >= 1),
        terms_hash text NOT NULL CHECK (terms_hash ~ '^[0-9a-f]{{64}}$'),
        target_units bigint NOT NULL CHECK (target_units > 0),
        capacity_units bigint NOT NULL CHECK (capacity_units > 0),
        min_units bigint NOT NULL CHECK (min_units > 0),
        max_units bigint CHECK (max_units > 0),
        unit_price_minor bigint NOT NULL CHECK (unit_price_minor > 0),
        currency text NOT NULL CHECK (currency ~ '^[a-z]{{3}}$'),
        close_at timestamptz NOT NULL,
        held_units bigint NOT NULL CHECK (held_units >= 0),
        reserved_units bigint NOT NULL CHECK (reserved_units >= 0),
        held_commitments bigint NOT NULL CHECK (held_commitments >= 0),
        open_reservations bigint NOT NULL CHECK (open_reservations >= 0),
        drafted_at timestamptz NOT NULL,
        submitted_at timestamptz,
        opened_at timestamptz,
        target_reached_at timestamptz,
        joining_ended_at timestamptz,
        joining_end_cause text CHECK (joining_end_cause IN ('close_date', 'capacity')),
        withdrawal_requested_at timestamptz,
        final_units bigint,
        final_commitments bigint,
        acceptance_requested_at timestamptz,
        supplier_id uuid,
        invitation_id uuid,
        accepted_at timestamptz,
        inspection_started_at timestamptz,
        sign_off_round integer NOT NULL,
        close_requested_at timestamptz,
        waiting_step jsonb,
        ended_at timestamptz,
        close_reason text,
        plan_id uuid,
        CONSTRAINT never_oversold CHECK (held_units + reserved_units <= capacity_units),
        CONSTRAINT end_has_its_cause CHECK ((joining_ended_at IS NULL) = (joining_end_cause IS NULL)),
        CONSTRAINT closed_has_its_reason CHECK ((state = 'CLOSED') = (close_reason IS NOT NULL)),
        CONSTRAINT completed_has_its_plan CHECK ((state = 'COMPLETED') = (plan_id IS NOT NULL))
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE campaign_content (
        campaign_id uuid PRIMARY KEY REFERENCES campaign DEFERRABLE INITIALLY DEFERRED,
        product jsonb NOT NULL,
        supplier_ids jsonb NOT NULL,
        visibility text NOT NULL CHECK (visibility IN ('private', 'members', 'open')),
        readiness jsonb
    )
    """,
    """
    CREATE TABLE terms_version (
        campaign_id uuid NOT NULL REFERENCES campaign DEFERRABLE INITIALLY DEFERRED,
        version integer NOT NULL,
        terms jsonb NOT NULL,
        terms_hash text NOT NULL,
        author_id text NOT NULL,
        recorded_at timestamptz NOT NULL,
        PRIMARY KEY (campaign_id, version)
    )
    """,
    """
    CREATE TABLE review (
        review_id uuid PRIMARY KEY,
        campaign_id uuid NOT NULL REFERENCES campaign DEFERRABLE INITIALLY DEFERRED,
        author_id text NOT NULL,
        reviewer_id text NOT NULL,
        decision text NOT NULL CHECK (decision IN ('accept', 'accept_with_constraints', 'defer', 'reject')),
        reason text NOT NULL,
        answers jsonb NOT NULL,
        constraints jsonb NOT NULL,
        terms_hash text NOT NULL,
        decided_at timestamptz NOT NULL,
        CONSTRAINT reviewer_is_not_author CHECK (reviewer_id <> author_id)
    )
    """,
    "CREATE INDEX review_campaign ON review (campaign_id)",
    """
    CREATE TABLE sign_off (
        campaign_id uuid NOT NULL REFERENCES campaign DEFERRABLE INITIALLY DEFERRED,
        round integer NOT NULL,
        role text NOT NULL CHECK (role IN ('operations', 'escrow_auditor', 'trust_reviewer')),
        person_id text NOT NULL,
        reason text NOT NULL,
        signed_at timestamptz NOT NULL,
        PRIMARY KEY (campaign_id, round, role),
        CONSTRAINT three_different_people UNIQUE (campaign_id, round, person_id)
    )
    """,
    """
    CREATE TABLE commitment (
        commitment_id uuid PRIMARY KEY,
        campaign_id uuid NOT NULL REFERENCES campaign DEFERRABLE INITIALLY DEFERRED,
        participant_id uuid NOT NULL,
        quantity bigint NOT NULL CHECK (quantity > 0),
        unit_price_minor bigint NOT NULL CHECK (unit_price_minor > 0),
        amount_minor bigint NOT NULL,
        currency text NOT NULL,
        terms_hash text NOT NULL,
        reference text NOT NULL UNIQUE,
        consent_at timestamptz NOT NULL,
        reserved_at timestamptz NOT NULL,
        reserved_until timestamptz NOT NULL,
        state text NOT NULL CHECK (
            state IN ('PENDING_FUNDS', 'LOCKED', 'FUNDS_FAILED', 'WITHDRAWN', 'REFUNDED', 'RELEASED')
        ),
        reservation_open boolean NOT NULL,
        locked_at timestamptz,
        ended_at timestamptz,
        end_reason text,
        CONSTRAINT amount_is_units_times_price CHECK (amount_minor = quantity * unit_price_minor),
        CONSTRAINT pending_is_open CHECK (state <> 'PENDING_FUNDS' OR reservation_open),
        CONSTRAINT open_is_pending_or_left CHECK (NOT reservation_open OR state IN ('PENDING_FUNDS', 'WITHDRAWN'))
    ) WITH (fillfactor = 70)
    """,
    "CREATE INDEX commitment_participant ON commitment (campaign_id, participant_id)",
    """
    CREATE TABLE commitment_refusal (
        commitment_id uuid PRIMARY KEY,
        campaign_id uuid NOT NULL,
        participant_id uuid NOT NULL,
        quantity bigint NOT NULL,
        code text NOT NULL,
        facts jsonb NOT NULL,
        refused_at timestamptz NOT NULL
    )
    """,
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% of % is refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0];
    END $$
    """,
    """
    CREATE TRIGGER campaign_final_state BEFORE UPDATE OF state ON campaign
    FOR EACH ROW
    WHEN (OLD.state IN ('COMPLETED', 'CLOSED') AND NEW.state IS DISTINCT FROM OLD.state)
    EXECUTE FUNCTION refuse_change('a final state is never left')
    """,
    """
    CREATE TRIGGER campaign_locked_fields BEFORE UPDATE OF
        campaign_id, author_id, terms_version, terms_hash, target_units, capacity_units, min_units, max_units,
        unit_price_minor, currency, close_at
    ON campaign
    FOR EACH ROW
    WHEN (OLD.state <> 'DRAFT')
    EXECUTE FUNCTION refuse_change('the terms are locked')
    """,
    """
    CREATE TRIGGER commitment_final_state BEFORE UPDATE OF state ON commitment
    FOR EACH ROW
    WHEN (
        OLD.state IN ('FUNDS_FAILED', 'WITHDRAWN', 'REFUNDED', 'RELEASED') AND NEW.state IS DISTINCT FROM OLD.state
    )
    EXECUTE FUNCTION refuse_change('a final state is never left')
    """,
    """
    CREATE TRIGGER commitment_identity BEFORE UPDATE OF
        commitment_id, campaign_id, participant_id, quantity, unit_price_minor, amount_minor, currency, terms_hash,
        reference, consent_at, reserved_at, reserved_until
    ON commitment
    FOR EACH ROW
    EXECUTE FUNCTION refuse_change('what was committed never changes')
    """,
)

_KEPT = ("campaign", "campaign_content", "commitment")
_APPEND_ONLY = ("terms_version", "review", "sign_off", "commitment_refusal")


def upgrade() -> None:
    """Create the kit's tables and the service's own, and grant the application's role what it needs."""
    create_kit_tables(op)
    for statement in _TABLES:
        op.execute(statement)
    for table in (*_KEPT, *_APPEND_ONLY):
        events = "DELETE" if table in _KEPT else "UPDATE OR DELETE"
        op.execute(
            f"CREATE TRIGGER {table}_is_kept BEFORE {events} ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change('records are only ever added')"
        )
    grant_app(op, dict.fromkeys(_KEPT, "SELECT, INSERT, UPDATE"))
    grant_app(op, dict.fromkeys(_APPEND_ONLY, "SELECT, INSERT"))
