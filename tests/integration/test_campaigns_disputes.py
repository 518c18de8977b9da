"""Disputes as campaigns follows them: held, not counted, ended by a loss alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from contracts.campaigns import AcceptanceRequested, CommitmentSettled
from contracts.disputes import DisputeEnded, DisputeOpened
from tests.fixtures.harness import Harness, Published
from tests.integration.campaigns_support import Join, Stage, campaigns_service, names, only, refusal_code


@pytest_asyncio.fixture(scope="module")
async def campaigns() -> AsyncIterator[Harness]:
    async with campaigns_service() as service:
        yield service


@pytest_asyncio.fixture
async def stage(campaigns: Harness) -> Stage:
    return await Stage(campaigns).open()


def about(stage: Stage, join: Join) -> dict[str, Any]:
    return {
        "campaign_id": stage.campaign_id,
        "commitment_id": join.commitment_id,
        "participant_id": join.participant_id,
        "dispute_id": "du_1",
        "currency": "usd",
    }


async def disputed(stage: Stage, join: Join) -> list[Published]:
    message = DisputeOpened(
        **about(stage, join),
        round=1,
        amount_minor=5000,
        frozen_minor=5000,
        status="needs_response",
        reason="fraudulent",
        evidence_due_by=None,
    )
    return await stage.deliver(message)


async def ended(stage: Stage, join: Join, outcome: Any) -> list[Published]:
    message = DisputeEnded(
        **about(stage, join), outcome=outcome, charged_back=outcome == "lost", returned_minor=5000 * (outcome != "lost")
    )
    return await stage.deliver(message)


async def test_disputed_units_stay_taken_and_do_not_count_towards_the_target(stage: Stage) -> None:
    join = await stage.lock(2)
    await stage.lock(2)
    assert (await stage.campaign()).state == "TARGET_ACHIEVED"
    assert names(await disputed(stage, join)) == ["TargetLost"]
    _, refused = await stage.commit(5)
    assert refusal_code(refused) == "over_capacity"
    told = await stage.advance(days=14, minutes=2)
    assert names(told) == ["JoiningEnded", "InvitationWithdrawalRequested"]
    assert await stage.counts_hold()


async def test_units_count_again_when_the_dispute_is_won(stage: Stage) -> None:
    join = await stage.lock(4)
    await disputed(stage, join)
    await ended(stage, join, "won")
    assert only(await stage.advance(days=14, minutes=2), AcceptanceRequested).final_units == 4


async def test_the_target_is_told_when_a_won_dispute_reaches_it(stage: Stage) -> None:
    join = await stage.lock(2)
    await disputed(stage, join)
    await stage.lock(2)
    assert (await stage.campaign()).state == "ACTIVE"
    assert names(await ended(stage, join, "inquiry_closed")) == ["TargetReached"]


async def test_a_lost_dispute_ends_the_commitment_and_frees_its_units(stage: Stage) -> None:
    join = await stage.lock(2)
    await disputed(stage, join)
    settled = only(await ended(stage, join, "lost"), CommitmentSettled)
    assert (settled.commitment_id, settled.state) == (join.commitment_id, "REFUNDED")
    campaign = await stage.campaign()
    assert (campaign.held_units, campaign.disputed_units) == (0, 0)


async def test_leaving_a_campaign_in_dispute_is_taken_at_once(stage: Stage) -> None:
    join = await stage.lock(2)
    await disputed(stage, join)
    assert names(await stage.withdraw(join)) == ["CommitmentWithdrawn"]
    assert names(await ended(stage, join, "lost")) == []
    campaign = await stage.campaign()
    assert (campaign.held_units, campaign.disputed_units) == (0, 0)
