"""Passkeys, authenticators and recovery codes, and the challenges that are open. New tables; nothing old is locked."""

from alembic import op

from services.kit.schema import grant_app

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE passkey (
        id uuid PRIMARY KEY,
        credential_id bytea NOT NULL UNIQUE,
        subject_id uuid NOT NULL REFERENCES account,
        public_key bytea NOT NULL,
        sign_count bigint NOT NULL CHECK (sign_count >= 0),
        name text NOT NULL,
        created_at timestamptz NOT NULL,
        last_used_at timestamptz
    )
    """,
    "CREATE INDEX passkey_subject ON passkey (subject_id)",
    """
    CREATE TABLE passkey_challenge (
        id uuid PRIMARY KEY,
        challenge bytea NOT NULL,
        purpose text NOT NULL CHECK (purpose IN ('register', 'sign_in', 'step_up')),
        subject_id uuid REFERENCES account,
        expires_at timestamptz NOT NULL,
        CHECK ((purpose = 'sign_in') = (subject_id IS NULL))
    )
    """,
    "CREATE INDEX passkey_challenge_expires ON passkey_challenge (expires_at)",
    """
    CREATE TABLE authenticator (
        subject_id uuid PRIMARY KEY REFERENCES account,
        secret_sealed text NOT NULL,
        created_at timestamptz NOT NULL,
        confirmed_at timestamptz,
        last_step bigint NOT NULL DEFAULT 0
    )
    """,
    """
    CREATE TABLE recovery_code (
        code_hash bytea PRIMARY KEY,
        subject_id uuid NOT NULL REFERENCES account,
        created_at timestamptz NOT NULL,
        used_at timestamptz
    )
    """,
    "CREATE INDEX recovery_code_subject ON recovery_code (subject_id)",
)

GRANTS = {
    "passkey": "SELECT, INSERT, UPDATE (sign_count, name, last_used_at), DELETE",
    "passkey_challenge": "SELECT, INSERT, UPDATE, DELETE",
    "authenticator": "SELECT, INSERT, UPDATE, DELETE",
    "recovery_code": "SELECT, INSERT, UPDATE (used_at), DELETE",
}


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    grant_app(op, GRANTS)
