"""The payment rail in words, and a campaign's fee schedule: what everybody can read before and after joining."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response

from contracts.errors import Rejected
from contracts.payment_rail import RAIL, disclosure, refund_words, short_disclosure
from services.gateway.auth.requests import identify
from services.gateway.domain.fee_words import fee_part, fee_words
from services.gateway.parts import gateway_of
from services.gateway.routes.replying import json_answer
from services.gateway.schemas.answers_money import FeesView, RailView
from services.gateway.schemas.describing import answers
from services.gateway.schemas.views import money_view
from services.gateway.store.read_campaigns import visible_campaign

router = APIRouter(prefix="/v1", tags=["transparency"])


@router.get(
    "/payment-rail",
    operation_id="payment_rail",
    summary="Who holds the money, for how long at most, and how long a refund takes",
    responses=answers(RailView),
)
async def payment_rail(request: Request) -> Response:
    """The one description behind every text about held money."""
    await identify(request)
    first, last = RAIL.refund_business_days
    return json_answer(
        {
            "name": RAIL.name,
            "holder": RAIL.holder,
            "longest_hold_days": RAIL.longest_hold_days,
            "refund_sent_within_hours": RAIL.refund_sent_within_hours,
            "refund_business_days_from": first,
            "refund_business_days_to": last,
            "refund_words": refund_words(),
            "disclosure": list(disclosure()),
            "short": short_disclosure(),
        }
    )


@router.get(
    "/campaigns/{campaign_id}/fees",
    operation_id="campaign_fees",
    summary="A campaign's fee schedule: inside the unit price, frozen at opening, taken at completion",
    responses=answers(FeesView, 404),
)
async def campaign_fees(request: Request, campaign_id: UUID) -> Response:
    """What the fee is on one unit and on the target quantity, and what was taken so far."""
    row = await visible_campaign(gateway_of(request).reads, campaign_id, await identify(request))
    if row is None:
        raise Rejected("not_found")
    currency, price = row["currency"], row["unit_price_minor"]
    basis_points = row["terms"]["fee_basis_points"]
    return json_answer(
        {
            "campaign_id": campaign_id,
            "basis_points": basis_points,
            "unit_price": money_view(price, currency),
            "fee_in_unit_price": money_view(fee_part(price, basis_points), currency),
            "fee_at_target": money_view(fee_part(price * row["target_units"], basis_points), currency),
            "taken": money_view(row["platform_fee_minor"], currency),
            "frozen_since": row["opened_at"],
            "words": fee_words(basis_points),
        }
    )
