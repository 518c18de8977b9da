"""Statements of revision 0001: the ledger's tables, the clearing plans, the mirror of Stripe's balance transactions.

Text is compared byte by byte (COLLATE "C"): names and ids need no language, and the ledger's indexes are a third
faster for it. What a CHECK holds here is held for every role, the owner included.
"""

SCOPE = """
CREATE TABLE ledger_scope (
    stream text COLLATE "C" PRIMARY KEY CHECK (stream ~ '^escrow:.+$'),
    seq bigint NOT NULL DEFAULT 0 CHECK (seq >= 0),
    scope text COLLATE "C" NOT NULL UNIQUE GENERATED ALWAYS AS (substr(stream, 8)) STORED,
    currency text COLLATE "C" NOT NULL DEFAULT 'usd' CHECK (currency ~ '^[a-z]{3}$'),
    transfer_count bigint NOT NULL DEFAULT 0 CHECK (transfer_count >= 0),
    chain_head text COLLATE "C" NOT NULL DEFAULT repeat('0', 64) CHECK (chain_head ~ '^[0-9a-f]{64}$'),
    campaign_state text COLLATE "C",
    campaign_state_event_id uuid,
    paused boolean NOT NULL DEFAULT false,
    latch text COLLATE "C" CHECK (latch IN ('close', 'clearing')),
    latch_plan_id uuid,
    settled_at timestamptz,
    CONSTRAINT ledger_scope_latch_names_its_plan CHECK ((latch IS NOT DISTINCT FROM 'clearing') = (latch_plan_id IS NOT NULL))
)
"""
# One row is the lock of a scope, the counter of its stream, and the head of its chain. Every column but the first two
# has a default, because the row is first made by the kit. `latch` decides the race of release and close.

ACCOUNT = """
CREATE TABLE ledger_account (
    scope text COLLATE "C" NOT NULL REFERENCES ledger_scope (scope) NOT ENFORCED,
    account text COLLATE "C" NOT NULL,
    class text COLLATE "C" NOT NULL GENERATED ALWAYS AS (split_part(account, ':', 1)) STORED,
    balance_minor bigint NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    PRIMARY KEY (scope, account),
    CONSTRAINT ledger_account_is_in_the_chart CHECK (
        CASE
            WHEN class IN ('psp_clearing', 'psp_pending', 'psp_available', 'psp_cost') THEN account = class
            WHEN scope = 'platform' THEN account IN ('psp_reserved', 'platform_float', 'suspense')
            ELSE account IN ('supplier_payable', 'platform_fee', 'dispute_loss', 'goodwill', 'house_paid')
                OR class IN ('escrow', 'refund_payable', 'dispute_hold', 'reserve')
                AND account = class || ':' || CAST(substr(account, length(class) + 2) AS uuid)
        END
    ),
    CONSTRAINT ledger_account_not_below_zero CHECK (
        balance_minor >= 0 OR class IN (
            'psp_clearing', 'psp_pending', 'psp_available', 'psp_reserved',
            'psp_cost', 'dispute_loss', 'goodwill', 'platform_float', 'suspense'
        )
    ),
    CONSTRAINT ledger_account_not_above_zero CHECK (balance_minor <= 0 OR class NOT IN ('psp_reserved', 'goodwill'))
) WITH (fillfactor = 70)
"""
# Credit +, debit −: so an asset's or a cost's ordinary balance is negative, and "never below nothing" means "never
# above zero" for Stripe's reserve and for goodwill.

TRANSFER = """
CREATE TABLE ledger_transfer (
    scope text COLLATE "C" NOT NULL REFERENCES ledger_scope (scope) NOT ENFORCED,
    position bigint NOT NULL CHECK (position > 0),
    kind text COLLATE "C" NOT NULL,
    cause text COLLATE "C" NOT NULL,
    commitment_id uuid,
    plan_id uuid,
    reverses bigint,
    reason text,
    relied_on uuid[] NOT NULL,
    event_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    hash text COLLATE "C" NOT NULL,
    PRIMARY KEY (scope, position),
    CONSTRAINT ledger_transfer_cause_is_unique UNIQUE (cause)
)
"""

# The hash before is the hash at the position before; it is not stored twice.

ENTRY = """
CREATE TABLE ledger_entry (
    scope text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    account text COLLATE "C" NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0 AND abs(amount_minor) <= 1000000000000000),
    balance_minor bigint NOT NULL,
    version bigint NOT NULL,
    object_id text COLLATE "C",
    PRIMARY KEY (scope, position, account),
    FOREIGN KEY (scope, account) REFERENCES ledger_account (scope, account) NOT ENFORCED,
    FOREIGN KEY (scope, position) REFERENCES ledger_transfer (scope, position) NOT ENFORCED,
    CONSTRAINT ledger_entry_clearing_names_its_object CHECK ((account = 'psp_clearing') = (object_id IS NOT NULL)),
    CONSTRAINT ledger_entry_not_below_zero CHECK (
        balance_minor >= 0 OR split_part(account, ':', 1) IN (
            'psp_clearing', 'psp_pending', 'psp_available', 'psp_reserved',
            'psp_cost', 'dispute_loss', 'goodwill', 'platform_float', 'suspense'
        )
    ),
    CONSTRAINT ledger_entry_not_above_zero CHECK (balance_minor <= 0 OR account NOT IN ('psp_reserved', 'goodwill'))
)
"""

INDEXES = (
    "CREATE INDEX ledger_transfer_dispute ON ledger_transfer (commitment_id) WHERE kind = 'dispute_opened'",
    "CREATE INDEX ledger_transfer_plan ON ledger_transfer (plan_id) WHERE plan_id IS NOT NULL",
    """
    CREATE INDEX ledger_account_shared ON ledger_account (class) WHERE class IN (
        'psp_clearing', 'psp_pending', 'psp_available', 'psp_reserved', 'psp_cost', 'platform_float', 'suspense'
    )
    """,
)
# Only a dispute is looked for by its commitment; an index over all of them would cost each posting a twentieth.
# The last one serves the sums over all scopes, such as what is available at Stripe; it holds a few rows per scope.

STATEMENTS = (SCOPE, ACCOUNT, TRANSFER, ENTRY, *INDEXES)
