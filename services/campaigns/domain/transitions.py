"""The campaign's state machine as one table, and the function that decides from it.

Owns which state follows which, on whose word, under which conditions, and by which event it is told. The code asks this
table and nothing else, so that the table is the whole truth about a campaign's life. PAUSED (T12) is no row: it is an
overlay, kept as a freeze, that every row with the need `NOT_FROZEN` respects. It cannot catch a fact that was gathered
wrongly: whoever builds `Facts` answers for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from contracts.campaigns import (
    AcceptanceRequested,
    CampaignClosed,
    CampaignCompleted,
    CampaignOpened,
    CampaignReturned,
    CampaignSubmitted,
    FulfillmentStarted,
    InspectionStarted,
    InvitationWithdrawalRequested,
    TargetReached,
)
from contracts.envelope import Event
from contracts.errors import Rejected
from contracts.payment_rail import RAIL, fits
from contracts.terms import SIGN_OFF_ROLES, CampaignState, CloseReason

OPEN_FOR_JOINING: frozenset[str] = frozenset({"ACTIVE", "TARGET_ACHIEVED"})
"""States in which people may join, as long as joining has not ended."""

FINAL_STATES: frozenset[str] = frozenset({"COMPLETED", "CLOSED"})
"""States with no way out."""

SYSTEM = "system"
"""The service's own rules decide."""
SUPPLIERS = "suppliers_service"
"""The suppliers service decided under its own lock; this service follows."""
ESCROW = "escrow_service"
"""The escrow service decided under its own lock; this service follows."""


class Trigger(StrEnum):
    """What sets a transition in motion."""

    SUBMIT = "submit"
    """The author hands the draft in."""
    ACCEPT = "accept"
    """A gatekeeper accepts, with or without constraints."""
    DEFER = "defer"
    """A gatekeeper sends the draft back with what is missing."""
    REJECT = "reject"
    """A gatekeeper turns the campaign down."""
    FUNDS_COUNTED = "funds_counted"
    """Held units grew."""
    JOINING_COUNTED = "joining_counted"
    """Joining has ended and the count may be final."""
    INVITATION_WITHDRAWN = "invitation_withdrawn"
    """Suppliers withdrew the open invitation on this service's word."""
    SUPPLIER_ACCEPTED = "supplier_accepted"
    """The supplier accepted the exact terms inside the window."""
    NO_SUPPLIER_LEFT = "no_supplier_left"
    """The last invited supplier declined."""
    ACCEPTANCE_TIMED_OUT = "acceptance_timed_out"
    """The window passed without an answer."""
    DELIVERY_COMPLETED = "delivery_completed"
    """Every deliverable commitment is delivered."""
    FUNDS_RELEASED = "funds_released"
    """The transfer to the supplier was made and the fee taken."""
    FAILURE_DETERMINED = "failure_determined"
    """Three roles signed off a failure and escrow granted the latch."""
    CANCEL = "cancel"
    """Two people end a campaign before its fulfillment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the needs look at. Units are whole units; a default is the value that permits least."""

    missing: tuple[str, ...] = ("everything",)
    actor_is_author: bool | None = None
    answers_passed: bool = False
    closes_later: bool = False
    hold_days: int = 1_000_000
    held_units: int = 0
    target_units: int = 1
    open_reservations: int = 1
    joining_over: bool = False
    withdrawal_requested: bool = False
    terms_match: bool = False
    sign_off_roles: frozenset[str] = frozenset()
    cancelled_by_roles: frozenset[str] = frozenset()
    frozen: bool = True


@dataclass(frozen=True, slots=True)
class Need:
    """One condition: its name, the code it refuses with, when it is met, and the facts told with a refusal."""

    name: str
    code: str
    met: Callable[[Facts], bool]
    tell: Callable[[Facts], dict[str, Any]] = lambda facts: {}


