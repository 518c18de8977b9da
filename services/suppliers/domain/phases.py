"""The phases of a campaign as the suppliers service sees them, and the legal steps between them.

They follow from this service's own decisions (an acceptance, a delivery, the end of inspection) and from the facts of
the campaigns service (the close, the completion). Whether a step is allowed is decided here; when it happens, by the use
cases.
"""

from __future__ import annotations

from enum import StrEnum

from contracts.errors import Rejected


class Phase(StrEnum):
    """Where a campaign stands in the supplier's part of its life."""

    JOINING = "joining"
    """People join; a supplier is invited when the target is reached."""
    ACCEPTANCE = "acceptance"
    """The count at the close met the target; the acceptance window runs."""
    FULFILLMENT = "fulfillment"
    """A supplier accepted the exact terms; deliveries are awaited."""
    INSPECTION = "inspection"
    """Every deliverable commitment is delivered; the last inspection runs."""
    INSPECTED = "inspected"
    """Every inspection is over and the verdict is told."""
    COMPLETED = "completed"
    """Funds are released. Issues of kept-back commitments may still be decided."""
    UNACCEPTED = "unaccepted"
    """No supplier will answer any more: all declined, the window passed, or the invitation was withdrawn."""
    CLOSED = "closed"
    """The campaigns service closed the campaign; funds go back."""


STEPS: dict[Phase, frozenset[Phase]] = {
    Phase.JOINING: frozenset({Phase.ACCEPTANCE, Phase.UNACCEPTED, Phase.CLOSED}),
    Phase.ACCEPTANCE: frozenset({Phase.FULFILLMENT, Phase.UNACCEPTED, Phase.CLOSED}),
    Phase.FULFILLMENT: frozenset({Phase.INSPECTION, Phase.CLOSED}),
    Phase.INSPECTION: frozenset({Phase.INSPECTED, Phase.CLOSED}),
    Phase.INSPECTED: frozenset({Phase.COMPLETED, Phase.CLOSED}),
    Phase.UNACCEPTED: frozenset({Phase.CLOSED}),
    Phase.COMPLETED: frozenset(),
    Phase.CLOSED: frozenset(),
}
"""From each phase, the phases that may follow. There is no way back and no skip."""

ANSWERABLE = frozenset({Phase.JOINING, Phase.ACCEPTANCE})
"""Phases in which an invitation can stand."""

ACCEPTED = frozenset({Phase.FULFILLMENT, Phase.INSPECTION, Phase.INSPECTED, Phase.COMPLETED})
"""Phases after a supplier's acceptance."""


class IllegalStepError(Exception):
    """A step outside the table: a fault of the program, never an answer to a person."""


def step(current: Phase, following: Phase) -> Phase:
    """The phase after a step. Raises IllegalStepError for one that the table does not hold."""
    if following not in STEPS[current]:
        raise IllegalStepError(f"no step from {current} to {following}")
    return following


def require_delivery_expected(phase: Phase) -> None:
    """Refuse (`delivery_not_expected`) dispatch and delivery outside of fulfillment."""
    if phase is not Phase.FULFILLMENT:
        raise Rejected("delivery_not_expected", phase=str(phase))
