"""Addresses, their frozen copies per commitment, and kinds of accounts.

What an address says is sealed under its person's key. Outside of the seal stands only what statements decide by: whose it
is, whether it is the one that joining proposes, and whether campaigns deliver there. A frozen copy is never changed.
"""

from alembic import op

from services.kit.schema import grant_app

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STATEMENTS = (
    "SET LOCAL lock_timeout = '5s'",
    """
    CREATE TABLE address (
        id uuid PRIMARY KEY,
        subject_id uuid NOT NULL REFERENCES account,
        sealed text NOT NULL,
        in_region boolean NOT NULL,
        is_default boolean NOT NULL,
        created_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX address_subject ON address (subject_id)",
    "CREATE UNIQUE INDEX address_default ON address (subject_id) WHERE is_default",
    """
    CREATE TABLE commitment_address (
        commitment_id uuid PRIMARY KEY,
        subject_id uuid NOT NULL REFERENCES account,
        sealed text NOT NULL,
        frozen_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX commitment_address_subject ON commitment_address (subject_id)",
    "ALTER TABLE account ADD COLUMN kind text NOT NULL DEFAULT 'person' "
    "CHECK (kind IN ('person', 'group', 'organisation'))",
    "ALTER TABLE account ADD COLUMN display_name_sealed text",
)

GRANTS = {
    "address": "SELECT, INSERT, UPDATE (sealed, in_region, is_default, changed_at), DELETE",
    "commitment_address": "SELECT, INSERT, DELETE",
}


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant_app(op, GRANTS)
