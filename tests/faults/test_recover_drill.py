"""The recovery drill: escrow's database goes back to an earlier moment while its topic and Stripe are ahead. Afterwards
nothing was charged or paid twice, no history is forked, and both books agree.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

import contracts.catalogue  # noqa: F401 - fills the registry of messages
from contracts.clearing import FundsReleased
from contracts.disputes import DisputeFundsWithdrawn
from contracts.envelope import _REGISTRY, Event
from contracts.escrow import FundsHeld, LateFundsReceived, RefundSent
from services.escrow.recover.errors import RecoverError
from services.escrow.recover.fold import FOLDS, NO_ROW, VERBATIM
from tests.faults.nursery import Nursery
from tests.faults.recovering import RecoveryDrill
from tests.fixtures.infra import PARTS

HELD, LEFT, PAID_SINCE, CLOSED, DISPUTED, LATE, RELEASED, LAST = range(8)
"""What becomes of each campaign's commitment after the moment that the copy is from. LAST is in the middle of it."""

REFUSED = 1
"""How the nursery tells every process that ended by itself before it served."""


async def set_up(drill: RecoveryDrill) -> None:
    """Everything funded that is to be funded by then, the release submitted; movements swept."""
    await drill.prepare_only(8, released=RELEASED, funded=(HELD, LEFT, CLOSED, DISPUTED))
    await drill.settled()


async def go_on(drill: RecoveryDrill) -> None:
    """What the copy will not know."""
    await drill.fund(PAID_SINCE)
    await drill.is_told(PAID_SINCE, FundsHeld.type)
    await drill.withdraw(LEFT)
    await drill.close(CLOSED)
    await drill.dispute(DISPUTED)
    await drill.leave_while_it_is_paid(LATE)
    await drill.send(RELEASED)
    await drill.is_told(DISPUTED, DisputeFundsWithdrawn.type)
    await drill.is_told(LATE, LateFundsReceived.type)
    await drill.is_told(RELEASED, FundsReleased.type)
    await drill.rig.quiet()


async def assert_each_once(drill: RecoveryDrill) -> None:
    """At the stand-in: one payment, one refund of what was decided, one transfer."""
    for number in (HELD, LEFT, PAID_SINCE, CLOSED, DISPUTED, LATE, RELEASED, LAST):
        assert (number, await drill.payment_intents(number)) == (number, ["succeeded"])
    refunds = {number: await drill.refunds(number) for number in range(8)}
    assert refunds == {number: ["succeeded"] if number in (LEFT, CLOSED, LATE) else [] for number in range(8)}
    assert await drill.made(RELEASED) == 1


async def assert_told_once(drill: RecoveryDrill) -> None:
    for number, kind in (
        (PAID_SINCE, FundsHeld), (LAST, FundsHeld), (LEFT, RefundSent), (CLOSED, RefundSent), (LATE, RefundSent),
        (RELEASED, FundsReleased), (DISPUTED, DisputeFundsWithdrawn),
    ):  # fmt: skip
        assert (number, kind.type, await drill.told(number, kind.type)) == (number, kind.type, 1)


@pytest.mark.parametrize("moment", ["relay.read", "relay.sent", "intent.payment.after_call"])
async def test_a_database_set_back_comes_back_to_where_its_topic_and_stripe_are(
    moment: str, nursery: Nursery, tmp_path: Path
) -> None:
    drill = RecoveryDrill(tmp_path, nursery)
    async with drill.running() as rig:
        await set_up(drill)
        copy = await drill.copy()
        await go_on(drill)
        await rig.arm(f"escrow.{moment}=kill")
        await drill.fund(LAST)
        await rig.died()
        lost = await drill.put_in_place(copy)
        try:
            # A copy taken before the relay marked what the broker had acknowledged.
            async with rig.owner.begin() as connection:
                await connection.execute(
                    text("UPDATE outbox SET published_at = NULL WHERE id > (SELECT max(id) - 5 FROM outbox)")
                )
            await rig.start()
            assert await nursery.ended(20) == REFUSED
            assert "recover_needed" in rig.log()

            done, lines = await drill.recover()
            assert done.counts["topic"] > 20
            assert done.violations == []
            assert lines
            assert (await drill.recover())[0].counts["topic"] == 0

            await rig.start()
            await rig.quiet()
            await drill.settled()
            await assert_each_once(drill)
            await assert_told_once(drill)
            await drill.assert_sound()
            await drill.assert_books_agree()
            await drill.assert_nothing_is_forked()
            await rig.assert_told_in_sequence()
        finally:
            await asyncio.to_thread(PARTS.drop, lost)


async def test_a_recovery_that_broke_off_goes_on_and_the_service_waits_for_it(nursery: Nursery, tmp_path: Path) -> None:
    drill = RecoveryDrill(tmp_path, nursery)
    async with drill.running() as rig:
        await drill.prepare_only(2, released=None, funded=(0,))
        await drill.settled()
        copy = await drill.copy()
        await drill.withdraw(0)
        await drill.is_told(0, RefundSent.type)
        with pytest.raises(RecoverError, match="recover_service_running"):
            await drill.recover()
        await rig.quiet()
        await rig.kill()
        lost = await drill.put_in_place(copy)
        try:
            await drill.standin.kill()
            with pytest.raises(RecoverError, match="recover_stripe_unavailable"):
                await drill.recover()
            await rig.start()
            assert await nursery.ended(20) == REFUSED
            assert "recover_unfinished" in rig.log()
            await drill.standin.start()
            _, lines = await drill.recover()
            assert "the own topic: done before" in lines
            await rig.start()
            await rig.quiet()
            await drill.settled()
            assert await drill.refunds(0) == ["succeeded"]
            await drill.assert_books_agree()
            await drill.assert_nothing_is_forked()
        finally:
            await asyncio.to_thread(PARTS.drop, lost)


def test_every_event_that_escrow_tells_has_its_place_in_a_recovery() -> None:
    told = {
        cls
        for cls in _REGISTRY.values()
        if issubclass(cls, Event) and cls.type.startswith("escrow.") and not cls.type.startswith("escrow.case_")
    }
    assert {cls for cls in told if cls not in FOLDS and not issubclass(cls, (*VERBATIM, *NO_ROW))} == set()
