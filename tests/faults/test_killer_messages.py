"""A message that ends the process that handles it is found out over the starts that follow, and waits for people; the
messages beside it are handled, and none of them is taken for it.
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from contracts.envelope import stream_name
from contracts.suppliers import DeliveryCompleted
from services.kit.parking import ATTEMPTS_MAX
from tests.faults.nursery import Nursery
from tests.faults.rig import Rig
from tests.fixtures.kit_service import KILLER_UNITS, kit_database

UNCOUNTED_TRIES = 1
"""A process that has handled a batch does not write down each try; the first one that fails it is known by nobody."""


async def delivered(rig: Rig, campaign: UUID, units: int) -> UUID:
    return await rig.event(DeliveryCompleted(campaign_id=campaign, supplier_id=uuid4(), delivered=units))


async def applied(rig: Rig, campaign: UUID) -> list[int]:
    rows = await rig.rows("SELECT seq FROM applied WHERE scope = :scope ORDER BY position", scope=str(campaign))
    return [row.seq for row in rows]


async def gate_of(rig: Rig, campaign: UUID) -> tuple[str, int] | None:
    stream = stream_name("suppliers", str(campaign))
    rows = await rig.rows("SELECT state, last_seq FROM gate WHERE stream = :stream", stream=stream)
    return (rows[0].state, rows[0].last_seq) if rows else None


async def until_blocked(rig: Rig, campaign: UUID) -> None:
    async def blocked() -> bool:
        return await gate_of(rig, campaign) == ("blocked", 1)

    await rig.until(blocked, "the stream is blocked before the message that kills")
    await rig.until(rig.at_the_end_of_its_input, "all other messages are taken")


async def assert_only_the_killer_waits(rig: Rig, sick: UUID, killer: UUID, waiting: list[int]) -> None:
    """The killer is parked as poison, its successors behind it; one blocking case; no try is on record any more."""
    parked = await rig.rows("SELECT message_id, seq, reason, error FROM parked ORDER BY seq")
    assert [(row.seq, row.reason) for row in parked] == [(2, "poison"), *((seq, "behind") for seq in waiting)]
    assert parked[0].message_id == killer
    assert "process ended" in parked[0].error
    cases = await rig.rows("SELECT kind, scope, blocking FROM cases WHERE closed_at IS NULL")
    assert [tuple(row) for row in cases] == [("poison", str(sick), True)]
    assert await rig.rows("SELECT message_id FROM attempt") == []
    assert await applied(rig, sick) == [1]


@pytest.mark.parametrize("sent", ["before the start", "to a running process"])
async def test_a_message_that_kills_its_process_is_parked_after_three_counted_tries(
    sent: str, nursery: Nursery, tmp_path: Path
) -> None:
    database = await kit_database()
    sick, well = uuid4(), uuid4()
    rig = Rig(
        "campaigns",
        nursery=nursery,
        database=database,
        folder=tmp_path,
        environment={"ALPMERA_PROFILE": "test"},
        module="tests.faults.kit_process",
    )
    async with rig:
        ends = ATTEMPTS_MAX
        if sent == "to a running process":
            await rig.start()
            await delivered(rig, well, 1)
            await rig.quiet()
            ends += UNCOUNTED_TRIES
        await delivered(rig, sick, 1)
        killer = await delivered(rig, sick, KILLER_UNITS)
        await delivered(rig, sick, 3)
        for units in (1, 2):
            await delivered(rig, well, units)
        for _ in range(ends):
            if not nursery.is_alive:
                await rig.start()
            await rig.died()

        await rig.start()
        await until_blocked(rig, sick)
        await assert_only_the_killer_waits(rig, sick, killer, [3])
        assert await applied(rig, well) == list(range(1, 4 if ends > ATTEMPTS_MAX else 3))

        # Other campaigns go on, the blocked one does not, and a further start changes nothing.
        await delivered(rig, sick, 4)
        await delivered(rig, well, 5)
        await rig.until(rig.at_the_end_of_its_input, "all other messages are taken")
        await rig.kill()
        await rig.rewind()
        await rig.start()
        await rig.until(rig.at_the_end_of_its_input, "all is taken again")
        await assert_only_the_killer_waits(rig, sick, killer, [3, 4])
        assert len(await applied(rig, well)) == (4 if ends > ATTEMPTS_MAX else 3)
        await rig.until(rig.nothing_open, "all that was told is sent")
        await rig.assert_told_in_sequence()
