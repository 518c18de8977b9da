"""Statements of revision 0001: what the database itself holds about the ledger, whoever asks.

A ledger write is one statement: `WITH moved AS (INSERT INTO ledger_transfer …) INSERT INTO ledger_entry …`. At its end
the statement trigger on the entries checks the whole of it in sets (each transfer sums to zero, every running balance
and version continues, the positions continue the head's and are exactly those of the entries), makes the account rows
from the entries, and moves the scope's head. Then the trigger on the transfers checks that all were sealed so, and that
released money has its approved plan. Accounts and heads therefore cannot differ from the entries, and nobody needs a
right to write them. Checks per row were measured a third slower than these.

The triggers run as their owner: the application's role has no right to touch accounts or heads itself.
"""

DEFINER = "LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp"

INDEX_PLANS = (
    "SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off"
)
# Plans of a trigger are cached when the tables are small and must stay right when they are large: by index only.

SEAL = f"""
CREATE FUNCTION ledger_seal() RETURNS trigger {DEFINER} {INDEX_PLANS} AS $$
DECLARE
    moved record;
    written record;
BEGIN
    PERFORM 1 FROM ledger_scope
    WHERE scope IN (SELECT f.scope FROM fresh f)
    ORDER BY stream
    FOR UPDATE;

    MERGE INTO ledger_account a
    USING (
        SELECT e.scope, e.account, min(e.version) AS first, max(e.version) AS last,
            min(e.balance_minor - e.amount_minor) FILTER (WHERE e.version_before IS NULL) AS before_minor,
            CAST(sum(e.amount_minor) AS bigint) AS change_minor,
            bool_and(e.version_before IS NULL
                OR e.version = e.version_before + 1
                AND e.balance_minor = e.balance_before_minor + e.amount_minor) AS continues
        FROM (
            SELECT f.scope, f.account, f.amount_minor, f.balance_minor, f.version,
                lag(f.version) OVER w AS version_before, lag(f.balance_minor) OVER w AS balance_before_minor
            FROM fresh f
            WINDOW w AS (PARTITION BY f.scope, f.account ORDER BY f.position)
        ) e
        GROUP BY e.scope, e.account
    ) s
    ON a.scope = s.scope AND a.account = s.account
    WHEN MATCHED AND s.continues AND a.version = s.first - 1 AND a.balance_minor = s.before_minor THEN
        UPDATE SET balance_minor = s.before_minor + s.change_minor, version = s.last
    WHEN NOT MATCHED AND s.continues AND s.first = 1 AND s.before_minor = 0 THEN
        INSERT (scope, account, balance_minor, version) VALUES (s.scope, s.account, s.change_minor, s.last)
    WHEN MATCHED THEN
        UPDATE SET version = ledger_discontinued(s.scope, s.account)
    WHEN NOT MATCHED THEN
        INSERT (scope, account, balance_minor, version)
        VALUES (s.scope, s.account, 0, ledger_discontinued(s.scope, s.account));

    -- The heads' rows are locked: nothing but this statement's transfers can lie past them.
    FOR moved IN
        SELECT s.scope, s.transfer_count, e.first, e.last, e.n, e.unbalanced
        FROM (
            SELECT t.scope, min(t.position) AS first, max(t.position) AS last, count(*) AS n,
                min(t.position) FILTER (WHERE t.total_minor <> 0) AS unbalanced
            FROM (
                SELECT f.scope, f.position, sum(f.amount_minor) AS total_minor
                FROM fresh f
                GROUP BY f.scope, f.position
            ) t
            GROUP BY t.scope
        ) e
        LEFT JOIN ledger_scope s ON s.scope = e.scope
    LOOP
        IF moved.unbalanced IS NOT NULL THEN
            RAISE EXCEPTION 'transfer % of scope % does not sum to zero', moved.unbalanced, moved.scope
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transfer_sums_to_zero';
        END IF;
        SELECT count(*) AS n, max(t.position) AS last INTO written
        FROM ledger_transfer t
        WHERE t.scope = moved.scope AND t.position > moved.transfer_count;
        IF NOT coalesce(
            moved.first = moved.transfer_count + 1
            AND moved.last = moved.transfer_count + moved.n
            AND written.n = moved.n
            AND written.last = moved.last, false)
        THEN
            RAISE EXCEPTION 'transfers % to % of scope % do not continue its chain after %',
                moved.first, moved.last, moved.scope, moved.transfer_count
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transfer_continues_its_chain';
        END IF;
        UPDATE ledger_scope s
        SET transfer_count = t.position, chain_head = t.hash
        FROM ledger_transfer t
        WHERE s.scope = moved.scope AND t.scope = moved.scope AND t.position = moved.last;
    END LOOP;
    RETURN NULL;
END $$
"""  # noqa: S608 - constants

DISCONTINUED = """
CREATE FUNCTION ledger_discontinued(the_scope text, the_account text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the balance or version of % in scope % does not continue', the_account, the_scope
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entry_continues_its_account';
END $$
"""

