"""A campaign with one commitment, as every service under test hears of it."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from contracts.campaigns import CampaignOpened, CommitmentReserved
from contracts.envelope import Actor
from contracts.terms import Product, Readiness, ReferencePrice, ReviewAnswers, Terms
from services.kit.clock import wall_now

UNIT_PRICE_MINOR = 5_000
PRODUCT = Product(
    name="Cast iron pan",
    specification="28 cm, no coating",
    category="kitchen",
    reference_prices=(ReferencePrice(amount_minor=6900, currency="usd", source="List", seen_on="2026-11-01"),),
)
TERMS = Terms(
    title="Cast iron pans",
    target_units=2,
    capacity_units=8,
    unit_price_minor=UNIT_PRICE_MINOR,
    currency="usd",
    min_units=1,
    max_units=None,
    close_at=wall_now() + timedelta(days=14),
    fee_basis_points=300,
    delivery_window_days=21,
    delivery_model="pickup point",
    delivery_terms="One pickup point in the area",
    refund_terms="In full on every ending but completion",
)
READINESS = Readiness(
    owner="olga", backup="gus", what_fails="The maker is late", who_notices="olga", what_then="People are told"
)
ALL_WELL = ReviewAnswers(doctrine_fit=True, risks_stated=True, operable=True, precedent_safe=True)
OLGA, GUS, DOCK = Actor("olga", "operations"), Actor("gus", "gatekeeper"), Actor("dock", "supplier")
SUPPLIER_ID = uuid4()


def base64_key() -> str:
    """A fresh key of 32 bytes."""
    return base64.b64encode(os.urandom(32)).decode()


@dataclass
class Campaign:
    """One campaign with one commitment."""

    campaign_id: UUID = field(default_factory=uuid4)
    commitment_id: UUID = field(default_factory=uuid4)
    participant_id: UUID = field(default_factory=uuid4)

    @property
    def person(self) -> Actor:
        """The participant."""
        return Actor(str(self.participant_id), "participant")

    def opened(self) -> CampaignOpened:
        """The campaign's opening."""
        return CampaignOpened(
            campaign_id=self.campaign_id,
            product=PRODUCT,
            terms=TERMS,
            terms_hash=TERMS.hash(),
            supplier_ids=(SUPPLIER_ID,),
            visibility="open",
            opened_at=wall_now(),
        )

    def reserved(self) -> CommitmentReserved:
        """The reservation of one unit."""
        return CommitmentReserved(
            campaign_id=self.campaign_id,
            commitment_id=self.commitment_id,
            participant_id=self.participant_id,
            quantity=1,
            amount_minor=UNIT_PRICE_MINOR,
            currency="usd",
            terms_hash=TERMS.hash(),
            reference="R-1",
            reserved_until=wall_now() + timedelta(minutes=15),
            reserved_units=1,
            held_units=0,
        )
