"""A case over HTTP: listed with how many people it needs, spoken for by one, closed by another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from contracts.cases import CaseResolutionGiven, ResolveCase
from contracts.envelope import PLATFORM_SCOPE
from contracts.housekeeping import CampaignsCaseOpened, EscrowCaseClosed, EscrowCaseOpened, EscrowCommandRefused
from tests.integration.gateway_support import WAIT_SECONDS, Stage, key, make_stage

pytestmark = pytest.mark.asyncio

BODY = {"resolution": "Both books were read and agree.", "evidence": ["report:7"]}


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        yield made


async def listed(client: httpx.AsyncClient, case_id: UUID) -> dict[str, Any]:
    """The case as staff read it, once the gateway knows it."""
    for _ in range(int(WAIT_SECONDS / 0.05)):
        for case in (await client.get("/v1/cases")).json()["data"]:
            if case["id"] == str(case_id):
                return dict(case)
        await asyncio.sleep(0.05)
    raise AssertionError(f"{case_id} was never listed")


def send(client: httpx.AsyncClient, case_id: UUID) -> asyncio.Task[httpx.Response]:
    path = f"/v1/cases/{case_id}/resolution"
    return asyncio.create_task(client.post(path, json=BODY, headers={**key(), "Prefer": "wait=10"}))


def given(case_id: UUID, by: str, *, closes: bool) -> CaseResolutionGiven:
    return CaseResolutionGiven(
        scope_id=PLATFORM_SCOPE, case_id=case_id, case_kind="psp_mismatch", resolution=BODY["resolution"],
        evidence=tuple(BODY["evidence"]), given_by=by, closes=closes,
    )  # fmt: skip


async def test_a_blocking_case_is_spoken_for_by_one_and_closed_by_another(stage: Stage) -> None:
    ana = await stage.sign_in("ana@alpmera.test")
    case_id = uuid4()
    await stage.tell(
        EscrowCaseOpened(
            scope_id=PLATFORM_SCOPE, case_id=case_id, case_kind="psp_mismatch", severity="critical",
            subject_id="txn_1", blocking=True,
        )
    )  # fmt: skip
    assert (await listed(ana, case_id))["people_needed"] == 2

    asking = send(ana, case_id)
    sent = await stage.command(ResolveCase)
    assert (sent.message.scope_id, sent.message.case_id, sent.message.evidence) == ("platform", case_id, ("report:7",))
    await stage.tell(given(case_id, "a", closes=False), cause=sent.id)
    answer = await asking
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert (shown["state"], shown["asked_by"], shown["asked_evidence"]) == ("open", "a", ["report:7"])

    again = send(ana, case_id)
    sent = await stage.command(ResolveCase)
    await stage.tell(
        EscrowCommandRefused(
            scope_id=PLATFORM_SCOPE, command_id=sent.id, command_type=ResolveCase.type,
            code="case_needs_another_person",
        ),
        cause=sent.id,
    )  # fmt: skip
    refused = await again
    assert (refused.status_code, refused.json()["code"]) == (403, "case_needs_another_person")

    closing = send(ana, case_id)
    sent = await stage.command(ResolveCase)
    await stage.tell(given(case_id, "b", closes=True), cause=sent.id)
    await stage.tell(
        EscrowCaseClosed(
            scope_id=PLATFORM_SCOPE, case_id=case_id, case_kind="psp_mismatch", resolution="by_hand", blocking=True
        )
    )
    closed = (await closing).json()
    assert (closed["state"], closed["resolution"], closed["closed_by"]) == ("closed", "by_hand", "b")


async def test_a_case_of_another_service_or_of_nobody_is_not_closed_here(stage: Stage) -> None:
    ana = await stage.sign_in("ana@alpmera.test")
    campaign_id, _ = await stage.open_campaign()
    case_id = uuid4()
    await stage.tell(
        CampaignsCaseOpened(
            scope_id=str(campaign_id), case_id=case_id, case_kind="state_mismatch", severity="high",
            subject_id=str(campaign_id), blocking=False,
        )
    )  # fmt: skip
    assert (await listed(ana, case_id))["people_needed"] == 0
    refused = await send(ana, case_id)
    assert (refused.status_code, refused.json()["code"]) == (409, "case_ends_otherwise")
    missing = await send(ana, uuid4())
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
