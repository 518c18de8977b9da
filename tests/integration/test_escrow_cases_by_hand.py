"""Cases that nothing closes by itself: people close them, two where it blocks, and what was held goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy.exc import IntegrityError

from contracts.cases import CaseResolutionGiven, ResolveCase
from contracts.envelope import PLATFORM_SCOPE, Actor
from contracts.escrow import FundsHeld, RefundSent, ReservationEnded
from contracts.housekeeping import EscrowCaseClosed, EscrowCommandRefused
from services.escrow.store.plans import plans_of
from services.escrow.usecases.stop_plan import stop_plan
from tests.fixtures.harness import Published
from tests.integration.escrow_support import ANA, BEN, OLGA, Stage, of, staged


@pytest_asyncio.fixture
async def stage(harness: Any, tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(harness, tmp_path) as made:
        await made.reconciler.first_top_up(made)
        await made.harness.execute()
        yield made


async def mirrored_differs(stage: Stage) -> None:
    """The books say another figure than Stripe's list, and a pass finds it."""
    async with stage.harness.owner.begin() as connection:
        await connection.exec_driver_sql(
            f"UPDATE balance_transaction SET net = net - 1, fee = fee + 1 WHERE scope = '{stage.scope}'"
        )
    await stage.reconcile()


async def open_cases(stage: Stage, kind: str = "psp_mismatch") -> list[UUID]:
    rows = await stage.harness.rows(
        "SELECT case_id FROM cases WHERE kind = :kind AND closed_at IS NULL ORDER BY opened_at", kind=kind
    )
    return [row.case_id for row in rows]


def word(case_id: UUID, *, scope: str = PLATFORM_SCOPE) -> ResolveCase:
    return ResolveCase(
        scope_id=scope, case_id=case_id, resolution="Both books were read and agree.", evidence=("report:7",)
    )


async def resolve(stage: Stage, case_id: UUID, by: Actor, **where: str) -> list[Published]:
    return await stage.harness.deliver(word(case_id, **where), actor=by)


def codes(published: list[Published]) -> list[str]:
    return [each.code for each in of(published, EscrowCommandRefused)]


async def refused_records(stage: Stage) -> list[tuple[str, str]]:
    rows = await stage.harness.rows(
        "SELECT actor_id, reason FROM audit_entry WHERE action = 'escrow.case_resolution.refused' ORDER BY id"
    )
    return [(row.actor_id, row.reason) for row in rows]


async def test_two_auditors_let_go_what_a_mismatch_held_and_a_finding_that_still_holds_comes_back(
    stage: Stage,
) -> None:
    await stage.funded(1)
    await stage.reconcile()
    await mirrored_differs(stage)
    (case_id,) = await open_cases(stage)
    (ended,) = of(await stage.harness.deliver(await stage.reserved(stage.join())), ReservationEnded)
    assert ended.reason == "refused"

    assert codes(await resolve(stage, case_id, OLGA)) == ["not_allowed"]
    (given,) = of(await resolve(stage, case_id, ANA), CaseResolutionGiven)
    assert (given.given_by, given.closes) == ("ana", False)
    assert codes(await resolve(stage, case_id, ANA)) == ["case_needs_another_person"]
    assert await open_cases(stage) == [case_id], "one person lets nothing go"

    published = await resolve(stage, case_id, BEN)
    assert [(each.given_by, each.closes) for each in of(published, CaseResolutionGiven)] == [("ben", True)]
    assert [(each.case_id, each.resolution) for each in of(published, EscrowCaseClosed)] == [(case_id, "by_hand")]
    assert await open_cases(stage) == []
    assert of(await stage.fund(stage.join()), FundsHeld)

    assert codes(await resolve(stage, case_id, BEN)) == ["case_closed"]
    assert codes(await resolve(stage, uuid4(), BEN)) == ["not_found"]
    assert codes(await resolve(stage, case_id, BEN, scope=stage.scope)) == ["not_found"]
    assert await refused_records(stage) == [
        ("olga", "not_allowed"),
        ("ana", "case_needs_another_person"),
        ("ben", "case_closed"),
        ("ben", "not_found"),
        ("ben", "not_found"),
    ]

    # Nobody mended it: the next pass finds it again, as a new case that needs two fresh words.
    await stage.reconcile()
    (again,) = await open_cases(stage)
    assert again != case_id
    assert [each.closes for each in of(await resolve(stage, again, BEN), CaseResolutionGiven)] == [False]


async def test_the_same_message_twice_is_one_word(stage: Stage) -> None:
    await stage.funded(1)
    await stage.reconcile()
    await mirrored_differs(stage)
    (case_id,) = await open_cases(stage)
    asked = word(case_id)
    sent = uuid4()
    first = await stage.harness.deliver(asked, actor=ANA, message_id=sent)
    assert len(of(first, CaseResolutionGiven)) == 1
    assert await stage.harness.deliver(asked, actor=ANA, message_id=sent) == []


async def test_a_case_that_ends_by_itself_is_not_closed_by_people_and_one_that_holds_nothing_by_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage.transaction([PLATFORM_SCOPE]) as work:
        work.open_case("float_low", scope=PLATFORM_SCOPE, subject=PLATFORM_SCOPE)
        work.open_case("top_up_failed", scope=PLATFORM_SCOPE, subject="tu_1")
    (by_itself,), (failed,) = await open_cases(stage, "float_low"), await open_cases(stage, "top_up_failed")
    assert codes(await resolve(stage, by_itself, ANA)) == ["case_ends_otherwise"]
    (given,) = of(await resolve(stage, failed, ANA), CaseResolutionGiven)
    assert given.closes
    assert await open_cases(stage, "top_up_failed") == []


async def test_the_database_lets_no_blocking_case_go_by_hand_for_one_person(stage: Stage) -> None:
    async with stage.transaction([PLATFORM_SCOPE]) as work:
        work.open_case("psp_mismatch", scope=PLATFORM_SCOPE, subject="txn_1", blocking=True)
    (case_id,) = await open_cases(stage)
    await resolve(stage, case_id, ANA)
    with pytest.raises(IntegrityError, match="by so few people"):
        async with stage.transaction([PLATFORM_SCOPE]) as work:
            await work.close_case("psp_mismatch", subject="txn_1", resolution="by_hand")
    assert await open_cases(stage) == [case_id]


async def test_a_latch_conflict_stays_while_its_release_is_at_work(stage: Stage) -> None:
    await stage.funded(4)
    await stage.reconcile()
    await stage.to_inspection()
    await stage.approved()
    await stage.close()
    (case_id,) = await open_cases(stage, "latch_conflict")
    assert codes(await resolve(stage, case_id, ANA, scope=stage.scope)) == ["plan_state_conflict"]
    assert await open_cases(stage, "latch_conflict") == [case_id]


async def test_the_refunds_of_a_close_follow_once_the_release_that_it_met_has_stopped(stage: Stage) -> None:
    await stage.funded(4)
    await stage.reconcile()
    await stage.to_inspection()
    await stage.approved()
    await stage.close()
    assert len(await open_cases(stage, "latch_conflict")) == 1
    async with stage.transaction([stage.scope]) as work:
        (plan,) = await plans_of(work, stage.scope)
        await stop_plan(work, plan, "given_up")
    assert await open_cases(stage, "latch_conflict") == []
    assert len(of(await stage.harness.execute(), RefundSent)) == 4
