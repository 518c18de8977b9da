"""Checkpoints, the nodes that proofs are made from, and the balance that was last read at Stripe.

What was signed is never changed: rows of checkpoints are only added, held by a trigger like the ledger's. The nodes of a
state tree are of use for the newest checkpoint alone and are replaced by the next one's.
"""

from alembic import op

from services.kit.schema import grant_app

revision = "0003"
down_revision = "0002"

_TABLES = (
    """
    CREATE TABLE checkpoint (
        scope text COLLATE "C" NOT NULL,
        number bigint NOT NULL CHECK (number > 0),
        position bigint NOT NULL CHECK (position > 0),
        hash text COLLATE "C" NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
        body text NOT NULL,
        signature text NOT NULL,
        public_key text NOT NULL,
        currency text NOT NULL,
        owed_minor bigint NOT NULL CHECK (owed_minor >= 0),
        held_minor bigint NOT NULL,
        PRIMARY KEY (scope, number),
        UNIQUE (scope, position)
    )
    """,
    """
    CREATE TABLE platform_checkpoint (
        number bigint PRIMARY KEY CHECK (number > 0),
        hash text COLLATE "C" NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
        body text NOT NULL,
        signature text NOT NULL,
        public_key text NOT NULL
    )
    """,
    # Which platform checkpoint was the first to cover a checkpoint.
    """
    CREATE TABLE platform_cover (
        scope text COLLATE "C" NOT NULL,
        number bigint NOT NULL,
        platform_number bigint NOT NULL REFERENCES platform_checkpoint (number),
        PRIMARY KEY (scope, number),
        FOREIGN KEY (scope, number) REFERENCES checkpoint (scope, number)
    )
    """,
    # A node of the history tree over 256 whole transfers; what lies below is read from the transfers themselves.
    """
    CREATE TABLE history_tile (
        scope text COLLATE "C" NOT NULL,
        tile bigint NOT NULL CHECK (tile >= 0),
        node bytea NOT NULL CHECK (octet_length(node) = 32),
        PRIMARY KEY (scope, tile)
    )
    """,
    # Up to 256 sorted leaves of the newest state tree, and the node over them; sums stand beside each hash.
    """
    CREATE TABLE state_tile (
        scope text COLLATE "C" NOT NULL,
        tile integer NOT NULL CHECK (tile >= 0),
        number bigint NOT NULL,
        first_hash bytea NOT NULL CHECK (octet_length(first_hash) = 32),
        leaves bytea NOT NULL CHECK (octet_length(leaves) BETWEEN 64 AND 16384),
        node bytea NOT NULL CHECK (octet_length(node) = 64),
        PRIMARY KEY (scope, tile)
    )
    """,
    # Where a commitment's transfers stand. Written with each checkpoint and not with each posting, which would cost a
    # posting a twentieth.
    """
    CREATE TABLE commitment_movement (
        scope text COLLATE "C" NOT NULL,
        commitment_id uuid NOT NULL,
        position bigint NOT NULL,
        PRIMARY KEY (scope, commitment_id, position)
    )
    """,
    """
    CREATE TABLE psp_balance_seen (
        currency text PRIMARY KEY CHECK (currency ~ '^[a-z]{3}$'),
        balance_minor bigint NOT NULL,
        seen_at timestamptz NOT NULL
    )
    """,
)

_APPEND_ONLY = tuple(
    f"""
    CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('what was signed stays')
    """
    for table in ("checkpoint", "platform_checkpoint", "platform_cover")
)

_GRANTS = {
    "checkpoint": "SELECT, INSERT",
    "platform_checkpoint": "SELECT, INSERT",
    "platform_cover": "SELECT, INSERT",
    "history_tile": "SELECT, INSERT",
    "state_tile": "SELECT, INSERT, DELETE",
    "commitment_movement": "SELECT, INSERT",
    "psp_balance_seen": "SELECT, INSERT, UPDATE",
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for statement in (*_TABLES, *_APPEND_ONLY):
        op.execute(statement)
    grant_app(op, _GRANTS)
