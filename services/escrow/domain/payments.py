"""How a reservation is paid and how it ends: the states, and the decisions that need no table.

One rule carries all races: how a reservation ends is decided by the payment intent's own state, under the scope's
lock. Money for a reservation that is over is never held. It cannot see the clock; the callers pass what is due.
"""

from __future__ import annotations

from typing import Literal

from services.escrow.domain.psp import PaymentStatus

ReservationState = Literal["open", "expiring", "ending", "held", "ended", "refunded", "released"]
"""open: awaits funds. expiring: its time is over and its payment is being cancelled; if that payment was faster, its
funds are held. ending: left, refused or closed, and its payment is being cancelled; if that payment was faster, its
money goes back. held: funded. ended: over without held funds. refunded: a refund of all is decided. released: sent."""

PaymentState = Literal["started", "action_required", "processing", "declined", "canceled", "succeeded"]
"""started: the call is not answered yet. action_required: the bank waits for the participant. The last three are
final: each payment intent is confirmed once."""

EndReason = Literal["expired", "left", "refused", "canceled"]

OPEN_PAYMENT_STATES: frozenset[str] = frozenset({"started", "action_required", "processing"})
AWAITING_STATES: frozenset[str] = frozenset({"open", "expiring"})
"""Reservations whose money, should it come, is held."""

COLLECTING_STATES: frozenset[str] = frozenset({"ACTIVE", "TARGET_ACHIEVED"})
"""Campaign states in which a payment may be started. Reservations end before a campaign leaves them."""

PAYMENT_ATTEMPTS_MAX = 20
"""The contract's bound on attempts for one reservation."""

_AFTER: dict[PaymentStatus, PaymentState] = {
    "succeeded": "succeeded",
    "requires_action": "action_required",
    "processing": "processing",
    "canceled": "canceled",
    "failed": "declined",
}


def payment_state_after(current: PaymentState, status: PaymentStatus) -> PaymentState | None:
    """The payment's new state, or None when the message changes nothing (a repeat, or one that came late).

    Success is final at Stripe, so it is believed whenever it is told, even after another final state was recorded from
    an older message. The other final states never give way to what is not final.
    """
    new = _AFTER[status]
    if current in ("succeeded", new):
        return None
    if new == "succeeded":
        return new
    if current == "canceled":
        return None
    if current == "declined":
        return new if new == "canceled" else None
    if new == "action_required" and current == "processing":
        return None
    return new


def receipt(reservation: ReservationState | None, *, funded: bool, closed: bool) -> Literal["hold", "late"]:
    """Whether money that arrived is held, or is owed back at once."""
    if reservation in AWAITING_STATES and not funded and not closed:
        return "hold"
    return "late"


def may_start_payment(reservation: ReservationState, *, open_payments: int, attempt: int, used: set[int]) -> str | None:
    """The refusal code for another payment of this reservation, or None when it may start."""
    if reservation != "open":
        return "payment_not_expected"
    if open_payments:
        return "payment_under_way"
    if attempt in used or attempt > PAYMENT_ATTEMPTS_MAX:
        return "payment_not_expected"
    return None
