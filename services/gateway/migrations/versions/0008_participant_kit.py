"""Access tokens for reading, and calendar feeds: both stored as hashes, both ended by deleting or renewing them."""

from alembic import op

from services.kit.schema import grant_app

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE access_token (
        id uuid PRIMARY KEY,
        token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
        subject_id uuid NOT NULL REFERENCES account,
        scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
        hint text NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        last_used_at timestamptz
    )
    """,
    "CREATE INDEX access_token_subject ON access_token (subject_id)",
    """
    CREATE TABLE calendar_feed (
        subject_id uuid PRIMARY KEY REFERENCES account,
        token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
        created_at timestamptz NOT NULL
    )
    """,
)

GRANTS = {
    "access_token": "SELECT, INSERT, UPDATE (last_used_at), DELETE",
    "calendar_feed": "SELECT, INSERT, UPDATE, DELETE",
}


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant_app(op, GRANTS)
