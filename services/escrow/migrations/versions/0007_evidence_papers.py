"""The paper of a dispute's evidence: the very file that is sent to the bank, and its digest."""

from alembic import op

revision = "0007"
down_revision = "0006"

_STATEMENTS = (
    "ALTER TABLE dispute_evidence ADD COLUMN paper bytea",
    'ALTER TABLE dispute_evidence ADD COLUMN paper_digest text COLLATE "C"',
    """
    ALTER TABLE dispute_evidence ADD CONSTRAINT dispute_evidence_paper_is_its_digest
    CHECK ((paper IS NULL) = (paper_digest IS NULL) AND (paper IS NULL OR encode(sha256(paper), 'hex') = paper_digest))
    """,
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in _STATEMENTS:
        op.execute(statement)
