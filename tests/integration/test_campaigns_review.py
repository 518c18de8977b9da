"""A campaign's way from draft to open, in messages on the real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from contracts.campaigns import (
    CampaignClosed,
    CampaignDrafted,
    CampaignOpened,
    CampaignReturned,
    DraftRevised,
    ReviseDraft,
)
from contracts.envelope import Actor
from contracts.housekeeping import CampaignsCommandRefused
from contracts.terms import Readiness, ReviewAnswers, content_digest
from deploy.contracts_files.generate import example_path
from tests.fixtures.harness import Harness
from tests.integration.campaigns_support import (
    ANA,
    GUS,
    OLGA,
    PRODUCT,
    READINESS,
    Stage,
    campaigns_service,
    names,
    only,
    refusal_code,
)

ONE_FAILED = ReviewAnswers(doctrine_fit=True, risks_stated=True, operable=True, precedent_safe=False)


@pytest_asyncio.fixture(scope="module")
async def campaigns() -> AsyncIterator[Harness]:
    async with campaigns_service() as service:
        yield service


@pytest_asyncio.fixture
async def stage(campaigns: Harness) -> Stage:
    return Stage(campaigns)


async def test_an_accepted_campaign_is_open_with_the_terms_that_were_submitted(stage: Stage) -> None:
    drafted = only(await stage.draft(), CampaignDrafted)
    assert drafted.author_id == OLGA.id
    assert names(await stage.submit()) == ["CampaignSubmitted"]
    opened = only(await stage.review(), CampaignOpened)
    assert (opened.terms, opened.terms_hash) == (stage.terms, stage.terms.hash())
    assert opened.terms_hash == drafted.terms_hash
    assert (opened.product, opened.supplier_ids) == (PRODUCT, (stage.supplier_id,))
    assert (await stage.campaign()).state == "ACTIVE"


INCOMPLETE: list[tuple[dict[str, Any], list[str]]] = [
    ({"readiness": None}, ["readiness_answers"]),
    ({"supplier_ids": ()}, ["supplier_candidate"]),
    ({"product": PRODUCT.model_copy(update={"reference_prices": ()})}, ["reference_price"]),
    ({"capacity_units": 3}, ["capacity_at_least_target"]),
    ({"days": -1}, ["close_at_in_the_future"]),
    ({"currency": "xxx", "max_units": 1, "min_units": 2}, ["currency_supported", "maximum_at_least_minimum"]),
]


@pytest.mark.parametrize(("changes", "missing"), INCOMPLETE, ids=[row[1][0] for row in INCOMPLETE])
async def test_an_incomplete_draft_is_not_submitted_and_every_gap_is_named(
    stage: Stage, changes: dict[str, Any], missing: list[str]
) -> None:
    await stage.draft(**changes)
    refused = only(await stage.submit(), CampaignsCommandRefused)
    assert (refused.code, refused.facts["missing"]) == ("readiness_incomplete", missing)
    assert (await stage.campaign()).state == "DRAFT"


async def test_only_the_author_submits(stage: Stage) -> None:
    await stage.draft()
    assert refusal_code(await stage.submit(GUS)) == "not_allowed"
    assert refusal_code(await stage.submit(Actor(OLGA.id, "participant"))) == "not_allowed"


@pytest.mark.parametrize("role", ["participant", "supplier", "escrow_auditor", "trust_reviewer"])
async def test_only_the_roles_that_prepare_campaigns_draft_one(stage: Stage, role: str) -> None:
    told = await stage.draft(actor=Actor("somebody", role))
    assert refusal_code(told) == "not_allowed"
    assert refusal_code(await stage.submit()) == "campaign_unknown"


async def test_acts_on_an_unknown_campaign_are_refused(stage: Stage) -> None:
    assert refusal_code(await stage.submit()) == "campaign_unknown"
    assert refusal_code(await stage.review()) == "campaign_unknown"


async def test_the_author_cannot_review_the_same_campaign(stage: Stage) -> None:
    await stage.draft()
    await stage.submit()
    assert refusal_code(await stage.review(actor=Actor(OLGA.id, "gatekeeper"))) == "author_is_reviewer"
    assert (await stage.campaign()).state == "IN_REVIEW"


@pytest.mark.parametrize("actor", [OLGA, ANA, Actor("f", "founder")], ids=lambda actor: actor.role)
async def test_only_a_gatekeeper_reviews(stage: Stage, actor: Actor) -> None:
    await stage.draft()
    await stage.submit()
    assert refusal_code(await stage.review(actor=actor)) == "not_allowed"


@pytest.mark.parametrize("decision", ["accept", "accept_with_constraints"])
async def test_a_failed_answer_rules_out_acceptance(stage: Stage, decision: str) -> None:
    await stage.draft()
    await stage.submit()
    assert refusal_code(await stage.review(decision, answers=ONE_FAILED)) == "review_answers_failed"
    assert (await stage.campaign()).state == "IN_REVIEW"


async def test_a_deferred_campaign_goes_back_is_revised_and_submitted_again(stage: Stage) -> None:
    await stage.draft()
    await stage.submit()
    told = await stage.review("defer", answers=ONE_FAILED)
    assert only(told, CampaignReturned).reason == "Looked at all four questions"
    first_hash = stage.terms.hash()
    await stage.draft(unit_price_minor=4900)
    assert stage.terms.hash() != first_hash
    await stage.submit()
    opened = only(await stage.review(), CampaignOpened)
    assert opened.terms.unit_price_minor == 4900
    versions = await stage.harness.rows(
        "SELECT version, terms_hash FROM terms_version WHERE campaign_id = :c ORDER BY version", c=stage.campaign_id
    )
    assert [(row.version, row.terms_hash) for row in versions] == [(1, first_hash), (2, stage.terms.hash())]


def revision(
    stage: Stage, *, based_on: str | None = None, readiness: Readiness | None = READINESS, **changes: Any
) -> ReviseDraft:
    """A change of the draft's terms, based on what it says."""
    content = {
        "product": PRODUCT.model_dump(mode="json"),
        "terms": stage.terms.model_dump(mode="json"),
        "supplier_ids": [str(stage.supplier_id)],
        "visibility": "open",
    }
    return ReviseDraft(
        campaign_id=stage.campaign_id,
        based_on=content_digest(**content) if based_on is None else based_on,
        product=PRODUCT,
        terms=stage.terms.model_copy(update=changes),
        supplier_ids=(stage.supplier_id,),
        visibility="open",
        readiness=readiness,
    )


