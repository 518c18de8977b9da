"""The ledger, held by the database itself; clearing plans; the mirror of Stripe's balance transactions; the kit's tables.

Why one revision: none of these tables means anything without the guards of the others. The application's role may
insert ledger rows and never change them, and may write no account and no head at all: those follow from the entries.
"""

from alembic import op
from sqlalchemy import text

from services.escrow.migrations import m0001_clearing, m0001_guards, m0001_psp, m0001_tables
from services.kit.schema import app_role, create_kit_tables, grant_app

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

GRANTS = {
    "ledger_scope": (
        "SELECT, INSERT (stream, seq, currency, campaign_state, campaign_state_event_id, paused, latch, latch_plan_id), "
        "UPDATE (seq, currency, campaign_state, campaign_state_event_id, paused, latch, latch_plan_id, settled_at)"
    ),
    "ledger_account": "SELECT",
    "ledger_transfer": "SELECT, INSERT",
    "ledger_entry": "SELECT, INSERT",
    "clearing_plan": "SELECT, INSERT, UPDATE",
    "clearing_line": "SELECT, INSERT, UPDATE (cleared_at)",
    "balance_transaction": "SELECT, INSERT, UPDATE",
    "psp_object": "SELECT, INSERT, UPDATE",
}


def upgrade() -> None:
    create_kit_tables(op, head_table="ledger_scope")
    for module in (m0001_tables, m0001_guards, m0001_clearing, m0001_psp):
        for statement in module.STATEMENTS:
            op.execute(statement)
    # The database may hand every new table to the application whole; here that is taken back first.
    role = app_role()
    if op.get_bind().execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).first() is not None:
        op.execute(f'REVOKE ALL ON {", ".join(GRANTS)} FROM "{role}"')
    grant_app(op, GRANTS)
