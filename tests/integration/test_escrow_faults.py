"""Stripe failing in every scripted way: each act happens exactly once, and is found again where its answer was lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from contracts.clearing import FundsReleased, PlanByHandSubmitted, SubmitPlanByHand, TransferReversed, WantedLine
from contracts.escrow import FundsHeld, RefundSent
from tests.fixtures.harness import Published
from tests.integration.escrow_support import ANA, Stage, of, staged, staged_beside
from tests.integration.standin_support import Standin, running

FAULTS = (
    "timeout_before",
    "timeout_after",
    "fail_500_before",
    "fail_500_after",
    "rate_limit_429",
    "conflict_409",
)
ROUNDS_MAX = 60


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def standin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Standin]:
    async with running(tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest_asyncio.fixture
async def stage(harness: Any, standin: Standin) -> AsyncIterator[Stage]:
    async with staged_beside(harness, standin, stripe_timeout_seconds=1) as made:
        yield made
    await standin.control("DELETE", "faults")


async def until_answered(stage: Stage) -> list[Published]:
    """Execute until no intent is open, as the running executor does."""
    published: list[Published] = []
    for _ in range(ROUNDS_MAX):
        published += await stage.harness.execute()
        if not await stage.harness.intents():
            return published
        await asyncio.sleep(0.1)
    raise AssertionError("an intent stayed open")


@pytest.mark.parametrize("action", FAULTS)
async def test_a_payment_is_made_once_whatever_happens_to_its_call(stage: Stage, action: str) -> None:
    join = stage.join()
    await stage.start(join)
    await stage.standin.fault(match={"method": "POST", "path": "/v1/payment_intents"}, action=action)
    assert len(of(await until_answered(stage), FundsHeld)) == 1
    page = await stage.standin.sdk.payment_intents.list_async({"limit": 100})
    mine = [each for each in page.data if stage.scope in str(each.metadata) and each.status == "succeeded"]
    assert len(mine) == 1
    assert await stage.balance(f"escrow:{join.commitment_id}") == join.amount_minor


@pytest.mark.parametrize("action", FAULTS)
async def test_a_refund_is_made_once_whatever_happens_to_its_call(stage: Stage, action: str) -> None:
    (join,) = await stage.funded()
    await stage.harness.deliver(stage.withdrawn(join, "LOCKED"))
    await stage.standin.fault(match={"method": "POST", "path": "/v1/refunds"}, action=action)
    assert len(of(await until_answered(stage), RefundSent)) == 1
    page = await stage.standin.sdk.refunds.list_async({"limit": 100})
    assert len([each for each in page.data if stage.scope in str(each.metadata)]) == 1
    assert await stage.class_balance("refund_payable") == 0


@pytest.mark.parametrize("action", FAULTS)
async def test_a_transfer_is_made_once_whatever_happens_to_its_call(stage: Stage, action: str) -> None:
    await stage.reconciler.first_top_up(stage)
    await stage.funded(2)
    await stage.to_inspection()
    await stage.reconcile()
    await stage.approved()
    await stage.standin.fault(match={"method": "POST", "path": "/v1/transfers"}, action=action)
    assert len(of(await until_answered(stage), FundsReleased)) == 1
    page = await stage.standin.sdk.transfers.list_async({"transfer_group": stage.scope})
    assert len(page.data) == 1
    assert await stage.balance("supplier_payable") == 0


@pytest.mark.parametrize("action", FAULTS)
async def test_a_reversal_is_made_once_whatever_happens_to_its_call(stage: Stage, action: str) -> None:
    await stage.reconciler.first_top_up(stage)
    joins = await stage.funded(2)
    await stage.to_inspection()
    await stage.reconcile()
    release, _ = await stage.approved()
    (released,) = of(await until_answered(stage), FundsReleased)
    await stage.completed(release)
    command = SubmitPlanByHand(
        campaign_id=stage.campaign_id,
        plan_id=uuid4(),
        plan_kind="recovery",
        reason="told by phone, case 12",
        reason_code="quality_issue",
        lines=(WantedLine(commitment_id=joins[0].commitment_id, amount_minor=3_000),),
        currency="usd",
        evidence=("doc:7f3a",),
        target_plan_id=release,
    )
    (submitted,) = of(await stage.harness.deliver(command, actor=ANA), PlanByHandSubmitted)
    await stage.approve(command.plan_id, submitted.plan_hash)
    path = f"/v1/transfers/{released.transfer_id}/reversals"
    await stage.standin.fault(match={"method": "POST", "path": path}, action=action)
    assert [each.recovered for each in of(await until_answered(stage), TransferReversed)] == [True]
    page = await stage.standin.sdk.transfers.reversals.list_async(released.transfer_id)
    assert [each.amount for each in page.data] == [3_000]


async def test_a_call_whose_key_is_forgotten_is_found_before_it_is_made_again(harness: Any, tmp_path: Any) -> None:
    async with staged(harness, tmp_path) as stage:
        join = stage.join()
        await stage.start(join)
        (intent,) = await stage.harness.intents("payment")
        await stage.harness.service.purposes["payment"].call(intent)
        async with stage.harness.owner.begin() as connection:
            await connection.exec_driver_sql(
                "UPDATE intent SET state = 'attempted', attempts = 1, first_attempted_at = stack_now(), "
                "first_attempted_wall = clock_timestamp() - interval '25 hours', "
                "last_attempted_wall = clock_timestamp() - interval '25 hours'"
            )
        await stage.standin.move_clock(25 * 3600)
        await stage.harness.advance(hours=25)
        assert len(of(await stage.harness.execute(), FundsHeld)) == 1
        page = await stage.standin.sdk.payment_intents.list_async({})
        assert len(page.data) == 1
