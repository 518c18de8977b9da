"""Campaigns over HTTP: the acts of staff that draft, submit, review and sign off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from contracts.campaigns import (
    CampaignReturned,
    CampaignSubmitted,
    DraftCampaign,
    FailureSignedOff,
    ReviewCampaign,
    SignOffFailure,
    SubmitCampaign,
)
from contracts.housekeeping import (
    CampaignsCommandRefused,
)
from tests.integration.gateway_support import (
    Stage,
    campaign_terms,
    drafted_campaign,
    key,
    make_stage,
    opened_campaign,
)

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        yield made


def draft_body(**changes: Any) -> dict[str, Any]:
    return {
        "product": {"name": "Heat-pump dryer", "specification": "8 kg", "category": "appliances"},
        "terms": campaign_terms().model_dump(mode="json"),
        "supplier_ids": [str(uuid4())],
        "visibility": "members",
        "readiness": {
            "owner": "olga", "backup": "gus", "what_fails": "delivery", "who_notices": "olga", "what_then": "refund",
        },
    } | changes  # fmt: skip


async def test_a_draft_is_answered_with_the_campaign_the_services_recorded(stage: Stage) -> None:
    olga = await stage.sign_in("olga@alpmera.test")
    sending = asyncio.create_task(olga.post("/v1/campaigns", json=draft_body(), headers=key()))
    sent = await stage.command(DraftCampaign)
    drafted = drafted_campaign(sent.message.campaign_id)
    await stage.tell(drafted, cause=sent.id)
    answer = await sending
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/v1/campaigns/{sent.message.campaign_id}"
    body = answer.json()
    assert (body["state"], body["terms_hash"]) == ("DRAFT", drafted.terms_hash)
    assert body["staff"]["next_acts"] == ["submit"]
    assert sent.headers["actor_role"] == "operations"
    maya = await stage.sign_in("maya@demo.test")
    assert (await maya.get(answer.headers["location"])).status_code == 404


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"terms": campaign_terms().model_dump(mode="json") | {"target_units": 0}}, "/terms/target_units"),
        ({"terms": campaign_terms().model_dump(mode="json") | {"close_at": "soon"}}, "/terms/close_at"),
        ({"visibility": "everybody"}, "/visibility"),
        ({"supplier_ids": ["x"]}, "/supplier_ids/0"),
        ({"state": "ACTIVE"}, "/state"),
    ],
)
async def test_a_draft_that_does_not_fit_names_its_fields(stage: Stage, changes: dict[str, Any], pointer: str) -> None:
    olga = await stage.sign_in("olga@alpmera.test")
    await stage.commands()
    answer = await olga.post("/v1/campaigns", json=draft_body(**changes), headers=key())
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert await stage.commands() == []


async def test_a_campaign_goes_from_submission_through_review_to_open(stage: Stage) -> None:
    olga, gus = await stage.sign_in("olga@alpmera.test"), await stage.sign_in("gus@alpmera.test")
    drafted = drafted_campaign(uuid4())
    await stage.tell(drafted)
    path = f"/v1/campaigns/{drafted.campaign_id}"
    await stage.seen(olga, path, state="DRAFT")

    submitting = asyncio.create_task(olga.post(f"{path}/submission", json={}, headers=key()))
    submitted = await stage.command(SubmitCampaign)
    await stage.tell(
        CampaignSubmitted(campaign_id=drafted.campaign_id, terms_hash=drafted.terms_hash), cause=submitted.id
    )
    assert (await submitting).json()["state"] == "IN_REVIEW"
    overview = (await gus.get("/v1/staff/overview")).json()
    assert str(drafted.campaign_id) in [each["id"] for each in overview["reviews"]]

    review = {
        "decision": "accept", "reason": "It fits.",
        "answers": {"doctrine_fit": True, "risks_stated": True, "operable": True, "precedent_safe": True},
    }  # fmt: skip
    reviewing = asyncio.create_task(gus.post(f"{path}/review", json=review, headers=key()))
    reviewed = await stage.command(ReviewCampaign)
    assert (reviewed.headers["actor_role"], reviewed.message.decision) == ("gatekeeper", "accept")
    await stage.tell(opened_campaign(drafted), cause=reviewed.id)
    answer = await reviewing
    assert (answer.status_code, answer.json()["state"], answer.json()["joining"]) == (200, "ACTIVE", True)


async def test_a_refused_review_answers_with_the_rules_code(stage: Stage) -> None:
    gus = await stage.sign_in("gus@alpmera.test")
    campaign_id, _ = await stage.open_campaign()
    review = {
        "decision": "defer", "reason": "Something is missing.",
        "answers": {"doctrine_fit": True, "risks_stated": True, "operable": True, "precedent_safe": True},
    }  # fmt: skip
    reviewing = asyncio.create_task(gus.post(f"/v1/campaigns/{campaign_id}/review", json=review, headers=key()))
    sent = await stage.command(ReviewCampaign)
    await stage.tell(
        CampaignsCommandRefused(
            scope_id=str(campaign_id), command_id=sent.id, command_type=ReviewCampaign.type,
            code="campaign_state_conflict", facts={"state": "ACTIVE"},
        ),
        cause=sent.id,
    )  # fmt: skip
    answer = await reviewing
    assert (answer.status_code, answer.json()["code"]) == (409, "campaign_state_conflict")
    assert answer.json()["operation_id"]


async def test_a_sign_off_is_given_in_ones_own_role_only(stage: Stage) -> None:
    ana = await stage.sign_in("ana@alpmera.test")
    campaign_id, _ = await stage.open_campaign()
    path = f"/v1/campaigns/{campaign_id}/failure-sign-offs"
    other = await ana.post(path, json={"role": "operations", "reason": "No delivery."}, headers=key())
    assert (other.status_code, other.json()["code"]) == (403, "not_allowed")
    signing = asyncio.create_task(
        ana.post(path, json={"role": "escrow_auditor", "reason": "No delivery."}, headers=key())
    )
    sent = await stage.command(SignOffFailure)
    await stage.tell(
        FailureSignedOff(
            campaign_id=campaign_id, role="escrow_auditor", reason="No delivery.",
            missing_roles=("operations", "trust_reviewer"),
        ),
        cause=sent.id,
    )  # fmt: skip
    answer = await signing
    assert answer.json()["staff"]["missing_sign_offs"] == ["operations", "trust_reviewer"]


async def test_a_returned_draft_says_what_is_missing(stage: Stage) -> None:
    olga = await stage.sign_in("olga@alpmera.test")
    drafted = drafted_campaign(uuid4())
    await stage.tell(drafted)
    await stage.tell(CampaignSubmitted(campaign_id=drafted.campaign_id, terms_hash=drafted.terms_hash))
    await stage.tell(CampaignReturned(campaign_id=drafted.campaign_id, reason="A reference price is missing."))
    for _ in range(200):
        page = (await olga.get(f"/v1/campaigns/{drafted.campaign_id}")).json()
        if page.get("staff") and page["staff"]["returned_reason"]:
            break
        await asyncio.sleep(0.02)
    assert (page["state"], page["staff"]["returned_reason"]) == ("DRAFT", "A reference price is missing.")
