"""Reconciliation's rules: which balance transaction becomes which posting, and when something is overdue.

Each balance transaction has one row in the ledger, whatever it is; what nobody explains goes to suspense, with a case.
It cannot explain what Stripe does not name; people do.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from services.escrow.domain.psp import MovementFacts

CHARGE_CLOCK = timedelta(hours=1)
OTHER_CLOCK = timedelta(hours=24)
"""How long an object may wait for its balance transaction (or the other way round), in stack time."""

OVERLAP = timedelta(hours=1)
"""How far before the newest known balance transaction a pass reads again."""

UNEXPLAINED_AFTER = timedelta(seconds=60)
"""An object that nobody here knows is looked up after this long (wall time); until then its answer may be on its way."""

UNSETTLED_AFTER = timedelta(seconds=60)
"""A payment or refund without a final state is read again at Stripe after this long (wall time)."""

MovementClass = Literal["object", "account_fee", "held", "freed", "other"]

_OBJECT_TYPES = frozenset(
    [
        "charge",
        "payment",
        "refund",
        "payment_refund",
        "refund_failure",
        "payment_failure_refund",
        "transfer",
        "transfer_refund",
        "transfer_failure",
        "transfer_cancel",
        "topup",
        "topup_reversal",
    ]
)
_FEE_TYPES = frozenset({"stripe_fee", "stripe_fx_fee", "tax_fee", "network_cost"})
_HELD_TYPES = frozenset({"reserve_transaction", "reserved_funds", "reserve_hold"})
_FREED_TYPES = frozenset({"reserve_release", "payment_unreconciled"})


def movement_class(facts: MovementFacts) -> MovementClass:
    """What a balance transaction is about."""
    if facts.type in _OBJECT_TYPES and facts.source_id is not None:
        return "object"
    if facts.type in _FEE_TYPES:
        return "account_fee"
    if facts.type in _HELD_TYPES:
        return "held" if facts.net_minor < 0 else "freed"
    if facts.type in _FREED_TYPES:
        return "freed"
    return "other"


def clock_of(source_id: str) -> timedelta:
    """How long this object may be one-sided."""
    return CHARGE_CLOCK if source_id.startswith(("ch_", "pi_", "py_")) else OTHER_CLOCK


def is_overdue(source_id: str, *, since: datetime, now: datetime) -> bool:
    """Whether an object has been one-sided for longer than its clock."""
    return now - since > clock_of(source_id)


def cover_minor(*, held_minor: int, owed_minor: int) -> int:
    """What is held beyond what is owed; below zero means cover is broken."""
    return held_minor - owed_minor
