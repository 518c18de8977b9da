"""Sessions told apart: how somebody proved who they are, by which program, and when they last proved it again.

Columns with a constant default: the table is not rewritten, and its lock is short.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE session
            ADD COLUMN proof text NOT NULL DEFAULT 'local'
                CHECK (proof IN ('local', 'mail_code', 'passkey', 'totp', 'recovery_code')),
            ADD COLUMN client text,
            ADD COLUMN proven_at timestamptz
        """
    )
