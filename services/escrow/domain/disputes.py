"""Disputes: what Stripe tells of one, against what is booked of it, gives the next steps.

Owns the sequence: open, take what the bank took, give back what came back, end. Facts come from reading the dispute at
Stripe, so they are whole, and a reading that is older than what is booked already is known by a missing movement and
changes nothing. It moves no money and cannot tell why a bank decides as it does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from contracts.disputes import DisputeOutcome, DisputeStatus
from services.escrow.domain.dispute_postings import FREEZABLE_CLASSES

INQUIRY_STATES: frozenset[str] = frozenset({"warning_needs_response", "warning_under_review"})
DISPUTE_STATES: frozenset[str] = frozenset({"needs_response", "under_review"})
OPEN_STATES = INQUIRY_STATES | DISPUTE_STATES
ANSWERABLE_STATES: frozenset[str] = frozenset({"warning_needs_response", "needs_response"})
"""In which Stripe takes evidence."""

OUTCOMES: Mapping[str, DisputeOutcome] = {
    "won": "won",
    "lost": "lost",
    "warning_closed": "inquiry_closed",
    "prevented": "inquiry_closed",
}

MOVEMENTS_MAX = 20
"""Most movements of one dispute that are read; Stripe tells of two, a decision that is taken up again makes some more."""

RATE_WINDOW = timedelta(days=30)
WARNING_RATE_BASIS_POINTS = 75
CRITICAL_RATE_BASIS_POINTS = 100
DISPUTES_FOR_A_CASE_MIN = 3
"""Fewer disputes than these say nothing about a rate: with 100 payments a single one would be one percent."""

RateVerdict = Literal["fine", "warning", "critical"]


@dataclass(frozen=True, slots=True)
class Movement:
    """One balance transaction of a dispute, signed as Stripe signs it: below zero the funds are taken."""

    id: str
    amount_minor: int
    fee_minor: int


@dataclass(frozen=True, slots=True)
class DisputeFacts:
    """A dispute as it was read. `due_by` is in seconds since 1970."""

    id: str
    status: DisputeStatus
    amount_minor: int
    currency: str
    charge_id: str
    payment_intent_id: str | None
    reason: str
    due_by: int | None
    movements: tuple[Movement, ...]


@dataclass(frozen=True, slots=True)
class Booked:
    """What is booked of a dispute: `outcome` stands while it is ended, `movement_ids` are posted."""

    outcome: DisputeOutcome | None
    movement_ids: frozenset[str]
    net_taken_minor: int


@dataclass(frozen=True, slots=True)
class Open:
    """Begin a round: freeze what is left with us."""


@dataclass(frozen=True, slots=True)
class Move:
    """Post one movement."""

    movement: Movement


@dataclass(frozen=True, slots=True)
class End:
    """The bank has decided and the money is where the decision says."""

    outcome: DisputeOutcome


Step = Open | Move | End


def next_steps(booked: Booked | None, facts: DisputeFacts) -> tuple[Step, ...]:
    """What a reading of the dispute asks for; nothing when it says nothing new or is older than what is booked."""
    seen = {movement.id for movement in facts.movements}
    posted = booked.movement_ids if booked is not None else frozenset[str]()
    if not posted <= seen:
        return ()
    fresh = [movement for movement in facts.movements if movement.id not in posted and movement.amount_minor]
    steps: list[Step] = []
    is_open = booked is not None and booked.outcome is None
    if not is_open:
        if booked is not None and not fresh and not _is_escalated(booked, facts):
            return ()
        steps.append(Open())
    steps += [Move(movement) for movement in fresh]
    net_taken_minor = (booked.net_taken_minor if booked is not None else 0) - sum(
        movement.amount_minor for movement in fresh
    )
    outcome = OUTCOMES.get(facts.status)
    if outcome is not None and _is_settled(outcome, net_taken_minor):
        steps.append(End(outcome))
    return tuple(steps)


def _is_escalated(booked: Booked, facts: DisputeFacts) -> bool:
    """Whether a closed inquiry has become a dispute; an older reading of the inquiry itself does not count."""
    return booked.outcome == "inquiry_closed" and facts.status in DISPUTE_STATES


def _is_settled(outcome: DisputeOutcome, net_taken_minor: int) -> bool:
    """A decision is booked once its money has moved: taken when lost, all of it back otherwise."""
    return net_taken_minor > 0 if outcome == "lost" else net_taken_minor <= 0


def left_of_split(split_minor: Mapping[str, int], taken_minor: int) -> dict[str, int]:
    """What of a frozen split is left when the bank has taken so much of it: committed money goes first."""
    left: dict[str, int] = {}
    for name in FREEZABLE_CLASSES:
        part_minor = split_minor.get(name, 0)
        gone_minor = min(part_minor, taken_minor)
        taken_minor -= gone_minor
        if part_minor > gone_minor:
            left[name] = part_minor - gone_minor
    return left


def settled_by_bank(owed: Sequence[tuple[object, int]], given_minor: int) -> list[int]:
    """Which refunds (key, amount) are no longer owed when the bank gave the person so much: whole ones only, as places
    in `owed`, the oldest first."""
    places: list[int] = []
    for place, (_, amount_minor) in enumerate(owed):
        if amount_minor <= given_minor:
            places.append(place)
            given_minor -= amount_minor
    return places


def rate_verdict(*, disputes: int, payments: int) -> RateVerdict:
    """How the share of disputes among payments is judged. The limits are those that Stripe gives for excessive dispute
    activity (0.75 percent) and that card networks' monitoring begins at (1 percent)."""
    if disputes < DISPUTES_FOR_A_CASE_MIN:
        return "fine"
    share = disputes * 10_000
    if share >= CRITICAL_RATE_BASIS_POINTS * payments:
        return "critical"
    return "warning" if share >= WARNING_RATE_BASIS_POINTS * payments else "fine"
