"""Clearing: conditions, two people, lines, the transfer and its refusal, reserves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from contracts.clearing import (
    ClearingPlanStopped,
    ClearingPlanSubmitted,
    FundsReleased,
    RetryPlanTransfer,
    TransferRefused,
)
from contracts.envelope import Actor
from contracts.housekeeping import EscrowCommandRefused
from contracts.suppliers import IssueDecided
from services.escrow.usecases import clear_plan
from tests.integration.escrow_support import ANA, BEN, Join, Stage, kinds, of, staged, staged_beside
from tests.integration.standin_support import Standin, running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def standin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Standin]:
    async with running(tmp_path_factory.mktemp("clearing")) as made:
        yield made


@pytest_asyncio.fixture
async def stage(harness: Any, standin: Standin) -> AsyncIterator[Stage]:
    async with staged_beside(harness, standin) as made:
        yield made


async def make_available(stage: Stage) -> None:
    """Let what was charged become available at Stripe, and see it."""
    await stage.reconcile()
    await stage.move_clock(days=3)
    await stage.reconcile()


def decision(stage: Stage, join: Join, issue_id: Any, verdict: str) -> IssueDecided:
    return IssueDecided(
        campaign_id=stage.campaign_id,
        commitment_id=join.commitment_id,
        participant_id=join.participant_id,
        issue_id=issue_id,
        verdict=verdict,
    )


async def test_two_people_release_the_funds_less_the_fee(stage: Stage) -> None:
    await stage.reconciler.first_top_up(stage)
    joins = await stage.funded(4)
    await stage.to_inspection()
    await make_available(stage)
    plan_id, approved = await stage.approved()
    assert kinds(approved) == ["ClearingPlanApproved", "ClearingPlanCleared"]
    (released,) = of(await stage.harness.execute(), FundsReleased)
    assert (released.net_minor, released.fee_minor) == (19_000, 1_000)
    assert set(released.released_commitment_ids) == {join.commitment_id for join in joins}
    assert await stage.class_balance("escrow") == 0
    assert await stage.balance("supplier_payable") == 0
    assert await stage.balance("platform_fee") == 1_000
    page = await stage.standin.sdk.transfers.list_async({"transfer_group": stage.scope})
    assert [(each.amount, each.destination) for each in page.data] == [(19_000, stage.account_id)]
    for event in await stage.webhooks("transfer.created"):
        assert await stage.harness.deliver(event) == []
    rows = await stage.harness.rows("SELECT state FROM clearing_plan WHERE plan_id = :plan_id", plan_id=plan_id)
    assert [row.state for row in rows] == ["SENT"]


async def test_a_plan_names_every_condition_with_its_evidence(stage: Stage) -> None:
    await stage.funded(2)
    await stage.to_inspection()
    _, published = await stage.submit()
    (submitted,) = of(published, ClearingPlanSubmitted)
    assert all(condition.met for condition in submitted.conditions)
    with_evidence = {condition.name for condition in submitted.conditions if condition.evidence}
    assert with_evidence >= {"supplier_accepted", "fulfillment_confirmed", "inspection_over", "issue_rule"}
    assert (submitted.gross_minor, submitted.fee_minor, submitted.net_minor) == (10_000, 500, 9_500)


@pytest.mark.parametrize("verdict", ["hold"])
async def test_a_hold_verdict_refuses_a_plan(stage: Stage, verdict: str) -> None:
    await stage.funded()
    await stage.to_inspection(verdict=verdict)
    _, published = await stage.submit()
    (refused,) = of(published, EscrowCommandRefused)
    assert (refused.code, refused.facts["unmet"]) == ("release_conditions_unmet", ["issue_rule"])


async def test_a_plan_before_the_inspection_is_over_is_refused(stage: Stage) -> None:
    await stage.funded()
    _, published = await stage.submit()
    (refused,) = of(published, EscrowCommandRefused)
    assert refused.code == "release_conditions_unmet"
    assert "inspection_over" in refused.facts["unmet"]


@pytest.mark.parametrize(
    ("by", "stale", "code"),
    [
        (ANA, False, "approver_is_maker"),
        (BEN, True, "plan_hash_stale"),
        (Actor("olga", "operations"), False, "not_allowed"),
    ],
)
async def test_an_approval_is_refused(stage: Stage, by: Actor, stale: bool, code: str) -> None:
    await stage.funded()
    await stage.to_inspection()
    plan_id, published = await stage.submit()
    (submitted,) = of(published, ClearingPlanSubmitted)
    answer = await stage.approve(plan_id, "0" * 64 if stale else submitted.plan_hash, by=by)
    assert [each.code for each in of(answer, EscrowCommandRefused)] == [code]
    assert await stage.balance("supplier_payable") == 0


async def test_an_unknown_plan_and_a_second_approval_are_refused(stage: Stage) -> None:
    await stage.funded()
    await stage.to_inspection()
    unknown = await stage.approve(uuid4(), "0" * 64)
    assert [each.code for each in of(unknown, EscrowCommandRefused)] == ["plan_unknown"]
    plan_id, published = await stage.submit()
    (submitted,) = of(published, ClearingPlanSubmitted)
    await stage.approve(plan_id, submitted.plan_hash)
    again = await stage.approve(plan_id, submitted.plan_hash)
    assert [each.code for each in of(again, EscrowCommandRefused)] == ["plan_state_conflict"]
    _, second = await stage.submit()
    assert [each.code for each in of(second, EscrowCommandRefused)] == ["release_under_way"]


async def test_a_new_draft_takes_the_place_of_the_old_one(stage: Stage) -> None:
    await stage.funded()
    await stage.to_inspection()
    first, _ = await stage.submit()
    _, published = await stage.submit()
    (stopped,) = of(published, ClearingPlanStopped)
    assert (stopped.plan_id, stopped.code) == (first, "superseded")


async def test_a_cleared_plan_waits_until_enough_is_available(harness: Any, tmp_path: Path) -> None:
    async with staged(harness, tmp_path, float_top_up_minor=2_000, float_buffer_minor=0) as stage:
        await stage.reconciler.first_top_up(stage)
        await stage.harness.execute()
        await stage.funded(2)
        await stage.to_inspection()
        await stage.reconcile()
        _, approved = await stage.approved()
        assert kinds(approved) == ["ClearingPlanApproved", "ClearingPlanCleared"]
        assert await stage.harness.intents("transfer") == []
        await stage.move_clock(days=3)
        await stage.reconcile()
        assert len(await stage.harness.intents("transfer")) == 1
        assert of(await stage.harness.execute(), FundsReleased)


async def test_a_refused_transfer_waits_in_a_case_and_is_sent_once_after_its_cause_is_mended(stage: Stage) -> None:
    await stage.reconciler.first_top_up(stage)
    await stage.funded(2)
    await stage.to_inspection()
    await make_available(stage)
    status, answer = await stage.standin.control("POST", f"accounts/{stage.account_id}/restrict")
    assert status == 200, answer
    plan_id, _ = await stage.approved()
    published = await stage.harness.execute()
    (refused,) = of(published, TransferRefused)
    assert refused.code == "insufficient_capabilities_for_transfer"
    assert "transfer_refused" in await stage.case_kinds()
    retry = RetryPlanTransfer(campaign_id=stage.campaign_id, plan_id=plan_id)
    early = await stage.harness.deliver(retry, actor=Actor("olga", "operations"))
    assert [each.code for each in of(early, EscrowCommandRefused)] == ["not_allowed"]
    await stage.standin.control("POST", f"accounts/{stage.account_id}/unrestrict")
    await stage.harness.deliver(retry, actor=ANA)
    again = await stage.harness.deliver(retry, actor=ANA)
    assert [each.code for each in of(again, EscrowCommandRefused)] == ["plan_state_conflict"]
    published = await stage.harness.execute()
    assert len(of(published, FundsReleased)) == 1
    assert "transfer_refused" not in await stage.case_kinds()
    page = await stage.standin.sdk.transfers.list_async({"transfer_group": stage.scope})
    assert len(page.data) == 1


async def test_many_lines_clear_in_bounded_transactions(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clear_plan, "LINES_PER_TRANSACTION_MAX", 2)
    await stage.reconciler.first_top_up(stage)
    await stage.funded(5)
    await stage.to_inspection()
    await make_available(stage)
    _, approved = await stage.approved()
    assert kinds(approved) == ["ClearingPlanApproved"]
    assert await stage.balance("supplier_payable") == 10_000
    assert kinds(await stage.harness.advance(seconds=1)) == ["ClearingPlanCleared"]
    (released,) = of(await stage.harness.execute(), FundsReleased)
    assert len(released.released_commitment_ids) == 5


async def test_a_line_that_changed_between_batches_stops_the_plan_before_anything_is_sent(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clear_plan, "LINES_PER_TRANSACTION_MAX", 2)
    joins = sorted(await stage.funded(3), key=lambda join: join.commitment_id)
    last = joins[-1]
    (issue_id,) = await stage.to_inspection(open_issues=[last], verdict="release_less_reserve")
    await stage.approved()
    await stage.harness.deliver(decision(stage, last, issue_id, "upheld"))
    published = await stage.harness.advance(seconds=1)
    (stopped,) = of(published, ClearingPlanStopped)
    assert stopped.code == "line_changed"
    assert await stage.balance("supplier_payable") == 0
    assert await stage.class_balance("escrow") == 10_000
    assert await stage.harness.intents("transfer") == []


async def test_an_issue_upheld_after_the_submission_stops_the_plan_at_its_approval(stage: Stage) -> None:
    joins = await stage.funded(3)
    (issue_id,) = await stage.to_inspection(open_issues=joins[:1], verdict="release_less_reserve")
    plan_id, published = await stage.submit()
    (submitted,) = of(published, ClearingPlanSubmitted)
    assert submitted.reserve_minor == 5_000
    await stage.harness.deliver(decision(stage, joins[0], issue_id, "upheld"))
    answer = await stage.approve(plan_id, submitted.plan_hash)
    assert kinds(answer) == ["ClearingPlanStopped", "EscrowCommandRefused"]
    assert [each.code for each in of(answer, EscrowCommandRefused)] == ["plan_hash_stale"]


async def test_a_reserve_is_released_by_a_plan_of_its_own_after_completion(stage: Stage) -> None:
    await stage.reconciler.first_top_up(stage)
    joins = await stage.funded(3)
    (issue_id,) = await stage.to_inspection(open_issues=joins[:1], verdict="release_less_reserve")
    await make_available(stage)
    plan_id, _ = await stage.approved()
    (released,) = of(await stage.harness.execute(), FundsReleased)
    assert released.reserve_commitment_ids == (joins[0].commitment_id,)
    assert await stage.balance(f"reserve:{joins[0].commitment_id}") == 5_000
    await stage.completed(plan_id)
    _, early = await stage.submit("reserve_release")
    assert [each.code for each in of(early, EscrowCommandRefused)] == ["release_conditions_unmet"]
    await stage.harness.deliver(decision(stage, joins[0], issue_id, "rejected"))
    await stage.approved("reserve_release")
    (second,) = of(await stage.harness.execute(), FundsReleased)
    assert (second.plan_kind, second.net_minor, second.fee_minor) == ("reserve_release", 4_750, 250)
    assert await stage.class_balance("reserve") == 0


async def test_an_upheld_issue_is_refunded_from_the_reserve(stage: Stage) -> None:
    await stage.reconciler.first_top_up(stage)
    joins = await stage.funded(3)
    (issue_id,) = await stage.to_inspection(open_issues=joins[:1], verdict="release_less_reserve")
    await make_available(stage)
    plan_id, _ = await stage.approved()
    await stage.harness.execute()
    await stage.completed(plan_id)
    published = await stage.harness.deliver(decision(stage, joins[0], issue_id, "upheld"))
    assert kinds(published) == ["RefundDecided"]
    await stage.harness.execute()
    assert await stage.class_balance("reserve") == 0
    assert await stage.class_balance("refund_payable") == 0


async def test_a_reversed_transfer_is_owed_to_the_supplier_again_with_a_case(stage: Stage) -> None:
    await stage.reconciler.first_top_up(stage)
    await stage.funded(2)
    await stage.to_inspection()
    await make_available(stage)
    await stage.approved()
    (released,) = of(await stage.harness.execute(), FundsReleased)
    await stage.standin.sdk.transfers.reversals.create_async(released.transfer_id, {"amount": 1_000})
    events = await stage.webhooks("transfer.reversed")
    assert kinds(await stage.harness.deliver(*events)) == ["TransferReversed", "EscrowCaseOpened"]
    assert await stage.harness.deliver(*events) == []
    assert await stage.balance("supplier_payable") == 1_000
