"""What must be refused with its reason and leave a record: impossible amounts, one person alone, approvals that come late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from contracts.clearing import ClearingPlanApproved, ClearingPlanSubmitted
from contracts.envelope import PLATFORM_SCOPE, Actor
from contracts.escrow import FundsHeld, ReceivePspEvent, RefundSent, TopUpFloat
from contracts.housekeeping import EscrowCommandRefused
from contracts.suppliers import IssueReported
from services.escrow.domain.psp import OddObjectError, dispute_facts, metadata_id
from tests.integration.escrow_support import ANA, BEN, Stage, of, staged_beside
from tests.integration.standin_support import Standin, running

CAM = Actor("cam", "escrow_auditor")
IMPOSSIBLE = ({"amount": 0}, {"amount": -5_000}, {"amount": 2**63}, {"amount": 5_000.0}, {"currency": "eur"})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def standin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Standin]:
    async with running(tmp_path_factory.mktemp("bad_input")) as made:
        yield made


@pytest_asyncio.fixture
async def stage(harness: Any, standin: Standin) -> AsyncIterator[Stage]:
    async with staged_beside(harness, standin) as made:
        yield made


def webhook(stage: Stage, kind: str, thing: dict[str, Any]) -> ReceivePspEvent:
    """A verified event about an object that we could have made."""
    return ReceivePspEvent(
        scope_id=stage.scope,
        psp_event_id=f"evt_{uuid4().hex}",
        psp_event_type=kind,
        body={"data": {"object": thing}},
    )


async def refusals(stage: Stage) -> list[tuple[str, str, str]]:
    """The audit records of acts about plans that were refused: (act, who, why)."""
    rows = await stage.harness.rows(
        "SELECT action, actor_id, reason FROM audit_entry WHERE action LIKE 'escrow.%.refused' ORDER BY id"
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("odd", IMPOSSIBLE)
async def test_a_payment_of_an_impossible_amount_is_not_posted_and_opens_a_case(
    stage: Stage, odd: dict[str, Any]
) -> None:
    join = stage.join()
    await stage.start(join)
    (intent,) = await stage.harness.intents("payment")
    thing = {
        "object": "payment_intent", "id": "pi_odd", "status": "succeeded", "amount": 5_000, "currency": "usd",
        "latest_charge": "ch_odd", "metadata": {"payment_id": str(intent.id), "campaign_id": stage.scope},
    }  # fmt: skip
    assert of(await stage.harness.deliver(webhook(stage, "payment_intent.succeeded", thing | odd)), FundsHeld) == []
    assert await stage.case_kinds() == ["psp_mismatch"]
    assert await stage.class_balance("escrow") == 0


@pytest.mark.parametrize("odd", IMPOSSIBLE)
async def test_a_refund_of_an_impossible_amount_is_not_posted_and_opens_a_case(
    stage: Stage, odd: dict[str, Any]
) -> None:
    (join,) = await stage.funded()
    await stage.harness.deliver(stage.withdrawn(join, "LOCKED"))
    (intent,) = await stage.harness.intents("refund")
    thing = {
        "object": "refund", "id": "re_odd", "status": "succeeded", "amount": 5_000, "currency": "usd",
        "metadata": {"decision_id": intent.request["decision_id"], "campaign_id": stage.scope, "ordinal": "1"},
    }  # fmt: skip
    assert of(await stage.harness.deliver(webhook(stage, "refund.updated", thing | odd)), RefundSent) == []
    assert await stage.case_kinds() == ["psp_mismatch"]
    assert await stage.balance(f"refund_payable:{join.commitment_id}") == 5_000


@pytest.mark.parametrize("amount", [0, -1])
def test_a_dispute_about_nothing_is_an_odd_object(amount: int) -> None:
    body = {"id": "du_1", "status": "needs_response", "amount": amount, "currency": "usd", "charge": "ch_1"}
    with pytest.raises(OddObjectError):
        dispute_facts(body)


@pytest.mark.parametrize("metadata", [None, [], "payment_id", 7, {"payment_id": {}}, {"payment_id": "1"}])
def test_metadata_of_any_shape_name_no_record(metadata: Any) -> None:
    assert metadata_id({"metadata": metadata}, "payment_id") is None


async def test_a_top_up_in_another_currency_is_refused_and_recorded(stage: Stage) -> None:
    command = TopUpFloat(top_up_id=uuid4(), amount_minor=100_000, currency="eur")
    told = await stage.harness.deliver(command, actor=Actor("olga", "operations"))
    assert [each.code for each in of(told, EscrowCommandRefused)] == ["currency_mismatch"]
    assert await stage.harness.intents("top_up") == []
    assert await refusals(stage) == [("escrow.float.refused", "olga", "currency_mismatch")]
    assert await stage.balance("platform_float", PLATFORM_SCOPE) == 0


async def test_a_release_is_approved_by_another_person_once_and_each_refusal_is_recorded(stage: Stage) -> None:
    await stage.funded(2)
    await stage.to_inspection()
    plan_id, told = await stage.submit()
    (submitted,) = of(told, ClearingPlanSubmitted)
    await stage.approve(plan_id, submitted.plan_hash, by=ANA)
    both = await asyncio.gather(*(stage.approve(plan_id, submitted.plan_hash, by=by) for by in (BEN, CAM)))
    told = [each for part in both for each in part] + await stage.harness.published()
    assert len(of(told, ClearingPlanApproved)) == 1
    (winner,) = of(told, ClearingPlanApproved)
    loser = CAM if winner.approver_id == BEN.id else BEN
    assert await refusals(stage) == [
        ("escrow.plan_approval.refused", ANA.id, "approver_is_maker"),
        ("escrow.plan_approval.refused", loser.id, "plan_state_conflict"),
    ]
    rows = await stage.harness.rows("SELECT count(*) AS cleared FROM ledger_transfer WHERE kind = 'clear'")
    assert rows[0].cleared == 2


async def test_nothing_is_released_from_a_closed_campaign_and_each_try_is_recorded(stage: Stage) -> None:
    await stage.funded()
    await stage.to_inspection()
    plan_id, told = await stage.submit()
    (submitted,) = of(told, ClearingPlanSubmitted)
    await stage.close("fulfillment_failed")
    late = await stage.approve(plan_id, submitted.plan_hash)
    _, again = await stage.submit()
    assert [each.code for each in of([*late, *again], EscrowCommandRefused)] == [
        "plan_state_conflict",
        "campaign_closing",
    ]
    assert await refusals(stage) == [
        ("escrow.plan_approval.refused", BEN.id, "plan_state_conflict"),
        ("escrow.plan_submission.refused", ANA.id, "campaign_closing"),
    ]
    assert await stage.balance("supplier_payable") == 0


async def test_an_issue_that_is_reported_before_the_second_approval_stops_the_release(stage: Stage) -> None:
    joins = await stage.funded(2)
    await stage.to_inspection()
    plan_id, told = await stage.submit()
    (submitted,) = of(told, ClearingPlanSubmitted)
    await stage.harness.deliver(
        IssueReported(
            campaign_id=stage.campaign_id,
            commitment_id=joins[0].commitment_id,
            participant_id=joins[0].participant_id,
            issue_id=uuid4(),
            description_digest="0" * 64,
        )
    )
    answer = await stage.approve(plan_id, submitted.plan_hash)
    assert [each.code for each in of(answer, EscrowCommandRefused)] == ["plan_hash_stale"]
    assert await refusals(stage) == [("escrow.plan_approval.refused", BEN.id, "plan_hash_stale")]
    assert await stage.class_balance("escrow") == 10_000
