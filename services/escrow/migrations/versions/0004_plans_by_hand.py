"""Plans for the acts on money that people decide by hand, and the guards that refuse such a posting without its plan.

A short lock timeout, because the statements wait for nobody else's rows: on a busy database the migration fails and is
run again, instead of queueing every writer behind it.
"""

from alembic import op

from services.escrow.migrations import m0004_by_hand
from services.kit.schema import grant_app

revision = "0004"
down_revision = "0002"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in m0004_by_hand.STATEMENTS:
        op.execute(statement)
    grant_app(op, {"clearing_line": "SELECT, INSERT, UPDATE (cleared_at, failed_code)"})
