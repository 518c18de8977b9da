"""Many refunds at once, escrow killed again and again meanwhile, the payment processor telling it to wait, losing answers
and failing: everybody gets the whole amount back exactly once, and two plans beside it do what two people approved, once.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from contracts.clearing import ClearingPlanSubmitted, PlanByHandSubmitted
from tests.faults.mass import Crowd, MassRefund
from tests.faults.nursery import Nursery

KILLS = 4
WAIT_SECONDS = 240.0
LARGE = 10_000
LARGE_KILLS = 12
LARGE_WAIT_SECONDS = 1_200.0


async def begun_under_kills(scenario: MassRefund, closing: Crowd, by_hand: Crowd, released: Crowd) -> None:
    """Start all three, escrow being killed inside and just behind each one's first transaction."""
    for point, start in (
        ("before_commit", lambda: scenario.approve(by_hand.campaign_id, submitted_as=PlanByHandSubmitted)),
        ("after_commit", lambda: scenario.approve(released.campaign_id, submitted_as=ClearingPlanSubmitted)),
        ("before_commit", lambda: scenario.close(closing)),
    ):
        await scenario.rig.arm(f"escrow.{point}=kill")
        await start()
        await scenario.rig.died()
        await scenario.rig.start()


async def killed_at_random(scenario: MassRefund, *, refunds: int, kills: int) -> None:
    """Kill escrow whenever a random part of the refunds is paid."""
    seed = random.SystemRandom().randrange(10**9)
    chance = random.Random(seed)
    moments = sorted(chance.sample(range(1, refunds), kills))
    sys.stderr.write(f"kills after {moments} refunds (seed {seed})\n")
    for moment in moments:

        async def reached(paid: int = moment) -> bool:
            return await scenario.paid() >= paid

        await scenario.rig.until(reached, f"{moment} refunds are paid")
        await scenario.rig.kill()
        await scenario.rig.start()


async def all_money_moves_once(scenario: MassRefund, crowds: tuple[Crowd, Crowd, Crowd], *, kills: int) -> None:
    closing, by_hand, released = crowds
    refunds = closing.size + by_hand.size
    await scenario.register_supplier()
    await scenario.hold(*crowds)
    await scenario.submit_refunds(by_hand)
    await scenario.submit_release(released)
    await scenario.rig.quiet()
    await scenario.fail_now_and_then()
    await begun_under_kills(scenario, *crowds)
    await killed_at_random(scenario, refunds=refunds, kills=kills)
    await scenario.all_paid(refunds)
    await scenario.rig.quiet()
    await scenario.standin.control("DELETE", "faults")
    await scenario.settled()
    await scenario.assert_each_refunded_once(closing, by_hand)
    await scenario.assert_settled(closing)
    await scenario.assert_released_once(released)
    await scenario.assert_plans_ended(DONE=1, SENT=1)
    await scenario.assert_audit_clean()
    await scenario.rig.assert_told_in_sequence()


@pytest.mark.timeout(2 * WAIT_SECONDS)
async def test_a_closing_campaign_and_two_plans_move_each_amount_once_whatever_is_killed(
    nursery: Nursery, tmp_path: Path
) -> None:
    scenario = MassRefund(tmp_path, nursery)
    async with scenario.running() as rig:
        rig.wait_seconds = WAIT_SECONDS
        # More than one transaction decides, so that the closing itself is broken off too.
        await all_money_moves_once(scenario, (Crowd(540), Crowd(40), Crowd(20)), kills=KILLS)


@pytest.mark.full
@pytest.mark.timeout(2 * LARGE_WAIT_SECONDS)
async def test_ten_thousand_commitments_are_refunded_once_each_whatever_is_killed(
    nursery: Nursery, tmp_path: Path
) -> None:
    scenario = MassRefund(tmp_path, nursery)
    async with scenario.running() as rig:
        rig.wait_seconds = LARGE_WAIT_SECONDS
        await all_money_moves_once(scenario, (Crowd(LARGE), Crowd(600), Crowd(600)), kills=LARGE_KILLS)


@pytest.mark.full
async def test_the_pace_for_the_real_processor_is_kept(nursery: Nursery, tmp_path: Path) -> None:
    rate, refunds = 25, 250
    scenario = MassRefund(tmp_path, nursery, ALPMERA_REFUND_CALLS_PER_SECOND=str(rate))
    async with scenario.running():
        crowd = Crowd(refunds)
        await scenario.hold(crowd)
        await scenario.close(crowd)
        seconds = await scenario.all_paid(refunds)
        await scenario.assert_each_refunded_once(crowd)
    assert 0.8 * rate <= refunds / seconds <= 1.1 * rate
