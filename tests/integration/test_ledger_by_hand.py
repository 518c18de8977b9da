"""Acts by hand in the database: none is posted without a plan of its kind, at work, of two people, that says just that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy.exc import DBAPIError

from services.escrow.domain import postings
from services.escrow.domain.ledger import Posting
from tests.integration.ledger_support import LedgerStage, a_lock, ledger_stage

K = UUID(int=7)
NEEDS_PLAN = "has no plan of two people that says so"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stage() -> AsyncIterator[LedgerStage]:
    async with ledger_stage() as made:
        yield made


def act(kind: str, scope: str, plan_id: UUID, amount_minor: int = 400, whose: UUID = K) -> Posting:
    """The posting of a line of a plan of this kind."""
    if kind == "goodwill":
        return postings.goodwill(scope, whose, amount_minor, plan_id=plan_id, reason="quality_issue")
    if kind == "outside_payout":
        return postings.refund_paid_outside(scope, whose, amount_minor, plan_id=plan_id, reason="refund_failed")
    return postings.refund_decided(
        scope, whose, amount_minor, decision_id=uuid4(), reason="quality_issue", plan_id=plan_id
    )


async def a_scope(stage: LedgerStage) -> str:
    """A campaign that holds 1,000 for K and owes K 500."""
    scope = await stage.campaign("INSPECTION")
    await stage.post(
        a_lock(scope, K, 1_500),
        postings.refund_decided(scope, K, 500, decision_id=uuid4(), reason="withdrawn"),
    )
    return scope


SOURCES = {
    "manual_refund": "escrow",
    "partial_refund": "escrow",
    "outside_payout": "refund_payable",
    "goodwill": "goodwill",
}


@pytest.mark.parametrize("kind", sorted(SOURCES))
async def test_a_line_is_posted_only_as_an_approved_plan_of_its_kind_says(stage: LedgerStage, kind: str) -> None:
    scope = await a_scope(stage)
    lines, source = [(K, 400, False)], SOURCES[kind]
    drafted = await stage.plan(scope, lines, kind=kind, source=source, state="DRAFT")
    stranger = await stage.plan(scope, lines, kind="release", state="APPROVED")
    approved = await stage.plan(scope, lines, kind=kind, source=source, state="APPROVED")
    for plan_id in (drafted, stranger, approved, uuid4()):
        with pytest.raises(DBAPIError, match=NEEDS_PLAN):
            await stage.post(act(kind, scope, plan_id))
    await stage.run("UPDATE clearing_plan SET state = 'CLEARING' WHERE plan_id = :p", p=approved)
    for wrong in (
        act(kind, scope, approved, 399),
        act("goodwill" if kind != "goodwill" else "manual_refund", scope, approved),
    ):
        with pytest.raises(DBAPIError, match=NEEDS_PLAN):
            await stage.post(wrong)
    assert len(await stage.post(act(kind, scope, approved))) == 1


async def test_the_same_person_cannot_approve_an_act_by_hand(stage: LedgerStage) -> None:
    scope = await a_scope(stage)
    with pytest.raises(DBAPIError, match="approver_is_not_its_maker"):
        await stage.plan(scope, [(K, 400, False)], kind="manual_refund", approver_id="ana")


async def test_an_act_by_hand_says_why_and_names_its_evidence(stage: LedgerStage) -> None:
    scope = await a_scope(stage)
    bare = (
        "INSERT INTO clearing_plan (plan_id, scope, kind, maker_id, plan_hash, gross_minor, reserve_minor, fee_minor, "
        "net_minor, currency, reason, reason_code, evidence, submitted_at) VALUES (gen_random_uuid(), :s, 'goodwill', 'ana', "
        "repeat('a', 64), 1, 0, 0, 1, 'usd', 'x', :code, CAST(:evidence AS jsonb), stack_now())"
    )
    for code, evidence in ((None, '["doc:1"]'), ("quality_issue", "[]")):
        assert "clearing_plan_by_hand_says_why" in await stage.refusal(bare, s=scope, code=code, evidence=evidence)


async def test_one_plan_of_a_campaign_moves_its_lines_at_a_time(stage: LedgerStage) -> None:
    scope = await a_scope(stage)
    await stage.plan(scope, [(K, 400, False)], kind="goodwill", source="goodwill")
    with pytest.raises(DBAPIError, match="clearing_plan_one_at_its_lines"):
        await stage.plan(scope, [(K, 400, False)], kind="manual_refund")


async def test_a_correction_is_the_exact_reverse_of_the_transfer_that_its_plan_names_and_comes_once(
    stage: LedgerStage,
) -> None:
    scope = await a_scope(stage)
    outside = await stage.plan(scope, [(K, 500, False)], kind="outside_payout", source="refund_payable")
    (posted,) = await stage.post(wrong := act("outside_payout", scope, outside, 500))
    await stage.run("UPDATE clearing_plan SET state = 'DONE' WHERE plan_id = :p", p=outside)
    plan_id = await stage.plan(scope, [], kind="correction", target_position=posted.position)
    reverse = postings.correction(wrong, plan_id=plan_id, position=posted.position, reason="wrong_posting")
    part = reverse._replace(entries=tuple((account, amount // 2) for account, amount in reverse.entries))
    for spoilt in (part, reverse._replace(reverses=1), reverse._replace(cause=f"cor:{uuid4()}")):
        with pytest.raises(DBAPIError, match=NEEDS_PLAN):
            await stage.post(spoilt)
    await stage.post(reverse)
    await stage.run("UPDATE clearing_plan SET state = 'DONE' WHERE plan_id = :p", p=plan_id)
    again = await stage.plan(scope, [], kind="correction", target_position=posted.position)
    with pytest.raises(DBAPIError, match="ledger_transfer_is_taken_back_once"):
        await stage.run(
            "INSERT INTO ledger_transfer (scope, position, kind, cause, plan_id, reverses, relied_on, event_at, created_at, "
            "hash) VALUES (:s, 99, 'correction', 'cor:' || :p, CAST(:p AS uuid), :r, '{}', stack_now(), stack_now(), '')",
            s=scope,
            p=str(again),
            r=posted.position,
        )


async def test_a_recovery_needs_its_attempted_reversal(stage: LedgerStage) -> None:
    scope = await a_scope(stage)
    target = await stage.plan(scope, [(K, 500, False)], state="APPROVED")
    plan_id = await stage.plan(scope, [(K, 300, False)], kind="recovery", source="dispute_loss", target_plan_id=target)
    back = postings.transfer_back(scope, 300, plan_id=plan_id, reversal_id=f"trr_{plan_id}", as_recovery=True)
    with pytest.raises(DBAPIError, match=NEEDS_PLAN):
        await stage.post(back)
    record = (
        "INSERT INTO intent (id, purpose, object_id, ordinal, scope, request, recorded_at) "
        "VALUES (gen_random_uuid(), 'transfer_reversal', :p, 1, :s, '{}', stack_now())"
    )
    assert "may not be tried now" in await stage.refusal(record, p=str(target), s=scope)
    assert await stage.refusal(record, p=str(plan_id), s=scope) == ""
    assert await stage.attempt(plan_id) == ""
    with pytest.raises(DBAPIError, match=NEEDS_PLAN):
        await stage.post(postings.transfer_back(scope, 299, plan_id=plan_id, reversal_id="trr_x", as_recovery=True))
    assert len(await stage.post(back)) == 1
    assert len(await stage.post(postings.transfer_back(scope, 5, plan_id=target, reversal_id=f"trr_{target}"))) == 1
