"""Statements of revision 0001: what Stripe says, mirrored, and whose object is whose.

`balance_transaction` is Stripe's list as fetched: amounts and net are Stripe's own, signed; `scope` is null until the
row is attributed; `swept_at` is set when its net moved from pending to available in the ledger. `psp_object` says which
of our intents made an object at Stripe (payment intent, charge, refund, transfer, reversal, top-up, payout, dispute).
"""

STATEMENTS = (
    """
    CREATE TABLE balance_transaction (
        bt_id text COLLATE "C" PRIMARY KEY,
        type text COLLATE "C" NOT NULL,
        amount bigint NOT NULL,
        fee bigint NOT NULL,
        net bigint NOT NULL CHECK (net = amount - fee),
        currency text COLLATE "C" NOT NULL CHECK (currency ~ '^[a-z]{3}$'),
        source text COLLATE "C",
        available_on timestamptz NOT NULL,
        status text COLLATE "C" NOT NULL,
        created timestamptz NOT NULL,
        scope text COLLATE "C",
        swept_at timestamptz
    )
    """,
    "CREATE INDEX balance_transaction_created ON balance_transaction (created)",
    "CREATE INDEX balance_transaction_source ON balance_transaction (source)",
    "CREATE INDEX balance_transaction_unattributed ON balance_transaction (created) WHERE scope IS NULL",
    "CREATE INDEX balance_transaction_unswept ON balance_transaction (scope, available_on) WHERE swept_at IS NULL",
    """
    CREATE TABLE psp_object (
        object_id text COLLATE "C" PRIMARY KEY,
        scope text COLLATE "C" NOT NULL,
        kind text COLLATE "C" NOT NULL,
        intent_id uuid,
        commitment_id uuid,
        amount bigint,
        charge_id text COLLATE "C"
    )
    """,
    "CREATE INDEX psp_object_intent ON psp_object (intent_id)",
    "CREATE INDEX psp_object_commitment ON psp_object (commitment_id)",
)