SEALED = f"""
CREATE FUNCTION ledger_sealed() RETURNS trigger {DEFINER}
{INDEX_PLANS} AS $$
DECLARE
    bad record;
BEGIN
    SELECT p.scope, p.last INTO bad
    FROM (SELECT f.scope, max(f.position) AS last FROM fresh f GROUP BY f.scope) p
    LEFT JOIN ledger_scope s ON s.scope = p.scope
    WHERE p.last > coalesce(s.transfer_count, 0)
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'transfer % of scope % came without its entries', bad.last, bad.scope
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transfer_is_whole';
    END IF;

    SELECT f.scope, f.position, f.kind INTO bad
    FROM fresh f
    WHERE f.kind IN ('clear', 'reserve_release') AND NOT EXISTS (
        SELECT FROM clearing_plan p
        JOIN ledger_scope s ON s.scope = p.scope
        JOIN clearing_line l ON l.plan_id = p.plan_id AND l.commitment_id = f.commitment_id
        JOIN ledger_entry e ON e.scope = f.scope AND e.position = f.position AND e.amount_minor > 0
        WHERE p.plan_id = f.plan_id
            AND p.scope = f.scope
            AND p.kind = CASE f.kind WHEN 'clear' THEN 'release' ELSE 'reserve_release' END
            AND p.state IN ('CLEARING', 'CLEARED', 'SENDING')
            AND p.approver_id <> p.maker_id
            AND s.campaign_state = CASE f.kind WHEN 'clear' THEN 'INSPECTION' ELSE 'COMPLETED' END
            AND NOT s.paused
            AND s.latch = 'clearing'
            AND s.latch_plan_id = p.plan_id
            AND e.amount_minor = l.amount_minor
            AND split_part(e.account, ':', 1) = CASE WHEN l.to_reserve THEN 'reserve' ELSE 'supplier_payable' END
            AND f.cause = CASE f.kind WHEN 'clear' THEN 'clr:' ELSE 'rsv:' END || p.plan_id || ':' || l.commitment_id
    )
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% at % of scope % has no plan that may clear it now', bad.kind, bad.position, bad.scope
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_clear_needs_its_plan';
    END IF;

    SELECT f.scope, f.position, f.kind INTO bad
    FROM fresh f
    WHERE f.kind IN ('transfer_sent', 'fee') AND NOT EXISTS (
        SELECT FROM intent i
        JOIN clearing_plan p ON p.plan_id = f.plan_id AND p.scope = f.scope
        WHERE i.purpose = 'transfer' AND i.object_id = f.plan_id::text AND i.scope = f.scope
            AND (i.attempts > 0 OR i.state IN ('attempted', 'answered'))
    )
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% at % of scope % has no attempted intent of its plan', bad.kind, bad.position, bad.scope
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_transfer_sent_needs_its_intent';
    END IF;
    RETURN NULL;
END $$
"""  # noqa: S608 - constants

FIND = (
    f"""
    CREATE FUNCTION ledger_find_accounts(scopes text[], accounts text[])
    RETURNS TABLE (scope text, account text, balance_minor bigint, version bigint)
    LANGUAGE plpgsql STABLE {INDEX_PLANS} AS $$
    BEGIN
        RETURN QUERY
        SELECT a.scope, a.account, a.balance_minor, a.version
        FROM unnest(scopes, accounts) AS w (scope, account)
        JOIN ledger_account a ON a.scope = w.scope AND a.account = w.account;
    END $$
    """,  # noqa: S608 - constants
    f"""
    CREATE FUNCTION ledger_find_causes(causes text[]) RETURNS SETOF text
    LANGUAGE plpgsql STABLE {INDEX_PLANS} AS $$
    BEGIN
        RETURN QUERY SELECT t.cause FROM ledger_transfer t WHERE t.cause = ANY (causes);
    END $$
    """,  # noqa: S608 - constants
)
# The look-ups before a batch are functions for their plans' sake only: a prepared statement that was planned on an empty
# ledger would read the whole table for every batch until statistics catch up.

REFUSE = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'insufficient_privilege';
END $$
"""

_APPEND_ONLY = tuple(
    f"""
    CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('the ledger is append-only; post the reverse')
    """
    for table in ("ledger_transfer", "ledger_entry")
)

_DERIVED = (
    """
    CREATE TRIGGER ledger_account_follows_its_entries BEFORE INSERT OR UPDATE ON ledger_account
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION ledger_refuse('an account follows from its entries')
    """,
    """
    CREATE TRIGGER ledger_account_stays BEFORE DELETE OR TRUNCATE ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('an account stays')
    """,
    """
    CREATE TRIGGER ledger_scope_stays BEFORE DELETE OR TRUNCATE ON ledger_scope
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('a scope stays')
    """,
    """
    CREATE TRIGGER ledger_scope_head_follows_its_transfers BEFORE UPDATE OF transfer_count, chain_head ON ledger_scope
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION ledger_refuse('the head follows from the transfers')
    """,
    """
    CREATE TRIGGER ledger_scope_begins_empty BEFORE INSERT ON ledger_scope
    FOR EACH ROW WHEN (NEW.transfer_count <> 0 OR NEW.chain_head <> repeat('0', 64))
    EXECUTE FUNCTION ledger_refuse('a scope begins without transfers')
    """,
    """
    CREATE TRIGGER ledger_scope_keeps_its_currency BEFORE UPDATE OF currency ON ledger_scope
    FOR EACH ROW WHEN (NEW.currency <> OLD.currency AND OLD.transfer_count > 0)
    EXECUTE FUNCTION ledger_refuse('a scope with transfers keeps its currency')
    """,
)

_WRITE = (
    """
    CREATE TRIGGER ledger_entry_seal AFTER INSERT ON ledger_entry REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_seal()
    """,
    """
    CREATE TRIGGER ledger_transfer_sealed AFTER INSERT ON ledger_transfer REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_sealed()
    """,
)

STATEMENTS = (DISCONTINUED, SEAL, SEALED, *FIND, REFUSE, *_WRITE, *_APPEND_ONLY, *_DERIVED)
