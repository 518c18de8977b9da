"""Released money in the database: two people, the campaign's state, the latch, the plan's own lines, the intent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy.exc import DBAPIError

from services.escrow.domain import postings
from services.escrow.domain.fees import payout_of
from services.escrow.domain.ledger import Posting
from tests.integration.ledger_support import MAKER, LedgerStage, a_lock, ledger_stage

K = UUID(int=7)
NEEDS_PLAN = "has no plan that may clear it now"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage() -> AsyncIterator[LedgerStage]:
    """One database for the module; each test plays in scopes of its own."""
    async with ledger_stage() as made:
        yield made


async def ready(stage: LedgerStage, **plan: object) -> tuple[str, UUID]:
    """A campaign with one locked commitment of 1,000 and its plan at work."""
    plan_id = uuid4()
    scope = await stage.campaign("INSPECTION", latch_plan_id=plan_id)
    await stage.post(a_lock(scope, K, 1_000))
    await stage.plan(scope, [(K, 1_000, False)], plan_id=plan_id, **plan)
    return scope, plan_id


def clear(scope: str, plan_id: UUID, amount_minor: int = 1_000, *, to_reserve: bool = False) -> Posting:
    return postings.clear(scope, K, amount_minor, plan_id=plan_id, to_reserve=to_reserve)


async def test_an_approved_plan_clears_sends_and_takes_its_fee(stage: LedgerStage) -> None:
    payout = payout_of(clearing_minor=1_000, cleared_before_minor=0, fee_taken_minor=0, basis_points=500)
    scope, plan_id = await ready(stage, fee_minor=payout.fee_minor)
    await stage.post(clear(scope, plan_id))
    assert await stage.intent(scope, plan_id, attempts=1) == ""
    await stage.post(
        postings.fee(scope, payout.fee_minor, plan_id=plan_id),
        postings.transfer_sent(scope, payout.net_minor, plan_id=plan_id, transfer_id=f"tr_{plan_id}"),
    )
    await stage.run(
        "UPDATE clearing_plan SET state = 'SENT', transfer_id = 'tr_' || plan_id, sent_at = stack_now() WHERE plan_id = :p",
        p=plan_id,
    )
    balances = await stage.balances(scope)
    assert (balances["supplier_payable"], balances["platform_fee"], balances[f"escrow:{K}"]) == (0, 50, 0)
    assert await stage.violations(scope) == {}


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE ledger_scope SET campaign_state = 'FULFILLMENT' WHERE scope = :scope",
        "UPDATE ledger_scope SET campaign_state = 'COMPLETED' WHERE scope = :scope",
        "UPDATE ledger_scope SET campaign_state = NULL WHERE scope = :scope",
        "UPDATE ledger_scope SET paused = true WHERE scope = :scope",
        "UPDATE ledger_scope SET latch = NULL, latch_plan_id = NULL WHERE scope = :scope",
        "UPDATE ledger_scope SET latch = 'close', latch_plan_id = NULL WHERE scope = :scope",
        "UPDATE ledger_scope SET latch_plan_id = gen_random_uuid() WHERE scope = :scope",
        "UPDATE clearing_plan SET state = 'STOPPED' WHERE scope = :scope",
    ],
)
async def test_a_line_is_not_cleared_while_the_campaign_or_the_latch_says_no(stage: LedgerStage, spoil: str) -> None:
    scope, plan_id = await ready(stage)
    await stage.run(spoil, scope=scope)
    with pytest.raises(DBAPIError, match=NEEDS_PLAN):
        await stage.post(clear(scope, plan_id))
    assert NEEDS_PLAN not in await stage.intent(scope, plan_id)
    assert "may not be tried now" in await stage.intent(scope, plan_id)
    assert (await stage.balances(scope))[f"escrow:{K}"] == 1_000


@pytest.mark.parametrize("state", ["DRAFT", "APPROVED"])
async def test_a_line_is_not_cleared_before_two_people_approved_and_clearing_began(
    stage: LedgerStage, state: str
) -> None:
    scope, plan_id = await ready(stage, state=state)
    with pytest.raises(DBAPIError, match=NEEDS_PLAN):
        await stage.post(clear(scope, plan_id))
    assert "may not be tried now" in await stage.intent(scope, plan_id)


async def test_a_line_is_cleared_only_as_its_plan_says(stage: LedgerStage) -> None:
    scope, plan_id = await ready(stage)
    other = uuid4()
    await stage.post(a_lock(scope, other, 1_000))
    stranger = postings.clear(scope, other, 1_000, plan_id=plan_id, to_reserve=False)
    for wrong in (clear(scope, plan_id, 999), clear(scope, plan_id, to_reserve=True), stranger, clear(scope, uuid4())):
        with pytest.raises(DBAPIError, match=NEEDS_PLAN):
            await stage.post(wrong)
    elsewhere = await stage.campaign("INSPECTION")
    await stage.post(a_lock(elsewhere, K, 1_000))
    with pytest.raises(DBAPIError, match=NEEDS_PLAN):
        await stage.post(postings.clear(elsewhere, K, 1_000, plan_id=plan_id, to_reserve=False))


async def test_a_reserve_is_released_only_after_completion_by_a_plan_of_its_kind(stage: LedgerStage) -> None:
    first = uuid4()
    scope = await stage.campaign("INSPECTION", latch_plan_id=first)
    await stage.post(a_lock(scope, K, 1_000))
    await stage.plan(scope, [(K, 1_000, True)], plan_id=first)
    await stage.post(clear(scope, first, to_reserve=True))
    await stage.run("UPDATE clearing_plan SET state = 'SENT' WHERE plan_id = :p", p=first)
    second = uuid4()
    release = postings.reserve_release(scope, K, 1_000, plan_id=second)
    await stage.run("UPDATE ledger_scope SET latch_plan_id = :p WHERE scope = :s", p=second, s=scope)
    await stage.plan(scope, [(K, 1_000, False)], plan_id=second, kind="reserve_release")
    with pytest.raises(DBAPIError, match=NEEDS_PLAN):
        await stage.post(release)
    await stage.run("UPDATE ledger_scope SET campaign_state = 'COMPLETED' WHERE scope = :s", s=scope)
    await stage.post(release)
    assert (await stage.balances(scope))["supplier_payable"] == 1_000


async def test_a_transfer_or_fee_is_not_posted_before_an_attempt_and_always_after_it(stage: LedgerStage) -> None:
    scope, plan_id = await ready(stage, fee_minor=100)
    await stage.post(clear(scope, plan_id))
    fee = postings.fee(scope, 100, plan_id=plan_id)
    sent = postings.transfer_sent(scope, 900, plan_id=plan_id, transfer_id=f"tr_{plan_id}")
    assert await stage.intent(scope, plan_id) == ""
    for posting in (fee, sent):
        with pytest.raises(DBAPIError, match="has no attempted intent"):
            await stage.post(posting)
    assert await stage.attempt(plan_id) == ""
    await stage.run("UPDATE ledger_scope SET paused = true, campaign_state = 'CLOSED' WHERE scope = :s", s=scope)
    assert len(await stage.post(fee, sent)) == 2


async def test_each_attempt_is_asked_again_and_a_repeated_record_is_a_no_op(stage: LedgerStage) -> None:
    scope, plan_id = await ready(stage)
    assert await stage.intent(scope, plan_id, attempts=1) == ""
    await stage.run("UPDATE ledger_scope SET paused = true WHERE scope = :s", s=scope)
    assert "may not be tried now" in await stage.attempt(plan_id)
    assert await stage.intent(scope, plan_id) == ""
    assert "may not be tried now" in await stage.intent(scope, plan_id, ordinal=2)
    answered = "UPDATE intent SET state = 'answered' WHERE object_id = :p"
    assert await stage.refusal(answered, p=str(plan_id)) == ""
    moved = "UPDATE intent SET object_id = 'x' WHERE object_id = :p"
    assert "keeps its purpose" in await stage.refusal(moved, p=str(plan_id))


async def test_the_maker_never_approves(stage: LedgerStage) -> None:
    with pytest.raises(DBAPIError, match="approver_is_not_its_maker"):
        await ready(stage, approver_id=MAKER)
    scope, plan_id = await ready(stage, state="DRAFT")
    alone = "UPDATE clearing_plan SET state = 'APPROVED' WHERE plan_id = :p"
    assert "has_two_people" in await stage.refusal(alone, p=plan_id)
    assert scope != ""


@pytest.mark.parametrize(
    "change",
    [
        "approver_id = 'cleo'",
        "net_minor = 500, gross_minor = 500",
        "plan_hash = repeat('b', 64)",
        "reason = 'another'",
        "conditions = '[{}]'",
        "maker_id = 'cleo'",
        "supplier_id = gen_random_uuid()",
        "currency = 'eur'",
    ],
)
async def test_what_was_approved_stays_as_it_was_approved(stage: LedgerStage, change: str) -> None:
    _, plan_id = await ready(stage, state="APPROVED")
    for owner in (False, True):
        refused = await stage.refusal(f"UPDATE clearing_plan SET {change} WHERE plan_id = :p", owner=owner, p=plan_id)
        assert "stays as it was" in refused


async def test_the_lines_of_a_submitted_plan_are_frozen(stage: LedgerStage) -> None:
    _, plan_id = await ready(stage, state="APPROVED")
    new = "INSERT INTO clearing_line (plan_id, commitment_id, amount_minor) VALUES (:p, gen_random_uuid(), 5)"
    assert "stay as they were submitted" in await stage.refusal(new, p=plan_id)
    assert "denied" in await stage.refusal("UPDATE clearing_line SET amount_minor = 5")
    for statement in ("UPDATE clearing_line SET amount_minor = 5", "DELETE FROM clearing_line"):
        assert "stay as they were submitted" in await stage.refusal(statement, owner=True)
    assert await stage.refusal("UPDATE clearing_line SET cleared_at = stack_now()") == ""


@pytest.mark.parametrize(("state", "to"), [("CLEARING", "APPROVED"), ("CLEARED", "DRAFT"), ("STOPPED", "CLEARING")])
async def test_a_plan_never_goes_back(stage: LedgerStage, state: str, to: str) -> None:
    _, plan_id = await ready(stage, state=state)
    back = "UPDATE clearing_plan SET state = :to WHERE plan_id = :p"
    assert "cannot go from" in await stage.refusal(back, to=to, p=plan_id)


async def test_an_attempted_plan_is_given_up_by_two_people_only(stage: LedgerStage) -> None:
    scope, plan_id = await ready(stage, state="SENDING")
    assert await stage.intent(scope, plan_id, attempts=1) == ""
    stop = "UPDATE clearing_plan SET state = 'STOPPED', given_up_by = 'ana', given_up_approver = :by WHERE plan_id = :p"
    assert "cannot go from" in await stage.refusal(stop, by=None, p=plan_id)
    for alone in ("ana", "ben"):
        assert "is given up by an approved plan only" in await stage.refusal(stop, by=alone, p=plan_id)
    await stage.plan(scope, [], kind="give_up", target_plan_id=plan_id)
    assert await stage.refusal(stop, by="ben", p=plan_id) == ""


async def test_one_plan_of_a_campaign_works_at_a_time(stage: LedgerStage) -> None:
    scope, _ = await ready(stage)
    with pytest.raises(DBAPIError, match="clearing_plan_one_at_a_time"):
        await stage.run(
            "INSERT INTO clearing_plan (plan_id, scope, kind, version, state, maker_id, approver_id, supplier_id, plan_hash, "
            "gross_minor, reserve_minor, fee_minor, net_minor, currency, reason, submitted_at) "
            "VALUES (gen_random_uuid(), :s, 'release', 2, 'CLEARING', 'ana', 'ben', gen_random_uuid(), repeat('a', 64), "
            "1, 0, 0, 1, 'usd', 'x', stack_now())",
            s=scope,
        )
