"""From the supplier's acceptance to completion or a determined failure, in messages on the real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest_asyncio

from contracts.campaigns import (
    CampaignClosed,
    CampaignCompleted,
    CloseRequested,
    CommitmentSettled,
    FailureSignedOff,
    FulfillmentStarted,
    SignOffFailure,
)
from contracts.clearing import CloseDenied, CloseGranted
from contracts.envelope import Actor
from tests.fixtures.harness import Harness, Published
from tests.integration.campaigns_support import (
    ANA,
    GUS,
    OLGA,
    TESS,
    Stage,
    campaigns_service,
    names,
    only,
    refusal_code,
)


@pytest_asyncio.fixture(scope="module")
async def campaigns() -> AsyncIterator[Harness]:
    async with campaigns_service() as service:
        yield service


@pytest_asyncio.fixture
async def stage(campaigns: Harness) -> Stage:
    return await Stage(campaigns).open()


async def sign_off(stage: Stage, actor: Actor, *, role: Any = None) -> list[Published]:
    message = SignOffFailure(campaign_id=stage.campaign_id, role=role or actor.role, reason="The maker stopped work")
    return await stage.deliver(message, actor=actor)


async def test_the_acceptance_of_the_exact_terms_starts_fulfillment(stage: Stage) -> None:
    await stage.lock(8)
    started = only(await stage.tell(stage.accepted()), FulfillmentStarted)
    assert (started.supplier_id, started.invitation_id) == (stage.supplier_id, stage.invitation_id)
    assert (await stage.campaign()).state == "FULFILLMENT"


async def test_an_acceptance_of_other_terms_is_a_case_and_starts_nothing(stage: Stage) -> None:
    await stage.lock(8)
    assert names(await stage.tell(stage.accepted(terms_hash="0" * 64))) == ["CampaignsCaseOpened"]
    assert (await stage.campaign()).state == "PENDING_ACCEPTANCE"


async def test_an_acceptance_before_the_close_is_a_case(stage: Stage) -> None:
    await stage.lock(4)
    assert names(await stage.tell(stage.accepted())) == ["CampaignsCaseOpened"]
    assert (await stage.campaign()).state == "TARGET_ACHIEVED"


async def test_delivery_starts_inspection_and_the_release_completes_the_campaign(stage: Stage) -> None:
    joins = [await stage.lock(4), await stage.lock(4)]
    await stage.tell(stage.accepted())
    assert names(await stage.tell(stage.delivered(2))) == ["InspectionStarted"]
    release = stage.released(*joins)
    completed = only(await stage.tell(release), CampaignCompleted)
    assert (completed.plan_id, completed.reserve_commitment_ids) == (release.plan_id, ())
    assert [await stage.state_of(join) for join in joins] == ["RELEASED", "RELEASED"]
    assert (await stage.campaign()).state == "COMPLETED"
    assert await stage.counts_hold()
    assert await stage.cases() == []


async def test_a_commitment_in_reserve_stays_locked_until_its_issue_is_decided(stage: Stage) -> None:
    paid, kept, upheld = await stage.lock(4), await stage.lock(2), await stage.lock(2)
    await stage.tell(stage.accepted(), stage.delivered(3))
    completed = only(await stage.tell(stage.released(paid, reserve=(kept, upheld))), CampaignCompleted)
    assert completed.reserve_commitment_ids == (kept.commitment_id, upheld.commitment_id)
    assert [await stage.state_of(join) for join in (paid, kept, upheld)] == ["RELEASED", "LOCKED", "LOCKED"]
    settled = only(await stage.tell(stage.refund_decided(upheld, "quality_issue")), CommitmentSettled)
    assert (settled.commitment_id, settled.state) == (upheld.commitment_id, "REFUNDED")
    settled = only(await stage.tell(stage.released(kept, plan_kind="reserve_release")), CommitmentSettled)
    assert (settled.commitment_id, settled.state) == (kept.commitment_id, "RELEASED")
    assert await stage.counts_hold()
    assert await stage.cases() == []


async def test_an_issue_upheld_before_the_release_refunds_that_commitment_alone(stage: Stage) -> None:
    faulty, sound = await stage.lock(4), await stage.lock(4)
    await stage.tell(stage.accepted(), stage.delivered(2))
    settled = only(await stage.tell(stage.refund_decided(faulty, "quality_issue")), CommitmentSettled)
    assert settled.state == "REFUNDED"
    assert "CampaignCompleted" in names(await stage.tell(stage.released(sound)))
    assert [await stage.state_of(join) for join in (faulty, sound)] == ["REFUNDED", "RELEASED"]
    assert await stage.cases() == []


async def test_a_refund_that_follows_a_decision_taken_here_is_no_news(stage: Stage) -> None:
    join = await stage.lock(4)
    await stage.withdraw(join)
    assert await stage.tell(stage.refund_decided(join, "withdrawn")) == []
    assert await stage.state_of(join) == "WITHDRAWN"


async def test_a_dispute_lost_before_the_close_takes_its_units_out_of_the_count(stage: Stage) -> None:
    disputed = await stage.lock(4)
    told = await stage.tell(stage.refund_decided(disputed, "chargeback"))
    assert names(told) == ["CommitmentSettled", "TargetLost"]
    assert await stage.counts_hold()


async def test_a_release_that_does_not_fit_what_is_held_completes_and_opens_a_case(stage: Stage) -> None:
    join = await stage.lock(8)
    await stage.tell(stage.accepted(), stage.delivered(1))
    told = await stage.tell(stage.released())
    assert names(told) == ["CampaignCompleted", "CampaignsCaseOpened"]
    assert await stage.state_of(join) == "RELEASED"


async def test_three_people_in_three_roles_and_escrows_latch_close_a_failed_fulfillment(stage: Stage) -> None:
    join = await stage.lock(8)
    await stage.tell(stage.accepted())
    assert only(await sign_off(stage, OLGA), FailureSignedOff).missing_roles == ("escrow_auditor", "trust_reviewer")
    assert names(await sign_off(stage, ANA)) == ["FailureSignedOff"]
    told = await sign_off(stage, TESS)
    assert names(told) == ["FailureSignedOff", "CloseRequested"]
    assert only(told, CloseRequested).reason == "fulfillment_failed"
    assert (await stage.campaign()).state == "FULFILLMENT"
    closed = only(await stage.tell(CloseGranted(campaign_id=stage.campaign_id)), CampaignClosed)
    assert (closed.reason, closed.from_state) == ("fulfillment_failed", "FULFILLMENT")
    assert await stage.state_of(join) == "REFUNDED"
    assert await stage.tell(stage.delivered()) == []


async def test_a_sign_off_needs_the_role_a_new_role_and_a_new_person(stage: Stage) -> None:
    await stage.lock(8)
    assert refusal_code(await sign_off(stage, OLGA)) == "campaign_state_conflict"
    await stage.tell(stage.accepted())
    assert refusal_code(await sign_off(stage, OLGA, role="trust_reviewer")) == "not_allowed"
    assert refusal_code(await sign_off(stage, GUS, role="operations")) == "not_allowed"
    await sign_off(stage, OLGA)
    assert refusal_code(await sign_off(stage, Actor("other", "operations"))) == "sign_off_repeated"
    assert refusal_code(await sign_off(stage, Actor(OLGA.id, "trust_reviewer"))) == "sign_off_same_person"


async def test_a_denied_close_is_a_case_and_voids_the_sign_offs(stage: Stage) -> None:
    join = await stage.lock(8)
    await stage.tell(stage.accepted(), stage.delivered())
    for actor in (OLGA, ANA, TESS):
        await sign_off(stage, actor)
    denied = CloseDenied(campaign_id=stage.campaign_id, plan_id=uuid4())
    assert names(await stage.tell(denied)) == ["CampaignsCaseOpened"]
    assert [case.kind for case in await stage.cases()] == ["close_denied"]
    assert await stage.state_of(join) == "LOCKED"
    assert len(only(await sign_off(stage, OLGA), FailureSignedOff).missing_roles) == 2


async def test_a_latch_granted_without_three_sign_offs_is_a_case(stage: Stage) -> None:
    await stage.lock(8)
    await stage.tell(stage.accepted())
    assert names(await stage.tell(CloseGranted(campaign_id=stage.campaign_id))) == ["CampaignsCaseOpened"]
    assert (await stage.campaign()).state == "FULFILLMENT"


async def test_a_release_that_comes_into_a_freeze_completes_after_it(stage: Stage) -> None:
    paid, kept = await stage.lock(4), await stage.lock(4)
    await stage.tell(stage.accepted(), stage.delivered(2))
    case_id = uuid4()
    release = stage.released(paid, reserve=(kept,))
    assert await stage.tell(stage.case_opened(case_id), release) == []
    completed = only(await stage.tell(stage.case_closed(case_id)), CampaignCompleted)
    assert (completed.plan_id, completed.reserve_commitment_ids) == (release.plan_id, (kept.commitment_id,))
    assert await stage.state_of(kept) == "LOCKED"
    assert await stage.cases() == []
