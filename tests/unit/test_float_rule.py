"""The float's rule: what room there is, how it is spread, and that no payment is let in that the float could not carry."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.payment_rail import worst_case_fee_minor
from deploy.local.stripe_standin.core import processing_fee_minor
from services.escrow.domain import float_rule
from services.escrow.domain.float_rule import FLOAT_SHARES, Gauge, spread, take
from services.escrow.migrations.versions import __path__ as revisions

BUFFER_MINOR = 5_000


@given(st.integers(min_value=1, max_value=10**8))
def test_the_worst_case_is_never_below_what_the_stand_in_takes(amount_minor: int) -> None:
    assert worst_case_fee_minor(amount_minor) >= processing_fee_minor(amount_minor)


def test_a_fee_is_asked_of_a_charge_only() -> None:
    with pytest.raises(ValueError, match="above zero"):
        worst_case_fee_minor(0)


def test_the_database_has_as_many_shares_as_the_rule_cuts() -> None:
    with open(f"{revisions[0]}/0006_float.py", encoding="utf-8") as file:
        assert f"SHARES = {FLOAT_SHARES}\n" in file.read()


@pytest.mark.parametrize(
    ("available", "fees", "room", "admits"),
    [(10_000, 1_000, 4_000, True), (6_175, 1_000, 175, True), (6_174, 1_000, 174, False), (0, 0, -5_000, False)],
)
def test_joining_goes_on_while_the_room_covers_one_more_unit(
    available: int, fees: int, room: int, *, admits: bool
) -> None:
    gauge = Gauge(available, fees, BUFFER_MINOR, next_fee_minor=float_rule.next_fee_minor(5_000))
    assert gauge.next_fee_minor == 175
    assert (gauge.room_minor, gauge.admits) == (room, admits)


def test_what_is_on_its_way_or_owed_is_not_available() -> None:
    assert float_rule.available_minor(held_minor=900, owed_minor=600, not_yet_minor=100) == 200


def test_fees_are_counted_per_payment() -> None:
    assert float_rule.worst_case_fees_minor([(5_000, 3), (100, 1)]) == 3 * 175 + 33


def test_a_fee_comes_out_of_several_shares_or_not_at_all() -> None:
    assert take([100, 60], 130) == [100, 30]
    assert take([100, 60], 161) is None


@given(st.lists(st.integers(min_value=0, max_value=1_000), min_size=1), st.integers(min_value=-9_000, max_value=9_000))
def test_shares_change_by_what_is_wanted_and_none_falls_below_zero(left: list[int], change: int) -> None:
    after = [old + new for old, new in zip(left, spread(left, change), strict=True)]
    assert sum(after) == max(sum(left) + change, 0)
    assert min(after) >= 0
    assert all(new * change >= 0 for new in spread(left, change))


@dataclass
class Platform:
    """A float with its shares, and the amounts of the payments that were let in."""

    own_minor: int
    left: list[int] = field(default_factory=lambda: [0] * 4)
    amounts: list[int] = field(default_factory=list)
    spread: list[int] | None = None

    @property
    def fees_minor(self) -> int:
        return float_rule.worst_case_fees_minor((amount, 1) for amount in self.amounts)

    def step(self, act: str, figure: int) -> int:
        """Do one thing; returns what the float lost by something that no rule could foresee."""
        match act:
            case "join":
                takes = take(self.left, worst_case_fee_minor(figure))
                if takes is not None:
                    self.left = [old - part for old, part in zip(self.left, takes, strict=True)]
                    self.amounts.append(figure)
            case "charged" if self.amounts:
                self.own_minor -= worst_case_fee_minor(self.amounts.pop(figure % len(self.amounts)))
            case "ended" if self.amounts:
                self.amounts.pop(figure % len(self.amounts))
            case "topped up":
                self.own_minor += figure
            case "lost":
                self.own_minor -= figure
                return figure
            case "read":
                # The figures are read; what happens until they are spread is not in them.
                room = Gauge(self.own_minor, self.fees_minor, BUFFER_MINOR, 0).room_minor
                self.spread = spread(self.left, room - sum(self.left))
            case "spread" if self.spread is not None:
                self.left = [max(old + change, 0) for old, change in zip(self.left, self.spread, strict=True)]
                self.spread = None
        return 0


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["join", "join", "charged", "ended", "topped up", "lost", "read", "spread", "spread"]),
        st.integers(min_value=1, max_value=20_000),
    ),
    max_size=60,
)


@given(st.integers(min_value=0, max_value=20_000), STEPS)
def test_no_payment_is_let_in_that_the_float_could_not_carry(own_minor: int, steps: list[tuple[str, int]]) -> None:
    platform, lost = Platform(own_minor), 0
    for act, figure in steps:
        before = platform.own_minor - platform.fees_minor
        lost += platform.step(act, figure)
        if act == "join":
            # Joining never takes more than the buffer's losses can explain.
            assert platform.own_minor - platform.fees_minor >= min(before, BUFFER_MINOR - lost)
