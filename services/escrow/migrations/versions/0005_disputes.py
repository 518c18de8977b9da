"""Disputes: what is booked of each, and that a refund may be settled by the person's bank instead of us.

A dispute's money lies in the ledger; the row says how much of the frozen amount is this dispute's, what the bank took of
it and what the platform lost by it, so that each step can be booked without reading the ledger's history.
"""

from alembic import op

from services.kit.schema import grant_app

revision = "0005"
down_revision = "0004"

_STATEMENTS = (
    """
    CREATE TABLE dispute (
        dispute_id text COLLATE "C" PRIMARY KEY,
        campaign_id uuid NOT NULL,
        commitment_id uuid NOT NULL,
        participant_id uuid NOT NULL,
        charge_id text COLLATE "C" NOT NULL,
        payment_intent_id text COLLATE "C",
        amount_minor bigint NOT NULL CHECK (amount_minor > 0),
        currency text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
        reason text NOT NULL,
        status text NOT NULL,
        outcome text CHECK (outcome IN ('won', 'lost', 'inquiry_closed')),
        round integer NOT NULL CHECK (round > 0),
        frozen_split jsonb NOT NULL,
        hold_minor bigint NOT NULL CHECK (hold_minor >= 0),
        taken_minor bigint NOT NULL CHECK (taken_minor >= 0),
        loss_minor bigint NOT NULL CHECK (loss_minor >= 0),
        fee_minor bigint NOT NULL,
        movement_ids jsonb NOT NULL,
        refund_reason text,
        evidence_due_by timestamptz,
        opened_event_id uuid NOT NULL,
        opened_at timestamptz NOT NULL,
        disputed_at timestamptz,
        changed_at timestamptz NOT NULL,
        ended_at timestamptz,
        asked_at timestamptz,
        CHECK ((outcome IS NULL) = (ended_at IS NULL)),
        CHECK (outcome IS NULL OR hold_minor = 0)
    )
    """,
    "CREATE INDEX dispute_commitment ON dispute (commitment_id)",
    "CREATE INDEX dispute_campaign ON dispute (campaign_id)",
    "CREATE INDEX dispute_open ON dispute (changed_at) WHERE ended_at IS NULL",
    "CREATE INDEX dispute_disputed ON dispute (disputed_at) WHERE disputed_at IS NOT NULL",
    """
    CREATE TABLE dispute_evidence (
        dispute_id text COLLATE "C" NOT NULL REFERENCES dispute (dispute_id),
        evidence_hash text COLLATE "C" NOT NULL CHECK (evidence_hash ~ '^[0-9a-f]{64}$'),
        evidence jsonb NOT NULL,
        prepared_by text NOT NULL,
        prepared_at timestamptz NOT NULL,
        submitted_by text,
        submitted_at timestamptz,
        refused_code text,
        PRIMARY KEY (dispute_id, evidence_hash),
        CONSTRAINT dispute_evidence_takes_two_people CHECK (submitted_by <> prepared_by),
        CHECK ((submitted_by IS NULL) = (submitted_at IS NULL))
    )
    """,
    # The share of disputes is counted over the payments of a month.
    "CREATE INDEX payment_succeeded ON payment (changed_at) WHERE state = 'succeeded'",
    "ALTER TABLE refund_decision DROP CONSTRAINT refund_decision_state_check",
    """
    ALTER TABLE refund_decision ADD CONSTRAINT refund_decision_state_check
    CHECK (state IN ('decided', 'pending', 'paid', 'failed', 'paid_outside', 'charged_back'))
    """,
    "DROP INDEX refund_decision_owed",
    """
    CREATE INDEX refund_decision_owed ON refund_decision (decided_at)
    WHERE state IN ('decided', 'pending', 'failed')
    """,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)
    grant_app(op, {"dispute": "SELECT, INSERT, UPDATE", "dispute_evidence": "SELECT, INSERT, UPDATE"})
