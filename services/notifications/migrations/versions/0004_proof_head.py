"""The head of the public file of checkpoints, which money mails print. A new table; nothing old is locked."""

from __future__ import annotations

from alembic import op

from services.kit.schema import grant_app

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE proof_head (
            singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
            number bigint NOT NULL CHECK (number > 0),
            hash text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$')
        )
        """
    )
    grant_app(op, {"proof_head": "SELECT, INSERT, UPDATE"})
