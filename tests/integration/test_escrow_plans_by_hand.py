"""Acts on money by hand: what a maker may ask for, what is shown before the second approval, and what each kind does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from contracts.clearing import (
    ClearingPlanCompleted,
    ClearingPlanLinesTold,
    ClearingPlanProgressed,
    ClearingPlanStopped,
    FundsReleased,
    PlanByHandSubmitted,
    RetryPlanTransfer,
    SubmitPlanByHand,
    TakePlanBack,
    TransferRefused,
    TransferReversed,
    WantedLine,
)
from contracts.envelope import Actor
from contracts.escrow import CampaignSettled, RefundDecided, RefundOwedAgain, RefundPaidOutside, RefundSent
from contracts.housekeeping import EscrowCommandRefused
from services.escrow.domain.plan_rules import PLAN_RULES
from services.escrow.usecases import clear_plan
from tests.fixtures.harness import Published
from tests.integration.escrow_support import ANA, BEN, OLGA, Join, Stage, kinds, of, staged_beside
from tests.integration.standin_support import Standin, running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def standin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Standin]:
    async with running(tmp_path_factory.mktemp("by_hand")) as made:
        yield made


@pytest_asyncio.fixture
async def stage(harness: Any, standin: Standin) -> AsyncIterator[Stage]:
    async with staged_beside(harness, standin) as made:
        yield made


async def by_hand(
    stage: Stage, kind: str, lines: Iterable[tuple[Join, int]] = (), *, by: Actor = ANA, **asked: Any
) -> tuple[UUID, list[Published]]:
    """Submit an act by hand over these commitments."""
    wanted = tuple(WantedLine(commitment_id=join.commitment_id, amount_minor=amount) for join, amount in lines)
    values = {
        "lines": wanted,
        "currency": "usd" if wanted else None,
        "reason_code": min(PLAN_RULES[kind].reasons),
        "evidence": ("doc:7f3a",),
        **asked,
    }
    plan_id = uuid4()
    command = SubmitPlanByHand(
        campaign_id=stage.campaign_id, plan_id=plan_id, plan_kind=kind, reason="told by phone, case 12", **values
    )
    return plan_id, await stage.harness.deliver(command, actor=by)


async def done_by_hand(
    stage: Stage, kind: str, lines: Iterable[tuple[Join, int]] = (), **asked: Any
) -> tuple[UUID, list[Published]]:
    """Submit an act by hand and approve it as another person."""
    plan_id, published = await by_hand(stage, kind, lines, **asked)
    (submitted,) = of(published, PlanByHandSubmitted)
    return plan_id, await stage.approve(plan_id, submitted.plan_hash)


def code(published: list[Published]) -> str:
    (refused,) = of(published, EscrowCommandRefused)
    return refused.code


async def state(stage: Stage, plan_id: UUID) -> str:
    rows = await stage.harness.rows("SELECT state FROM clearing_plan WHERE plan_id = :id", id=plan_id)
    return str(rows[0].state)


async def released(stage: Stage, *, with_float: bool = True) -> tuple[list[Join], UUID, str]:
    """A completed campaign: its joins, its release and the transfer."""
    if with_float:
        await stage.reconciler.first_top_up(stage)
    joins = await stage.funded(2)
    await stage.to_inspection()
    await stage.reconcile()
    await stage.move_clock(days=3)
    await stage.reconcile()
    plan_id, _ = await stage.approved()
    (sent,) = of(await stage.harness.execute(), FundsReleased)
    await stage.completed(plan_id)
    return joins, plan_id, sent.transfer_id


async def failed_refunds(stage: Stage, count: int = 1) -> list[Join]:
    """Commitments whose refunds Stripe refused after they had been paid."""
    joins = await stage.funded(count, card="pm_card_refundFail")
    for join in joins:
        await stage.harness.deliver(stage.withdrawn(join, "LOCKED"))
    await stage.harness.execute()
    await stage.move_clock(days=2)
    await stage.harness.deliver(*await stage.webhooks("refund.failed", "refund.updated"))
    assert await stage.class_balance("refund_payable") == 5_000 * count
    return joins


async def test_a_whole_refund_by_hand_is_decided_by_two_people_and_completed_when_paid(stage: Stage) -> None:
    joins = await stage.funded(2)
    plan_id, published = await by_hand(stage, "manual_refund", [(joins[0], 5_000)])
    (submitted,) = of(published, PlanByHandSubmitted)
    shown = {each.account: (each.before_minor, each.after_minor) for each in submitted.preview}
    assert shown == {"escrow": (10_000, 5_000), "refund_payable": (0, 5_000)}
    (line,) = of(published, ClearingPlanLinesTold)[0].lines
    assert (line.account, line.before_minor, line.after_minor) == (f"escrow:{joins[0].commitment_id}", 5_000, 0)
    approved = await stage.approve(plan_id, submitted.plan_hash)
    (decided,) = of(approved, RefundDecided)
    assert (decided.plan_id, decided.reason) == (plan_id, "delay_exit")
    assert await state(stage, plan_id) == "CLEARED"
    (completed,) = of(await stage.harness.execute(), ClearingPlanCompleted)
    assert (completed.lines_applied, completed.lines_failed, completed.amount_minor) == (1, 0, 5_000)
    assert await stage.class_balance("escrow") == 5_000
    assert await stage.class_balance("refund_payable") == 0


async def test_a_draft_is_taken_back_by_its_maker_alone_and_before_its_approval_alone(stage: Stage) -> None:
    (join,) = await stage.funded()
    plan_id, published = await by_hand(stage, "partial_refund", [(join, 1_200)])
    (submitted,) = of(published, PlanByHandSubmitted)
    back = TakePlanBack(campaign_id=stage.campaign_id, plan_id=plan_id)
    assert code(await stage.harness.deliver(back, actor=BEN)) == "not_the_maker"
    assert code(await stage.harness.deliver(back, actor=OLGA)) == "not_allowed"
    (stopped,) = of(await stage.harness.deliver(back, actor=ANA), ClearingPlanStopped)
    assert (stopped.code, await state(stage, plan_id)) == ("taken_back", "STOPPED")
    assert code(await stage.harness.deliver(back, actor=ANA)) == "plan_state_conflict"
    assert code(await stage.approve(plan_id, submitted.plan_hash)) == "plan_state_conflict"
    assert await stage.class_balance("escrow") == 5_000
    records = await stage.harness.rows(
        "SELECT action, actor_id, reason FROM audit_entry WHERE subject = :id ORDER BY id", id=str(plan_id)
    )
    assert [(each.action, each.actor_id, each.reason) for each in records][1:4] == [
        ("escrow.plan_taking_back.refused", BEN.id, "not_the_maker"),
        ("escrow.plan_taking_back.refused", OLGA.id, "not_allowed"),
        ("escrow.plan.moved", ANA.id, "taken_back"),
    ]
    again, _ = await done_by_hand(stage, "partial_refund", [(join, 1_200)])
    taking = TakePlanBack(campaign_id=stage.campaign_id, plan_id=again)
    assert code(await stage.harness.deliver(taking, actor=ANA)) == "plan_state_conflict"


async def test_a_part_is_refunded_and_the_rest_is_released_later(stage: Stage) -> None:
    await stage.reconciler.first_top_up(stage)
    joins = await stage.funded(2)
    await done_by_hand(stage, "partial_refund", [(joins[0], 1_200)])
    (sent,) = of(await stage.harness.execute(), RefundSent)
    assert (sent.amount_minor, sent.reason) == (1_200, "partial")
    await stage.to_inspection()
    await stage.reconcile()
    await stage.move_clock(days=3)
    await stage.reconcile()
    await stage.approved()
    (paid,) = of(await stage.harness.execute(), FundsReleased)
    assert paid.net_minor + paid.fee_minor == 8_800


@pytest.mark.parametrize(
    ("kind", "amount", "asked", "wanted"),
    [
        ("manual_refund", 0, {}, "amount_not_positive"),
        ("manual_refund", -5, {}, "amount_not_positive"),
        ("manual_refund", 10**16, {}, "amount_out_of_range"),
        ("manual_refund", 5_001, {}, "line_exceeds_balance"),
        ("manual_refund", 4_999, {}, "line_not_whole"),
        ("partial_refund", 5_000, {}, "line_not_partial"),
        ("manual_refund", 5_000, {"currency": "eur"}, "currency_mismatch"),
        ("manual_refund", 5_000, {"evidence": ()}, "evidence_missing"),
        ("manual_refund", 5_000, {"reason_code": "chargeback"}, "reason_code_not_allowed"),
        ("goodwill", 100, {}, "commitment_not_released"),
        ("outside_payout", 5_000, {}, "refund_not_failed"),
        ("recovery", 5_000, {}, "plan_target_missing"),
        ("recovery", 5_000, {"target_plan_id": uuid4()}, "plan_target_unfit"),
        ("correction", 5_000, {"target_position": 1}, "plan_target_unfit"),
        ("give_up", 5_000, {"target_plan_id": uuid4()}, "plan_lines_unexpected"),
    ],
)
async def test_a_request_that_does_not_fit_is_refused_with_its_reason_and_recorded(
    stage: Stage, kind: str, amount: int, asked: dict[str, Any], wanted: str
) -> None:
    (join,) = await stage.funded()
    plan_id, published = await by_hand(stage, kind, [(join, amount)], **asked)
    assert code(published) == wanted
    rows = await stage.harness.rows(
        "SELECT actor_id, reason FROM audit_entry WHERE action = 'escrow.plan_submission.refused' AND subject = :id",
        id=str(plan_id),
    )
    assert [tuple(row) for row in rows] == [(ANA.id, wanted)]
    assert await stage.balance(f"escrow:{join.commitment_id}") == 5_000


async def test_lines_must_be_named_once_and_be_of_the_campaign(stage: Stage) -> None:
    (join,) = await stage.funded()
    assert code((await by_hand(stage, "manual_refund"))[1]) == "plan_lines_missing"
    assert code((await by_hand(stage, "manual_refund", [(join, 1), (join, 1)]))[1]) == "line_repeated"
    elsewhere = uuid4()
    await stage.open(campaign_id=elsewhere)
    ours, stage.campaign_id = stage.campaign_id, elsewhere
    (stranger,) = await stage.funded()
    stage.campaign_id = ours
    assert code((await by_hand(stage, "manual_refund", [(stranger, 5_000)]))[1]) == "commitment_not_in_campaign"
    by_operations = await by_hand(stage, "manual_refund", [(join, 5_000)], by=Actor("olga", "operations"))
    assert code(by_operations[1]) == "not_allowed"


async def test_one_person_cannot_approve_an_own_plan_and_nobody_approves_twice(stage: Stage) -> None:
    (join,) = await stage.funded()
    plan_id, published = await by_hand(stage, "manual_refund", [(join, 5_000)])
    (submitted,) = of(published, PlanByHandSubmitted)
    assert code(await stage.approve(plan_id, submitted.plan_hash, by=ANA)) == "approver_is_maker"
    assert code(await stage.approve(plan_id, "0" * 64)) == "plan_hash_stale"
    await stage.approve(plan_id, submitted.plan_hash)
    assert code(await stage.approve(plan_id, submitted.plan_hash)) == "plan_state_conflict"
    rows = await stage.harness.rows(
        "SELECT actor_id, reason FROM audit_entry WHERE action = 'escrow.plan_approval.refused' ORDER BY id"
    )
    assert [tuple(row) for row in rows] == [
        (ANA.id, "approver_is_maker"),
        (BEN.id, "plan_hash_stale"),
        (BEN.id, "plan_state_conflict"),
    ]


async def test_a_draft_whose_facts_changed_is_stopped_at_its_approval(stage: Stage) -> None:
    (join,) = await stage.funded()
    plan_id, published = await by_hand(stage, "manual_refund", [(join, 5_000)])
    (submitted,) = of(published, PlanByHandSubmitted)
    await stage.harness.deliver(stage.withdrawn(join, "LOCKED"))
    answer = await stage.approve(plan_id, submitted.plan_hash)
    assert code(answer) == "line_exceeds_balance"
    assert [each.code for each in of(answer, ClearingPlanStopped)] == ["line_exceeds_balance"]


async def test_a_line_that_fails_between_two_parts_becomes_a_case_and_the_others_go_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clear_plan, "LINES_PER_TRANSACTION_MAX", 2)
    joins = sorted(await stage.funded(5), key=lambda join: join.commitment_id)
    plan_id, approved = await done_by_hand(stage, "manual_refund", [(join, 5_000) for join in joins])
    assert [(each.lines_applied, each.lines_failed) for each in of(approved, ClearingPlanProgressed)] == [(2, 0)]
    _, second = await by_hand(stage, "goodwill", [(joins[4], 1)])
    assert code(second) == "plan_under_way"
    await stage.harness.deliver(stage.withdrawn(joins[3], "LOCKED"))
    rest = await stage.harness.advance(seconds=1)
    assert [(each.lines_applied, each.lines_failed) for each in of(rest, ClearingPlanProgressed)] == [(3, 1), (4, 1)]
    assert await stage.case_kinds() == ["plan_line_failed"]
    (completed,) = of(await stage.harness.execute(), ClearingPlanCompleted)
    assert (completed.plan_id, completed.lines_applied, completed.lines_failed) == (plan_id, 4, 1)
    assert completed.amount_minor == 20_000
    assert await stage.class_balance("escrow") == 0


async def test_a_refund_of_a_plan_that_stripe_refuses_is_a_case_and_the_plan_waits(stage: Stage) -> None:
    (join,) = await stage.funded(card="pm_card_refundPendingFail")
    plan_id, _ = await done_by_hand(stage, "manual_refund", [(join, 5_000)])
    await stage.harness.execute()
    await stage.move_clock(days=1)
    await stage.harness.deliver(*await stage.webhooks("refund.failed"))
    assert await stage.case_kinds() == ["refund_failed"]
    assert await state(stage, plan_id) == "CLEARED"
    outside, paid = await done_by_hand(stage, "outside_payout", [(join, 5_000)])
    assert kinds(paid)[-2:] == ["ClearingPlanCompleted", "ClearingPlanCompleted"]
    assert (await state(stage, plan_id), await state(stage, outside)) == ("DONE", "DONE")


async def test_a_refund_that_failed_is_paid_outside_once_and_settles_its_campaign(stage: Stage) -> None:
    (join,) = await failed_refunds(stage)
    assert code((await by_hand(stage, "outside_payout", [(join, 4_000)]))[1]) == "line_not_whole"
    _, paid = await done_by_hand(stage, "outside_payout", [(join, 5_000)])
    (told,) = of(paid, RefundPaidOutside)
    assert told.amount_minor == 5_000
    assert await stage.balance("house_paid") == 5_000
    assert await stage.case_kinds() == []
    assert await stage.harness.advance(days=2) == []
    assert code((await by_hand(stage, "outside_payout", [(join, 5_000)]))[1]) == "refund_not_failed"
    assert of(await stage.close(), CampaignSettled)


async def test_a_payment_outside_that_was_recorded_wrongly_is_taken_back_exactly(stage: Stage) -> None:
    wrong, right = await failed_refunds(stage, 2)
    await done_by_hand(stage, "outside_payout", [(wrong, 5_000)])
    (row,) = await stage.harness.rows("SELECT position FROM ledger_transfer WHERE kind = 'refund_paid_outside'")
    plan_id, published = await by_hand(stage, "correction", [(right, 5_000)], target_position=row.position)
    (submitted,) = of(published, PlanByHandSubmitted)
    assert {each.account: each.movement_minor for each in submitted.preview} == {"refund_payable": 0, "house_paid": 0}
    approved = await stage.approve(plan_id, submitted.plan_hash)
    assert [each.commitment_id for each in of(approved, RefundOwedAgain)] == [wrong.commitment_id]
    assert [each.commitment_id for each in of(approved, RefundPaidOutside)] == [right.commitment_id]
    assert await stage.balance(f"refund_payable:{wrong.commitment_id}") == 5_000
    assert await stage.balance(f"refund_payable:{right.commitment_id}") == 0
    again = await by_hand(stage, "correction", target_position=row.position)
    assert code(again[1]) == "plan_target_unfit"


async def test_goodwill_is_paid_by_the_platform_and_never_above_the_price(stage: Stage) -> None:
    joins, _, _ = await released(stage)
    assert code((await by_hand(stage, "goodwill", [(joins[0], 5_001)]))[1]) == "goodwill_above_price"
    plan_id, approved = await done_by_hand(stage, "goodwill", [(joins[0], 3_000)])
    assert [(each.goodwill, each.amount_minor) for each in of(approved, RefundDecided)] == [(True, 3_000)]
    assert code((await by_hand(stage, "goodwill", [(joins[0], 2_001)]))[1]) == "goodwill_above_price"
    assert of(await stage.harness.execute(), ClearingPlanCompleted)
    assert (await stage.balance("goodwill"), await state(stage, plan_id)) == (-3_000, "DONE")
    (head,) = await stage.harness.rows("SELECT settled_at FROM ledger_scope WHERE scope = :scope", scope=stage.scope)
    assert head.settled_at is not None


async def test_goodwill_beyond_the_float_is_refused(stage: Stage) -> None:
    joins, _, _ = await released(stage, with_float=False)
    assert code((await by_hand(stage, "goodwill", [(joins[0], 3_000)]))[1]) == "float_too_low"


async def test_money_of_a_released_transfer_is_recovered_once(stage: Stage) -> None:
    joins, release, transfer_id = await released(stage)
    too_much = await by_hand(
        stage, "recovery", [(join, 5_000) for join in joins], reason_code="quality_issue", target_plan_id=release
    )
    assert code(too_much[1]) == "line_exceeds_balance"
    plan_id, approved = await done_by_hand(
        stage, "recovery", [(joins[0], 4_000)], reason_code="quality_issue", target_plan_id=release
    )
    assert await state(stage, plan_id) == "SENDING"
    assert kinds(approved) == ["ClearingPlanApproved"]
    published = await stage.harness.execute()
    assert [each.recovered for each in of(published, TransferReversed)] == [True]
    assert of(published, ClearingPlanCompleted)
    assert await stage.balance("dispute_loss") == 4_000
    page = await stage.standin.sdk.transfers.reversals.list_async(transfer_id)
    assert [each.amount for each in page.data] == [4_000]
    assert await stage.harness.deliver(*await stage.webhooks("transfer.reversed")) == []
    await stage.reconcile()
    assert await stage.case_kinds() == []


async def test_a_reversal_that_was_classed_wrongly_is_corrected_to_a_recovery(stage: Stage) -> None:
    _, _, transfer_id = await released(stage)
    await stage.standin.sdk.transfers.reversals.create_async(transfer_id, {"amount": 1_000})
    await stage.harness.deliver(*await stage.webhooks("transfer.reversed"))
    assert await stage.balance("supplier_payable") == 1_000
    (row,) = await stage.harness.rows("SELECT position FROM ledger_transfer WHERE kind = 'transfer_back'")
    plan_id, _ = await done_by_hand(stage, "correction", target_position=row.position)
    assert (await stage.balance("supplier_payable"), await stage.balance("dispute_loss")) == (0, 1_000)
    assert await state(stage, plan_id) == "DONE"
    assert await stage.harness.deliver(*await stage.webhooks("transfer.reversed")) == []


async def test_a_refused_transfer_is_given_up_by_two_people_and_the_campaign_can_close(stage: Stage) -> None:
    await stage.reconciler.first_top_up(stage)
    await stage.funded(2)
    await stage.to_inspection()
    await stage.reconcile()
    await stage.move_clock(days=3)
    await stage.reconcile()
    await stage.standin.control("POST", f"accounts/{stage.account_id}/restrict")
    release, _ = await stage.approved()
    assert code((await by_hand(stage, "give_up", target_plan_id=release))[1]) == "plan_target_unfit"
    assert of(await stage.harness.execute(), TransferRefused)
    plan_id, published = await by_hand(stage, "give_up", target_plan_id=release)
    (submitted,) = of(published, PlanByHandSubmitted)
    assert submitted.amount_minor == 10_000
    approved = await stage.approve(plan_id, submitted.plan_hash)
    assert [(each.plan_id, each.code) for each in of(approved, ClearingPlanStopped)] == [(release, "given_up")]
    assert (await state(stage, release), await state(stage, plan_id)) == ("STOPPED", "DONE")
    assert (await stage.class_balance("escrow"), await stage.balance("supplier_payable")) == (10_000, 0)
    assert await stage.case_kinds() == []
    retry = RetryPlanTransfer(campaign_id=stage.campaign_id, plan_id=release)
    assert code(await stage.harness.deliver(retry, actor=ANA)) == "plan_state_conflict"
    assert len(of(await stage.close("fulfillment_failed"), RefundDecided)) == 2


async def test_a_closed_campaign_releases_nothing(stage: Stage) -> None:
    await stage.funded()
    await stage.to_inspection()
    await stage.close("fulfillment_failed")
    assert code((await stage.submit())[1]) == "campaign_closing"
