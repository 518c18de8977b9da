"""Papers of evidence in disputes: the very file that a second person reads and the bank is sent, sealed."""

from alembic import op

from services.kit.schema import grant_app

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STATEMENTS = (
    "SET LOCAL lock_timeout = '5s'",
    """
    CREATE TABLE evidence_paper (
        psp_dispute_id text COLLATE "C" NOT NULL,
        evidence_hash text COLLATE "C" NOT NULL CHECK (evidence_hash ~ '^[0-9a-f]{64}$'),
        digest text COLLATE "C" NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
        sealed bytea NOT NULL,
        made_at timestamptz NOT NULL,
        PRIMARY KEY (psp_dispute_id, evidence_hash)
    )
    """,
)

GRANTS = {"evidence_paper": "SELECT, INSERT"}


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant_app(op, GRANTS)
