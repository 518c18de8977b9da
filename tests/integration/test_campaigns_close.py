"""The end of joining and the decision after it, in messages on the real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import text

from contracts.campaigns import AcceptanceRequested, CampaignClosed, CommitmentSettled, JoiningEnded
from tests.fixtures.harness import Harness
from tests.integration.campaigns_support import Stage, campaigns_service, names, only, refusal_code


@pytest_asyncio.fixture(scope="module")
async def campaigns() -> AsyncIterator[Harness]:
    async with campaigns_service() as service:
        yield service


@pytest_asyncio.fixture
async def stage(campaigns: Harness) -> Stage:
    return await Stage(campaigns).open()


async def test_below_the_target_at_the_close_date_everybody_is_refunded(stage: Stage) -> None:
    join = await stage.lock(3)
    told = await stage.advance(days=14, minutes=2)
    assert names(told) == ["JoiningEnded", "CampaignClosed"]
    assert only(told, JoiningEnded).cause == "close_date"
    closed = only(told, CampaignClosed)
    assert (closed.reason, closed.from_state, closed.held_units, closed.held_commitments) == (
        "target_not_reached",
        "ACTIVE",
        3,
        1,
    )
    assert await stage.state_of(join) == "REFUNDED"
    assert await stage.counts_hold()


async def test_the_close_date_acts_only_after_its_grace(stage: Stage) -> None:
    await stage.lock(1)
    assert await stage.advance(days=14, seconds=30) == []
    assert names(await stage.advance(minutes=1)) == ["JoiningEnded", "CampaignClosed"]


async def test_at_the_target_the_supplier_is_asked_with_the_final_figures(stage: Stage) -> None:
    join = await stage.lock(3)
    await stage.lock(2)
    told = await stage.advance(days=14, minutes=2)
    assert names(told) == ["JoiningEnded", "AcceptanceRequested"]
    asked = only(told, AcceptanceRequested)
    assert (asked.final_units, asked.commitments, asked.unit_price_minor) == (5, 2, 5000)
    assert asked.terms_hash == stage.terms.hash()
    assert (await stage.campaign()).state == "PENDING_ACCEPTANCE"
    assert refusal_code(await stage.withdraw(join, received_at=None)) == "withdrawal_closed"


async def test_held_units_at_the_capacity_end_joining_at_once_and_the_close_date_then_does_nothing(
    stage: Stage,
) -> None:
    await stage.lock(5)
    join, _ = await stage.commit(3)
    told = await stage.hold(join)
    assert names(told) == ["CommitmentLocked", "JoiningEnded", "AcceptanceRequested"]
    assert only(told, JoiningEnded).cause == "capacity"
    _, refused = await stage.commit(1)
    assert refusal_code(refused) == "campaign_not_open"
    assert await stage.advance(days=14, minutes=2) == []


async def test_one_commitment_of_the_whole_capacity_reaches_target_and_close_together(stage: Stage) -> None:
    join, _ = await stage.commit(8)
    told = await stage.hold(join)
    assert names(told) == ["CommitmentLocked", "TargetReached", "JoiningEnded", "AcceptanceRequested"]


async def test_reserved_units_refuse_a_join_as_full_but_do_not_end_joining(stage: Stage) -> None:
    await stage.lock(5)
    reserved, _ = await stage.commit(3)
    _, refused = await stage.commit(1)
    assert refusal_code(refused) == "over_capacity"
    assert (await stage.campaign()).joining_ended_at is None
    await stage.tell(stage.reservation_ended(reserved))
    _, told = await stage.commit(1)
    assert names(told) == ["CommitmentReserved"]


async def test_the_decision_waits_for_open_reservations_and_counts_who_paid_in_time(stage: Stage) -> None:
    await stage.lock(3)
    paying, _ = await stage.commit(1)
    leaving, _ = await stage.commit(1)
    assert names(await stage.advance(days=14, minutes=2)) == ["JoiningEnded"]
    assert names(await stage.hold(paying)) == ["CommitmentLocked", "TargetReached"]
    told = await stage.tell(stage.reservation_ended(leaving))
    assert names(told) == ["CommitmentFundsFailed", "AcceptanceRequested"]
    assert only(told, AcceptanceRequested).final_units == 4


async def test_the_last_reservation_that_ends_without_funds_decides_below_the_target(stage: Stage) -> None:
    held = await stage.lock(3)
    waiting, _ = await stage.commit(1)
    await stage.advance(days=14, minutes=2)
    told = await stage.tell(stage.reservation_ended(waiting))
    assert names(told) == ["CommitmentFundsFailed", "CampaignClosed"]
    assert await stage.state_of(held) == "REFUNDED"
    assert await stage.state_of(waiting) == "FUNDS_FAILED"


@pytest.mark.parametrize(("units", "decided"), [(1, ["TargetReached", "AcceptanceRequested"]), (0, ["CampaignClosed"])])
async def test_funds_of_the_last_open_reservation_decide(stage: Stage, units: int, decided: list[str]) -> None:
    await stage.lock(2 + units)
    paying, _ = await stage.commit(1)
    await stage.advance(days=14, minutes=2)
    assert names(await stage.hold(paying)) == ["CommitmentLocked", *decided]
    assert await stage.counts_hold()


async def test_a_person_who_left_is_the_last_one_the_decision_waits_for(stage: Stage) -> None:
    await stage.lock(3)
    leaving, _ = await stage.commit(2)
    await stage.withdraw(leaving)
    assert names(await stage.advance(days=14, minutes=2)) == ["JoiningEnded"]
    assert names(await stage.tell(stage.late_funds(leaving))) == ["CampaignClosed"]


async def test_funds_held_in_the_same_batch_as_the_deciding_event_are_refunded_with_all_others(stage: Stage) -> None:
    joins = [(await stage.commit(1))[0] for _ in range(3)]
    await stage.advance(days=14, minutes=2)
    told = await stage.tell(stage.funds_held(joins[0]), stage.funds_held(joins[1]), stage.reservation_ended(joins[2]))
    assert names(told) == ["CommitmentLocked", "CommitmentLocked", "CommitmentFundsFailed", "CampaignClosed"]
    assert [await stage.state_of(join) for join in joins] == ["REFUNDED", "REFUNDED", "FUNDS_FAILED"]
    assert await stage.counts_hold()


async def test_reservations_open_long_after_the_close_become_a_case(stage: Stage) -> None:
    waiting, _ = await stage.commit(1)
    await stage.advance(days=14, minutes=2)
    told = await stage.advance(minutes=32)
    assert names(told) == ["CampaignsCaseOpened"]
    assert [case.kind for case in await stage.cases()] == ["reservations_open_after_close"]
    assert "CampaignClosed" in names(await stage.tell(stage.reservation_ended(waiting)))


async def test_a_decision_in_time_opens_no_case(stage: Stage) -> None:
    waiting, _ = await stage.commit(1)
    await stage.advance(days=14, minutes=2)
    await stage.tell(stage.reservation_ended(waiting))
    assert await stage.advance(minutes=40) == []
    assert await stage.cases() == []


async def test_a_target_lost_by_withdrawals_closes_only_when_the_invitation_is_withdrawn(stage: Stage) -> None:
    leaving = await stage.lock(3)
    staying = await stage.lock(2)
    await stage.withdraw(leaving)
    told = await stage.advance(days=14, minutes=2)
    assert names(told) == ["JoiningEnded", "InvitationWithdrawalRequested"]
    assert (await stage.campaign()).state == "TARGET_ACHIEVED"
    told = await stage.tell(stage.withdrawn())
    closed = only(told, CampaignClosed)
    assert (closed.reason, closed.from_state, closed.held_units) == ("target_not_reached", "TARGET_ACHIEVED", 2)
    assert await stage.state_of(staying) == "REFUNDED"
    assert await stage.state_of(leaving) == "WITHDRAWN"


async def test_no_supplier_left_closes_before_the_close_date_too(stage: Stage) -> None:
    held = await stage.lock(4)
    paying, _ = await stage.commit(1)
    assert await stage.tell(stage.declined(no_supplier_left=False)) == []
    told = await stage.tell(stage.declined())
    closed = only(told, CampaignClosed)
    assert (closed.reason, closed.from_state, closed.held_commitments) == ("supplier_declined", "TARGET_ACHIEVED", 1)
    assert await stage.state_of(held) == "REFUNDED"
    _, refused = await stage.commit(1)
    assert refusal_code(refused) == "campaign_not_open"
    # Escrow had held these funds before it heard of the close: the closing decides over them too.
    told = await stage.hold(paying)
    assert names(told) == ["CommitmentLocked", "CommitmentSettled"]
    assert only(told, CommitmentSettled).state == "REFUNDED"
    assert await stage.state_of(paying) == "REFUNDED"
    assert await stage.counts_hold()
    assert await stage.advance(days=14, minutes=2) == []


async def test_a_reservation_open_at_an_early_close_ends_when_escrow_says_so(stage: Stage) -> None:
    await stage.lock(4)
    waiting, _ = await stage.commit(1)
    await stage.tell(stage.declined())
    told = await stage.tell(stage.reservation_ended(waiting), stage.late_funds(waiting))
    assert names(told) == ["CommitmentFundsFailed"]
    assert await stage.counts_hold()


@pytest.mark.parametrize(("word", "reason"), [("declined", "supplier_declined"), ("timed_out", "acceptance_timeout")])
async def test_without_an_acceptance_the_campaign_closes_and_a_repeated_word_changes_nothing(
    stage: Stage, word: str, reason: str
) -> None:
    join = await stage.lock(8)
    told = await stage.tell(getattr(stage, word)())
    closed = only(told, CampaignClosed)
    assert (closed.reason, closed.from_state, closed.held_units) == (reason, "PENDING_ACCEPTANCE", 8)
    assert await stage.state_of(join) == "REFUNDED"
    assert await stage.tell(getattr(stage, word)(), stage.withdrawn()) == []
    assert await stage.cases() == []


async def test_a_frozen_campaign_ends_joining_but_decides_only_after_the_freeze(stage: Stage) -> None:
    await stage.lock(1)
    case_id = uuid4()
    await stage.tell(stage.case_opened(case_id))
    assert names(await stage.advance(days=14, minutes=2)) == ["JoiningEnded"]
    assert names(await stage.tell(stage.case_closed(case_id))) == ["CampaignClosed"]


async def test_a_decline_that_comes_into_a_freeze_is_kept_and_taken_after_it(stage: Stage) -> None:
    await stage.lock(8)
    first, second = uuid4(), uuid4()
    await stage.tell(stage.case_opened(first), stage.case_opened(second))
    assert await stage.tell(stage.declined()) == []
    assert (await stage.campaign()).state == "PENDING_ACCEPTANCE"
    assert await stage.tell(stage.case_closed(first)) == []
    assert only(await stage.tell(stage.case_closed(second)), CampaignClosed).reason == "supplier_declined"


async def test_a_campaign_with_a_blocked_stream_decides_when_an_operator_has_resumed_it(stage: Stage) -> None:
    await stage.lock(1)
    bad = replace(stage.harness.wrap(stage.declined(no_supplier_left=False)), body=b"{}")
    assert names(await stage.deliver_received([bad])) == ["CampaignsCaseOpened"]
    _, refused = await stage.commit(1)
    assert refusal_code(refused) == "campaign_frozen"
    assert names(await stage.advance(days=14, minutes=2)) == ["JoiningEnded"]
    async with stage.harness.owner.begin() as connection:
        stream = {"s": f"suppliers:{stage.campaign_id}"}
        await connection.execute(
            text(
                "UPDATE parked SET discarded_by = 'olga', discard_approved_by = 'ana', discard_reason = 'unreadable' "
                "WHERE stream = :s"
            ),
            stream,
        )
        await connection.execute(text("UPDATE gate SET state = 'resuming' WHERE stream = :s"), stream)
    await stage.harness.sweeper.step()
    assert names(await stage.advance(seconds=0)) == ["CampaignsCaseClosed", "CampaignClosed"]
    assert await stage.cases() == []


async def test_a_freeze_whose_end_nobody_tells_is_looked_at_again(stage: Stage) -> None:
    await stage.lock(8)
    await stage.tell(stage.case_opened(uuid4()))
    await stage.tell(stage.declined())
    assert await stage.advance(minutes=15) == []
    async with stage.harness.owner.begin() as connection:
        await connection.execute(text("DELETE FROM frozen_scope WHERE scope = :c"), {"c": str(stage.campaign_id)})
    assert names(await stage.advance(minutes=25)) == ["CampaignClosed"]
