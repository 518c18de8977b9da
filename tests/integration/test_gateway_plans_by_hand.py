"""Acts on money by hand over HTTP: asked for, shown with each account before and after, followed to their end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from contracts.clearing import (
    ClearingPlanApproved,
    ClearingPlanCleared,
    ClearingPlanCompleted,
    ClearingPlanLinesTold,
    ClearingPlanProgressed,
    PlanByHandSubmitted,
    SubmitPlanByHand,
)
from contracts.escrow import RefundDecided, RefundFailed, RefundSent
from contracts.ledger import AccountPreview, LinePreview, ReleaseCondition
from services.kit.clock import wall_now
from tests.integration.gateway_support import Stage, key, make_stage

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        yield made


def send(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> asyncio.Task[httpx.Response]:
    """Ask for an act whose outcome the test tells meanwhile."""
    return asyncio.create_task(client.post(path, json=body, headers=key()))


async def test_an_act_by_hand_is_asked_for_shown_and_followed(stage: Stage) -> None:
    ana = await stage.sign_in("ana@alpmera.test")
    campaign_id, _ = await stage.open_campaign()
    path, commitment_id = f"/v1/campaigns/{campaign_id}", uuid4()
    body = {
        "kind": "partial_refund",
        "reason": "The drum is dented.",
        "reason_code": "quality_issue",
        "lines": [{"commitment_id": str(commitment_id), "amount": {"amount": 5_000, "currency": "USD"}}],
        "evidence": ["issue:7f3a"],
    }
    mixed = await send(ana, f"{path}/clearing-plans", {**body, "kind": "release"})
    assert (mixed.status_code, mixed.json()["code"]) == (422, "validation_failed")

    submitting = send(ana, f"{path}/clearing-plans", body)
    asked = await stage.command(SubmitPlanByHand)
    assert (asked.message.currency, asked.message.lines[0].amount_minor) == ("usd", 5_000)
    names = {"campaign_id": campaign_id, "plan_id": asked.message.plan_id}
    await stage.tell(
        PlanByHandSubmitted(
            **names, plan_kind="partial_refund", plan_hash="d" * 64, maker_id=asked.headers["actor_id"],
            reason="The drum is dented.", reason_code="quality_issue", evidence=("issue:7f3a",), amount_minor=5_000,
            currency="usd", line_count=1,
            conditions=(ReleaseCondition(name="lines_fit_balances", met=True),),
            preview=(AccountPreview(account="escrow", before_minor=9_000, movement_minor=-5_000, after_minor=4_000),),
        ),
        cause=asked.id,
    )  # fmt: skip
    line = LinePreview(
        commitment_id=commitment_id, amount_minor=5_000, account=f"escrow:{commitment_id}", before_minor=9_000,
        after_minor=4_000,
    )  # fmt: skip
    await stage.tell(ClearingPlanLinesTold(**names, currency="usd", lines=(line,)))
    plan = (await submitting).json()
    assert (plan["kind_words"], plan["preview"][0]["after"]["amount"]) == ("Partial refund by hand", 4_000)
    address = f"/v1/clearing-plans/{plan['id']}"
    await stage.tell(ClearingPlanApproved(**names, plan_hash="d" * 64, maker_id="a", approver_id="b"))
    await stage.tell(ClearingPlanProgressed(**names, lines_applied=1, lines_failed=0))
    await stage.tell(ClearingPlanCleared(**names))
    under_way = await stage.seen(ana, address, state="SENDING")
    assert under_way["progress"] == {"applied": 1, "failed": 0, "of": 1}
    assert under_way["state_words"] == "Decided: its refunds are on their way"
    (shown,) = (await ana.get(f"{address}/lines")).json()["data"]
    assert (shown["account"], shown["before"]["amount"], shown["after"]["amount"]) == ("escrow", 9_000, 4_000)
    await stage.tell(
        ClearingPlanCompleted(
            **names, plan_kind="partial_refund", lines_applied=1, lines_failed=0, amount_minor=5_000, currency="usd"
        )
    )
    assert (await stage.seen(ana, address, state="DONE"))["approver_id"] == "b"


async def test_refunds_on_their_way_stand_in_a_queue_for_staff_and_in_figures_for_everybody(stage: Stage) -> None:
    ana = await stage.sign_in("ana@alpmera.test")
    campaign_id, _ = await stage.open_campaign()
    paid, failed = uuid4(), uuid4()
    for decision_id in (paid, failed):
        names = {
            "campaign_id": campaign_id, "commitment_id": uuid4(), "participant_id": uuid4(), "amount_minor": 5_000,
            "currency": "usd", "decision_id": decision_id,
        }  # fmt: skip
        await stage.tell(RefundDecided(**names, reason="withdrawn"), time=wall_now())
        ended = RefundSent(**names, refund_id="re_1", reason="withdrawn")
        await stage.tell(ended if decision_id == paid else RefundFailed(**names, refund_id="re_2"), time=wall_now())
    for _ in range(200):
        queue = (await ana.get("/v1/refunds/unsettled")).json()["data"]
        if [each["state"] for each in queue] == ["failed"]:
            break
        await asyncio.sleep(0.02)
    (shown,) = queue
    assert (shown["id"], shown["attempts"], shown["amount"]["amount"]) == (str(failed), 1, 5_000)
    assert shown["next_act"].startswith("It is tried again a day after")
    figures = (await stage.client().get("/v1/transparency/refunds")).json()
    assert (figures["unsettled"], figures["settled"]) == (1, 1)
    assert figures["oldest_decided_at"] == shown["decided_at"]
    assert figures["ninety_fifth_percentile_seconds"] is not None
    await _assert_progress_has_an_end_while_one_waits_for_its_turn(stage, ana, campaign_id)


async def _assert_progress_has_an_end_while_one_waits_for_its_turn(
    stage: Stage, ana: httpx.AsyncClient, campaign_id: UUID
) -> None:
    """One refund is paid, one refused; a third is decided."""
    (stands,) = (await ana.get("/v1/refunds/campaigns")).json()["data"]
    assert stands["id"] == str(campaign_id)
    amount = {"amount": 5_000, "currency": "USD"}
    assert stands["settlement"] == {
        "refunds_owed": 1, "refunds_paid": 1, "refunds_waiting": 1, "paid_lately": 1, "owed": amount, "paid": amount,
        "expected_by": None,
    }  # fmt: skip
    await stage.tell(
        RefundDecided(
            campaign_id=campaign_id, commitment_id=uuid4(), participant_id=uuid4(), amount_minor=5_000, currency="usd",
            decision_id=uuid4(), reason="withdrawn",
        ),
        time=wall_now(),
    )  # fmt: skip
    end = asyncio.get_running_loop().time() + 10
    while stands["settlement"]["refunds_owed"] == 1 and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(0.02)
        (stands,) = (await ana.get("/v1/refunds/campaigns")).json()["data"]
    assert stands["settlement"]["expected_by"] is not None
    assert stands["settlement"]["refunds_waiting"] == 1
