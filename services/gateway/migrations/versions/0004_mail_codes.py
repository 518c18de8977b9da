"""Codes sent by mail, and the guard that makes repeated tries slower. New tables; nothing old is locked."""

from alembic import op

from services.kit.schema import grant_app

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = (
    # One row per address: a newer code takes the place of the older, whatever it was for.
    """
    CREATE TABLE mail_code (
        email_lookup bytea PRIMARY KEY,
        challenge_hash bytea NOT NULL UNIQUE,
        code_hash bytea NOT NULL,
        email_sealed text NOT NULL,
        invitation_hash bytea,
        issued_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        tries_left integer NOT NULL CHECK (tries_left >= 0)
    )
    """,
    "CREATE INDEX mail_code_expires ON mail_code (expires_at)",
    """
    CREATE TABLE sign_in_guard (
        key bytea PRIMARY KEY,
        tries integer NOT NULL,
        last_at timestamptz NOT NULL,
        blocked_until timestamptz NOT NULL
    )
    """,
    "CREATE INDEX sign_in_guard_last ON sign_in_guard (last_at)",
)

GRANTS = {
    "mail_code": "SELECT, INSERT, UPDATE, DELETE",
    "sign_in_guard": "SELECT, INSERT, UPDATE, DELETE",
}


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    grant_app(op, GRANTS)