async def test_an_author_revises_a_draft_and_each_version_of_the_terms_is_kept(stage: Stage) -> None:
    await stage.draft()
    first_hash = stage.terms.hash()
    revised = only(await stage.deliver(revision(stage, unit_price_minor=4900), actor=OLGA), DraftRevised)
    assert (revised.terms.unit_price_minor, revised.terms_hash) == (4900, revised.terms.hash())
    versions = await stage.harness.rows(
        "SELECT version, terms_hash FROM terms_version WHERE campaign_id = :c ORDER BY version", c=stage.campaign_id
    )
    assert [(row.version, row.terms_hash) for row in versions] == [(1, first_hash), (2, revised.terms_hash)]
    await stage.submit()
    assert only(await stage.review(), CampaignOpened).terms == revised.terms
    rows = await stage.harness.rows(
        "SELECT actor_id, before ->> 'terms_hash' AS was, after ->> 'terms_hash' AS is FROM audit_entry "
        "WHERE subject = :c AND action = 'campaign.revise'",
        c=str(stage.campaign_id),
    )
    assert [tuple(row) for row in rows] == [("olga", first_hash, revised.terms_hash)]


async def test_a_revision_without_readiness_answers_leaves_those_that_were_given(stage: Stage) -> None:
    await stage.draft()
    query = "SELECT readiness FROM campaign_content WHERE campaign_id = :c"
    (before,) = await stage.harness.rows(query, c=stage.campaign_id)
    only(await stage.deliver(revision(stage, unit_price_minor=4900, readiness=None), actor=OLGA), DraftRevised)
    assert await stage.harness.rows(query, c=stage.campaign_id) == [before]
    assert before.readiness is not None


async def test_a_revision_of_what_the_draft_no_longer_says_changes_nothing(stage: Stage) -> None:
    await stage.draft()
    late = revision(stage, unit_price_minor=5100)
    only(await stage.deliver(revision(stage, unit_price_minor=4900), actor=OLGA), DraftRevised)
    refused = only(await stage.deliver(late, actor=OLGA), CampaignsCommandRefused)
    assert (refused.code, refused.facts["based_on"]) == ("version_stale", late.based_on)
    assert refused.facts["current"] != late.based_on
    (row,) = await stage.harness.rows(
        "SELECT unit_price_minor FROM campaign WHERE campaign_id = :c", c=stage.campaign_id
    )
    assert row.unit_price_minor == 4900


