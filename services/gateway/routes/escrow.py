"""The escrow for everybody: a campaign's and the platform's sums, their comparison with the entries, every transfer.

A campaign's are for those who may see the campaign; the platform's are public, and name no campaign that the viewer may
not see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from contracts.errors import Rejected
from contracts.payment_rail import disclosure
from services.gateway.auth.identity import Identity
from services.gateway.auth.requests import identify
from services.gateway.parts import gateway_of
from services.gateway.routes.files import attachment, csv_answer, decimal, goes_on_at
from services.gateway.routes.replying import json_answer
from services.gateway.schemas.answers_money import EscrowView, LedgerTransferList
from services.gateway.schemas.describing import answers, with_csv
from services.gateway.schemas.money_views import escrow_view, transfer_view
from services.gateway.store.cursors import LIMIT_DEFAULT, LIMIT_MAX, cursor_after, cursor_at, page, place
from services.gateway.store.read_campaigns import visible_campaign
from services.gateway.store.read_money import campaign_transfers, platform_transfers

EXPORT_ROWS_MAX = 5_000
COLUMNS = (
    "at",
    "sentence",
    "approved by",
    "approval",
    "amount",
    "currency",
    "kind",
    "commitment",
    "campaign",
    "transfer",
    "seq",
    "hash",
)

router = APIRouter(prefix="/v1", tags=["transparency"])

Part = tuple[Sequence[Mapping[str, Any]], str | None]


class TransfersQuery(BaseModel):
    """Which part of the transfers."""

    cursor: Annotated[str | None, Field(max_length=200)] = None
    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT


class ExportQuery(BaseModel):
    """From where on, and in which form."""

    cursor: Annotated[str | None, Field(max_length=200)] = None
    format: Literal["csv", "json"] = "json"


@router.get(
    "/campaigns/{campaign_id}/escrow",
    operation_id="campaign_escrow",
    summary="A campaign's escrow: in, held, released, refunded, fees, equal to the entries",
    responses=answers(EscrowView, 404),
)
async def campaign_escrow(request: Request, campaign_id: UUID) -> Response:
    """Sums to the cent, the comparison with every entry, and when it was made."""
    campaign = await _campaign(request, campaign_id)
    checked = await gateway_of(request).money_checks.of(str(campaign_id))
    return json_answer(escrow_view(checked, campaign=campaign, explained=disclosure()))


@router.get(
    "/campaigns/{campaign_id}/escrow/transfers",
    operation_id="campaign_escrow_transfers",
    summary="Every transfer of a campaign's ledger, without names, the newest first",
    responses=answers(LedgerTransferList, 400, 404, 422),
)
async def campaign_escrow_transfers(
    request: Request, campaign_id: UUID, query: Annotated[TransfersQuery, Query()]
) -> Response:
    """Each with its reason and the roles that approved it; commitments carry a pseudonym."""
    campaign = await _campaign(request, campaign_id)
    rows, cursor = await _campaign_part(request, campaign, query.cursor, query.limit)
    return json_answer({"data": [transfer_view(row) for row in rows], "next_cursor": cursor})


@router.get(
    "/campaigns/{campaign_id}/escrow/export",
    operation_id="campaign_escrow_export",
    summary="A campaign's transfers as a file, JSON or CSV",
    responses=with_csv(answers(LedgerTransferList, 400, 404, 422), COLUMNS),
)
async def campaign_escrow_export(
    request: Request, campaign_id: UUID, query: Annotated[ExportQuery, Query()]
) -> Response:
    """At most 5,000 transfers; where there are older ones, a `Link` header names the address that goes on."""
    campaign = await _campaign(request, campaign_id)
    rows, cursor = await _campaign_part(request, campaign, query.cursor, EXPORT_ROWS_MAX)
    return _file(request, query, [transfer_view(row) for row in rows], cursor, name=f"alpmera-escrow-{campaign_id}")


@router.get(
    "/transparency",
    operation_id="platform_escrow",
    summary="The whole platform's escrow: in, held, released, refunded, fees, equal to the entries",
    responses=answers(EscrowView),
)
async def platform_escrow(request: Request) -> Response:
    """Sums over all campaigns, private ones included; the comparison is made at most every 15 seconds."""
    await identify(request)
    checked = await gateway_of(request).money_checks.of(None)
    return json_answer(escrow_view(checked, campaign=None, explained=disclosure()))


@router.get(
    "/transparency/transfers",
    operation_id="platform_transfers",
    summary="Every transfer of the platform, without names, the newest first",
    responses=answers(LedgerTransferList, 400, 422),
)
async def platform_transfers_list(request: Request, query: Annotated[TransfersQuery, Query()]) -> Response:
    """A campaign is named only where you may see it."""
    rows, cursor = await _platform_part(request, await identify(request), query.cursor, query.limit)
    return json_answer({"data": [transfer_view(row) for row in rows], "next_cursor": cursor})


@router.get(
    "/transparency/export",
    operation_id="platform_transfers_export",
    summary="The platform's transfers as a file, JSON or CSV",
    responses=with_csv(answers(LedgerTransferList, 400, 422), COLUMNS),
)
async def platform_transfers_export(request: Request, query: Annotated[ExportQuery, Query()]) -> Response:
    """At most 5,000 transfers; where there are older ones, a `Link` header names the address that goes on."""
    rows, cursor = await _platform_part(request, await identify(request), query.cursor, EXPORT_ROWS_MAX)
    return _file(request, query, [transfer_view(row) for row in rows], cursor, name="alpmera-transparency")


async def _campaign(request: Request, campaign_id: UUID) -> Mapping[str, Any]:
    row = await visible_campaign(gateway_of(request).reads, campaign_id, await identify(request))
    if row is None:
        raise Rejected("not_found")
    return row


async def _campaign_part(request: Request, campaign: Mapping[str, Any], cursor: str | None, limit: int) -> Part:
    reads = gateway_of(request).reads
    rows = await campaign_transfers(reads, campaign["id"], before=place(cursor), limit=limit)
    named = {"campaign_id": campaign["id"], "campaign_title": campaign["title"]}
    shown = [{**row, **named} for row in rows[:limit]]
    return shown, cursor_at(shown[-1]["position"]) if len(rows) > limit else None


async def _platform_part(request: Request, identity: Identity | None, cursor: str | None, limit: int) -> Part:
    rows = await platform_transfers(gateway_of(request).reads, identity, page(cursor, limit))
    shown = rows[:limit]
    return shown, cursor_after(shown[-1]["at"], shown[-1]["id"]) if len(rows) > limit else None


def _file(
    request: Request, query: ExportQuery, views: Sequence[Mapping[str, Any]], cursor: str | None, *, name: str
) -> Response:
    headers = goes_on_at(request, query, cursor)
    name = f"{name}.{query.format}"
    if query.format == "json":
        return json_answer({"data": views, "next_cursor": cursor}, headers=attachment(name) | headers)
    return csv_answer(COLUMNS, [_line(view) for view in views], name=name, headers=headers)


def _line(view: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "at": view["at"].isoformat(),
        "sentence": view["sentence"],
        "approved by": ", ".join(view["approved_by"]),
        "approval": view["approval"],
        "amount": decimal(view["amount"]["amount"]),
        "currency": view["amount"]["currency"],
        "kind": view["kind"],
        "commitment": view["commitment"],
        "campaign": view["campaign_title"],
        "transfer": view["id"],
        "seq": view["seq"],
        "hash": view["hash"],
    }
