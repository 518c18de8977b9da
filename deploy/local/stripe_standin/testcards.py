"""Test cards: what each does when it is charged, authenticated or refunded.

Owns the table of Stripe's test payment methods and card numbers that Alpmera uses, and three of
the stand-in's own for refunds. Only brand, last four digits and behaviour are ever stored. It
accepts no real card: a number outside the table is declined as in Stripe's test mode.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deploy.local.stripe_standin.errors import StripeError

DECLINE_MESSAGES = {
    "generic_decline": ("card_declined", "Your card was declined."),
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "lost_card": ("card_declined", "Your card was declined."),
    "stolen_card": ("card_declined", "Your card was declined."),
    "expired_card": ("expired_card", "Your card has expired."),
    "incorrect_cvc": ("incorrect_cvc", "Your card's security code is incorrect."),
    "processing_error": (
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
}


@dataclass(frozen=True, slots=True)
class TestCard:
    """``decline``: Stripe's decline code. ``refund``: succeeds, pending, pending_fails, fails. ``dispute``: the reason of
    the dispute that follows the charge at once, or ``inquiry``."""

    number: str
    decline: str | None = None
    authenticates: bool = False
    refund: str = "succeeds"
    available_at_once: bool = False
    dispute: str | None = None

    @property
    def brand(self) -> str:
        """The network, by the number's first digit."""
        return "mastercard" if self.number.startswith("5") else "visa"


_VISA = TestCard("4242424242424242")
_DECLINED = TestCard("4000000000000002", decline="generic_decline")
_NO_FUNDS = TestCard("4000000000009995", decline="insufficient_funds")
_LOST = TestCard("4000000000009987", decline="lost_card")
_STOLEN = TestCard("4000000000009979", decline="stolen_card")
_EXPIRED = TestCard("4000000000000069", decline="expired_card")
_WRONG_CVC = TestCard("4000000000000127", decline="incorrect_cvc")
_PROCESSING = TestCard("4000000000000119", decline="processing_error")
_AUTHENTICATION = TestCard("4000002500003155", authenticates=True)
_THREE_D_SECURE = TestCard("4000000000003220", authenticates=True)
_THREE_D_SECURE_DECLINED = TestCard("4000008400001629", authenticates=True, decline="generic_decline")
_REFUND_PENDING = TestCard("4000000000007726", refund="pending")
_REFUND_FAILS = TestCard("4000000000005126", refund="fails")
_REFUND_PENDING_FAILS = TestCard("4000000000005142", refund="pending_fails")
_DISPUTED = TestCard("4000000000000259", dispute="fraudulent")
_DISPUTED_NOT_RECEIVED = TestCard("4000000000002685", dispute="product_not_received")
_INQUIRY = TestCard("4000000000001976", dispute="inquiry")
_AVAILABLE_AT_ONCE = TestCard("4000000000000077", available_at_once=True)

BY_PAYMENT_METHOD = {
    "pm_card_visa": _VISA,
    "pm_card_mastercard": TestCard("5555555555554444"),
    "pm_card_chargeDeclined": _DECLINED,
    "pm_card_visa_chargeDeclined": _DECLINED,
    "pm_card_chargeDeclinedInsufficientFunds": _NO_FUNDS,
    "pm_card_visa_chargeDeclinedInsufficientFunds": _NO_FUNDS,
    "pm_card_chargeDeclinedLostCard": _LOST,
    "pm_card_visa_chargeDeclinedLostCard": _LOST,
    "pm_card_visa_chargeDeclinedStolenCard": _STOLEN,
    "pm_card_chargeDeclinedExpiredCard": _EXPIRED,
    "pm_card_chargeDeclinedIncorrectCvc": _WRONG_CVC,
    "pm_card_chargeDeclinedProcessingError": _PROCESSING,
    "pm_card_authenticationRequired": _AUTHENTICATION,
    "pm_card_authenticationRequiredOnSetup": _AUTHENTICATION,
    "pm_card_threeDSecure2Required": _THREE_D_SECURE,
    "pm_card_threeDSecureRequired": _THREE_D_SECURE,
    "pm_card_threeDSecureRequiredChargeDeclined": _THREE_D_SECURE_DECLINED,
    "pm_card_pendingRefund": _REFUND_PENDING,
    "pm_card_refundPending": _REFUND_PENDING,
    "pm_card_refundFail": _REFUND_FAILS,
    "pm_card_refundPendingFail": _REFUND_PENDING_FAILS,
    "pm_card_createDispute": _DISPUTED,
    "pm_card_createDisputeProductNotReceived": _DISPUTED_NOT_RECEIVED,
    "pm_card_createDisputeInquiry": _INQUIRY,
    "pm_card_bypassPending": _AVAILABLE_AT_ONCE,
}

BY_NUMBER = {card.number: card for card in BY_PAYMENT_METHOD.values()}


def _passes_luhn(number: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def by_number(number: str) -> TestCard:
    """The test card with that number; a card error for anything else."""
    digits = number.replace(" ", "").replace("-", "")
    if not (digits.isascii() and digits.isdigit() and 12 <= len(digits) <= 19) or not (_passes_luhn(digits)):
        raise card_refusal("incorrect_number", "Your card number is incorrect.", param="number")
    card = BY_NUMBER.get(digits)
    if card is None:
        raise StripeError(
            "Your card was declined. Your request was in test mode, but used a non test card.",
            status=402,
            kind="card_error",
            code="card_declined",
            extra={"decline_code": "test_mode_live_card"},
        )
    return card


def card_refusal(code: str, message: str, *, param: str) -> StripeError:
    """A card that cannot be read: 402 before anything is charged."""
    return StripeError(message, status=402, kind="card_error", code=code, param=param)


def stored(card: TestCard, *, exp_month: int, exp_year: int) -> dict[str, Any]:
    """The facts of a payment method made from the card; keys with a low line stay inside."""
    return {
        "brand": card.brand,
        "last4": card.number[-4:],
        "exp_month": exp_month,
        "exp_year": exp_year,
        "_decline": card.decline,
        "_authenticates": card.authenticates,
        "_refund": card.refund,
        "_available_at_once": card.available_at_once,
        "_dispute": card.dispute,
    }
