"""How amounts, moments and reasons are written for people.

Whole numbers only: an amount is put into digits without ever becoming a fraction. What cannot be said exactly (an
unknown currency, an unknown reason) raises instead of being said roughly.
"""

from __future__ import annotations

from datetime import UTC, datetime

MINOR_DIGITS = {"usd": 2}
"""Digits after the point, by currency (ISO 4217)."""

SYMBOLS = {"usd": "$"}

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

REFUND_REASONS = {
    "target_not_reached": "the campaign closed and the target quantity was not reached",
    "supplier_declined": "the invited supplier declined and no other supplier was left to invite",
    "acceptance_timeout": "the supplier did not answer inside the acceptance window",
    "withdrawn": "you withdrew your commitment",
    "cancelled": "the campaign was cancelled",
    "fulfillment_failed": "three people determined that the campaign cannot be fulfilled",
    "quality_issue": "the fault that you reported was upheld",
    "delivery_failure": "the delivery to you did not take place",
    "delay_exit": "you chose to leave after a delay was announced",
    "partial": "a part of your commitment could not be fulfilled and you accepted the calculation shown to you",
    "duplicate": "a second payment for the same commitment had arrived",
    "chargeback": "the payment was disputed through your bank",
    "correction": "an earlier entry was corrected",
    "goodwill": "a remedy was decided for you after the release of the funds",
    "late_receipt": "the payment arrived when your reservation had ended already",
}
"""One plain clause for each reason of a refund; each completes the words "Reason:"."""


STATES = {
    "TARGET_ACHIEVED": "Target achieved",
    "PENDING_ACCEPTANCE": "Pending acceptance",
    "FULFILLMENT": "Fulfillment phase",
    "INSPECTION": "Fulfillment phase: inspection",
    "COMPLETED": "Campaign completed",
    "CLOSED": "Campaign closed",
}
"""A campaign's states as its page names them."""


class WordingError(Exception):
    """A fact that cannot be put into words exactly."""


def money_words(amount_minor: int, currency: str) -> str:
    """An amount with its symbol and currency code, such as `$1,098.00 USD`. Raises WordingError."""
    digits = MINOR_DIGITS.get(currency)
    if digits is None or amount_minor < 0:
        raise WordingError(f"no words for {amount_minor} of {currency}")
    whole, rest = divmod(amount_minor, 10**digits)
    return f"{SYMBOLS[currency]}{whole:,}.{rest:0{digits}d} {currency.upper()}"


def moment_words(moment: datetime) -> str:
    """A moment in UTC, such as `05 December 2026, 00:00 UTC`. Raises WordingError for one without its zone."""
    if moment.tzinfo is None:
        raise WordingError("a moment without its zone")
    utc = moment.astimezone(UTC)
    return f"{utc.day:02d} {MONTHS[utc.month - 1]} {utc.year}, {utc.hour:02d}:{utc.minute:02d} UTC"


def refund_reason_words(reason: str) -> str:
    """The clause for a refund's reason. Raises WordingError for an unknown one."""
    if reason not in REFUND_REASONS:
        raise WordingError(f"no words for the reason {reason}")
    return REFUND_REASONS[reason]


def state_words(state: str) -> str:
    """The name of a campaign's state. Raises WordingError for an unknown one."""
    if state not in STATES:
        raise WordingError(f"no words for the state {state}")
    return STATES[state]
