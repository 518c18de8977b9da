"""Refunds: the decision is one record, its attempts are others, and only Stripe's `succeeded` pays it.

Owns the answer to "what does this message about a refund mean now". It cannot know which of two messages is newer;
where that matters the object is read again at Stripe.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, cast

from contracts.escrow import RefundReason

DecisionState = Literal["decided", "pending", "paid", "failed", "paid_outside", "charged_back"]
"""decided: owed, sent or about to be. pending: Stripe has it and has not paid. paid. failed: owed, a case is open.
paid_outside: Stripe refused it, and it was paid another way that two people approved. charged_back: no longer owed,
because the person's bank gave the money back."""
SETTLED_STATES = ("paid", "paid_outside", "charged_back")
"""Nothing is owed any more."""

RefundStep = Literal["none", "pending", "paid", "failed", "failed_after_paid", "read_again", "mismatch"]

REFUND_ATTEMPTS_MAX = 3
"""Attempts that are made without a person; after them the refund waits in its case."""

REFUND_RETRY_DELAY = timedelta(days=1)
"""Pause before another attempt: a bank that refuses today may accept tomorrow."""

REFUND_SENT_WITHIN = timedelta(hours=24)
"""How long after its decision, or after it was to be tried again, a refund is with Stripe at the latest (the canon's rule);
a miss stops new joins."""

REFUNDS_PER_TRANSACTION_MAX = 500
"""Refunds decided in one transaction when a campaign closes; the rest follow in further ones."""


GOODWILL = "goodwill"
"""The stored reason of a refund that is the platform's own money; no reason that other services act on."""


def told_reason(reason: str) -> RefundReason:
    """A stored reason as events tell it: goodwill has a mark of its own there."""
    return "correction" if reason == GOODWILL else cast(RefundReason, reason)


def refund_step(
    state: DecisionState,
    status: Literal["pending", "succeeded", "failed"],
    *,
    known_refund: bool,
    authoritative: bool,
) -> RefundStep:
    """What a refund's status means for its decision.

    `known_refund`: the object is of the decision's present attempt. `authoritative`: the status was read at Stripe just
    now; a webhook, or a call's answer that its key repeats, may have been overtaken.
    """
    if state == "charged_back":
        # The bank was faster. A refund that Stripe has paid as well has happened and is booked, as the platform's loss.
        return "paid" if status == "succeeded" and known_refund else "none"
    if not known_refund:
        # An older attempt speaks. Its failure is known; a success would mean two payments for one decision.
        return "mismatch" if status == "succeeded" else "none"
    if state == "paid_outside":
        # Paid twice, if Stripe is right; the money cannot be taken back by us.
        return "mismatch" if status == "succeeded" else "none"
    if status == "pending":
        return "pending" if state == "decided" else "none"
    if status == "succeeded":
        if state == "paid":
            return "none"
        if state == "failed" and not authoritative:
            return "read_again"
        return "paid"
    if state == "failed":
        return "none"
    return "failed_after_paid" if state == "paid" else "failed"


def may_retry(ordinal: int) -> bool:
    """Whether another attempt is made without a person."""
    return ordinal < REFUND_ATTEMPTS_MAX
