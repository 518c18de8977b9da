"""From a product to an open campaign: drafted and submitted by operations, accepted by the gatekeeper.

Owns the campaign's texts and the sequence of the acts. Drafts are made before the first slot; a campaign opens in the
slot of its first line. Every product is described by what the file says and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from deploy.replay.acting import Acts
from deploy.replay.people import GATEKEEPER, OPERATIONS, People
from deploy.replay.products import CAMPAIGN_LASTS, CURRENCY, Product

FEE_BASIS_POINTS = 300
DELIVERY_WINDOW_DAYS = 21
TITLE_CHARACTERS_MAX = 150
REVIEW = {
    "decision": "accept",
    "reason": "Price, target and capacity follow from the demand of the file; the risks are stated.",
    "answers": {"doctrine_fit": True, "risks_stated": True, "operable": True, "precedent_safe": True},
    "constraints": [],
}


@dataclass(slots=True)
class Campaign:
    """A product's campaign on the platform."""

    product: Product
    id: UUID
    terms_hash: str


class Opening:
    """Drafts, submits and opens the campaigns of a file."""

    def __init__(self, acts: Acts, people: People) -> None:
        self._acts = acts
        self._people = people

    def campaign_id(self, product: Product) -> UUID:
        """The id that the platform gives to a product's campaign."""
        return self._acts.created_id(self._people.staff[OPERATIONS], self._key(product, "draft"))

    async def shift_of(self, product: Product) -> timedelta | None:
        """The shift that an earlier run of the same file decided, read from its first campaign; None without one."""
        operations = self._people.staff[OPERATIONS]
        answer = await self._acts.client.get(f"/v1/campaigns/{self.campaign_id(product)}", token=operations.token)
        if answer.status != 200:
            return None
        close_at = datetime.fromisoformat(answer.json()["terms"]["close_at"])
        return close_at - product.closes_at

    async def draft(
        self, products: Sequence[Product], shift: timedelta, done: Callable[[], None]
    ) -> dict[str, Campaign]:
        """Draft and submit every product's campaign; the first one alone, because it keeps the shift."""

        async def one(product: Product) -> Campaign:
            made = await self._draft(product, shift)
            done()
            return made

        campaigns = [await one(product) for product in products[:1]]
        campaigns += await asyncio.gather(*map(one, products[1:]))
        return {campaign.product.code: campaign for campaign in campaigns}

    async def open(self, campaign: Campaign) -> None:
        """The gatekeeper accepts: the campaign is open."""
        key = self._key(campaign.product, "review")
        path = f"/v1/campaigns/{campaign.id}/review"
        await self._acts.require(self._people.staff[GATEKEEPER], path, REVIEW, key=key)

    async def _draft(self, product: Product, shift: timedelta) -> Campaign:
        operations = self._people.staff[OPERATIONS]
        body = draft_body(product, shift=shift, supplier_id=self._people.supplier_id)
        await self._acts.require(operations, "/v1/campaigns", body, key=self._key(product, "draft"))
        campaign_id = self.campaign_id(product)
        path = f"/v1/campaigns/{campaign_id}/submission"
        submitted = await self._acts.require(operations, path, {}, key=self._key(product, "submit"))
        if submitted.body:
            terms_hash = submitted.json()["terms_hash"]
        else:
            page = await self._acts.client.read(f"/v1/campaigns/{campaign_id}", token=operations.token)
            terms_hash = page["terms_hash"]
        return Campaign(product, campaign_id, str(terms_hash))

    def _key(self, product: Product, act: str) -> str:
        return self._acts.key(product.first.number, act)


def draft_body(product: Product, *, shift: timedelta, supplier_id: str) -> dict[str, Any]:
    """The draft of a product's campaign."""
    title = (product.description or f"Product {product.code}")[:TITLE_CHARACTERS_MAX]
    reference = {
        "amount_minor": product.price_seen_max_minor,
        "currency": CURRENCY,
        "source": "highest unit price among the invoice lines",
        "seen_on": product.opens_at.date().isoformat(),
    }
    return {
        "product": {
            "name": title,
            "specification": f"{title}; stock code {product.code}, as named in the invoice lines.",
            "category": "household",
            "sku": product.code,
            "reference_prices": [reference],
        },
        "terms": {
            "title": title,
            "target_units": product.target_units,
            "capacity_units": product.capacity_units,
            "unit_price_minor": product.price_minor,
            "currency": CURRENCY,
            "min_units": 1,
            "max_units": None,
            "close_at": (product.opens_at + CAMPAIGN_LASTS + shift).isoformat(),
            "fee_basis_points": FEE_BASIS_POINTS,
            "delivery_window_days": DELIVERY_WINDOW_DAYS,
            "delivery_model": "One hand-over per participant at a neighbourhood hall",
            "delivery_terms": "Delivery to the place of hand-over is included in the unit price.",
            "refund_terms": "Every ending other than completion refunds the whole amount.",
        },
        "supplier_ids": [supplier_id],
        "visibility": "members",
        "readiness": {
            "owner": "olga",
            "backup": "gus",
            "what_fails": "A batch is faulty, or the supplier does not deliver.",
            "who_notices": "Participants at the inspection, operations by the update that is due.",
            "what_then": "Three roles determine the failure and every cent is refunded.",
        },
    }
