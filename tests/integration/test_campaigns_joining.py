"""Joining and leaving a campaign, in messages on the real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from contracts.campaigns import (
    CommitmentFundsFailed,
    CommitmentLocked,
    CommitmentRefused,
    CommitmentReserved,
    CommitmentWithdrawn,
    TargetLost,
    TargetReached,
)
from contracts.envelope import Actor
from tests.fixtures.harness import Harness
from tests.integration.campaigns_support import GUS, OLGA, Join, Stage, campaigns_service, names, only, refusal_code


@pytest_asyncio.fixture(scope="module")
async def campaigns() -> AsyncIterator[Harness]:
    async with campaigns_service() as service:
        yield service


@pytest_asyncio.fixture
async def stage(campaigns: Harness) -> Stage:
    return Stage(campaigns)


async def test_a_join_reserves_units_for_fifteen_minutes(stage: Stage) -> None:
    await stage.open()
    join, told = await stage.commit(2)
    event = only(told, CommitmentReserved)
    assert (event.amount_minor, event.currency, event.reserved_units, event.held_units) == (10_000, "usd", 2, 0)
    left = event.reserved_until - await stage.harness.now()
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)
    assert await stage.state_of(join) == "PENDING_FUNDS"
    assert await stage.counts_hold()


async def test_held_funds_lock_the_commitment_and_count_its_units(stage: Stage) -> None:
    await stage.open()
    join, _ = await stage.commit(2)
    event = only(await stage.hold(join), CommitmentLocked)
    assert (event.held_units, event.reserved_units, event.held_commitments) == (2, 0, 1)
    assert await stage.state_of(join) == "LOCKED"
    assert await stage.counts_hold()


async def test_a_command_delivered_twice_reserves_once(stage: Stage) -> None:
    await stage.open()
    join = Join(uuid4(), uuid4(), 2)
    command = stage.harness.wrap(stage.commit_message(join), actor=join.person)
    first = await stage.deliver_received([command, command])
    again = await stage.deliver_received([command])
    assert names(first) == ["CommitmentReserved"]
    assert again == []
    assert (await stage.campaign()).reserved_units == 2


async def test_a_join_repeated_under_its_id_changes_nothing(stage: Stage) -> None:
    await stage.open()
    join, _ = await stage.commit(2)
    again = await stage.deliver(stage.commit_message(join), actor=join.person)
    assert again == []
    assert (await stage.campaign()).reserved_units == 2


async def test_an_id_used_for_another_join_is_refused(stage: Stage) -> None:
    await stage.open()
    join, _ = await stage.commit(2)
    other = await stage.deliver(stage.commit_message(join, quantity=3), actor=join.person)
    assert refusal_code(other) == "idempotency_key_reused"
    assert (await stage.campaign()).reserved_units == 2


async def test_a_refused_join_meets_its_first_answer_again_even_when_units_came_free(stage: Stage) -> None:
    await stage.open()
    big, _ = await stage.commit(8)
    small, told = await stage.commit(1)
    assert refusal_code(told) == "over_capacity"
    await stage.tell(stage.reservation_ended(big))
    again = await stage.deliver(stage.commit_message(small), actor=small.person)
    assert only(again, CommitmentRefused).facts == {"units_left": 0}
    assert (await stage.campaign()).reserved_units == 0


REFUSED: list[tuple[str, dict[str, Any], int, dict[str, Any]]] = [
    ("terms_hash_stale", {}, 1, {"terms_hash": "0" * 64}),
    ("quantity_below_minimum", {"min_units": 2}, 1, {}),
    ("quantity_above_maximum", {"max_units": 2}, 3, {}),
    ("amount_below_minimum", {"unit_price_minor": 10}, 4, {}),
    ("over_capacity", {}, 9, {}),
    ("campaign_unknown", {}, 1, {"campaign_id": uuid4()}),
]


@pytest.mark.parametrize(("code", "terms", "quantity", "changes"), REFUSED, ids=[row[0] for row in REFUSED])
async def test_a_join_that_breaks_a_rule_is_refused_and_reserves_nothing(
    stage: Stage, code: str, terms: dict[str, Any], quantity: int, changes: dict[str, Any]
) -> None:
    await stage.open(**terms)
    join = Join(uuid4(), uuid4(), quantity)
    told = await stage.harness.deliver(stage.commit_message(join, **changes), actor=join.person)
    assert only(told, CommitmentRefused).code == code
    row = await stage.campaign()
    assert (row.reserved_units, row.open_reservations) == (0, 0)


async def test_a_refusal_leaves_the_other_joins_of_its_batch_alone(stage: Stage) -> None:
    await stage.open()
    joins = [Join(uuid4(), uuid4(), quantity) for quantity in (3, 9, 4)]
    batch = [stage.harness.wrap(stage.commit_message(join), actor=join.person) for join in joins]
    told = await stage.deliver_received(batch)
    assert names(told) == ["CommitmentReserved", "CommitmentRefused", "CommitmentReserved"]
    assert (await stage.campaign()).reserved_units == 7


async def test_the_maximum_counts_what_the_same_person_has_reserved_or_held(stage: Stage) -> None:
    await stage.open(max_units=3)
    person = uuid4()
    held, _ = await stage.commit(1, participant_id=person)
    await stage.hold(held)
    await stage.commit(1, participant_id=person)
    _, refused = await stage.commit(2, participant_id=person)
    assert only(refused, CommitmentRefused).facts == {"max_units": 3, "committed_units": 2}
    _, stranger = await stage.commit(2)
    assert names(stranger) == ["CommitmentReserved"]
    await stage.withdraw(held)
    _, after = await stage.commit(2, participant_id=person)
    assert names(after) == ["CommitmentReserved"]


async def test_the_maximum_holds_inside_one_batch(stage: Stage) -> None:
    await stage.open(max_units=3)
    person = uuid4()
    joins = [Join(uuid4(), person, 2), Join(uuid4(), person, 2), Join(uuid4(), person, 1)]
    batch = [stage.harness.wrap(stage.commit_message(join), actor=join.person) for join in joins]
    told = await stage.deliver_received(batch)
    assert names(told) == ["CommitmentReserved", "CommitmentRefused", "CommitmentReserved"]


@pytest.mark.parametrize("actor", [OLGA, GUS, Actor(str(uuid4()), "participant")], ids=lambda a: a.role)
async def test_nobody_joins_or_leaves_for_another_person(stage: Stage, actor: Actor) -> None:
    await stage.open()
    other = Join(uuid4(), uuid4(), 1)
    assert refusal_code(await stage.deliver(stage.commit_message(other), actor=actor)) == "not_allowed"
    join = await stage.lock(1)
    assert refusal_code(await stage.withdraw(join, actor=actor)) == "not_allowed"
    assert await stage.state_of(join) == "LOCKED"


async def test_another_persons_commitment_is_unknown(stage: Stage) -> None:
    await stage.open()
    join = await stage.lock(1)
    stranger = Join(join.commitment_id, uuid4(), 1)
    assert refusal_code(await stage.withdraw(stranger)) == "commitment_unknown"
    assert await stage.state_of(join) == "LOCKED"


async def test_an_ended_reservation_frees_its_units(stage: Stage) -> None:
    await stage.open()
    join, _ = await stage.commit(8)
    event = only(await stage.tell(stage.reservation_ended(join)), CommitmentFundsFailed)
    assert (event.reason, event.reserved_units) == ("expired", 0)
    assert await stage.state_of(join) == "FUNDS_FAILED"
    assert await stage.lock(8)
    assert await stage.counts_hold()


async def test_late_money_counts_nowhere(stage: Stage) -> None:
    await stage.open()
    join, _ = await stage.commit(2)
    await stage.tell(stage.reservation_ended(join))
    assert await stage.tell(stage.late_funds(join)) == []
    assert await stage.state_of(join) == "FUNDS_FAILED"
    assert await stage.counts_hold()


async def test_held_funds_of_an_ended_reservation_are_a_case(stage: Stage) -> None:
    await stage.open()
    join, _ = await stage.commit(2)
    await stage.tell(stage.reservation_ended(join))
    told = await stage.hold(join)
    assert names(told) == ["CampaignsCaseOpened"]
    assert [(case.kind, case.subject) for case in await stage.cases()] == [("state_mismatch", str(join.commitment_id))]
    assert (await stage.campaign()).held_units == 0


async def test_an_event_about_an_unknown_commitment_waits(stage: Stage) -> None:
    await stage.open()
    unknown = Join(uuid4(), uuid4(), 1)
    assert await stage.hold(unknown) == []
    parked = await stage.harness.rows("SELECT reason FROM parked WHERE key = :c", c=str(stage.campaign_id))
    assert [row.reason for row in parked] == ["early"]


async def test_a_locked_commitment_is_withdrawn_at_once(stage: Stage) -> None:
    await stage.open()
    join = await stage.lock(2)
    event = only(await stage.withdraw(join), CommitmentWithdrawn)
    assert (event.was, event.held_units, event.held_commitments) == ("LOCKED", 0, 0)
    assert await stage.state_of(join) == "WITHDRAWN"
    assert refusal_code(await stage.withdraw(join)) == "commitment_not_withdrawable"
    assert await stage.counts_hold()


async def test_a_person_who_leaves_before_the_funds_keeps_the_units_taken_until_escrow_speaks(stage: Stage) -> None:
    await stage.open()
    join, _ = await stage.commit(8)
    event = only(await stage.withdraw(join), CommitmentWithdrawn)
    assert (event.was, event.reserved_units) == ("PENDING_FUNDS", 8)
    _, told = await stage.commit(1)
    assert refusal_code(told) == "over_capacity"
    assert await stage.tell(stage.reservation_ended(join, "left")) == []
    assert await stage.state_of(join) == "WITHDRAWN"
    assert (await stage.campaign()).reserved_units == 0
    assert await stage.counts_hold()


@pytest.mark.parametrize("word", ["funds_held", "late_funds"])
async def test_a_payment_that_won_against_a_withdrawal_frees_the_units_once(stage: Stage, word: str) -> None:
    await stage.open()
    join, _ = await stage.commit(3)
    await stage.withdraw(join)
    message = getattr(stage, word)(join)
    assert await stage.tell(message) == []
    assert await stage.tell(stage.reservation_ended(join, "left")) == []
    assert await stage.state_of(join) == "WITHDRAWN"
    assert await stage.counts_hold()
    assert await stage.cases() == []


async def test_the_target_is_told_once_and_its_loss_at_each_crossing(stage: Stage) -> None:
    await stage.open()
    first = await stage.lock(3)
    second, _ = await stage.commit(2)
    told = await stage.hold(second)
    assert names(told) == ["CommitmentLocked", "TargetReached"]
    assert only(told, TargetReached).held_units == 5
    assert only(await stage.withdraw(first), TargetLost).held_units == 2
    third, _ = await stage.commit(3)
    assert names(await stage.hold(third)) == ["CommitmentLocked"]
    assert names(await stage.withdraw(second)) == ["CommitmentWithdrawn", "TargetLost"]
    assert (await stage.campaign()).state == "TARGET_ACHIEVED"


async def test_a_frozen_campaign_refuses_joins_but_lets_people_leave(stage: Stage) -> None:
    await stage.open()
    join = await stage.lock(1)
    await stage.tell(stage.case_opened(uuid4()))
    _, told = await stage.commit(1)
    assert refusal_code(told) == "campaign_frozen"
    assert names(await stage.withdraw(join)) == ["CommitmentWithdrawn"]


async def test_what_was_received_in_time_is_accepted_in_the_minute_before_the_deadline_acts(stage: Stage) -> None:
    await stage.open(days=1)
    early = await stage.lock(1)
    await stage.advance(days=1, seconds=30)
    close_at = stage.terms.close_at
    _, in_time = await stage.commit(1, received_at=close_at)
    assert names(in_time) == ["CommitmentReserved"]
    _, late = await stage.commit(1, received_at=close_at + timedelta(seconds=1))
    assert refusal_code(late) == "campaign_not_open"
    told = await stage.withdraw(early, received_at=close_at + timedelta(seconds=1))
    assert refusal_code(told) == "withdrawal_closed"
    assert names(await stage.withdraw(early, received_at=close_at)) == ["CommitmentWithdrawn"]


async def test_an_act_in_time_that_is_handled_after_the_close_is_refused_with_a_case(stage: Stage) -> None:
    await stage.open(days=1)
    join = await stage.lock(4)
    in_time = await stage.harness.now()
    await stage.advance(days=1, minutes=2)
    late_join, told = await stage.commit(1, received_at=in_time)
    assert only(told, CommitmentRefused).code == "arrived_late"
    assert refusal_code(await stage.withdraw(join, received_at=in_time)) == "arrived_late"
    assert {(case.kind, case.subject) for case in await stage.cases()} == {
        ("arrived_late", str(late_join.commitment_id)),
        ("arrived_late", str(join.commitment_id)),
    }
    assert await stage.state_of(join) == "LOCKED"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE commitment SET quantity = quantity + 1 WHERE campaign_id = :c",
        "UPDATE commitment SET participant_id = gen_random_uuid() WHERE campaign_id = :c",
        "UPDATE commitment SET state = 'LOCKED' WHERE campaign_id = :c",
        "DELETE FROM commitment WHERE campaign_id = :c",
        "UPDATE campaign SET unit_price_minor = 1 WHERE campaign_id = :c",
        "UPDATE campaign SET reserved_units = capacity_units + 1 WHERE campaign_id = :c",
        "UPDATE terms_version SET terms_hash = '' WHERE campaign_id = :c",
    ],
)
async def test_the_database_itself_keeps_what_was_committed(stage: Stage, statement: str) -> None:
    await stage.open()
    join = await stage.lock(1)
    await stage.withdraw(join)
    with pytest.raises(DBAPIError):
        async with stage.harness.engine.begin() as connection:
            await connection.execute(text(statement), {"c": stage.campaign_id})
    assert await stage.state_of(join) == "WITHDRAWN"
