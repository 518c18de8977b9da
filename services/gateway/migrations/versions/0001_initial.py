"""The gateway's own tables, the kit's tables and the first generation of the read model.

Accounts, sessions, kept acts and received webhooks are facts of the gateway and are never rebuilt; everything in
`read_1` is a projection and can be thrown away.
"""

from alembic import op
from sqlalchemy import text

from services.gateway.store.generations import create_statements, grant_statements
from services.kit.schema import app_role, create_kit_tables, grant_app

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE account (
        subject_id uuid PRIMARY KEY,
        role text NOT NULL,
        supplier_id uuid,
        label text,
        external_id text UNIQUE,
        email_lookup bytea UNIQUE,
        email_sealed text,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CHECK ((email_lookup IS NULL) = (email_sealed IS NULL)),
        CHECK (role <> 'supplier' OR supplier_id IS NOT NULL)
    )
    """,
    """
    CREATE TABLE session (
        token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
        session_id uuid NOT NULL UNIQUE,
        subject_id uuid NOT NULL REFERENCES account,
        csrf_token text NOT NULL,
        created_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL,
        idle_seconds integer NOT NULL CHECK (idle_seconds > 0),
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz
    )
    """,
    "CREATE INDEX session_subject ON session (subject_id)",
    """
    CREATE TABLE operation (
        id uuid PRIMARY KEY,
        actor_id uuid NOT NULL,
        idempotency_key text NOT NULL,
        request_hash bytea NOT NULL,
        kind text NOT NULL,
        resource_type text NOT NULL,
        resource_id uuid NOT NULL,
        campaign_id uuid,
        attempt integer NOT NULL DEFAULT 1,
        baseline integer NOT NULL DEFAULT 0,
        received_at timestamptz NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        UNIQUE (actor_id, idempotency_key)
    )
    """,
    """
    CREATE TABLE payment_attempt (
        commitment_id uuid PRIMARY KEY,
        attempts integer NOT NULL CHECK (attempts BETWEEN 1 AND 20)
    )
    """,
    """
    CREATE TABLE issue_text (
        issue_id uuid PRIMARY KEY, participant_id uuid NOT NULL, description text NOT NULL
    )
    """,
    """
    CREATE TABLE psp_event (
        id text PRIMARY KEY,
        type text NOT NULL,
        scope text NOT NULL,
        signed_at timestamptz NOT NULL,
        received_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE read_generation (
        number integer PRIMARY KEY CHECK (number >= 1),
        state text NOT NULL CHECK (state IN ('building', 'active', 'retired')),
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        activated_at timestamptz
    )
    """,
    "CREATE UNIQUE INDEX read_generation_active ON read_generation (state) WHERE state = 'active'",
    "INSERT INTO read_generation (number, state, activated_at) VALUES (1, 'active', clock_timestamp())",
)

GRANTS = {
    "account": "SELECT, INSERT, UPDATE",
    "session": "SELECT, INSERT, UPDATE",
    # What was accepted stays as it was accepted: kept acts are never changed or removed.
    "operation": "SELECT, INSERT",
    "payment_attempt": "SELECT, INSERT, UPDATE",
    "issue_text": "SELECT, INSERT",
    "psp_event": "SELECT, INSERT",
    "read_generation": "SELECT",
}


def upgrade() -> None:
    create_kit_tables(op)
    for statement in TABLES:
        op.execute(statement)
    grant_app(op, GRANTS)
    known = {row[0] for row in op.get_bind().execute(text("SELECT rolname FROM pg_roles"))}
    role = app_role()
    for statement in (
        *create_statements(1),
        *grant_statements(
            1,
            app_role=role if role in known else None,
            auditor_role="auditor" if "auditor" in known else None,
        ),
    ):
        op.execute(statement)
