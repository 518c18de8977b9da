"""Refunds on their way: the queue for staff, and the figures that everybody may see."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.gateway.auth.requests import allowed
from services.gateway.domain.refund_words import REFUND_RULE, next_act
from services.gateway.parts import gateway_of
from services.gateway.routes.replying import json_answer, page_answer
from services.gateway.schemas.answers_refunds import RefundFigures, SettlingCampaignList, UnsettledRefundList
from services.gateway.schemas.describing import answers
from services.gateway.schemas.views import Row, View, money_view, settlement_view
from services.gateway.store.cursors import LIMIT_DEFAULT, LIMIT_MAX, page
from services.gateway.store.read_refunds import FIGURES_DAYS, refund_figures, settling_campaigns, unsettled_refunds

router = APIRouter(prefix="/v1", tags=["refunds"])


@router.get(
    "/refunds/unsettled",
    operation_id="refunds_unsettled",
    summary="Refunds that are owed, the oldest first",
    responses=answers(UnsettledRefundList, 400, 401, 403, 422),
)
async def refunds_unsettled(
    request: Request,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
) -> Response:
    """With age, attempts, and what happens with each next."""
    await allowed(request, "refunds_unsettled")
    rows = await unsettled_refunds(gateway_of(request).reads, page=page(cursor, limit))
    return page_answer(rows, limit=limit, view=_unsettled_view, moment="decided_at")


@router.get(
    "/refunds/campaigns",
    operation_id="refunds_campaigns",
    summary="Campaigns that owe refunds: how far they are and when the last is expected to be paid",
    responses=answers(SettlingCampaignList, 400, 401, 403, 422),
)
async def refunds_campaigns(
    request: Request,
    cursor: str | None = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
) -> Response:
    """The campaign that owes the oldest refund first; the pace is that of the last minutes."""
    await allowed(request, "refunds_campaigns")
    rows = await settling_campaigns(gateway_of(request).reads, page=page(cursor, limit))
    return page_answer(rows, limit=limit, view=_settling_view, moment="oldest_decided_at")


@router.get(
    "/transparency/refunds",
    operation_id="transparency_refunds",
    summary="How refunds stand: what is owed since when, and how long they take",
    responses=answers(RefundFigures),
)
async def transparency_refunds(request: Request) -> Response:
    """Computed from the records at the moment of asking; the same for everybody."""
    row = await refund_figures(gateway_of(request).reads)
    oldest = row["oldest_decided_at"]
    return json_answer(
        {
            "as_of": row["as_of"],
            "unsettled": row["unsettled"],
            "oldest_decided_at": oldest,
            "oldest_age_seconds": int((row["as_of"] - oldest).total_seconds()) if oldest is not None else None,
            "settled": row["settled"],
            "settled_within_days": FIGURES_DAYS,
            "ninety_fifth_percentile_seconds": int(row["ninety_fifth_percentile_seconds"])
            if row["ninety_fifth_percentile_seconds"] is not None
            else None,
            "rule": REFUND_RULE,
        },
        headers={"Cache-Control": "no-cache"},
    )


def _settling_view(row: Row) -> View:
    return {name: row[name] for name in ("id", "title", "state", "oldest_decided_at")} | {
        "settlement": settlement_view(row)
    }


def _unsettled_view(row: Row) -> View:
    failed = row["state"] == "failed"
    return {
        **{name: row[name] for name in ("id", "campaign_id", "commitment_id", "reason", "state", "state_at")},
        "decided_at": row["decided_at"],
        "amount": money_view(row["amount_minor"], row["currency"]),
        "age_seconds": int((row["now"] - row["decided_at"]).total_seconds()),
        "attempts": max(1, row["failures"] if failed else row["failures"] + 1),
        "next_act": next_act(row["state"], row["failures"]),
    }
