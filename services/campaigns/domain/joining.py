"""Who may join and who may leave, and until when: the checks of a join and of a withdrawal, in a fixed sequence.

Owns the sequence in which a join is checked, so that the same request always meets the same refusal. Times are stack
time; what counts is when the gateway received the act (`received_at`). It cannot see concurrent joins: its caller holds
the campaign's lock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from contracts.errors import Rejected
from contracts.money import CARD_CHARGE_MINOR_MIN
from services.campaigns.domain.commitments import LIVE_STATES
from services.campaigns.domain.transitions import OPEN_FOR_JOINING

RESERVATION_LASTS = timedelta(minutes=15)
"""How long a reservation waits for its funds; escrow decides how it ends."""

EndCause = Literal["close_date", "capacity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JoiningWindow:
    """Until when people may join and leave. `ended_at` and `end_cause` are set once joining has ended."""

    state: str
    close_at: datetime
    ended_at: datetime | None
    end_cause: str | None

    @property
    def is_open(self) -> bool:
        """Whether joining goes on, the close date apart."""
        return self.state in OPEN_FOR_JOINING and self.ended_at is None

    def was_in_time(self, received_at: datetime) -> bool:
        """Whether an act was received before joining ended, whatever was handled since."""
        if self.ended_at is None or self.end_cause == "close_date":
            return received_at <= self.close_at
        return received_at <= self.ended_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """A join under check: the campaign's rules and counts, and what the participant asks for. Whole units, minor units
    of money; `participant_units` are what the same person has reserved or held already."""

    window: JoiningWindow
    frozen: bool
    terms_hash: str
    min_units: int
    max_units: int | None
    unit_price_minor: int
    currency: str
    capacity_units: int
    taken_units: int
    received_at: datetime
    accepted_hash: str
    quantity: int
    participant_units: int

    @property
    def amount_minor(self) -> int:
        """What the participant commits."""
        return self.quantity * self.unit_price_minor


def _check_open(join: Join) -> Rejected | None:
    window = join.window
    in_time = window.was_in_time(join.received_at)
    if window.is_open and in_time:
        return None
    if window.end_cause == "close_date" and in_time:
        return Rejected("arrived_late", close_at=window.close_at.isoformat())
    return Rejected("campaign_not_open", state=window.state, close_at=window.close_at.isoformat())


def _check_frozen(join: Join) -> Rejected | None:
    return Rejected("campaign_frozen") if join.frozen else None


def _check_terms(join: Join) -> Rejected | None:
    if join.accepted_hash == join.terms_hash:
        return None
    return Rejected("terms_hash_stale", terms_hash=join.terms_hash)


def _check_minimum(join: Join) -> Rejected | None:
    if join.quantity >= join.min_units:
        return None
    return Rejected("quantity_below_minimum", min_units=join.min_units)


def _check_maximum(join: Join) -> Rejected | None:
    if join.max_units is None or join.quantity + join.participant_units <= join.max_units:
        return None
    return Rejected("quantity_above_maximum", max_units=join.max_units, committed_units=join.participant_units)


def _check_amount(join: Join) -> Rejected | None:
    smallest = CARD_CHARGE_MINOR_MIN[join.currency]
    if join.amount_minor >= smallest:
        return None
    return Rejected("amount_below_minimum", amount_minor=join.amount_minor, amount_minor_min=smallest)


def _check_capacity(join: Join) -> Rejected | None:
    free = join.capacity_units - join.taken_units
    return None if join.quantity <= free else Rejected("over_capacity", units_left=free)


JOIN_CHECKS: tuple[Callable[[Join], Rejected | None], ...] = (
    _check_open,
    _check_frozen,
    _check_terms,
    _check_minimum,
    _check_maximum,
    _check_amount,
    _check_capacity,
)
"""The fixed sequence; that the campaign is known comes before all of them."""


def refusal_of_join(join: Join) -> Rejected | None:
    """Why this join is refused, or None when it is not."""
    for check in JOIN_CHECKS:
        refusal = check(join)
        if refusal is not None:
            return refusal
    return None


def refusal_of_withdrawal(window: JoiningWindow, *, commitment_state: str, received_at: datetime) -> Rejected | None:
    """Why a withdrawal is refused, or None. `arrived_late`: it came in time but is handled after joining ended."""
    if commitment_state not in LIVE_STATES:
        return Rejected("commitment_not_withdrawable", state=commitment_state)
    in_time = window.was_in_time(received_at)
    if window.is_open and in_time:
        return None
    if window.ended_at is not None and in_time:
        return Rejected("arrived_late", close_at=window.close_at.isoformat())
    return Rejected("withdrawal_closed", state=window.state)


def joining_fills_capacity(window: JoiningWindow, *, held_units: int, capacity_units: int) -> bool:
    """Whether held units end joining now. Reserved units never do: they may come free again."""
    return window.is_open and held_units >= capacity_units
