"""The float bounds what is collected: joins are let in while it carries their fees, pause when not, and go on by themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest_asyncio

from contracts.envelope import PLATFORM_SCOPE
from contracts.escrow import FloatGauged, FundsHeld, RefundSent, ReservationEnded, TopUpFloat
from contracts.payment_rail import worst_case_fee_minor
from services.escrow.store.float_gauge import figures, left_minor, take_from_shares
from tests.integration.escrow_support import BEN, UNIT_PRICE_MINOR, Stage, of, staged

FEE_MINOR = worst_case_fee_minor(UNIT_PRICE_MINOR)
BUFFER_MINOR = 1_000
JOINS = 3
FLOAT_MINOR = BUFFER_MINOR + JOINS * FEE_MINOR


@pytest_asyncio.fixture
async def stage(harness: Any, tmp_path: Path) -> AsyncIterator[Stage]:
    """A float that has room for three joins of one unit."""
    async with staged(harness, tmp_path, float_top_up_minor=FLOAT_MINOR, float_buffer_minor=BUFFER_MINOR) as made:
        await made.reconciler.first_top_up(made)
        await made.harness.execute()
        await made.reconcile()
        yield made


async def top_up(stage: Stage, amount_minor: int) -> None:
    await stage.harness.deliver(TopUpFloat(top_up_id=uuid4(), amount_minor=amount_minor, currency="usd"), actor=BEN)
    await stage.harness.execute()


async def admission_records(stage: Stage) -> list[tuple[bool, bool]]:
    rows = await stage.harness.rows(
        "SELECT before->'admits' AS was, after->'admits' AS now FROM audit_entry "
        "WHERE action = 'escrow.float.admission' ORDER BY id"
    )
    return [(row.was, row.now) for row in rows]


async def test_joins_are_let_in_until_the_room_is_taken_and_go_on_after_a_top_up(stage: Stage) -> None:
    joins = [stage.join() for _ in range(JOINS)]
    for join in joins:
        assert of(await stage.fund(join), FundsHeld)
    refused = stage.join()
    (ended,) = of(await stage.start(refused), ReservationEnded)
    assert (ended.commitment_id, ended.code) == (refused.commitment_id, "collections_paused")

    (gauge,) = of(await stage.reconcile(), FloatGauged)
    # The fees that Stripe took are out of what is available; nothing is to come, and nothing is left.
    assert (gauge.available_minor, gauge.worst_case_fees_minor, gauge.room_minor) == (BUFFER_MINOR, 0, 0)
    assert (gauge.next_fee_minor, gauge.admits) == (FEE_MINOR, False)
    assert await stage.case_kinds() == ["float_low"]

    await stage.harness.deliver(stage.withdrawn(joins[0], "LOCKED"))
    assert of(await stage.harness.execute(), RefundSent), "refunds go on"

    await top_up(stage, FEE_MINOR)
    assert [each.admits for each in of(await stage.reconcile(full=False), FloatGauged)] == [True]
    assert await stage.case_kinds() == []
    assert await admission_records(stage) == [(False, True), (True, False), (False, True)]
    assert of(await stage.fund(stage.join()), FundsHeld)


async def test_room_that_a_reservation_did_not_need_comes_back(stage: Stage) -> None:
    for _ in range(JOINS):
        await stage.harness.deliver(await stage.reserved(stage.join()))
    assert await left_minor(stage.engine) == 0
    await stage.reconcile()
    assert await left_minor(stage.engine) == 0, "a reservation that awaits its funds may still cost a fee"
    await stage.move_clock(minutes=17)
    await stage.reconcile()
    assert await left_minor(stage.engine) == JOINS * FEE_MINOR


async def test_money_on_its_way_to_the_balance_carries_nothing(stage: Stage) -> None:
    before = await figures(stage.engine)
    await stage.harness.deliver(TopUpFloat(top_up_id=uuid4(), amount_minor=50_000, currency="usd"), actor=BEN)
    await stage.harness.execute()
    after = await figures(stage.engine)
    assert (after.held_minor - before.held_minor, after.not_yet_minor - before.not_yet_minor) == (50_000, 50_000)


async def test_two_transactions_never_take_the_same_room_and_never_wait_for_each_other(stage: Stage) -> None:
    room = await left_minor(stage.engine)
    async with stage.transaction([str(uuid4())]) as first, stage.transaction([str(uuid4())]) as second:
        taken = [await take_from_shares(work, FEE_MINOR) for work in (first, second) * JOINS]
        assert taken.count(True) <= JOINS
    assert await left_minor(stage.engine) == room - taken.count(True) * FEE_MINOR


async def test_a_measurement_in_the_midst_of_a_join_gives_no_room_twice(stage: Stage) -> None:
    join = stage.join()
    async with stage.transaction([PLATFORM_SCOPE]) as work:
        # A join that has taken its room and is not committed; what it has not written nobody can count yet.
        assert await take_from_shares(work, FEE_MINOR)
        found = await figures(stage.engine)
        assert (sum(found.left), found.payments) == (FLOAT_MINOR - BUFFER_MINOR, ())
    await stage.harness.deliver(await stage.reserved(join))
    await stage.reconcile()
    # The first one wrote no reservation, so its room is free again; the second one's is not.
    assert await left_minor(stage.engine) == (JOINS - 1) * FEE_MINOR
