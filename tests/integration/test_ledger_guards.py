"""What the database itself refuses, whoever asks: each guard is shown to say no."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy.exc import DBAPIError

from services.escrow.domain import postings
from tests.integration.ledger_support import PLATFORM, LedgerStage, a_lock, insert_as_written, ledger_stage

Spoil = Callable[[dict[str, Any]], None]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage() -> AsyncIterator[LedgerStage]:
    """One database for the module; each test plays in scopes of its own."""
    async with ledger_stage() as made:
        yield made


def shift(columns: dict[str, Any], name: str, by: int, *, at: int = -1) -> None:
    columns[name][at] += by


def unbalanced(columns: dict[str, Any]) -> None:
    shift(columns, "e_amount_minor", 1)
    shift(columns, "e_balance_minor", 1)


def without_entries(columns: dict[str, Any]) -> None:
    for name in columns:
        if name.startswith("e_"):
            columns[name] = columns[name][:-2]


def without_transfer(columns: dict[str, Any]) -> None:
    for name in columns:
        if name.startswith("t_"):
            columns[name] = columns[name][:-1]


def a_gap(columns: dict[str, Any]) -> None:
    shift(columns, "t_position", 1)
    for at in (-1, -2):
        shift(columns, "e_position", 1, at=at)


def an_old_position(columns: dict[str, Any]) -> None:
    for at in (-1, -2):
        shift(columns, "e_position", -1, at=at)


REFUSED_WRITES: list[tuple[str, Spoil, str]] = [
    ("a transfer that does not sum to zero", unbalanced, "ledger_transfer_sums_to_zero|does not sum to zero"),
    ("a transfer without entries", without_entries, "do not continue its chain|without its entries"),
    ("entries without a transfer", without_transfer, "do not continue its chain"),
    ("a gap in the positions", a_gap, "do not continue its chain"),
    ("entries for a transfer written before", an_old_position, "do not continue|duplicate key|sum to zero"),
    ("a balance that does not continue", lambda c: shift(c, "e_balance_minor", 5), "does not continue"),
    ("a version that does not continue", lambda c: shift(c, "e_version", 1), "does not continue"),
    ("a clearing entry that names no object", lambda c: c["e_object_id"].__setitem__(-2, None), "names_its_object"),
    ("an amount of nothing", lambda c: c["e_amount_minor"].__setitem__(-1, 0), "amount_minor"),
    ("an account outside the chart", lambda c: c["e_account"].__setitem__(-1, "pocket"), "is_in_the_chart"),
    ("an account of nobody", lambda c: c["e_account"].__setitem__(-1, "escrow:you"), "uuid"),
    ("a platform account in a campaign", lambda c: c["e_account"].__setitem__(-1, "platform_float"), "in_the_chart"),
]


@pytest.mark.parametrize(("spoil", "words"), [each[1:] for each in REFUSED_WRITES], ids=[e[0] for e in REFUSED_WRITES])
async def test_a_spoilt_write_is_refused_whole(stage: LedgerStage, spoil: Spoil, words: str) -> None:
    scope = await stage.campaign("ACTIVE")
    await stage.post(a_lock(scope))
    before = await stage.balances(scope)
    for engine in (stage.app, stage.owner):
        with pytest.raises(DBAPIError, match=words):
            async with engine.begin() as connection:
                await insert_as_written(connection, [a_lock(scope), a_lock(scope)], spoil)
    assert await stage.balances(scope) == before
    assert await stage.violations(scope) == {}


async def test_a_write_that_is_not_spoilt_is_let_through(stage: LedgerStage) -> None:
    scope = await stage.campaign("ACTIVE")
    async with stage.app.begin() as connection:
        await insert_as_written(connection, [a_lock(scope), a_lock(scope)], lambda columns: None)
    assert (await stage.balances(scope))["psp_clearing"] == -20_000


@pytest.mark.parametrize("table", ["ledger_transfer", "ledger_entry"])
async def test_rows_inserted_past_the_posting_function_are_refused(stage: LedgerStage, table: str) -> None:
    scope = await stage.campaign("ACTIVE")
    alone = {
        "ledger_transfer": "INSERT INTO ledger_transfer (scope, position, kind, cause, relied_on, event_at, created_at, hash) "
        "VALUES (:s, 1, 'lock', 'pi:1', '{}', stack_now(), stack_now(), 'x')",
        "ledger_entry": "INSERT INTO ledger_entry (scope, position, account, amount_minor, balance_minor, version) "
        "VALUES (:s, 1, 'psp_pending', -5, -5, 1), (:s, 1, 'supplier_payable', 5, 5, 1)",
    }[table]
    for owner in (False, True):
        assert "entries" in await stage.refusal(alone, owner=owner, s=scope) or "chain" in await stage.refusal(
            alone, owner=owner, s=scope
        )
    assert await stage.balances(scope) == {}


async def test_no_owed_account_goes_below_zero_even_in_the_midst_of_a_batch(stage: LedgerStage) -> None:
    scope, k = await stage.campaign("ACTIVE"), uuid4()
    lock = a_lock(scope, k, 500)

    def drawn_first(columns: dict[str, Any]) -> None:
        """The lock's credit and a refund's debit of the same account change places: the sum is right at the end."""
        columns["e_amount_minor"] = [500, -500, -500, 500]
        columns["e_balance_minor"] = [500, -500, 0, 0]

    decided = postings.refund_decided(scope, k, 500, decision_id=uuid4(), reason="withdrawn")
    with pytest.raises(DBAPIError, match="not_below_zero"):
        async with stage.app.begin() as connection:
            await insert_as_written(connection, [lock, decided], drawn_first)
    assert await stage.balances(scope) == {}


@pytest.mark.parametrize(("account", "amount"), [("psp_reserved", 5), ("goodwill", 5), ("supplier_payable", -5)])
async def test_an_account_row_keeps_to_its_side(stage: LedgerStage, account: str, amount: int) -> None:
    scope = PLATFORM if account == "psp_reserved" else await stage.campaign("ACTIVE")
    await stage.post(postings.topup(PLATFORM, 5, topup_id=f"tu_{uuid4().hex}"))
    other = "psp_pending" if amount > 0 else "psp_cost"
    refused = await stage.refusal(
        "WITH moved AS (INSERT INTO ledger_transfer (scope, position, kind, cause, relied_on, event_at, created_at, hash) "
        "SELECT scope, transfer_count + 1, 'x', 'x:1', '{}', stack_now(), stack_now(), 'x' FROM ledger_scope "
        "WHERE scope = :scope) INSERT INTO ledger_entry (scope, position, account, amount_minor, balance_minor, version) "
        "SELECT scope, transfer_count + 1, a, m, m, 1 FROM ledger_scope, "
        "(VALUES (:account, CAST(:amount AS bigint)), (:other, -CAST(:amount AS bigint))) AS e (a, m) WHERE scope = :scope",
        scope=scope,
        account=account,
        other=other,
        amount=amount,
    )
    assert "not_above_zero" in refused if amount > 0 else "not_below_zero" in refused


async def test_a_second_transfer_of_one_cause_is_refused(stage: LedgerStage) -> None:
    scope, lock = await stage.campaign("ACTIVE"), None
    lock = a_lock(scope)
    await stage.post(lock)
    with pytest.raises(DBAPIError, match="cause_is_unique"):
        async with stage.app.begin() as connection:
            await insert_as_written(
                connection, [a_lock(scope)], lambda columns: columns["t_cause"].__setitem__(0, lock.cause)
            )
    assert (await stage.balances(scope))["psp_clearing"] == -10_000


CHANGES = [
    "UPDATE ledger_transfer SET reason = 'x'",
    "UPDATE ledger_entry SET amount_minor = amount_minor",
    "DELETE FROM ledger_transfer",
    "DELETE FROM ledger_entry",
    "TRUNCATE ledger_transfer CASCADE",
    "TRUNCATE ledger_entry",
    "UPDATE ledger_account SET balance_minor = 0",
    "INSERT INTO ledger_account (scope, account, balance_minor, version) VALUES ('platform', 'psp_cost', -5, 1)",
    "DELETE FROM ledger_account",
    "TRUNCATE ledger_account CASCADE",
    "UPDATE ledger_scope SET transfer_count = 0",
    "UPDATE ledger_scope SET chain_head = repeat('0', 64)",
    "INSERT INTO ledger_scope (stream, transfer_count) VALUES ('escrow:x', 3)",
    "DELETE FROM ledger_scope",
    "TRUNCATE ledger_scope CASCADE",
    "DELETE FROM clearing_plan",
    "TRUNCATE clearing_line",
]


@pytest.mark.parametrize("statement", CHANGES)
async def test_nobody_changes_what_was_posted(stage: LedgerStage, statement: str) -> None:
    scope = await stage.campaign("ACTIVE")
    await stage.post(a_lock(scope), postings.topup(PLATFORM, 5, topup_id=f"tu_{uuid4().hex}"))
    before = await stage.run("SELECT count(*), max(hash) FROM ledger_transfer")
    assert "permission denied" in await stage.refusal(statement)
    assert "is refused" in await stage.refusal(statement, owner=True)
    assert await stage.run("SELECT count(*), max(hash) FROM ledger_transfer") == before


DEFINITIONS = [
    "CREATE TABLE mine (id integer)",
    "CREATE TEMP TABLE ledger_entry (id integer)",
    "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "DROP TABLE ledger_entry",
    "DROP TRIGGER ledger_entry_seal ON ledger_entry",
    "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
    "ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_not_below_zero",
    "CREATE TRIGGER mine BEFORE INSERT ON ledger_entry EXECUTE FUNCTION ledger_refuse()",
    "ALTER FUNCTION ledger_seal() RENAME TO mine",
    "GRANT UPDATE ON ledger_entry TO PUBLIC",
    "SET session_replication_role = replica",
    "UPDATE stack_clock SET offset_seconds = 5",
]


@pytest.mark.parametrize("statement", DEFINITIONS)
async def test_the_application_cannot_define_its_way_around(stage: LedgerStage, statement: str) -> None:
    refused = await stage.refusal(statement)
    granted = await stage.run("SELECT has_table_privilege(current_user, 'ledger_entry', 'UPDATE') AS it")
    assert statement.startswith("GRANT") or any(word in refused for word in ("denied", "must be owner"))
    assert granted[0].it is False


async def test_a_scope_with_transfers_keeps_its_currency(stage: LedgerStage) -> None:
    scope = await stage.campaign("ACTIVE")
    change = "UPDATE ledger_scope SET currency = 'eur' WHERE scope = :s"
    assert await stage.refusal(change, s=scope) == ""
    await stage.post(a_lock(scope))
    assert "keeps its currency" in await stage.refusal(
        "UPDATE ledger_scope SET currency = 'usd' WHERE scope = :s", s=scope
    )


async def test_a_guard_that_is_off_is_a_violation() -> None:
    async with ledger_stage() as own:
        assert await own.violations(PLATFORM) == {}
        await own.run("ALTER TABLE ledger_entry DISABLE TRIGGER ledger_entry_seal", owner=True)
        found = await own.violations()
    assert [row["subject"] for row in found["I17"]] == ["ledger_entry_seal"]
