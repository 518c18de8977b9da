"""Any sequence of commands, answers, webhooks and balance transactions keeps every invariant of the ledger.

A machine of steps plays the other services, the people, the banks and Stripe against escrow's real handlers on its real
database. After every step the accounts are compared with books that are kept beside them; every few steps and at rest
every invariant is asked. A failure prints its steps, made as few as they can be.
"""

from __future__ import annotations

import asyncio
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, run_state_machine_as_test

from contracts import suppliers
from services.escrow.usecases import clear_plan
from tests.integration.machine_money import MoneySteps

STEPS_BETWEEN_INVARIANTS = 8
STARTS = {"joining": (3, 0, False), "inspection": (4, 6, False), "released": (4, 6, True)}


class AnySequence(MoneySteps):
    """One campaign; the rules are what anybody may do to it, in any sequence."""

    # -- the beginning and the end -----------------------------------------------------------------------------------

    @initialize(start=st.sampled_from(sorted(STARTS)))
    def begins(self, start: str) -> None:
        """The campaign collects; some examples begin later in its life."""
        funded, moves, is_released = STARTS[start]
        stage = self.w.stage
        stage.supplier_id = self.supplier_id
        self.w.bank.refund_course, self.w.bank.is_restricted = "pays", False
        self.run(stage.open())
        self.tell(
            suppliers.SupplierRegistered(
                supplier_id=self.supplier_id, display_name="Dock", payout_account_id="acct_1", tier="provisional"
            )
        )
        for _ in range(funded):
            self.joins_campaign(units=1, course="pays", method_first=False)
        self.run(self._execute())
        for _ in range(moves):
            self.campaign_moves_on(verdict="release")
        if is_released:
            self.submits_release(kind="release", by_ana=True)
            self.approves(pick=0, same_person=False)
            self.time_passes("a second")
            self.run(self._execute())
            self.campaign_moves_on(verdict="release")

    def teardown(self) -> None:
        """Whatever happened: when everything has come to rest, all of it adds up."""
        if self.made:
            self.run(self.w.settle())

    @invariant()
    def the_books_agree(self) -> None:
        """After every step."""
        self.made += 1
        type(self).steps += 1
        self.run(self.w.check(self.campaign_id))
        if self.made % STEPS_BETWEEN_INVARIANTS == 0:
            self.run(self.w.check_invariants())


def play(*, examples: int, steps: int, by_chance: bool) -> int:
    """Run the machine; returns how many steps were made in all."""
    AnySequence.loop = asyncio.new_event_loop()
    AnySequence.number, AnySequence.steps = count(), 0
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=not by_chance,
        print_blob=by_chance,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(AnySequence, settings=chosen)
    finally:
        if AnySequence.world is not None:
            AnySequence.loop.run_until_complete(AnySequence.world.close())
        AnySequence.world = None
        AnySequence.loop.close()
    return AnySequence.steps


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans are worked off two lines at a time, so that much can happen in between."""
    monkeypatch.setattr(clear_plan, "LINES_PER_TRANSACTION_MAX", 2)


def test_any_sequence_of_steps_keeps_the_ledger() -> None:
    assert play(examples=6, steps=45, by_chance=False) >= 100


@pytest.mark.full
@pytest.mark.timeout(1_500)
def test_thousands_of_steps_keep_the_ledger() -> None:
    assert play(examples=150, steps=50, by_chance=True) >= 3_000
