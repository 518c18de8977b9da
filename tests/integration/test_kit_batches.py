"""The kit's promises about batches, gates, inbox and parking, on the real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import text

from contracts.campaigns import SubmitCampaign, TargetReached
from contracts.envelope import Actor
from contracts.housekeeping import CampaignsCommandRefused
from contracts.suppliers import DeliveryCompleted
from services.kit import parking
from services.kit.received import Received
from tests.fixtures.harness import Harness
from tests.fixtures.kit_service import KIT_SERVICE, POISON_UNITS, SWITCH, kit_database

OPERATIONS = Actor("a-person", "operations")


@pytest_asyncio.fixture
async def kit() -> AsyncIterator[Harness]:
    SWITCH.update(mended=False, known=False)
    harness = Harness(KIT_SERVICE, await kit_database())
    yield harness
    await harness.close()


def delivery(campaign: UUID, units: int) -> DeliveryCompleted:
    return DeliveryCompleted(campaign_id=campaign, supplier_id=uuid4(), delivered=units)


async def applied(kit: Harness, campaign: UUID) -> list[int]:
    rows = await kit.rows("SELECT seq FROM applied WHERE scope = :scope ORDER BY position", scope=str(campaign))
    return [row.seq for row in rows]


async def gate_state(kit: Harness, campaign: UUID) -> tuple[str, int]:
    row = (await kit.rows("SELECT state, last_seq FROM gate WHERE stream = :s", s=f"suppliers:{campaign}"))[0]
    return row.state, row.last_seq


async def test_a_batch_is_applied_in_one_transaction_and_events_get_gapless_numbers(kit: Harness) -> None:
    campaign = uuid4()
    published = await kit.deliver(*[delivery(campaign, n) for n in range(1, 6)])
    assert [event.seq for event in published] == [1, 2, 3, 4, 5]
    assert await applied(kit, campaign) == [1, 2, 3, 4, 5]


async def test_a_redelivered_batch_changes_nothing(kit: Harness) -> None:
    campaign = uuid4()
    batch = [kit.wrap(delivery(campaign, n)) for n in range(1, 4)]
    command = kit.wrap(SubmitCampaign(campaign_id=campaign), actor=OPERATIONS)
    first = await kit.deliver_received([*batch, command])
    again = await kit.deliver_received([*batch, command])
    assert len(first) == 4
    assert again == []
    assert await applied(kit, campaign) == [1, 2, 3, None]


async def test_a_command_twice_in_one_batch_is_handled_once(kit: Harness) -> None:
    command = kit.wrap(SubmitCampaign(campaign_id=uuid4()), actor=OPERATIONS)
    published = await kit.deliver_received([command, command])
    assert len(published) == 1


async def test_a_refusal_is_a_result_and_the_rest_of_the_batch_goes_on(kit: Harness) -> None:
    campaign = uuid4()
    published = await kit.deliver_received(
        [
            kit.wrap(delivery(campaign, 1)),
            kit.wrap(SubmitCampaign(campaign_id=campaign), actor=Actor("b", "participant")),
            kit.wrap(delivery(campaign, 2)),
        ]
    )
    assert [type(event.message) for event in published] == [TargetReached, CampaignsCommandRefused, TargetReached]
    refusal = published[1].message
    assert isinstance(refusal, CampaignsCommandRefused)
    assert refusal.code == "not_allowed"
    assert [event.seq for event in published] == [1, 2, 3]


@pytest.mark.parametrize("body", [b"not json", b'{"campaign_id": 7}', b"{}", b"\xff\xfe", b'{"delivered": "many"}'])
async def test_a_body_that_does_not_parse_blocks_its_own_stream_only(kit: Harness, body: bytes) -> None:
    sick, well = uuid4(), uuid4()
    bad = kit.wrap(delivery(sick, 1))
    await kit.deliver_received(
        [
            kit.wrap(delivery(well, 1)),
            Received(bad.topic, bad.envelope, body),
            kit.wrap(delivery(sick, 2)),
            kit.wrap(delivery(well, 2)),
        ]
    )
    assert await applied(kit, well) == [1, 2]
    assert await applied(kit, sick) == []
    assert await gate_state(kit, sick) == ("blocked", 0)
    cases = await kit.cases()
    assert [(case.kind, case.scope, case.blocking) for case in cases] == [("poison", str(sick), True)]
    dead = await kit.rows("SELECT count(*) AS n FROM outbox WHERE topic = 'campaigns.dead'")
    assert dead[0].n == 1


async def test_a_message_that_fails_three_times_is_poison_and_resume_handles_what_waited(kit: Harness) -> None:
    sick, well = uuid4(), uuid4()
    await kit.deliver_received(
        [
            kit.wrap(delivery(sick, 1)),
            kit.wrap(delivery(sick, POISON_UNITS)),
            kit.wrap(delivery(sick, 3)),
            kit.wrap(delivery(well, 1)),
        ]
    )
    assert await applied(kit, sick) == [1]
    assert await applied(kit, well) == [1]
    assert await gate_state(kit, sick) == ("blocked", 1)
    assert [row.seq for row in await kit.rows("SELECT seq FROM parked ORDER BY seq")] == [2, 3]

    SWITCH["mended"] = True
    for _ in range(2):
        async with kit.engine.begin() as connection:
            await connection.execute(text("UPDATE gate SET state = 'resuming' WHERE state = 'blocked'"))
        await kit.sweeper.step()
    assert await applied(kit, sick) == [1, 2, 3]
    assert await gate_state(kit, sick) == ("open", 3)
    assert await kit.rows("SELECT seq FROM parked") == []
    assert await kit.cases() == []
    assert await kit.rows("SELECT case_id FROM frozen_scope") == []


async def test_a_resume_without_a_mend_blocks_again_and_loses_nothing(kit: Harness) -> None:
    sick = uuid4()
    await kit.deliver(delivery(sick, POISON_UNITS), delivery(sick, 2))
    async with kit.engine.begin() as connection:
        await connection.execute(text("UPDATE gate SET state = 'resuming'"))
    await kit.sweeper.step()
    assert await gate_state(kit, sick) == ("blocked", 0)
    assert [row.seq for row in await kit.rows("SELECT seq FROM parked ORDER BY seq")] == [1, 2]
    assert len(await kit.cases()) == 1


async def test_a_gap_is_parked_and_filled_in_sequence(kit: Harness) -> None:
    campaign = uuid4()
    one, two, three = (kit.wrap(delivery(campaign, n)) for n in (1, 2, 3))
    await kit.deliver_received([one, three])
    assert await applied(kit, campaign) == [1]
    assert await gate_state(kit, campaign) == ("gap", 1)
    await kit.deliver_received([two])
    assert await applied(kit, campaign) == [1, 2, 3]
    assert await gate_state(kit, campaign) == ("open", 3)


async def test_a_long_gap_asks_the_producer_to_send_again(kit: Harness) -> None:
    campaign = uuid4()
    batch = [kit.wrap(delivery(campaign, n)) for n in (1, 2, 3)]
    await kit.deliver_received([batch[0], batch[2]])
    kit.sweeper.gap_patience_seconds = 0
    await kit.sweeper.step()
    asked = [each for each in await kit.published() if each.topic == "suppliers.commands"]
    assert [(each.message.from_seq, each.message.to_seq) for each in asked] == [(2, 2)]  # type: ignore[attr-defined]


async def test_what_speaks_of_something_unknown_waits_with_its_successors_until_it_is_known(kit: Harness) -> None:
    campaign = uuid4()
    await kit.deliver(delivery(campaign, 0), delivery(campaign, 2))
    assert await gate_state(kit, campaign) == ("early", 0)
    SWITCH["known"] = True
    await kit.sweeper.step()
    assert await applied(kit, campaign) == [1, 2]
    assert await gate_state(kit, campaign) == ("open", 2)


async def test_early_for_too_long_becomes_a_case(kit: Harness) -> None:
    campaign = uuid4()
    await kit.deliver(delivery(campaign, 0))
    kit.sweeper.early_case_seconds = 0
    await kit.sweeper.step()
    assert [case.kind for case in await kit.cases()] == ["early_overdue"]


async def test_an_unknown_type_is_passed_by_the_gate(kit: Harness) -> None:
    campaign = uuid4()
    unknown = kit.wrap(delivery(campaign, 1))
    unknown = unknown.with_envelope(replace(unknown.envelope, type="suppliers.invented_later.v1"))
    await kit.deliver_received([unknown, kit.wrap(delivery(campaign, 2))])
    assert await applied(kit, campaign) == [2]
    assert await gate_state(kit, campaign) == ("open", 2)


async def test_the_same_number_with_another_id_is_a_forked_producer(kit: Harness) -> None:
    campaign = uuid4()
    await kit.deliver(delivery(campaign, 1))
    await kit.deliver_received([kit.wrap(delivery(campaign, 1), seq=1)])
    assert [case.kind for case in await kit.cases()] == ["forked_stream"]
    assert (await gate_state(kit, campaign))[0] == "blocked"


async def test_a_deadline_acts_after_its_grace_and_once(kit: Harness) -> None:
    campaign = uuid4()
    async with kit.engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO deadline (id, kind, scope, subject, due_at, acts_at) VALUES (:id, 'probe', :scope, 'x', "
                "stack_now() + interval '1 hour', stack_now() + interval '1 hour 60 seconds')"
            ),
            {"id": uuid4(), "scope": str(campaign)},
        )
    assert await kit.advance(hours=1) == []
    acted = await kit.advance(seconds=61)
    assert [type(event.message) for event in acted] == [TargetReached]
    assert await kit.advance(days=1) == []


async def test_the_attempts_of_a_message_found_after_a_crash_are_counted_before_they_are_made(kit: Harness) -> None:
    campaign = uuid4()
    sick = kit.wrap(delivery(campaign, 5))
    async with kit.engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO attempt (consumer, message_id, count) VALUES ('campaigns', :id, 3)"),
            {"id": sick.envelope.id},
        )
    await kit.deliver_received([sick, kit.wrap(delivery(uuid4(), 1))])
    assert await applied(kit, campaign) == []
    assert await gate_state(kit, campaign) == ("blocked", 0)
    assert parking.ATTEMPTS_MAX == 3
