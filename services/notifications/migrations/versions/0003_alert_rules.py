"""People's alert rules, and the facts they are decided from. New tables; nothing old is locked."""

from __future__ import annotations

from alembic import op

from services.kit.schema import grant_app

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    """
    CREATE TABLE campaign_standing (
        campaign_id uuid PRIMARY KEY,
        target_units integer NOT NULL CHECK (target_units > 0),
        held_units integer NOT NULL,
        state text NOT NULL,
        close_at timestamptz NOT NULL,
        joining_ended boolean NOT NULL
    )
    """,
    """
    CREATE TABLE alert_rule (
        rule_id uuid PRIMARY KEY,
        participant_id uuid NOT NULL,
        campaign_id uuid,
        kind text NOT NULL,
        rule jsonb NOT NULL,
        state text NOT NULL CHECK (state IN ('waiting', 'fired', 'removed', 'ended')),
        set_at timestamptz NOT NULL,
        settled_at timestamptz,
        CHECK ((campaign_id IS NULL) = (kind = 'refund_unsettled')),
        CHECK ((state = 'waiting') = (settled_at IS NULL))
    )
    """,
    "CREATE INDEX alert_rule_campaign ON alert_rule (campaign_id) WHERE state = 'waiting'",
    "CREATE INDEX alert_rule_participant ON alert_rule (participant_id)",
    """
    CREATE TABLE alert_firing (
        rule_id uuid NOT NULL REFERENCES alert_rule ON DELETE CASCADE,
        occurrence uuid NOT NULL,
        fired_at timestamptz NOT NULL,
        PRIMARY KEY (rule_id, occurrence)
    )
    """,
    """
    CREATE TABLE open_refund (
        decision_id uuid PRIMARY KEY,
        campaign_id uuid NOT NULL,
        participant_id uuid NOT NULL,
        decided_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX open_refund_participant ON open_refund (participant_id)",
)

GRANTS = {
    "campaign_standing": "SELECT, INSERT, UPDATE (held_units, state, joining_ended)",
    "alert_rule": "SELECT, INSERT, UPDATE (state, settled_at), DELETE",
    "alert_firing": "SELECT, INSERT, DELETE",
    "open_refund": "SELECT, INSERT, DELETE",
}


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant_app(op, GRANTS)
