"""The first tables of the notifications service.

One event is told to one person over one channel once: the database refuses a second row. The migration makes new tables
only and needs no lock on old ones.
"""

from __future__ import annotations

from alembic import op

from services.kit.schema import create_kit_tables, grant_app

revision = "0001"
down_revision = None

TABLES = (
    """
    CREATE TABLE campaign (
        campaign_id uuid PRIMARY KEY,
        title text NOT NULL,
        product_name text NOT NULL,
        close_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE held_funds (
        commitment_id uuid PRIMARY KEY,
        campaign_id uuid NOT NULL,
        participant_id uuid NOT NULL,
        amount_minor bigint NOT NULL CHECK (amount_minor > 0),
        currency text NOT NULL CHECK (currency ~ '^[a-z]{3}$')
    )
    """,
    """
    CREATE TABLE supplier (
        supplier_id uuid PRIMARY KEY,
        display_name text NOT NULL
    )
    """,
    """
    CREATE TABLE contact (
        subject_id uuid PRIMARY KEY,
        token text NOT NULL,
        recorded_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE message (
        message_id uuid PRIMARY KEY,
        cause_id uuid NOT NULL,
        cause_type text NOT NULL,
        campaign_id uuid NOT NULL,
        participant_id uuid NOT NULL,
        channel text NOT NULL CHECK (channel IN ('mail')),
        template text NOT NULL,
        template_version integer NOT NULL CHECK (template_version >= 1),
        subject text NOT NULL,
        body_text text NOT NULL,
        result text NOT NULL CHECK (result IN ('pending', 'sent', 'bounced', 'no_address', 'withheld')),
        event_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        settled_at timestamptz,
        server_answer text,
        UNIQUE (cause_id, participant_id, channel),
        CHECK ((result = 'pending') = (settled_at IS NULL))
    )
    """,
    "CREATE INDEX message_pending ON message (recorded_at) WHERE result = 'pending'",
)

GRANTS = {
    "campaign": "SELECT, INSERT",
    "held_funds": "SELECT, INSERT",
    "supplier": "SELECT, INSERT, UPDATE",
    "contact": "SELECT, INSERT, UPDATE, DELETE",
    "message": "SELECT, INSERT, UPDATE (result, settled_at, server_answer)",
}


def upgrade() -> None:
    create_kit_tables(op)
    for statement in TABLES:
        op.execute(statement)
    grant_app(op, GRANTS)
