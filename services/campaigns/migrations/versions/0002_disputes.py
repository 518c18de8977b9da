"""Disputes lie over commitments: how many are open on each, and how many held units of a campaign they touch.

What is disputed stays held, so that capacity and the release know it; it only does not count towards the target.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

_STATEMENTS = (
    "ALTER TABLE commitment ADD COLUMN open_disputes bigint NOT NULL DEFAULT 0 CHECK (open_disputes >= 0)",
    "ALTER TABLE campaign ADD COLUMN disputed_units bigint NOT NULL DEFAULT 0",
    """
    ALTER TABLE campaign ADD CONSTRAINT disputed_is_held
    CHECK (disputed_units >= 0 AND disputed_units <= held_units)
    """,
    # Rows are inserted whole; a default here would only hide a column that was forgotten.
    "ALTER TABLE commitment ALTER COLUMN open_disputes DROP DEFAULT",
    "ALTER TABLE campaign ALTER COLUMN disputed_units DROP DEFAULT",
)


def upgrade() -> None:
    """Add the columns; what is there has no dispute."""
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)
