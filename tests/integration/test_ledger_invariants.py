"""The ledger's questions can fail: each invariant is broken on purpose, past the guards, and is reported."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest_asyncio
from sqlalchemy import text

from services.escrow.domain import dispute_postings, postings
from services.escrow.store.invariants import CLASS_SUMS, COMMITTED, QUERIES
from tests.integration.ledger_support import PLATFORM, LedgerStage, a_lock, ledger_stage

K = UUID(int=7)


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[LedgerStage]:
    async with ledger_stage() as made:
        for table in ("ledger_transfer", "ledger_entry", "ledger_account", "ledger_scope", "clearing_plan", "intent"):
            await made.run(f"ALTER TABLE {table} DISABLE TRIGGER USER", owner=True)
        yield made


async def a_sound_scope(stage: LedgerStage) -> str:
    """A campaign with one held commitment and a refund under way, posted with every guard on."""
    await guards(stage, on=True)
    scope = await stage.campaign("ACTIVE")
    await stage.post(
        a_lock(scope, K, 1_000),
        postings.refund_decided(scope, K, 400, decision_id=uuid4(), reason="withdrawn"),
        postings.refund_sent(scope, K, 300, refund_id="re_1"),
    )
    await guards(stage, on=False)
    return scope


async def guards(stage: LedgerStage, *, on: bool) -> None:
    verb = "ENABLE" if on else "DISABLE"
    for table in ("ledger_transfer", "ledger_entry", "ledger_account", "ledger_scope", "clearing_plan", "intent"):
        await stage.run(f"ALTER TABLE {table} {verb} TRIGGER USER", owner=True)


async def found(stage: LedgerStage, name: str, *scopes: str) -> list[tuple[str, str]]:
    """What an invariant reports of these scopes: (sentence, subject)."""
    rows = (await stage.violations(*scopes)).get(name, [])
    return [(row["what"], row["subject"]) for row in rows if row["scope"] in scopes]


async def test_a_sound_ledger_is_silent(stage: LedgerStage) -> None:
    scope = await a_sound_scope(stage)
    await guards(stage, on=True)
    assert await stage.violations(scope, PLATFORM) == {}


async def test_i1_sees_a_changed_amount_and_lost_or_orphan_entries(stage: LedgerStage) -> None:
    scope = await a_sound_scope(stage)
    await stage.run(
        f"UPDATE ledger_entry SET amount_minor = 999 WHERE position = 1 AND account = 'escrow:{K}'", owner=True
    )
    await stage.run("DELETE FROM ledger_entry WHERE position = 2", owner=True)
    await stage.run("DELETE FROM ledger_transfer WHERE position = 3", owner=True)
    whats = {what for what, _ in await found(stage, "I1", scope)}
    assert whats == {"a transfer does not sum to zero", "a transfer has no entries", "an entry has no transfer"}


async def test_i2_sees_money_that_left_without_its_kind(stage: LedgerStage) -> None:
    scope = await a_sound_scope(stage)
    await stage.run("UPDATE ledger_transfer SET kind = 'topup' WHERE kind = 'refund_sent'", owner=True)
    assert await found(stage, "I2", scope) == [("money came and is not accounted for", scope)]


async def test_i8_sees_more_given_back_than_received(stage: LedgerStage) -> None:
    scope = await a_sound_scope(stage)
    await stage.run("UPDATE ledger_entry SET amount_minor = amount_minor * 4 WHERE position = 3", owner=True)
    whats = [what for what, _ in await found(stage, "I8", scope)]
    assert whats == ["more was given back or cleared than was received"]


async def test_i8_and_i14_see_a_settled_campaign_that_still_owes(stage: LedgerStage) -> None:
    scope = await a_sound_scope(stage)
    await stage.run(
        "UPDATE ledger_scope SET campaign_state = 'CLOSED', settled_at = stack_now() WHERE scope = :s", s=scope
    )
    assert [what for what, _ in await found(stage, "I8", scope)] == [
        "a commitment of a settled closed campaign is not paid back whole"
    ]
    assert {subject for _, subject in await found(stage, "I14", scope)} == {f"escrow:{K}", f"refund_payable:{K}"}
    await stage.run(
        "INSERT INTO cases (case_id, kind, scope, subject, severity, blocking, opened_at) "
        "VALUES (gen_random_uuid(), 'refund_failed', :s, :k, 'high', false, stack_now())",
        s=scope,
        k=str(K),
    )
    assert await found(stage, "I8", scope) == []
    assert await found(stage, "I14", scope) == []


async def test_i9_sees_less_held_than_owed(stage: LedgerStage) -> None:
    scope = await a_sound_scope(stage)
    await guards(stage, on=True)
    await stage.post(postings.psp_settle(scope, bt_id="t", amount_minor=1_000, fee_minor=59, object_id="ch_1"))
    assert [what for what, _ in await found(stage, "I9", PLATFORM)] == ["what is held is less than what is owed"]
    await stage.post(postings.topup(PLATFORM, 59, topup_id="tu_1"))
    assert await found(stage, "I9", PLATFORM) == []


async def test_i10_sees_a_plan_that_paid_another_sum(stage: LedgerStage) -> None:
    await guards(stage, on=True)
    plan_id = uuid4()
    scope = await stage.campaign("INSPECTION", latch_plan_id=plan_id)
    await stage.post(a_lock(scope, K, 1_000))
    await stage.plan(scope, [(K, 1_000, False)], plan_id=plan_id)
    await stage.post(postings.clear(scope, K, 1_000, plan_id=plan_id, to_reserve=False))
    await stage.intent(scope, plan_id, attempts=1)
    await stage.post(postings.transfer_sent(scope, 900, plan_id=plan_id, transfer_id="tr_1"))
    assert [what for what, _ in await found(stage, "I10", scope)] == [
        "a plan was paid that is not sent, or more than once"
    ]
    await stage.run("UPDATE clearing_plan SET state = 'SENT', transfer_id = 'tr_1' WHERE plan_id = :p", p=plan_id)
    assert await found(stage, "I10", scope) == [("a sent plan did not pay its lines less the fee", str(plan_id))]
    await stage.post(postings.transfer_sent(scope, 100, plan_id=plan_id, transfer_id="tr_2"))
    assert len(await found(stage, "I10", scope)) == 2


async def test_i16_sees_a_plan_of_one_person(stage: LedgerStage) -> None:
    await guards(stage, on=True)
    scope = await stage.campaign("INSPECTION")
    plan_id = await stage.plan(scope, [(K, 5, False)])
    await guards(stage, on=False)
    await stage.run("ALTER TABLE clearing_plan DROP CONSTRAINT clearing_plan_approver_is_not_its_maker", owner=True)
    await stage.run("UPDATE clearing_plan SET approver_id = maker_id", owner=True)
    assert await found(stage, "I16", scope) == [("a plan went on without two different people", str(plan_id))]


async def test_i17_sees_changed_content_a_changed_head_and_a_right_to_change(stage: LedgerStage) -> None:
    scope = await a_sound_scope(stage)
    assert await found(stage, "I17", scope) == []
    await stage.run("UPDATE ledger_transfer SET reason = 'cancelled' WHERE position = 2", owner=True)
    assert await found(stage, "I17", scope) == [("a transfer's content does not give its hash", "2")]
    await stage.run("UPDATE ledger_scope SET transfer_count = 2 WHERE scope = :s", owner=True, s=scope)
    assert ("the head differs from the last transfer", f"escrow:{scope}") in await found(stage, "I17", scope)
    await stage.run("GRANT UPDATE ON ledger_entry TO PUBLIC", owner=True)
    async with stage.owner.begin() as connection:
        await connection.execute(text("UPDATE ledger_entry SET version = version WHERE position = 1"))
        await connection.execute(text("SELECT pg_stat_force_next_flush()"))
    whole = {(row["what"], row["subject"]) for row in (await stage.violations())["I17"]}
    assert ("somebody may change what is append-only", "ledger_entry") in whole
    assert ("rows of the ledger were changed or deleted", "ledger_transfer") in whole
    assert ("a guard of the ledger is off or gone", "ledger_entry_seal") in whole


async def test_i17_sees_a_transfer_cut_off_the_end(stage: LedgerStage) -> None:
    scope = await a_sound_scope(stage)
    for table in ("ledger_entry", "ledger_transfer"):
        await stage.run(f"DELETE FROM {table} WHERE position = 3", owner=True)
    assert await found(stage, "I17", scope) == [("the head differs from the last transfer", f"escrow:{scope}")]


async def test_i18_sees_a_balance_a_version_and_an_account_that_went_wrong(stage: LedgerStage) -> None:
    scope = await a_sound_scope(stage)
    await stage.run("UPDATE ledger_entry SET version = 9 WHERE position = 3 AND account = 'psp_clearing'", owner=True)
    assert await found(stage, "I18", scope) == [("a running balance or version is wrong", "psp_clearing")]
    await stage.run(f"UPDATE ledger_account SET balance_minor = 999 WHERE account = 'escrow:{K}'", owner=True)
    assert ("an account differs from its last entry", f"escrow:{K}") in await found(stage, "I18", scope)
    await stage.run("ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_not_below_zero", owner=True)
    await stage.run(f"UPDATE ledger_entry SET balance_minor = -1 WHERE account = 'escrow:{K}'", owner=True)
    assert ("an account holds what it may not hold", f"escrow:{K}") in await found(stage, "I18", scope)


async def test_i23_sees_a_hold_without_a_dispute_and_money_left_behind(stage: LedgerStage) -> None:
    scope = await a_sound_scope(stage)
    await guards(stage, on=True)
    opened = dispute_postings.dispute_opened(scope, K, 100, dispute_id="dp_1", left_minor={"escrow": 600})
    assert opened is not None
    await stage.post(opened)
    assert await found(stage, "I23", scope) == []
    ended = dispute_postings.dispute_ended(
        scope, K, dispute_id="dp_1", split_minor={"escrow": 60}, campaign_closed=False
    )
    assert ended is not None
    await stage.post(ended)
    assert await found(stage, "I23", scope) == [("a hold without an open dispute", f"dispute_hold:{K}")]
    await stage.run("UPDATE ledger_scope SET campaign_state = 'COMPLETED' WHERE scope = :s", s=scope)
    assert ("money is committed in a campaign that is completed", f"escrow:{K}") in await found(stage, "I23", scope)


async def test_the_sums_for_other_services_name_every_committed_cent(stage: LedgerStage) -> None:
    scope = await a_sound_scope(stage)
    committed = await stage.run(COMMITTED)
    sums = {row[1]: row[2] for row in await stage.run(CLASS_SUMS)}
    assert [tuple(row) for row in committed] == [(scope, K, 600)]
    assert sums == {"escrow": 600, "refund_payable": 100, "psp_clearing": -700}
    assert set(QUERIES) == {"I1", "I2", "I8", "I9", "I10", "I14", "I16", "I17", "I18", "I23"}
