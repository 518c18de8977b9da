"""Invitations to the platform, and who was admitted to a private campaign by one.

A token is stored as its hash only. The first founder's invitation comes from nobody: whoever runs the platform makes it at
the command line. New tables; nothing old is locked.
"""

from alembic import op

from services.kit.schema import grant_app

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE member_invitation (
        id uuid PRIMARY KEY,
        token_hash bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
        issued_by uuid REFERENCES account,
        role text NOT NULL,
        supplier_id uuid,
        campaign_id uuid,
        email_lookup bytea,
        note_sealed text,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        used_by uuid REFERENCES account,
        revoked_at timestamptz,
        CHECK (expires_at > created_at),
        CHECK ((used_at IS NULL) = (used_by IS NULL)),
        CHECK (issued_by IS NOT NULL OR role = 'founder'),
        CHECK ((role = 'supplier') = (supplier_id IS NOT NULL)),
        CHECK (campaign_id IS NULL OR role = 'participant')
    )
    """,
    "CREATE INDEX member_invitation_issued ON member_invitation (issued_by, created_at DESC, id DESC)",
    "CREATE INDEX member_invitation_created ON member_invitation (created_at DESC, id DESC)",
    """
    CREATE TABLE campaign_admission (
        campaign_id uuid NOT NULL,
        subject_id uuid NOT NULL REFERENCES account,
        invitation_id uuid NOT NULL REFERENCES member_invitation,
        admitted_at timestamptz NOT NULL,
        PRIMARY KEY (campaign_id, subject_id)
    )
    """,
    "CREATE INDEX campaign_admission_invitation ON campaign_admission (invitation_id)",
)

GRANTS = {
    "member_invitation": "SELECT, INSERT, UPDATE (used_at, used_by, revoked_at)",
    "campaign_admission": "SELECT, INSERT, DELETE",
}


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    grant_app(op, GRANTS)
