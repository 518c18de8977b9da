"""Reconciliation: both sides of every object, sweeps, lost webhooks, unknown money, cover and the float."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from contracts.escrow import FloatToppedUp, FundsHeld, RefundSent, ReservationEnded
from contracts.housekeeping import EscrowCommandRefused
from services.escrow import reconciler
from services.escrow.store.invariants import violations
from services.escrow.store.mirror import cover
from tests.integration.escrow_support import FLOAT_MINOR, Stage, of, staged


@pytest_asyncio.fixture
async def stage(harness: Any, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(harness, tmp_path) as made:
        yield made


def fee_minor(amount_minor: int) -> int:
    return (amount_minor * 290 + 5_000) // 10_000 + 30


async def waiting(stage: Stage) -> list[Any]:
    return await stage.harness.rows("SELECT object_id, balance_minor FROM clearing_object")


async def mismatch(stage: Stage, why: str) -> Any:
    """The one case that says so."""
    (case,) = [case for case in await stage.harness.cases() if case.facts.get("why") == why]
    assert case.kind == "psp_mismatch"
    return case


async def test_each_charge_settles_with_the_fee_that_stripe_took(stage: Stage) -> None:
    await stage.funded(3)
    assert len(await waiting(stage)) == 3
    await stage.reconcile()
    assert await waiting(stage) == []
    assert await stage.balance("psp_clearing") == 0
    assert await stage.balance("psp_cost") == -3 * fee_minor(5_000)
    assert await stage.balance("psp_pending") == -3 * (5_000 - fee_minor(5_000))


async def test_a_second_pass_and_a_second_loop_change_nothing(stage: Stage) -> None:
    await stage.funded(2)
    await stage.reconcile()
    before = await stage.harness.rows("SELECT scope, transfer_count, chain_head FROM ledger_scope ORDER BY scope")
    await stage.reconcile()
    await reconciler.Reconciler(stage.stripe).step(stage, full=True)
    after = await stage.harness.rows("SELECT scope, transfer_count, chain_head FROM ledger_scope ORDER BY scope")
    assert after == before


async def test_money_becomes_available_once(stage: Stage) -> None:
    await stage.funded(2)
    await stage.reconcile()
    await stage.move_clock(days=3)
    await stage.reconcile()
    await stage.reconcile()
    assert await stage.balance("psp_pending") == 0
    assert await stage.balance("psp_available") == -2 * (5_000 - fee_minor(5_000))


async def test_the_first_top_up_makes_the_float_and_cover(stage: Stage) -> None:
    await stage.reconciler.first_top_up(stage)
    await stage.reconciler.first_top_up(stage)
    (topped,) = of(await stage.harness.execute(), FloatToppedUp)
    assert topped.amount_minor == FLOAT_MINOR
    await stage.funded(2)
    await stage.reconcile()
    snapshot = await cover(stage.engine)
    assert snapshot.owed_minor == 10_000
    assert snapshot.held_minor == 10_000 + FLOAT_MINOR - 2 * fee_minor(5_000)
    assert await stage.case_kinds() == []


async def test_broken_cover_holds_collections_until_the_float_is_filled(stage: Stage) -> None:
    await stage.funded(2)
    await stage.reconcile()
    assert await stage.case_kinds() == ["cover_broken", "float_low"]
    join = stage.join()
    (ended,) = of(await stage.harness.deliver(await stage.reserved(join)), ReservationEnded)
    assert ended.reason == "refused"
    await stage.reconciler.first_top_up(stage)
    await stage.harness.execute()
    await stage.reconcile()
    assert await stage.case_kinds() == []
    assert of(await stage.fund(stage.join()), FundsHeld)


async def test_a_float_that_no_longer_carries_what_was_let_in_refuses_another_card(stage: Stage) -> None:
    join = stage.join()
    await stage.fund(join, "pm_card_chargeDeclined")
    await stage.reconcile()
    assert await stage.case_kinds() == ["float_low"]
    answer = await stage.harness.deliver(await stage.method(join, attempt=2), actor=join.person)
    assert [each.code for each in of(answer, EscrowCommandRefused)] == ["collections_paused"]


async def test_a_lost_webhook_of_an_authenticated_payment_is_made_up_for(stage: Stage) -> None:
    join = stage.join()
    published = await stage.fund(join, "pm_card_threeDSecure2Required")
    address = published[-1].message.redirect_url
    async with stage.standin.http.post(address, data={"outcome": "succeed"}, allow_redirects=False) as page:
        assert page.status < 400
    await stage.harness.advance(minutes=2)
    assert of(await stage.reconcile(full=False), FundsHeld)
    await stage.reconcile()
    assert await waiting(stage) == []


async def test_a_lost_webhook_of_a_pending_refund_is_made_up_for_from_the_list_of_events(stage: Stage) -> None:
    await stage.reconciler.first_top_up(stage)
    await stage.funded(card="pm_card_pendingRefund")
    await stage.close()
    await stage.harness.execute()
    await stage.reconcile()
    await stage.move_clock(days=1, minutes=1)
    assert of(await stage.reconcile(), RefundSent)
    await stage.reconcile()
    assert await waiting(stage) == []
    assert await stage.class_balance("refund_payable") == 0


async def test_refunds_and_their_failures_settle_both_ways(stage: Stage) -> None:
    await stage.reconciler.first_top_up(stage)
    await stage.funded(card="pm_card_refundFail")
    await stage.close()
    await stage.harness.execute()
    await stage.reconcile()
    assert await waiting(stage) == []
    await stage.move_clock(days=1, minutes=1)
    await stage.reconcile()
    await stage.reconcile()
    assert await waiting(stage) == []
    assert await stage.class_balance("refund_payable") == 5_000
    assert await stage.case_kinds() == ["refund_failed"]


async def test_money_that_nobody_explains_goes_to_suspense_with_a_case(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciler, "UNEXPLAINED_AFTER", reconciler.OVERLAP * 0)
    await stage.reconciler.first_top_up(stage)
    await stage.harness.execute()
    await stage.standin.pay()
    await stage.reconcile()
    assert await stage.case_kinds() == ["suspense"]
    assert await stage.balance("suspense", "platform") == 1_200 - fee_minor(1_200)


@pytest.mark.parametrize("days", [0, 3])
async def test_money_in_suspense_goes_where_it_belongs_once_its_source_is_known(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    async def adopts_nothing(*_: Any) -> bool:
        return False

    await stage.reconciler.first_top_up(stage)
    await stage.harness.execute()
    join = stage.join()
    await stage.start(join)
    (intent,) = await stage.harness.intents("payment")
    await stage.harness.service.purposes["payment"].call(intent)
    net = join.amount_minor - fee_minor(join.amount_minor)
    with monkeypatch.context() as before_its_time:
        before_its_time.setattr(reconciler, "UNEXPLAINED_AFTER", reconciler.OVERLAP * 0)
        before_its_time.setattr(reconciler, "adopt", adopts_nothing)
        await stage.reconcile()
        assert await stage.balance("suspense", "platform") == net
        if days:
            await stage.move_clock(days=days)
            await stage.reconcile()
    await stage.harness.execute()
    await stage.reconcile()
    assert await stage.balance("suspense", "platform") == 0
    assert await stage.balance("psp_available" if days else "psp_pending") == -net
    assert await stage.balance(f"escrow:{join.commitment_id}") == join.amount_minor
    assert await waiting(stage) == []
    assert "suspense" not in await stage.case_kinds()
    async with stage.harness.engine.connect() as connection:
        for invariant in ("I1", "I2", "I17", "I18"):
            assert await violations(connection, invariant) == []


async def test_a_payment_whose_answer_was_lost_is_adopted_by_its_metadata(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciler, "UNEXPLAINED_AFTER", reconciler.OVERLAP * 0)
    await stage.reconciler.first_top_up(stage)
    await stage.harness.execute()
    join = stage.join()
    await stage.start(join)
    (intent,) = await stage.harness.intents("payment")
    await stage.harness.service.purposes["payment"].call(intent)
    assert of(await stage.reconcile(), FundsHeld)
    await stage.reconcile()
    assert await waiting(stage) == []
    assert await stage.balance(f"escrow:{join.commitment_id}") == join.amount_minor
    assert await stage.harness.execute() == []


async def test_an_object_without_its_other_side_becomes_a_case_after_its_clock(stage: Stage) -> None:
    await stage.reconciler.first_top_up(stage)
    await stage.harness.execute()
    await stage.reconcile()
    async with stage.harness.owner.begin() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO clearing_object (object_id, scope, balance_minor, since) "
            f"VALUES ('ch_lost', '{stage.scope}', -5000, stack_now() - interval '2 hours')"
        )
    await stage.reconcile()
    cases = await stage.harness.cases()
    assert [(case.kind, case.subject, case.blocking) for case in cases] == [("clearing_overdue", "ch_lost", True)]


async def test_the_books_equal_stripes_balance(stage: Stage) -> None:
    await stage.reconciler.first_top_up(stage)
    await stage.funded(3)
    await stage.close()
    await stage.harness.execute()
    await stage.reconcile()
    rows = await stage.harness.rows(
        "SELECT -SUM(balance_minor)::bigint AS total FROM ledger_account "
        "WHERE class IN ('psp_pending', 'psp_available')"
    )
    assert rows[0].total == await stage.reconciler.watch.balance(stage)


async def test_once_a_day_four_days_are_read_again_and_what_was_missed_is_taken_in(stage: Stage) -> None:
    await stage.funded(2)
    await stage.move_clock(hours=3)
    await stage.funded(1)
    await stage.reconcile()
    missed = (
        f"DELETE FROM balance_transaction WHERE bt_id = "
        f"(SELECT bt_id FROM balance_transaction WHERE scope = '{stage.scope}' ORDER BY created, bt_id LIMIT 1)"
    )
    async with stage.harness.owner.begin() as connection:
        await connection.exec_driver_sql(missed)
    await stage.reconcile()
    count = "SELECT count(*) AS n FROM balance_transaction WHERE scope = :scope"
    assert (await stage.harness.rows(count, scope=stage.scope))[0].n == 2, "a pass looks an hour back"
    await stage.move_clock(days=1)
    await stage.reconcile()
    assert (await stage.harness.rows(count, scope=stage.scope))[0].n == 3
    assert "psp_mismatch" not in await stage.case_kinds()


async def test_a_movement_whose_figures_change_is_a_blocking_case(stage: Stage) -> None:
    await stage.funded(1)
    await stage.reconcile()
    async with stage.harness.owner.begin() as connection:
        await connection.exec_driver_sql(
            f"UPDATE balance_transaction SET net = net - 1, fee = fee + 1 WHERE scope = '{stage.scope}'"
        )
    await stage.reconcile()
    case = await mismatch(stage, "a balance transaction changed")
    assert case.blocking


async def test_a_movement_in_another_currency_is_a_case_and_moves_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.funded(1)
    read = reconciler.movement_facts
    monkeypatch.setattr(reconciler, "movement_facts", lambda row: replace(read(row), currency="eur"))
    before = await stage.balance("psp_clearing")
    await stage.reconcile()
    await stage.reconcile()
    case = await mismatch(stage, "a balance transaction is in another currency")
    assert case.facts["currency"] == "eur"
    assert (await stage.balance("psp_clearing"), await stage.balance("psp_pending")) == (before, 0)


async def test_a_movement_that_stripe_lists_no_longer_is_a_blocking_case(stage: Stage) -> None:
    gone = (
        "INSERT INTO balance_transaction (bt_id, type, amount, fee, net, currency, source, available_on, status, created, "
        "scope, swept_at) SELECT 'txn_gone', 'charge', 0, 0, 0, 'usd', 'ch_gone', moment, 'available', moment, 'platform', "
        "moment FROM (SELECT stack_now() - interval '2 days' AS moment) AS earlier"
    )
    async with stage.harness.owner.begin() as connection:
        await connection.exec_driver_sql(gone)
    await stage.reconcile()
    case = await mismatch(stage, "a balance transaction is no longer listed")
    assert (case.subject, case.blocking) == ("txn_gone", True)
