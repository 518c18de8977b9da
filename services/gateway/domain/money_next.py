"""What comes next for a commitment's money, and by when: decided by where the money stands now.

Balances per account class come from the commitment's own transfers. The date is a recorded one, or follows from what was
published: the acceptance window, the delivery window of the terms, the inspection, the hours in which a refund is sent.
Where the next step is somebody else's (a bank, the payment processor, the decision of a report), no date is invented.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from contracts.payment_rail import ACCEPTANCE_DAYS, INSPECTION_DAYS, RAIL
from services.gateway.domain.money_text import minute
from services.gateway.domain.refund_words import ATTEMPTS_BY_ITSELF

RETRY_AFTER = timedelta(days=1)
"""When escrow tries a refused refund again by itself."""


@dataclass(frozen=True, slots=True)
class Next:
    """The next step in one sentence, and its latest moment where there is one."""

    words: str
    by: datetime | None = None


def balances(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """What the owed accounts of one commitment hold after these transfers, minor units."""
    names = ("escrow", "refund_payable", "dispute_hold", "reserve")
    own = [row for row in rows if row["commitment_id"] is not None]
    return {name: sum(row[f"{name}_minor"] or 0 for row in own) for name in names}


def next_step(commitment: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Next | None:
    """What comes after the newest of these transfers (the oldest first); None when no money ever moved."""
    if not rows:
        return None
    held = balances(rows)
    if held["dispute_hold"] > 0:
        return Next("The bank decides the dispute; the money stays frozen until then. The bank sets the date.")
    if held["refund_payable"] > 0:
        return _owed(commitment, rows)
    if held["escrow"] > 0:
        return _held(commitment)
    if held["reserve"] > 0:
        return Next("It stays in reserve until the reported fault is decided; upheld means a refund.")
    return _gone(rows)


def _owed(commitment: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Next:
    newest = rows[-1]
    if newest["kind"] == "refund_failed" or commitment["refund_state"] == "failed":
        return _refused(commitment, newest)
    if commitment["refund_state"] == "pending":
        return Next("The payment processor has the refund and is paying it; it stays owed until it says so.")
    owed = [row for row in rows if (row["refund_payable_minor"] or 0) > 0]
    by = owed[-1]["at"] + timedelta(hours=RAIL.refund_sent_within_hours)
    return Next(f"The refund goes to the payment processor by {minute(by)} at the latest.", by)


def _refused(commitment: Mapping[str, Any], newest: Mapping[str, Any]) -> Next:
    if (commitment["refund_failures"] or 0) >= ATTEMPTS_BY_ITSELF:
        return Next("Staff have an open case to pay it another way; two people approve that payment.")
    since = commitment["refund_state_at"] if commitment["refund_state"] == "failed" else newest["at"]
    by = since + RETRY_AFTER
    return Next(f"It is tried again on {minute(by)}; staff can pay it another way, which two people approve.", by)


def _held(commitment: Mapping[str, Any]) -> Next:
    state, close_at = commitment["campaign_state"], commitment["close_at"]
    if state == "ACTIVE":
        words = f"It stays held until the close on {minute(close_at)}; a missed target quantity means a full refund."
        return Next(words, close_at)
    if state == "TARGET_ACHIEVED":
        return Next(f"It stays held; after the close on {minute(close_at)} the supplier is asked to accept.", close_at)
    since = commitment["campaign_state_since"]
    if state == "PENDING_ACCEPTANCE":
        until = commitment["window_closes_at"] or since + timedelta(days=ACCEPTANCE_DAYS)
        return Next(f"The supplier answers by {minute(until)}; without an acceptance it is refunded in full.", until)
    if commitment["inspection_until"] is not None or state == "INSPECTION":
        until = commitment["inspection_until"] or since + timedelta(days=INSPECTION_DAYS)
        return Next(
            f"Your inspection runs until {minute(until)}; only afterwards can two people approve the release.", until
        )
    if state == "FULFILLMENT":
        until = since + timedelta(days=commitment["delivery_window_days"])
        words = f"It stays held while the supplier fulfills; the delivery window of the terms ends on {minute(until)}"
        return Next(f"{words}. Release needs delivery, inspection and two approvals.", until)
    by = since + timedelta(hours=RAIL.refund_sent_within_hours)
    return Next(f"The campaign has ended; what is refunded goes to the payment processor by {minute(by)}.", by)


def _gone(rows: Sequence[Mapping[str, Any]]) -> Next:
    newest = rows[-1]
    if newest["kind"] == "refund_sent":
        by = newest["at"] + timedelta(days=RAIL.refund_shown_within_days)
        first, last = RAIL.refund_business_days
        return Next(
            f"Your bank shows it within {first} to {last} business days, by {minute(by)} in the longest case.", by
        )
    if any(row["kind"] == "transfer_sent" for row in rows):
        return Next("Nothing further: the release is final.")
    if newest["kind"] in {"clear", "reserve_release"}:
        return Next("The transfer to the supplier follows once enough money is available at the payment processor.")
    return Next("Nothing further is open for this money.")
