"""The shared counts of rate limits, unlogged: they are worth nothing after a minute."""

from alembic import op

from services.kit.schema import grant_app

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(
        """
        CREATE UNLOGGED TABLE rate_window (
            key bytea PRIMARY KEY CHECK (octet_length(key) = 16),
            hits integer NOT NULL,
            expires_at timestamptz NOT NULL
        ) WITH (fillfactor = 50)
        """
    )
    op.execute("CREATE INDEX rate_window_expires_at ON rate_window (expires_at)")
    grant_app(op, {"rate_window": "SELECT, INSERT, UPDATE, DELETE"})
