"""The first tables of the suppliers service.

The database itself keeps the two rules that must never break: a campaign has at most one invitation that stands or is
accepted, and an acceptance was received inside its window. Foreign keys are checked at the commit, so that a batch may
be written in any sequence. The migration makes new tables only and needs no lock on old ones.
"""

from __future__ import annotations

from alembic import op

from services.kit.schema import create_kit_tables, grant_app

revision = "0001"
down_revision = None

TABLES = (
    """
    CREATE TABLE supplier (
        supplier_id uuid PRIMARY KEY,
        display_name text NOT NULL,
        payout_account_id text NOT NULL,
        tier text NOT NULL CHECK (tier IN ('applicant', 'provisional', 'proven', 'trusted')),
        registered_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE campaign (
        campaign_id uuid PRIMARY KEY,
        phase text NOT NULL CHECK (phase IN (
            'joining', 'acceptance', 'fulfillment', 'inspection', 'inspected', 'completed', 'unaccepted', 'closed'
        )),
        terms_hash text NOT NULL,
        candidate_ids uuid[] NOT NULL,
        opened_event_id uuid NOT NULL,
        live_units bigint NOT NULL CHECK (live_units >= 0),
        live_commitments bigint NOT NULL CHECK (live_commitments >= 0),
        awaiting_delivery bigint NOT NULL CHECK (awaiting_delivery BETWEEN 0 AND live_commitments),
        delivered_commitments bigint NOT NULL CHECK (delivered_commitments >= 0),
        target_event_id uuid,
        requested_event_id uuid,
        final_units bigint,
        unit_price_minor bigint NOT NULL CHECK (unit_price_minor > 0),
        currency text NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
        window_opens_at timestamptz,
        window_closes_at timestamptz,
        supplier_id uuid REFERENCES supplier DEFERRABLE INITIALLY DEFERRED,
        accepted_at timestamptz,
        last_update_at timestamptz,
        inspection_until timestamptz,
        issue_rate_basis_points bigint CHECK (issue_rate_basis_points BETWEEN 0 AND 10000),
        verdict text CHECK (verdict IN ('release', 'release_less_reserve', 'hold')),
        ended_event_id uuid,
        CHECK ((window_opens_at IS NULL) = (window_closes_at IS NULL)),
        CHECK ((supplier_id IS NULL) = (accepted_at IS NULL)),
        CHECK (phase NOT IN ('fulfillment', 'inspection', 'inspected', 'completed') OR supplier_id IS NOT NULL)
    )
    """,
    """
    CREATE TABLE invitation (
        invitation_id uuid PRIMARY KEY,
        campaign_id uuid NOT NULL REFERENCES campaign DEFERRABLE INITIALLY DEFERRED,
        supplier_id uuid NOT NULL REFERENCES supplier DEFERRABLE INITIALLY DEFERRED,
        ordinal bigint NOT NULL CHECK (ordinal >= 1),
        state text NOT NULL CHECK (state IN ('invited', 'open', 'accepted', 'declined', 'timed_out', 'withdrawn')),
        terms_hash text NOT NULL,
        units_so_far bigint NOT NULL CHECK (units_so_far >= 0),
        invited_at timestamptz NOT NULL,
        opens_at timestamptz,
        closes_at timestamptz,
        answered_at timestamptz,
        ended_at timestamptz,
        ended_by uuid,
        reason text,
        UNIQUE (campaign_id, ordinal),
        CHECK ((opens_at IS NULL) = (closes_at IS NULL)),
        CHECK ((state IN ('invited', 'open')) = (ended_at IS NULL)),
        CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
        CHECK ((state IN ('accepted', 'declined')) = (answered_at IS NOT NULL)),
        CHECK (state <> 'open' OR opens_at IS NOT NULL),
        CHECK (state <> 'timed_out' OR closes_at IS NOT NULL),
        CONSTRAINT accepted_inside_the_window CHECK (
            state <> 'accepted' OR (opens_at IS NOT NULL AND answered_at >= opens_at AND answered_at < closes_at)
        ),
        CONSTRAINT declined_before_the_close CHECK (
            state <> 'declined' OR closes_at IS NULL OR answered_at < closes_at
        )
    )
    """,
    """
    CREATE UNIQUE INDEX invitation_one_standing ON invitation (campaign_id)
    WHERE state IN ('invited', 'open', 'accepted')
    """,
    """
    CREATE TABLE commitment (
        commitment_id uuid PRIMARY KEY,
        campaign_id uuid NOT NULL REFERENCES campaign DEFERRABLE INITIALLY DEFERRED,
        participant_id uuid NOT NULL,
        units bigint NOT NULL CHECK (units >= 0),
        locked_event_id uuid,
        ended_event_id uuid,
        ended_reason text,
        settled_event_id uuid,
        dispatched_at timestamptz,
        tracking text,
        delivered_at timestamptz,
        delivered_by uuid,
        inspection_until timestamptz,
        CHECK ((ended_event_id IS NULL) = (ended_reason IS NULL)),
        CHECK (delivered_at IS NULL OR (
            locked_event_id IS NOT NULL AND delivered_by IS NOT NULL AND inspection_until > delivered_at
        ))
    )
    """,
    """
    CREATE TABLE milestone (
        milestone_id uuid PRIMARY KEY,
        campaign_id uuid NOT NULL REFERENCES campaign DEFERRABLE INITIALLY DEFERRED,
        supplier_id uuid NOT NULL REFERENCES supplier DEFERRABLE INITIALLY DEFERRED,
        kind text NOT NULL CHECK (kind IN ('dispatch', 'delivery')),
        commitments bigint NOT NULL CHECK (commitments > 0),
        evidence text,
        received_at timestamptz NOT NULL,
        recorded_at timestamptz NOT NULL,
        CHECK (kind <> 'delivery' OR evidence IS NOT NULL)
    )
    """,
    """
    CREATE TABLE issue (
        issue_id uuid PRIMARY KEY,
        campaign_id uuid NOT NULL REFERENCES campaign DEFERRABLE INITIALLY DEFERRED,
        commitment_id uuid NOT NULL REFERENCES commitment DEFERRABLE INITIALLY DEFERRED,
        participant_id uuid NOT NULL,
        description text NOT NULL,
        description_digest text NOT NULL,
        photo_digests text[] NOT NULL,
        state text NOT NULL CHECK (state IN ('open', 'upheld', 'rejected')),
        received_at timestamptz NOT NULL,
        reported_at timestamptz NOT NULL,
        decided_at timestamptz,
        decided_by text,
        reason text,
        CHECK ((state = 'open') = (decided_at IS NULL)),
        CHECK ((decided_at IS NULL) = (decided_by IS NULL))
    )
    """,
    "CREATE INDEX issue_campaign ON issue (campaign_id)",
    "CREATE INDEX milestone_campaign ON milestone (campaign_id)",
)

GRANTS = {
    "supplier": "SELECT, INSERT, UPDATE",
    "campaign": "SELECT, INSERT, UPDATE",
    "invitation": "SELECT, INSERT, UPDATE",
    "commitment": "SELECT, INSERT, UPDATE",
    "milestone": "SELECT, INSERT",
    "issue": "SELECT, INSERT, UPDATE",
}


def upgrade() -> None:
    create_kit_tables(op)
    for statement in TABLES:
        op.execute(statement)
    grant_app(op, GRANTS)
