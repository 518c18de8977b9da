"""A reporter's words about a fault are no longer kept here: the gateway keeps them, where they can be erased."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("ALTER TABLE issue DROP COLUMN description")
