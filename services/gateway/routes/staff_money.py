"""The platform's own money, for staff: cover, what the float can carry, and what ended campaigns cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from services.gateway.auth.requests import allowed
from services.gateway.parts import gateway_of
from services.gateway.routes.replying import json_answer
from services.gateway.schemas.answers_money import PlatformMoneyView
from services.gateway.schemas.describing import answers
from services.gateway.schemas.views import money_view
from services.gateway.store.read_float import gauges
from services.gateway.store.read_flows import campaign_costs

COVERED = "covered"

router = APIRouter(prefix="/v1/staff", tags=["staff"])


@router.get(
    "/money",
    operation_id="platform_money",
    summary="The platform's own money: cover, what the float can carry, what ended campaigns cost",
    responses=answers(PlatformMoneyView, 401, 403),
)
async def platform_money(request: Request) -> Response:
    """The 200 campaigns that ended last; the sums are over everything."""
    await allowed(request, "platform_money")
    gateway = gateway_of(request)
    checked = await gateway.money_checks.of(None)
    costs = await campaign_costs(gateway.reads)
    body = {
        "sums": [_float(row) for row in checked.sums],
        "gauges": [_gauge(row) for row in await gauges(gateway.reads)],
        "campaigns": [_cost(row) for row in costs],
        "covered": all(check.holds for check in checked.checks if check.name == COVERED),
        "checked_at": checked.at,
    }
    return json_answer(body)


def _float(row: Mapping[str, Any]) -> dict[str, Any]:
    figures = {
        "put_in": row["platform_float"],
        "at_processor": row["at_processor"],
        "owed": row["owed"],
        "above_owed": row["at_processor"] - row["owed"],
        "fees": row["fees"],
        "processor_cost": row["psp_cost"],
        "disputes": row["dispute_loss"],
        "goodwill": row["goodwill"],
    }
    currency = row["currency"]
    return {
        "currency": currency.upper(),
        **{name: money_view(int(figure), currency) for name, figure in figures.items()},
    }


def _gauge(row: Mapping[str, Any]) -> dict[str, Any]:
    currency = row["currency"]
    names = ("available", "worst_case_fees", "buffer", "room", "next_fee")
    return {
        "currency": currency.upper(),
        **{name: money_view(row[f"{name}_minor"], currency) for name in names},
        "admits": row["admits"],
        "gauged_at": row["gauged_at"],
    }


def _cost(row: Mapping[str, Any]) -> dict[str, Any]:
    currency = row["currency"]
    names = ("fee", "processor_cost", "disputes", "goodwill")
    amounts = {name: int(row[name]) for name in names}
    result = amounts["fee"] - amounts["processor_cost"] - amounts["disputes"] - amounts["goodwill"]
    return {
        "campaign_id": row["id"],
        "campaign_title": row["title"],
        "state": row["state"],
        **{name: money_view(amount, currency) for name, amount in amounts.items()},
        "result": money_view(result, currency),
    }
