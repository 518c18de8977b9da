"""Escrow is killed around each call to Stripe that moves money: recorded and not called (S1), called and no answer (S2),
answered and nothing stored (S3), and on both sides of the commit that posts the answer. Stripe, here its stand-in, makes
one object; the ledger one posting.
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from tests.faults.nursery import Nursery
from tests.faults.stripe_scenarios import CallScenario, CollectCall, RefundCall, ReleaseCall
from tests.faults.test_kill_points import everything_comes_again

HANG_SECONDS = 60
"""The stand-in keeps its answer back for longer than any wait of these tests."""

POINTS = {
    "S1": ("intent.{purpose}.before_call", 0),
    "S3": ("intent.{purpose}.after_call", 1),
    "before the posting": ("intent.before_commit", 1),
    "after the posting": ("intent.after_commit", 1),
}
"""Point → failpoint of the kit, and how many objects Stripe holds while the process is dead."""


async def killed_at(scenario: CallScenario, number: int, point: str) -> UUID:
    """Kill escrow at a failpoint around its call and look at what is there meanwhile."""
    failpoint, made = POINTS[point]
    await scenario.rig.arm(f"escrow.{failpoint.format(purpose=scenario.purpose)}=kill")
    message_id = await scenario.send(number)
    await scenario.rig.died()
    state = "answered" if point == "after the posting" else "attempted"
    assert (point, await scenario.intents(number)) == (point, [(state, 1)])
    assert (point, await scenario.made(number)) == (point, made)
    return message_id


async def killed_while_it_waits(scenario: CallScenario, number: int) -> UUID:
    """S2: Stripe has done it and does not answer; escrow is killed meanwhile."""
    await scenario.standin.fault(
        match={"method": "POST", "path": scenario.path}, action="timeout_after", seconds=HANG_SECONDS
    )
    message_id = await scenario.send(number)

    async def done() -> bool:
        return await scenario.made(number) == 1

    await scenario.rig.until(done, "Stripe has made the object")
    assert await scenario.intents(number) == [("attempted", 1)]
    await scenario.rig.kill()
    return message_id


async def recovered(scenario: CallScenario, number: int, message_id: UUID) -> None:
    """Start again: one object, one intent, one effect."""
    await scenario.rig.start()
    await scenario.rig.quiet()
    ((state, _),) = await scenario.intents(number)
    assert state == "answered"
    await scenario.assert_keys_are_the_intents()
    assert await scenario.made(number) == 1
    await scenario.assert_one_effect(number, message_id)


@pytest.mark.parametrize("call", [CollectCall, RefundCall, ReleaseCall], ids=lambda call: str(call.purpose))
async def test_escrow_killed_around_a_call_to_stripe_moves_the_money_once(
    call: type[CallScenario], nursery: Nursery, tmp_path: Path
) -> None:
    scenario = call(tmp_path, nursery)
    async with scenario.running() as rig:
        await scenario.prepare(1 + len(scenario.points))
        await rig.quiet()
        handled = [await killed_while_it_waits(scenario, 0)]
        await recovered(scenario, 0, handled[0])
        for number, point in enumerate(scenario.points, start=1):
            handled.append(await killed_at(scenario, number, point))
            await recovered(scenario, number, handled[-1])
        await everything_comes_again(scenario, handled)
        await scenario.assert_sound()
        await rig.assert_told_in_sequence()
