"""Keys per person, erasure requests, and the rights that erasing needs.

The rows of a person go with the account's contact data; the account itself stays as a random id, because the ledger and
the records of acts name it. Messages on their way can be emptied for one person by one function and by nothing else.
"""

from alembic import op

from services.kit.schema import grant_app

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    "SET LOCAL lock_timeout = '5s'",
    "ALTER TABLE account ADD COLUMN erased_at timestamptz",
    """
    CREATE TABLE person_key (
        subject_id uuid PRIMARY KEY REFERENCES account,
        wrapped text NOT NULL
    )
    """,
    """
    CREATE TABLE erasure_request (
        subject_id uuid PRIMARY KEY REFERENCES account,
        requested_at timestamptz NOT NULL,
        not_before timestamptz NOT NULL,
        carried_out_at timestamptz
    )
    """,
    "CREATE INDEX erasure_request_open ON erasure_request (not_before) WHERE carried_out_at IS NULL",
    # The application may not change what it has sent. What it sent about one person it may empty, whole, and only that.
    """
    CREATE FUNCTION empty_person_messages(person uuid) RETURNS bigint LANGUAGE sql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
        WITH emptied AS (
            UPDATE outbox SET payload = '' WHERE topic = 'gateway.people' AND key = CAST(person AS text) RETURNING 1
        )
        SELECT count(*) FROM emptied
    $$
    """,
    "CREATE INDEX outbox_people ON outbox (key) WHERE topic = 'gateway.people'",
)

GRANTS = {
    "person_key": "SELECT, INSERT, DELETE",
    "erasure_request": "SELECT, INSERT, UPDATE (carried_out_at), DELETE",
    "session": "SELECT, INSERT, UPDATE, DELETE",
    "issue_text": "SELECT, INSERT, DELETE",
    "member_invitation": "SELECT, INSERT, UPDATE (used_at, used_by, revoked_at, email_lookup, note_sealed)",
}


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    grant_app(op, GRANTS)
