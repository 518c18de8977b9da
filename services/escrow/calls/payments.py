"""Payment intents: create and confirm, cancel, find again.

A payment is charged at once into the platform's balance (a card hold lasts days, a campaign weeks). The confirmation
token is used here and nowhere kept. It cannot tell whether the bank will ask the participant; the answer says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.escrow.calls.client import StripeCalls, StripeUnavailableError
from services.kit.service import Answer, Intent

FIND_PAGES_MAX = 50
FIND_MARGIN_SECONDS = 600
"""How far before its first attempt an object is looked for; our clock and Stripe's differ by less."""

FINAL_STATES = ("succeeded", "canceled")


@dataclass(frozen=True)
class PaymentCalls:
    """The purpose `payment`."""

    stripe: StripeCalls

    async def call(self, intent: Intent) -> Answer:
        """Create and confirm the payment intent with the participant's confirmation token."""
        request = intent.request
        return await self.stripe.send(
            "post",
            "/v1/payment_intents",
            {
                "amount": request["amount_minor"],
                "currency": request["currency"],
                "confirm": True,
                "confirmation_token": intent.secret or "",
                "return_url": request["return_url"],
                "payment_method_types": ["card"],
                "transfer_group": request["campaign_id"],
                "metadata": payment_metadata(intent),
            },
            key=str(intent.id),
        )

    async def find(self, intent: Intent) -> Answer | None:
        """The payment intent made for this intent, in the list by creation time."""
        return await find_by_creation(self.stripe, "/v1/payment_intents", intent)


@dataclass(frozen=True)
class PaymentCancelCalls:
    """The purpose `payment_cancel`. Cancelling needs no key: a second one changes nothing and says so."""

    stripe: StripeCalls

    async def call(self, intent: Intent) -> Answer:
        """Cancel; a payment that was faster is answered with its state, which decides."""
        payment_intent_id = intent.request["payment_intent_id"]
        answer = await self.stripe.send(
            "post", f"/v1/payment_intents/{payment_intent_id}/cancel", {"cancellation_reason": "abandoned"}
        )
        if answer.outcome in ("refused", "stored_error"):
            return await self.find(intent) or Answer("unknown", answer.body)
        return answer

    async def find(self, intent: Intent) -> Answer | None:
        """The payment intent when its state is final, else None: then cancelling is still to be done."""
        try:
            body = await self.stripe.read(f"/v1/payment_intents/{intent.request['payment_intent_id']}")
        except StripeUnavailableError:
            return Answer("unknown")
        if body is not None and body.get("status") in FINAL_STATES:
            return Answer("done", body)
        return None


def payment_metadata(intent: Intent) -> dict[str, str]:
    """What names our records on a Stripe object: random ids only."""
    named = {name: str(value) for name, value in intent.request.items() if name.endswith("_id")}
    return {**named, "intent_id": str(intent.id), "ordinal": str(intent.ordinal)}


async def find_by_creation(stripe: StripeCalls, path: str, intent: Intent) -> Answer | None:
    """The object of a list by creation time that names the intent; `unknown` when the list cannot be read."""
    attempted: datetime = intent.first_attempted_at or intent.recorded_at
    since = int(attempted.timestamp()) - FIND_MARGIN_SECONDS
    found: dict[str, Any] | None
    try:
        found = await stripe.find(path, {"created": {"gte": since}}, intent_id=str(intent.id), pages_max=FIND_PAGES_MAX)
    except StripeUnavailableError:
        return Answer("unknown")
    return Answer("done", found) if found is not None else None
