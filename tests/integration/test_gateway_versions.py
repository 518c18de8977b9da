"""Changing a draft over HTTP: nothing is written over a version that its author has not read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from contracts.campaigns import CampaignDrafted, CampaignSubmitted, DraftRevised, ReviseDraft
from contracts.housekeeping import CampaignsCommandRefused
from contracts.terms import content_digest
from tests.integration.gateway_support import Stage, drafted_campaign, make_stage

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        yield made


class Draft:
    """A draft of Olga's, and how it is changed."""

    def __init__(self, stage: Stage, olga: httpx.AsyncClient, drafted: CampaignDrafted) -> None:
        self.stage, self.olga, self.drafted = stage, olga, drafted
        self.path = f"/v1/campaigns/{drafted.campaign_id}"

    async def etag(self) -> str:
        return str((await self.olga.get(self.path)).headers["etag"])

    def body(self, **changes: Any) -> dict[str, Any]:
        terms = self.drafted.terms.model_dump(mode="json") | changes
        return {
            "product": self.drafted.product.model_dump(mode="json"),
            "terms": terms,
            "supplier_ids": [str(each) for each in self.drafted.supplier_ids],
            "visibility": self.drafted.visibility,
        }

    async def put(self, version: str | None, *, wait: int = 15, key: str | None = None, **changes: Any) -> Any:
        headers = {"Idempotency-Key": key or uuid4().hex, "Prefer": f"wait={wait}"}
        if version is not None:
            headers["If-Match"] = version
        return await self.olga.put(self.path, json=self.body(**changes), headers=headers)

    def revised(self, **changes: Any) -> DraftRevised:
        terms = self.drafted.terms.model_copy(update=changes)
        return DraftRevised(
            campaign_id=self.drafted.campaign_id, product=self.drafted.product, terms=terms, terms_hash=terms.hash(),
            supplier_ids=self.drafted.supplier_ids, visibility=self.drafted.visibility,
        )  # fmt: skip


@pytest_asyncio.fixture
async def draft(stage: Stage) -> Draft:
    olga = await stage.sign_in("olga@alpmera.test")
    subject = UUID((await olga.get("/v1/me")).json()["account"]["subject_id"])
    drafted = drafted_campaign(uuid4()).model_copy(update={"author_id": str(subject)})
    await stage.tell(drafted)
    made = Draft(stage, olga, drafted)
    await stage.seen(olga, made.path, state="DRAFT")
    await stage.commands()
    return made


@pytest.mark.parametrize("form", ["{}", "W/{}", '"older", {}', "*"])
async def test_whoever_has_the_present_version_is_answered_without_it(stage: Stage, draft: Draft, form: str) -> None:
    version = await draft.etag()
    answer = await draft.olga.get(draft.path, headers={"If-None-Match": form.format(version)})
    assert (answer.status_code, answer.content) == (304, b"")
    assert (answer.headers["etag"], answer.headers["cache-control"]) == (version, "private, no-store")


async def test_whoever_has_another_version_gets_the_present_one(stage: Stage, draft: Draft) -> None:
    version = await draft.etag()
    await stage.tell(draft.revised(unit_price_minor=4_800))
    for _ in range(200):
        answer = await draft.olga.get(draft.path, headers={"If-None-Match": version})
        if answer.status_code == 200:
            break
    assert answer.json()["terms"]["unit_price_minor"] == 4_800
    assert answer.headers["etag"] != version
    other = await stage.sign_in("gus@alpmera.test")
    assert (await other.get(draft.path, headers={"If-None-Match": version})).status_code == 200


