"""Refunds: decided from the ledger, paid when Stripe says so, failing, tried again; a closed campaign's settlement."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from contracts.campaigns import CloseRequested
from contracts.clearing import CloseDenied, CloseGranted
from contracts.escrow import CampaignSettled, RefundDecided, RefundFailed, RefundSent, ReservationEnded
from contracts.housekeeping import EscrowCaseClosed
from contracts.suppliers import IssueDecided
from services.escrow.usecases import decide_refund
from services.kit.service import Answer
from tests.integration.escrow_support import Stage, kinds, of, staged_beside
from tests.integration.standin_support import Standin, running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def standin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Standin]:
    async with running(tmp_path_factory.mktemp("refunds")) as made:
        yield made


@pytest_asyncio.fixture
async def stage(harness: Any, standin: Standin) -> AsyncIterator[Stage]:
    async with staged_beside(harness, standin) as made:
        yield made


async def settled_at(stage: Stage) -> Any:
    rows = await stage.harness.rows("SELECT settled_at FROM ledger_scope WHERE scope = :scope", scope=stage.scope)
    return rows[0].settled_at


async def test_leaving_with_funds_held_refunds_all_of_it(stage: Stage) -> None:
    (join,) = await stage.funded()
    (decided,) = of(await stage.harness.deliver(stage.withdrawn(join, "LOCKED")), RefundDecided)
    assert (decided.amount_minor, decided.reason) == (join.amount_minor, "withdrawn")
    assert await stage.balance(f"refund_payable:{join.commitment_id}") == join.amount_minor
    (sent,) = of(await stage.harness.execute(), RefundSent)
    assert sent.decision_id == decided.decision_id
    assert await stage.class_balance("refund_payable") == 0
    assert await stage.balance("psp_clearing") == 0


async def test_a_withdrawal_delivered_twice_refunds_once(stage: Stage) -> None:
    (join,) = await stage.funded()
    wrapped = stage.harness.wrap(stage.withdrawn(join, "LOCKED"))
    await stage.harness.deliver_received([wrapped])
    assert await stage.harness.deliver_received([wrapped]) == []
    assert len(await stage.harness.intents("refund")) == 1


async def test_an_answer_without_an_end_beside_one_that_posts_is_posted_when_it_comes_again(stage: Stage) -> None:
    for join in await stage.funded(2):
        await stage.harness.deliver(stage.withdrawn(join, "LOCKED"))
    first, second = await stage.harness.intents("refund")
    refunds, executor = stage.harness.service.purposes["refund"], stage.harness.executor
    await executor._post_once([(first, await refunds.call(first)), (second, Answer("retry"))])
    await executor._post_once([(second, await refunds.call(second))])
    sent = of(await stage.harness.published(), RefundSent)
    assert {str(event.decision_id) for event in sent} == {first.object_id, second.object_id}


async def test_a_closed_campaign_refunds_every_commitment_from_the_ledger(stage: Stage) -> None:
    joins = await stage.funded(3)
    decided = of(await stage.close(), RefundDecided)
    assert {each.commitment_id for each in decided} == {join.commitment_id for join in joins}
    assert {each.reason for each in decided} == {"target_not_reached"}
    published = await stage.harness.execute()
    assert len(of(published, RefundSent)) == 3
    (settled,) = of(published, CampaignSettled)
    assert settled.refunded_minor == sum(join.amount_minor for join in joins)


async def test_a_large_close_goes_on_in_bounded_transactions(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decide_refund, "REFUNDS_PER_TRANSACTION_MAX", 2)
    await stage.funded(5)
    first = of(await stage.close(), RefundDecided)
    rest = of(await stage.harness.advance(seconds=1), RefundDecided)
    assert (len(first), len(rest)) == (2, 3)
    assert len(of(await stage.harness.execute(), CampaignSettled)) == 1


async def test_a_campaign_without_commitments_is_settled_at_once(stage: Stage) -> None:
    published = await stage.close("cancelled")
    assert [each.refunded_minor for each in of(published, CampaignSettled)] == [0]


async def test_closing_ends_open_reservations_and_settles_after_them(stage: Stage) -> None:
    join = stage.join()
    await stage.fund(join, "pm_card_threeDSecure2Required")
    assert kinds(await stage.close("cancelled")) == []
    published = await stage.harness.execute()
    assert [each.reason for each in of(published, ReservationEnded)] == ["canceled"]
    assert len(of(published, CampaignSettled)) == 1


async def test_a_pending_refund_stays_owed_until_stripe_says_succeeded(stage: Stage) -> None:
    (join,) = await stage.funded(card="pm_card_pendingRefund")
    await stage.close()
    assert kinds(await stage.harness.execute()) == ["RefundPending"]
    assert await stage.balance(f"refund_payable:{join.commitment_id}") == join.amount_minor
    assert await settled_at(stage) is None
    await stage.move_clock(days=1, minutes=1)
    published = await stage.harness.deliver(*await stage.webhooks("refund.updated"))
    assert kinds(published) == ["RefundSent", "CampaignSettled"]


async def test_a_refund_that_fails_after_it_was_paid_is_owed_again_with_a_case(stage: Stage) -> None:
    (join,) = await stage.funded(card="pm_card_refundFail")
    await stage.close()
    assert kinds(await stage.harness.execute()) == ["RefundSent", "CampaignSettled"]
    await stage.move_clock(days=1, minutes=1)
    events = await stage.webhooks("refund.failed", "refund.updated")
    published = await stage.harness.deliver(*events)
    assert kinds(published) == ["RefundFailed", "EscrowCaseOpened"]
    assert await stage.case_kinds() == ["refund_failed"]
    assert await stage.balance(f"refund_payable:{join.commitment_id}") == join.amount_minor
    assert await settled_at(stage) is None


async def test_a_pending_refund_that_fails_is_tried_again_and_its_success_closes_the_case(stage: Stage) -> None:
    (join,) = await stage.funded(card="pm_card_refundPendingFail")
    await stage.close()
    await stage.harness.execute()
    await stage.move_clock(days=1, minutes=1)
    (failed,) = of(await stage.harness.deliver(*await stage.webhooks("refund.failed")), RefundFailed)
    await stage.move_clock(days=1, minutes=2)
    (again,) = await stage.harness.intents("refund")
    assert (again.object_id, again.ordinal) == (str(failed.decision_id), 2)
    body = {
        "id": "re_second",
        "object": "refund",
        "status": "succeeded",
        "amount": join.amount_minor,
        "currency": "usd",
    }
    published = await stage.harness.answer(again, Answer("done", body))
    assert kinds(published) == ["RefundSent", "EscrowCaseClosed", "CampaignSettled"]
    assert of(published, EscrowCaseClosed)[0].resolution == "paid"
    assert await stage.class_balance("refund_payable") == 0


async def test_attempts_without_a_person_are_bounded(stage: Stage) -> None:
    await stage.funded()
    await stage.close()
    for ordinal in (1, 2, 3):
        (intent,) = await stage.harness.intents("refund")
        assert intent.ordinal == ordinal
        await stage.harness.answer(intent, Answer("refused", {"error": {"code": "charge_disputed"}}))
        await stage.harness.advance(days=1, minutes=2)
    assert await stage.harness.intents("refund") == []
    assert await stage.case_kinds() == ["refund_failed"]


async def test_an_old_success_after_a_known_failure_is_read_again_before_anything_is_posted(stage: Stage) -> None:
    (join,) = await stage.funded(card="pm_card_refundFail")
    await stage.close()
    (intent,) = await stage.harness.intents("refund")
    answer = await stage.harness.service.purposes["refund"].call(intent)
    await stage.move_clock(days=1, minutes=1)
    await stage.harness.deliver(*await stage.webhooks("refund.failed"))
    assert kinds(await stage.harness.answer(intent, answer)) == []
    (read,) = await stage.harness.intents("object_read")
    assert read.request["kind"] == "refund"
    await stage.harness.execute()
    assert await stage.balance(f"refund_payable:{join.commitment_id}") == join.amount_minor
    assert await stage.case_kinds() == ["refund_failed"]


async def test_permuted_and_repeated_refund_webhooks_post_once(stage: Stage) -> None:
    await stage.funded(card="pm_card_pendingRefund")
    await stage.close()
    await stage.harness.execute()
    await stage.move_clock(days=1, minutes=1)
    events = await stage.webhooks("refund.created", "refund.updated")
    published = await stage.harness.deliver(*reversed(events), *events)
    assert len(of(published, RefundSent)) == 1
    assert await stage.class_balance("refund_payable") == 0


async def test_an_upheld_issue_is_refunded_from_escrow(stage: Stage) -> None:
    (join,) = await stage.funded()
    (issue_id,) = await stage.to_inspection(open_issues=[join], verdict="release_less_reserve")
    decision = IssueDecided(
        campaign_id=stage.campaign_id,
        commitment_id=join.commitment_id,
        participant_id=join.participant_id,
        issue_id=issue_id,
        verdict="upheld",
    )
    (decided,) = of(await stage.harness.deliver(decision), RefundDecided)
    assert (decided.reason, decided.amount_minor) == ("quality_issue", join.amount_minor)
    assert of(await stage.harness.execute(), RefundSent)


async def test_closing_is_granted_unless_a_plan_holds_the_latch(stage: Stage) -> None:
    await stage.funded(2)
    await stage.to_inspection()
    request = CloseRequested(campaign_id=stage.campaign_id, reason="fulfillment_failed")
    plan_id, _ = await stage.approved()
    (denied,) = of(await stage.harness.deliver(request), CloseDenied)
    assert denied.plan_id == plan_id


async def test_a_granted_close_ends_a_draft_and_refuses_new_plans(stage: Stage) -> None:
    await stage.funded(2)
    await stage.to_inspection()
    await stage.submit()
    request = CloseRequested(campaign_id=stage.campaign_id, reason="fulfillment_failed")
    published = await stage.harness.deliver(request)
    assert kinds(published) == ["ClearingPlanStopped", "CloseGranted"]
    assert len(of(published, CloseGranted)) == 1
    _, refused = await stage.submit()
    assert [each.message.code for each in refused] == ["campaign_closing"]


async def test_a_refund_that_is_not_sent_within_a_day_stops_new_joins_until_it_is(stage: Stage) -> None:
    await stage.reconciler.first_top_up(stage)
    (join,) = await stage.funded()
    await stage.harness.deliver(stage.withdrawn(join, "LOCKED"))
    await stage.move_clock(hours=23)
    await stage.reconcile()
    assert await stage.case_kinds() == []
    await stage.move_clock(hours=2)
    await stage.reconcile()
    assert await stage.case_kinds() == ["refunds_overdue"]
    assert "ReservationEnded" in kinds(await stage.start(stage.join()))
    await stage.harness.execute()
    await stage.reconcile()
    assert await stage.case_kinds() == []
    assert "PaymentStarted" in kinds(await stage.start(stage.join()))