READINESS_COMPLETE = Need(
    "readiness_complete", "readiness_incomplete", lambda f: not f.missing, lambda f: {"missing": list(f.missing)}
)
ACTOR_IS_AUTHOR = Need("actor_is_author", "not_allowed", lambda f: f.actor_is_author is True)
ACTOR_IS_NOT_AUTHOR = Need("actor_is_not_author", "author_is_reviewer", lambda f: f.actor_is_author is False)
ANSWERS_PASSED = Need("answers_passed", "review_answers_failed", lambda f: f.answers_passed)
CLOSES_LATER = Need(
    "closes_later", "readiness_incomplete", lambda f: f.closes_later, lambda f: {"missing": ["close_at_in_the_future"]}
)
WITHIN_LONGEST_HOLD = Need(
    "within_longest_hold",
    "hold_too_long",
    lambda f: fits(f.hold_days),
    lambda f: {"days_needed": f.hold_days, "days_allowed": RAIL.longest_hold_days},
)
TARGET_MET = Need("target_met", "campaign_state_conflict", lambda f: f.held_units >= f.target_units)
BELOW_TARGET = Need("below_target", "campaign_state_conflict", lambda f: f.held_units < f.target_units)
JOINING_OVER = Need("joining_over", "campaign_state_conflict", lambda f: f.joining_over)
NO_OPEN_RESERVATION = Need("no_open_reservation", "campaign_state_conflict", lambda f: f.open_reservations == 0)
NOT_YET_ASKED = Need("not_yet_asked", "campaign_state_conflict", lambda f: not f.withdrawal_requested)
WITHDRAWAL_ASKED = Need("withdrawal_asked", "campaign_state_conflict", lambda f: f.withdrawal_requested)
TERMS_MATCH = Need("terms_match", "terms_hash_stale", lambda f: f.terms_match)
THREE_SIGN_OFFS = Need(
    "three_sign_offs", "campaign_state_conflict", lambda f: f.sign_off_roles == frozenset(SIGN_OFF_ROLES)
)
TWO_CANCEL = Need(
    "two_cancel", "campaign_state_conflict", lambda f: f.cancelled_by_roles == frozenset({"gatekeeper", "founder"})
)
NOT_FROZEN = Need("not_frozen", "campaign_frozen", lambda f: not f.frozen)
"""Stands last wherever it stands, so that `campaign_frozen` means: everything else is met, only the freeze is in the way."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One row: from where to where, on whose word, under which needs, told by which event, with which reason."""

    name: str
    trigger: Trigger
    sources: tuple[CampaignState, ...]
    target: CampaignState
    who: frozenset[str]
    needs: tuple[Need, ...]
    event: type[Event]
    reason: CloseReason | None = None


def _row(
    name: str,
    trigger: Trigger,
    path: tuple[tuple[CampaignState, ...], CampaignState],
    who: str,
    needs: tuple[Need, ...],
    event: type[Event],
    reason: CloseReason | None = None,
) -> Transition:
    return Transition(name, trigger, path[0], path[1], frozenset(who.split("|")), needs, event, reason)


_T = Trigger
_COUNTED = (JOINING_OVER, NO_OPEN_RESERVATION)