async def test_only_an_own_draft_is_revised_and_only_while_it_is_one(stage: Stage) -> None:
    unknown = ReviseDraft.model_validate_json(example_path(ReviseDraft.type).read_text())
    unknown = unknown.model_copy(update={"campaign_id": stage.campaign_id})
    assert refusal_code(await stage.deliver(unknown, actor=OLGA)) == "campaign_unknown"
    await stage.draft()
    assert refusal_code(await stage.deliver(revision(stage), actor=GUS)) == "not_allowed"
    assert refusal_code(await stage.deliver(revision(stage), actor=Actor(OLGA.id, "participant"))) == "not_allowed"
    await stage.submit()
    assert refusal_code(await stage.deliver(revision(stage), actor=OLGA)) == "campaign_state_conflict"


async def test_a_rejected_campaign_is_closed_with_its_reason(stage: Stage) -> None:
    await stage.draft()
    await stage.submit()
    closed = only(await stage.review("reject", answers=ONE_FAILED), CampaignClosed)
    assert (closed.reason, closed.from_state) == ("rejected", "IN_REVIEW")
    assert refusal_code(await stage.review()) == "campaign_state_conflict"


async def test_a_known_campaign_id_is_refused_once_it_is_in_review(stage: Stage) -> None:
    await stage.draft()
    await stage.submit()
    assert refusal_code(await stage.draft()) == "campaign_exists"


async def test_a_blocking_case_keeps_a_campaign_from_opening(stage: Stage) -> None:
    await stage.draft()
    await stage.submit()
    case_id = uuid4()
    await stage.tell(stage.case_opened(case_id))
    assert refusal_code(await stage.review()) == "campaign_frozen"
    await stage.tell(stage.case_closed(case_id))
    assert names(await stage.review()) == ["CampaignOpened"]


async def test_a_campaign_whose_close_date_has_passed_is_not_opened(stage: Stage) -> None:
    await stage.draft(days=1)
    await stage.submit()
    await stage.advance(days=2)
    assert refusal_code(await stage.review()) == "readiness_incomplete"


async def test_every_step_leaves_who_did_it_and_what_changed(stage: Stage) -> None:
    await stage.open()
    rows = await stage.harness.rows(
        "SELECT actor_id, actor_role, action, before ->> 'state' AS was, after ->> 'state' AS is, reason "
        "FROM audit_entry WHERE subject = :c ORDER BY id",
        c=str(stage.campaign_id),
    )
    assert [tuple(row) for row in rows] == [
        ("olga", "operations", "campaign.draft", None, "DRAFT", "campaigns.draft_campaign.v1"),
        ("olga", "operations", "campaign.submit", "DRAFT", "IN_REVIEW", "campaigns.submit_campaign.v1"),
        ("gus", "gatekeeper", "campaign.accept", "IN_REVIEW", "ACTIVE", "Looked at all four questions"),
    ]


async def test_the_database_keeps_author_and_reviewer_apart(stage: Stage) -> None:
    await stage.open()
    statement = (
        "INSERT INTO review (review_id, campaign_id, author_id, reviewer_id, decision, reason, answers, constraints, "
        "terms_hash, decided_at) SELECT gen_random_uuid(), campaign_id, author_id, author_id, decision, reason, "
        "answers, constraints, terms_hash, decided_at FROM review WHERE campaign_id = :c"
    )
    with pytest.raises(DBAPIError, match="reviewer_is_not_author"):
        async with stage.harness.engine.begin() as connection:
            await connection.execute(text(statement), {"c": stage.campaign_id})


async def test_a_campaign_that_would_hold_money_longer_than_the_rail_allows_is_refused_at_both_doors(
    campaigns: Harness,
) -> None:
    too_long = Stage(campaigns)
    await too_long.draft(days=300, delivery_window_days=60)
    refused = only(await too_long.submit(), CampaignsCommandRefused)
    assert refused.code == "hold_too_long"
    assert (refused.facts["days_needed"], refused.facts["days_allowed"]) == (374, 365)

    just_fits = Stage(campaigns)
    await just_fits.draft(days=300, delivery_window_days=51)
    assert names(await just_fits.submit()) == ["CampaignSubmitted"]
    assert names(await just_fits.review()) == ["CampaignOpened"]
