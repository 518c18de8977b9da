"""Refunds: create, find again. The executor paces them: a campaign that closes owes thousands at once."""

from __future__ import annotations

from dataclasses import dataclass

from services.escrow.calls.client import StripeCalls, StripeUnavailableError
from services.escrow.calls.payments import FIND_PAGES_MAX, payment_metadata
from services.kit.service import Answer, Intent

ALREADY_REFUNDED = "charge_already_refunded"


@dataclass(frozen=True)
class RefundCalls:
    """The purpose `refund`."""

    stripe: StripeCalls

    async def call(self, intent: Intent) -> Answer:
        """Refund an amount of one payment."""
        request = intent.request
        answer = await self.stripe.send(
            "post",
            "/v1/refunds",
            {
                "payment_intent": request["payment_intent"],
                "amount": request["amount_minor"],
                "metadata": payment_metadata(intent),
            },
            key=str(intent.id),
        )
        if answer.outcome == "refused" and answer.body.get("error", {}).get("code") == ALREADY_REFUNDED:
            # Our own earlier attempt may have done it under a key that Stripe has pruned since.
            return await self.find(intent) or answer
        return answer

    async def find(self, intent: Intent) -> Answer | None:
        """The refund of that payment that names the intent."""
        try:
            found = await self.stripe.find(
                "/v1/refunds",
                {"payment_intent": intent.request["payment_intent"]},
                intent_id=str(intent.id),
                pages_max=FIND_PAGES_MAX,
            )
        except StripeUnavailableError:
            return Answer("unknown")
        return Answer("done", found) if found is not None else None
