"""The float's gauge and its shares.

A new platform was never measured: its shares are empty, so that nothing is collected before the first measurement.
"""

from alembic import op

from services.kit.schema import grant_app

revision = "0006"
down_revision = "0005"

SHARES = 16

_STATEMENTS = (
    """
    CREATE TABLE float_share (
        share integer PRIMARY KEY CHECK (share > 0),
        left_minor bigint NOT NULL DEFAULT 0 CHECK (left_minor >= 0)
    )
    """,
    f"INSERT INTO float_share (share) SELECT generate_series(1, {SHARES})",  # noqa: S608 - a constant
    """
    CREATE TABLE float_gauge (
        singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
        available_minor bigint NOT NULL DEFAULT 0,
        worst_case_fees_minor bigint NOT NULL DEFAULT 0 CHECK (worst_case_fees_minor >= 0),
        buffer_minor bigint NOT NULL DEFAULT 0 CHECK (buffer_minor >= 0),
        next_fee_minor bigint NOT NULL DEFAULT 0 CHECK (next_fee_minor >= 0),
        admits boolean NOT NULL DEFAULT false,
        measured_at timestamptz
    )
    """,
    "INSERT INTO float_gauge DEFAULT VALUES",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)
    grant_app(op, {"float_share": "SELECT, UPDATE (left_minor)", "float_gauge": "SELECT, UPDATE"})