async def test_a_change_of_the_version_that_was_read_is_taken_and_shown(stage: Stage, draft: Draft) -> None:
    version = await draft.etag()
    sending = asyncio.create_task(draft.put(version, unit_price_minor=4_900))
    sent = await stage.command(ReviseDraft)
    assert sent.message.based_on == content_digest(
        product=draft.drafted.product.model_dump(mode="json"),
        terms=draft.drafted.terms.model_dump(mode="json"),
        supplier_ids=[str(each) for each in draft.drafted.supplier_ids],
        visibility=draft.drafted.visibility,
    )
    assert sent.message.terms.unit_price_minor == 4_900
    await stage.tell(draft.revised(unit_price_minor=4_900), cause=sent.id)
    answer = await sending
    assert (answer.status_code, answer.json()["unit_price"]["amount"]) == (200, 4_900), answer.text
    assert answer.headers["etag"] == await draft.etag() != version
    assert answer.json()["state"] == "DRAFT"


async def test_without_the_version_that_was_read_nothing_is_taken(stage: Stage, draft: Draft) -> None:
    answer = await draft.put(None)
    assert (answer.status_code, answer.json()["code"]) == (428, "version_missing")
    assert await stage.commands() == []


@pytest.mark.parametrize("version", ['"0123456789abcdef0123456789abcdef"', "nothing", "W/{}", '"a", "b"'])
async def test_another_version_is_refused_with_both_and_what_to_do(stage: Stage, draft: Draft, version: str) -> None:
    present = await draft.etag()
    given = version.format(present)
    answer = await draft.put(given)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (412, "version_stale")
    assert problem["facts"] == {"if_match": given, "etag": present}
    assert answer.headers["etag"] == present
    assert "Read it again" in problem["detail"]
    assert await stage.commands() == []


async def test_of_two_changes_at_once_the_second_is_told_what_stands_there_now(stage: Stage, draft: Draft) -> None:
    version = await draft.etag()
    sending = asyncio.create_task(draft.put(version, unit_price_minor=5_100))
    late = await stage.command(ReviseDraft)
    await stage.tell(draft.revised(unit_price_minor=4_900))
    await stage.seen(draft.olga, draft.path, terms_hash=draft.revised(unit_price_minor=4_900).terms_hash)
    refusal = CampaignsCommandRefused(
        scope_id=str(draft.drafted.campaign_id), command_id=late.id, command_type=ReviseDraft.type,
        code="version_stale", facts={"based_on": "a" * 64, "current": "b" * 64},
    )  # fmt: skip
    await stage.tell(refusal, cause=late.id)
    answer = await sending
    assert (answer.status_code, answer.json()["facts"]) == (412, {"if_match": version, "etag": await draft.etag()})


async def test_a_repeat_of_a_taken_change_is_answered_like_the_first(stage: Stage, draft: Draft) -> None:
    version, key = await draft.etag(), uuid4().hex
    first = await draft.put(version, wait=0, key=key, unit_price_minor=4_900)
    assert first.status_code == 202
    sent = await stage.command(ReviseDraft)
    await stage.tell(draft.revised(unit_price_minor=4_900), cause=sent.id)
    await stage.seen(draft.olga, draft.path, terms_hash=draft.revised(unit_price_minor=4_900).terms_hash)
    again = await draft.put(version, key=key, unit_price_minor=4_900)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    other = await draft.put(version, key=key, unit_price_minor=4_800)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_draft_is_changed_by_nobody_but_its_author(stage: Stage, draft: Draft) -> None:
    foreign = drafted_campaign(uuid4())
    await stage.tell(foreign)
    path = f"/v1/campaigns/{foreign.campaign_id}"
    await stage.seen(draft.olga, path, state="DRAFT")
    headers = {"Idempotency-Key": uuid4().hex, "If-Match": "*", "Prefer": "wait=0"}
    answer = await draft.olga.put(path, json=draft.body(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    assert await stage.commands() == []


async def test_what_came_into_review_meanwhile_is_another_version(stage: Stage, draft: Draft) -> None:
    version = await draft.etag()
    submitted = CampaignSubmitted(campaign_id=draft.drafted.campaign_id, terms_hash=draft.drafted.terms_hash)
    await stage.tell(submitted)
    await stage.seen(draft.olga, draft.path, state="IN_REVIEW")
    answer = await draft.put(version)
    assert (answer.status_code, answer.json()["code"]) == (412, "version_stale")
