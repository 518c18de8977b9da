"""What a campaign is about and the exact terms people join under: product, terms, readiness, review answers, states.

The terms' hash is what participants and supplier accept; anything that changes the canonical form changes every hash,
so a field is only ever added through a new terms version. The state machine itself lives in the campaigns service.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from contracts.common import Moment, ShortText, Text
from contracts.envelope import canonical_json
from contracts.money import Currency, PositiveAmountMinor

UNITS_MAX = 1_000_000

Units = Annotated[int, Field(strict=True, gt=0, le=UNITS_MAX)]
"""A number of units of the product; whole and above zero."""

CampaignState = Literal[
    "DRAFT",
    "IN_REVIEW",
    "ACTIVE",
    "TARGET_ACHIEVED",
    "PENDING_ACCEPTANCE",
    "FULFILLMENT",
    "INSPECTION",
    "COMPLETED",
    "CLOSED",
]
CAMPAIGN_STATES: tuple[str, ...] = get_args(CampaignState)

CloseReason = Literal[
    "target_not_reached", "supplier_declined", "acceptance_timeout", "fulfillment_failed", "cancelled", "rejected"
]
Visibility = Literal["private", "members", "open"]
DeliversTo = Literal["hand_over_point", "participant_address"]
"""Where units are handed over: at a point that the delivery terms name, or at an address of each participant's."""
SignOffRole = Literal["operations", "escrow_auditor", "trust_reviewer"]
SIGN_OFF_ROLES: tuple[str, ...] = get_args(SignOffRole)


class Part(BaseModel):
    """A part of a message: frozen, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ReferencePrice(Part):
    """A price seen elsewhere, with source and date: shown as a fact, never as a saving."""

    amount_minor: PositiveAmountMinor
    currency: Currency
    source: ShortText
    seen_on: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Product(Part):
    """What the campaign is about, frozen when the campaign opens."""

    name: ShortText
    specification: Text
    category: ShortText
    sku: ShortText | None = None
    reference_prices: tuple[ReferencePrice, ...] = ()


class Terms(Part):
    """The exact terms people join under. Their hash is what participants and supplier accept.

    The fee lies inside the unit price (basis points of it) and is taken only at completion. Dates are stack time.
    `delivery_model` says in words what `delivers_to` decides: whether a join has to name an address.
    """

    title: ShortText
    target_units: Units
    capacity_units: Units
    unit_price_minor: PositiveAmountMinor
    currency: Currency
    min_units: Units
    max_units: Units | None
    close_at: Moment
    fee_basis_points: Annotated[int, Field(strict=True, ge=0, le=10_000)]
    delivery_window_days: Annotated[int, Field(strict=True, gt=0, le=365)]
    delivery_model: ShortText
    delivers_to: DeliversTo = "hand_over_point"
    delivery_terms: Text
    refund_terms: Text

    def hash(self) -> str:
        """SHA-256 over the canonical JSON of the terms, lower-case hex."""
        return hashlib.sha256(canonical_json(self.model_dump(mode="json"))).hexdigest()


def content_digest(
    *, product: Mapping[str, Any], terms: Mapping[str, Any], supplier_ids: Iterable[str], visibility: str
) -> str:
    """SHA-256 over what a draft tells, as JSON values: two readers of the same events get the same digest. The readiness
    answers are not told in events and are not part of it."""
    content = {"product": product, "terms": terms, "supplier_ids": list(supplier_ids), "visibility": visibility}
    return hashlib.sha256(canonical_json(content)).hexdigest()


class Readiness(Part):
    """What must be answered before a review: who answers for each phase and what happens when something fails."""

    owner: ShortText
    backup: ShortText
    what_fails: Text
    who_notices: Text
    what_then: Text


Yes = Annotated[bool, Field(strict=True)]
"""An answer of yes or no; a number or a word that only resembles one is none."""


class ReviewAnswers(Part):
    """The four review questions; one failed answer rules out acceptance."""

    doctrine_fit: Yes
    risks_stated: Yes
    operable: Yes
    precedent_safe: Yes