TRANSITIONS: tuple[Transition, ...] = (
    _row(
        "T1",
        _T.SUBMIT,
        (("DRAFT",), "IN_REVIEW"),
        "operations|gatekeeper|founder",
        (ACTOR_IS_AUTHOR, READINESS_COMPLETE, WITHIN_LONGEST_HOLD),
        CampaignSubmitted,
    ),
    _row(
        "T2",
        _T.ACCEPT,
        (("IN_REVIEW",), "ACTIVE"),
        "gatekeeper",
        (ACTOR_IS_NOT_AUTHOR, ANSWERS_PASSED, CLOSES_LATER, WITHIN_LONGEST_HOLD, NOT_FROZEN),
        CampaignOpened,
    ),
    _row("T3", _T.DEFER, (("IN_REVIEW",), "DRAFT"), "gatekeeper", (ACTOR_IS_NOT_AUTHOR,), CampaignReturned),
    _row("T3", _T.REJECT, (("IN_REVIEW",), "CLOSED"), "gatekeeper", (ACTOR_IS_NOT_AUTHOR,), CampaignClosed, "rejected"),
    _row("T4", _T.FUNDS_COUNTED, (("ACTIVE",), "TARGET_ACHIEVED"), SYSTEM, (TARGET_MET,), TargetReached),
    _row(
        "T5",
        _T.JOINING_COUNTED,
        (("ACTIVE",), "CLOSED"),
        SYSTEM,
        (*_COUNTED, BELOW_TARGET, NOT_FROZEN),
        CampaignClosed,
        "target_not_reached",
    ),
    # The first half of T5b: the invitation is asked back, the state stays until suppliers answers.
    _row(
        "T5b",
        _T.JOINING_COUNTED,
        (("TARGET_ACHIEVED",), "TARGET_ACHIEVED"),
        SYSTEM,
        (*_COUNTED, BELOW_TARGET, NOT_YET_ASKED, NOT_FROZEN),
        InvitationWithdrawalRequested,
        "target_not_reached",
    ),
    _row(
        "T5b",
        _T.INVITATION_WITHDRAWN,
        (("TARGET_ACHIEVED", "PENDING_ACCEPTANCE"), "CLOSED"),
        SUPPLIERS,
        (WITHDRAWAL_ASKED, BELOW_TARGET, NOT_FROZEN),
        CampaignClosed,
        "target_not_reached",
    ),
    _row(
        "T6",
        _T.JOINING_COUNTED,
        (("TARGET_ACHIEVED",), "PENDING_ACCEPTANCE"),
        SYSTEM,
        (*_COUNTED, TARGET_MET, NOT_FROZEN),
        AcceptanceRequested,
    ),
    _row(
        "T7",
        _T.SUPPLIER_ACCEPTED,
        (("PENDING_ACCEPTANCE",), "FULFILLMENT"),
        SUPPLIERS,
        (TERMS_MATCH,),
        FulfillmentStarted,
    ),
    _row(
        "T8",
        _T.NO_SUPPLIER_LEFT,
        (("TARGET_ACHIEVED", "PENDING_ACCEPTANCE"), "CLOSED"),
        SUPPLIERS,
        (NOT_FROZEN,),
        CampaignClosed,
        "supplier_declined",
    ),
    _row(
        "T8",
        _T.ACCEPTANCE_TIMED_OUT,
        (("PENDING_ACCEPTANCE",), "CLOSED"),
        SUPPLIERS,
        (NOT_FROZEN,),
        CampaignClosed,
        "acceptance_timeout",
    ),
    _row("T9", _T.DELIVERY_COMPLETED, (("FULFILLMENT",), "INSPECTION"), SUPPLIERS, (), InspectionStarted),
    _row("T10", _T.FUNDS_RELEASED, (("INSPECTION",), "COMPLETED"), ESCROW, (NOT_FROZEN,), CampaignCompleted),
    _row(
        "T11",
        _T.FAILURE_DETERMINED,
        (("FULFILLMENT", "INSPECTION"), "CLOSED"),
        ESCROW,
        (THREE_SIGN_OFFS, NOT_FROZEN),
        CampaignClosed,
        "fulfillment_failed",
    ),
    # Where an invitation may be open it is asked back first; this row is taken when none is open.
    _row(
        "T13",
        _T.CANCEL,
        (("DRAFT", "IN_REVIEW", "ACTIVE", "TARGET_ACHIEVED", "PENDING_ACCEPTANCE"), "CLOSED"),
        "gatekeeper|founder",
        (TWO_CANCEL, NOT_FROZEN),
        CampaignClosed,
        "cancelled",
    ),
)

_BY_START: dict[tuple[Trigger, str], tuple[Transition, ...]] = {}
for _transition in TRANSITIONS:
    for _source in _transition.sources:
        _key = (_transition.trigger, _source)
        _BY_START[_key] = (*_BY_START.get(_key, ()), _transition)


def decide(trigger: Trigger, *, state: str, who: str, facts: Facts) -> Transition:
    """The transition that this trigger takes from this state.

    Raises Rejected: `campaign_state_conflict` where the table has no row, `not_allowed` for another role, else the code
    of the need that is not met. Of several rows the one that got furthest gives the code.
    """
    rows = _BY_START.get((trigger, state), ())
    if not rows:
        raise Rejected("campaign_state_conflict", state=state)
    allowed = [row for row in rows if who in row.who]
    if not allowed:
        raise Rejected("not_allowed")
    furthest, refusal = -1, None
    for row in allowed:
        met = _met_needs(row, facts)
        if met == len(row.needs):
            return row
        if met > furthest:
            furthest, refusal = met, row.needs[met]
    assert refusal is not None
    raise Rejected(refusal.code, **{"state": state, **refusal.tell(facts)})


def may_follow(trigger: Trigger, state: str) -> bool:
    """Whether the table has a row for this trigger from this state."""
    return (trigger, state) in _BY_START


def _met_needs(row: Transition, facts: Facts) -> int:
    """How many needs are met before the first one that is not."""
    for index, need in enumerate(row.needs):
        if not need.met(facts):
            return index
    return len(row.needs)
