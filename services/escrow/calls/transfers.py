"""Transfers to a supplier's account, top-ups of the platform's own balance, and reading one object again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.escrow.calls.client import StripeCalls, StripeUnavailableError
from services.escrow.calls.payments import FIND_PAGES_MAX, find_by_creation, payment_metadata
from services.kit.service import Answer, Intent


async def _made_for_plan(stripe: StripeCalls, path: str, query: Mapping[str, Any], intent: Intent) -> Answer | None:
    """The object in a list that names the plan, whichever ordinal made it: a plan has one."""
    wanted = str(intent.request["plan_id"])
    try:
        async for rows in stripe.pages(path, query, pages_max=FIND_PAGES_MAX):
            for row in rows:
                if (row.get("metadata") or {}).get("plan_id") == wanted:
                    return Answer("done", row)
    except StripeUnavailableError:
        return Answer("unknown")
    return None


@dataclass(frozen=True)
class TransferCalls:
    """The purpose `transfer`: the net of one clearing plan, once."""

    stripe: StripeCalls

    async def call(self, intent: Intent) -> Answer:
        """Create the transfer. An earlier ordinal of the same plan that did go through is found first."""
        earlier = await self.find(intent) if intent.ordinal > 1 else None
        if earlier is not None:
            return earlier
        request = intent.request
        return await self.stripe.send(
            "post",
            "/v1/transfers",
            {
                "amount": request["amount_minor"],
                "currency": request["currency"],
                "destination": request["destination"],
                "transfer_group": request["campaign_id"],
                "metadata": payment_metadata(intent),
            },
            key=str(intent.id),
        )

    async def find(self, intent: Intent) -> Answer | None:
        """The transfer of this plan."""
        return await _made_for_plan(
            self.stripe, "/v1/transfers", {"transfer_group": intent.request["campaign_id"]}, intent
        )


@dataclass(frozen=True)
class ReversalCalls:
    """The purpose `transfer_reversal`: a recovery takes back a part of one transfer, once."""

    stripe: StripeCalls

    async def call(self, intent: Intent) -> Answer:
        """Create the reversal. An earlier ordinal of the same plan that did go through is found first."""
        earlier = await self.find(intent) if intent.ordinal > 1 else None
        if earlier is not None:
            return earlier
        return await self.stripe.send(
            "post",
            _reversals(intent),
            {"amount": intent.request["amount_minor"], "metadata": payment_metadata(intent)},
            key=str(intent.id),
        )

    async def find(self, intent: Intent) -> Answer | None:
        """The reversal of this plan."""
        return await _made_for_plan(self.stripe, _reversals(intent), {}, intent)


def _reversals(intent: Intent) -> str:
    return f"/v1/transfers/{intent.request['transfer']}/reversals"


@dataclass(frozen=True)
class TopUpCalls:
    """The purpose `top_up`: the platform's own money into Stripe's balance."""

    stripe: StripeCalls

    async def call(self, intent: Intent) -> Answer:
        """Create the top-up."""
        request = intent.request
        return await self.stripe.send(
            "post",
            "/v1/topups",
            {
                "amount": request["amount_minor"],
                "currency": request["currency"],
                "description": "Platform float",
                "metadata": payment_metadata(intent),
            },
            key=str(intent.id),
        )

    async def find(self, intent: Intent) -> Answer | None:
        """The top-up that names the intent, in the list by creation time."""
        return await find_by_creation(self.stripe, "/v1/topups", intent)


@dataclass(frozen=True)
class ObjectCalls:
    """The purpose `object_read`: read one object again, because a message about it does not suffice to decide."""

    stripe: StripeCalls

    async def call(self, intent: Intent) -> Answer:
        """The object as it is now."""
        try:
            body = await self.stripe.read(intent.request["path"])
        except StripeUnavailableError:
            return Answer("unknown")
        return Answer("done", body) if body is not None else Answer("refused", {"status": 404})

    async def find(self, intent: Intent) -> Answer | None:
        """Reading again is always right."""
        return await self.call(intent)
