"""Facts, reservations, payments, refund decisions, top-ups, and how far reconciliation has read.

A short lock timeout, because the statements wait for nobody else's rows: on a busy database the migration fails and is
run again, instead of queueing every writer behind it.
"""

from alembic import op

from services.kit.schema import grant_app

revision = "0002"
down_revision = "0001"

_TABLES = (
    """
    CREATE TABLE campaign_fact (
        campaign_id uuid PRIMARY KEY,
        currency text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
        unit_price_minor bigint NOT NULL CHECK (unit_price_minor > 0),
        fee_basis_points integer NOT NULL CHECK (fee_basis_points BETWEEN 0 AND 10000),
        terms_hash text NOT NULL,
        supplier_ids jsonb NOT NULL,
        opened_event_id uuid NOT NULL,
        supplier_id uuid,
        accepted_event_id uuid,
        delivery_event_id uuid,
        delivered integer NOT NULL DEFAULT 0,
        inspection_event_id uuid,
        verdict_event_id uuid,
        verdict text CHECK (verdict IN ('release', 'release_less_reserve', 'hold')),
        open_issue_commitment_ids jsonb NOT NULL DEFAULT '[]',
        close_reason text,
        closed_event_id uuid,
        completed_event_id uuid,
        closing_done boolean NOT NULL DEFAULT false,
        refunds_open integer NOT NULL DEFAULT 0 CHECK (refunds_open >= 0),
        refunded_minor bigint NOT NULL DEFAULT 0,
        cleared_minor bigint NOT NULL DEFAULT 0 CHECK (cleared_minor >= 0),
        fee_taken_minor bigint NOT NULL DEFAULT 0 CHECK (fee_taken_minor >= 0)
    )
    """,
    """
    CREATE TABLE supplier_fact (
        supplier_id uuid PRIMARY KEY,
        payout_account_id text NOT NULL,
        tier text NOT NULL,
        event_id uuid NOT NULL
    )
    """,
    """
    CREATE TABLE issue_fact (
        issue_id uuid PRIMARY KEY,
        campaign_id uuid NOT NULL,
        commitment_id uuid NOT NULL,
        reported_event_id uuid NOT NULL,
        decided_event_id uuid,
        verdict text CHECK (verdict IN ('upheld', 'rejected')),
        CHECK ((decided_event_id IS NULL) = (verdict IS NULL))
    )
    """,
    "CREATE INDEX issue_fact_campaign ON issue_fact (campaign_id)",
    """
    CREATE TABLE reservation (
        commitment_id uuid PRIMARY KEY,
        campaign_id uuid NOT NULL,
        participant_id uuid NOT NULL,
        amount_minor bigint NOT NULL CHECK (amount_minor > 0),
        currency text NOT NULL,
        reserved_until timestamptz NOT NULL,
        state text NOT NULL CHECK (state IN (
            'open', 'expiring', 'ending', 'held', 'ended', 'refunded', 'released'
        )),
        end_reason text CHECK (end_reason IN ('expired', 'left', 'refused', 'canceled')),
        reserved_event_id uuid NOT NULL,
        funded_by uuid,
        held_at timestamptz
    )
    """,
    "CREATE INDEX reservation_unfinished ON reservation (campaign_id) WHERE state IN ('open', 'expiring', 'ending')",
    """
    CREATE TABLE payment (
        payment_id uuid PRIMARY KEY,
        campaign_id uuid NOT NULL,
        commitment_id uuid NOT NULL,
        attempt integer NOT NULL CHECK (attempt BETWEEN 1 AND 20),
        amount_minor bigint NOT NULL CHECK (amount_minor > 0),
        currency text NOT NULL,
        state text NOT NULL CHECK (state IN (
            'started', 'action_required', 'processing', 'declined', 'canceled', 'succeeded'
        )),
        payment_intent_id text UNIQUE,
        charge_id text UNIQUE,
        decline_code text,
        started_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL,
        asked_at timestamptz,
        UNIQUE (commitment_id, attempt)
    )
    """,
    "CREATE INDEX payment_unfinished ON payment (changed_at) WHERE state IN ('action_required', 'processing')",
    """
    CREATE TABLE waiting_method (
        commitment_id uuid PRIMARY KEY,
        campaign_id uuid NOT NULL,
        participant_id uuid NOT NULL,
        attempt integer NOT NULL,
        confirmation_token text NOT NULL,
        return_url text NOT NULL
    )
    """,
    """
    CREATE TABLE refund_decision (
        decision_id uuid PRIMARY KEY,
        campaign_id uuid NOT NULL,
        commitment_id uuid NOT NULL,
        participant_id uuid NOT NULL,
        amount_minor bigint NOT NULL CHECK (amount_minor > 0),
        currency text NOT NULL,
        reason text NOT NULL,
        payment_intent_id text NOT NULL,
        state text NOT NULL CHECK (state IN ('decided', 'pending', 'paid', 'failed')),
        ordinal integer NOT NULL DEFAULT 1,
        refund_id text UNIQUE,
        decided_event_id uuid NOT NULL,
        decided_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL,
        asked_at timestamptz
    )
    """,
    "CREATE INDEX refund_decision_commitment ON refund_decision (commitment_id)",
    "CREATE INDEX refund_decision_owed ON refund_decision (decided_at) WHERE state <> 'paid'",
    """
    CREATE TABLE top_up (
        top_up_id uuid PRIMARY KEY,
        amount_minor bigint NOT NULL CHECK (amount_minor > 0),
        currency text NOT NULL,
        state text NOT NULL CHECK (state IN ('recorded', 'succeeded', 'failed')),
        topup_id text UNIQUE,
        recorded_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE clearing_object (
        object_id text COLLATE "C" PRIMARY KEY,
        scope text COLLATE "C" NOT NULL,
        balance_minor bigint NOT NULL,
        since timestamptz NOT NULL
    )
    """,
    "CREATE INDEX clearing_object_since ON clearing_object (since)",
    """
    CREATE INDEX balance_transaction_due ON balance_transaction (available_on)
    WHERE swept_at IS NULL AND scope IS NOT NULL
    """,
    "CREATE INDEX balance_transaction_unknown ON balance_transaction (bt_id) WHERE scope IS NULL",
    "CREATE INDEX ledger_account_psp ON ledger_account (class) WHERE class IN ('psp_available', 'psp_pending')",
    """
    CREATE TABLE reconciliation (
        name text PRIMARY KEY,
        read_until bigint NOT NULL,
        changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
)

_GRANTS = {
    "campaign_fact": "SELECT, INSERT, UPDATE",
    "supplier_fact": "SELECT, INSERT, UPDATE",
    "issue_fact": "SELECT, INSERT, UPDATE",
    "reservation": "SELECT, INSERT, UPDATE",
    "payment": "SELECT, INSERT, UPDATE",
    "waiting_method": "SELECT, INSERT, UPDATE, DELETE",
    "refund_decision": "SELECT, INSERT, UPDATE",
    "top_up": "SELECT, INSERT, UPDATE",
    "clearing_object": "SELECT, INSERT, UPDATE, DELETE",
    "reconciliation": "SELECT, INSERT, UPDATE",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _TABLES:
        op.execute(statement)
    grant_app(op, _GRANTS)
