"""Mails about accounts: what was sent when, without address, code or person. A new table; nothing old is locked."""

from __future__ import annotations

from alembic import op

from services.kit.schema import grant_app

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE account_mail (
            mail_id uuid PRIMARY KEY,
            template text NOT NULL,
            template_version integer NOT NULL CHECK (template_version >= 1),
            result text NOT NULL CHECK (result IN ('pending', 'sent', 'bounced', 'expired')),
            recorded_at timestamptz NOT NULL,
            settled_at timestamptz,
            server_answer text,
            CHECK ((result = 'pending') = (settled_at IS NULL))
        )
        """
    )
    grant_app(op, {"account_mail": "SELECT, INSERT, UPDATE (result, settled_at, server_answer)"})
