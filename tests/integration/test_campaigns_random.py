"""Random crowds: whatever people and payments do, in whatever batches, the counts, the states and the events agree."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from contracts.campaigns import (
    CampaignClosed,
    CommitmentFundsFailed,
    CommitmentLocked,
    CommitmentReserved,
    CommitmentSettled,
    CommitmentWithdrawn,
    WithdrawCommitment,
)
from services.kit.received import Received
from tests.fixtures.harness import Harness, Published
from tests.integration.campaigns_support import Join, Stage, campaigns_service

ACTS_MAX = 220
PEOPLE = 12


@pytest_asyncio.fixture(scope="module")
async def campaigns() -> AsyncIterator[Harness]:
    async with campaigns_service() as service:
        yield service


class Crowd:
    """People who join, pay, fail to pay and leave; each act is possible at that moment as far as escrow can know."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage = stage
        self.random = random.Random(seed)
        self.people = [uuid4() for _ in range(PEOPLE)]
        self.unpaid: list[Join] = []
        self.told: list[Published] = []
        self.states: dict[UUID, str] = {}

    def act(self) -> Received:
        """One more message."""
        choice = self.random.random()
        if choice < 0.45 or not self.unpaid:
            join = Join(uuid4(), self.random.choice(self.people), self.random.randint(1, 3))
            return self.stage.harness.wrap(self.stage.commit_message(join), actor=join.person)
        if choice < 0.8:
            join = self.unpaid.pop(self.random.randrange(len(self.unpaid)))
            held = self.random.random() < 0.7
            message = self.stage.funds_held(join) if held else self.stage.reservation_ended(join)
            return self.stage.harness.wrap(message)
        identity = self.random.choice(list(self.states))
        join = next(j for j in self.known if j.commitment_id == identity)
        message = WithdrawCommitment(
            campaign_id=self.stage.campaign_id, commitment_id=identity, participant_id=join.participant_id
        )
        return self.stage.harness.wrap(message, actor=join.person)

    @property
    def known(self) -> list[Join]:
        """Every join that was reserved."""
        return [
            Join(item.message.commitment_id, item.message.participant_id, item.message.quantity)
            for item in self.told
            if isinstance(item.message, CommitmentReserved)
        ]

    def take(self, published: list[Published]) -> None:
        """Fold events into states, as any reader would."""
        self.told += published
        for item in published:
            match item.message:
                case CommitmentReserved() as event:
                    self.states[event.commitment_id] = "PENDING_FUNDS"
                    self.unpaid.append(Join(event.commitment_id, event.participant_id, event.quantity))
                case CommitmentLocked() as event:
                    self.states[event.commitment_id] = "LOCKED"
                case CommitmentFundsFailed() as event:
                    self.states[event.commitment_id] = "FUNDS_FAILED"
                case CommitmentWithdrawn() as event:
                    self.states[event.commitment_id] = "WITHDRAWN"
                case CommitmentSettled() as event:
                    self.states[event.commitment_id] = event.state
                case CampaignClosed():
                    locked = [identity for identity, state in self.states.items() if state == "LOCKED"]
                    self.states.update(dict.fromkeys(locked, "REFUNDED"))


@pytest.mark.parametrize("seed", range(4))
async def test_counts_states_and_events_agree_whatever_a_crowd_does(campaigns: Harness, seed: int) -> None:
    stage = await Stage(campaigns).open(target_units=20, capacity_units=40, max_units=9, days=1)
    crowd = Crowd(stage, seed)
    sent: list[Received] = []
    while len(sent) < ACTS_MAX:
        batch = [crowd.act() for _ in range(crowd.random.randint(1, 12))]
        again = crowd.random.sample(sent, min(len(sent), 3))
        sent += batch
        crowd.take(await stage.deliver_received([*again, *batch]))
        assert await stage.counts_hold()
    crowd.take(await stage.advance(days=1, minutes=2))
    for join in list(crowd.unpaid):
        crowd.take(await stage.tell(stage.reservation_ended(join)))

    row = await stage.campaign()
    assert row.open_reservations == 0
    assert row.state in {"CLOSED", "PENDING_ACCEPTANCE", "TARGET_ACHIEVED"}
    rows = await stage.harness.rows(
        "SELECT commitment_id, state FROM commitment WHERE campaign_id = :c", c=stage.campaign_id
    )
    assert {found.commitment_id: found.state for found in rows} == crowd.states
    assert Counter(crowd.states.values())["LOCKED"] == row.held_commitments
    assert [item.seq for item in crowd.told] == sorted({item.seq for item in crowd.told})
    audited = await stage.harness.rows(
        "SELECT subject FROM audit_entry WHERE scope = :c AND action LIKE 'commitment.%' GROUP BY subject",
        c=str(stage.campaign_id),
    )
    assert {UUID(found.subject) for found in audited} == set(crowd.states)
