"""Records and statements to keep: of one's own commitment, of one's year, of a supplier's campaign; as page or PDF."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from contracts.errors import Rejected
from services.gateway.auth.identity import Identity
from services.gateway.auth.requests import allowed
from services.gateway.documents.document import Document
from services.gateway.documents.html import to_html
from services.gateway.documents.pdf import to_pdf
from services.gateway.documents.records import commitment_record, refund_record
from services.gateway.documents.statements import supplier_statement, yearly_statement
from services.gateway.parts import gateway_of
from services.gateway.routes.files import attachment
from services.gateway.routes.replying import PRIVATE
from services.gateway.schemas.describing import Described, problems
from services.gateway.store.read_campaigns import visible_campaign
from services.gateway.store.read_commitments import own_commitment
from services.gateway.store.read_flows import stack_time
from services.gateway.store.read_money import commitment_movements
from services.gateway.store.read_statements import own_refunds, own_year, supplier_plans, supplier_sums
from services.gateway.store.read_suppliers import is_campaign_supplier

YEAR_MIN, YEAR_MAX = 2020, 2999

router = APIRouter(prefix="/v1", tags=["statements"])

Form = Annotated[Literal["pdf", "html"], Query(alias="format")]


def paper(*statuses: int) -> Described:
    """Describe an answer that is a paper in one of two forms."""
    content = {
        "application/pdf": {"schema": {"type": "string"}, "example": "%PDF-1.4 …"},
        "text/html": {
            "schema": {"type": "string"},
            "example": "<!doctype html><title>Commitment record R-7K2M</title>",
        },
    }
    ok: Described = {200: {"description": "The paper, as PDF or as a page.", "content": content}}
    return ok | problems(*statuses)


@router.get(
    "/me/commitments/{commitment_id}/record",
    operation_id="commitment_record",
    summary="The record of your commitment, as PDF or page",
    response_class=Response,
    responses=paper(401, 403, 404, 422),
)
async def read_commitment_record(request: Request, commitment_id: UUID, form: Form = "pdf") -> Response:
    """What you committed, what lies inside the amount, where the money is, and every movement so far."""
    identity, row = await _own(request, "commitment_record", commitment_id)
    reads = gateway_of(request).reads
    movements = await commitment_movements(reads, commitment_id, participant_id=identity.subject_id)
    campaign = await visible_campaign(reads, row["campaign_id"], identity)
    if campaign is None:
        raise Rejected("not_found")
    return await _answer(commitment_record(row, campaign["terms"], movements, await _now(request)), form)


@router.get(
    "/me/commitments/{commitment_id}/refund-record",
    operation_id="refund_record",
    summary="The record of your commitment's refunds, as PDF or page",
    response_class=Response,
    responses=paper(401, 403, 404, 422),
)
async def read_refund_record(request: Request, commitment_id: UUID, form: Form = "pdf") -> Response:
    """What was decided and what was paid; it says so when there was no refund."""
    identity, row = await _own(request, "refund_record", commitment_id)
    reads = gateway_of(request).reads
    movements = await commitment_movements(reads, commitment_id, participant_id=identity.subject_id)
    refunds = await own_refunds(reads, commitment_id, participant_id=identity.subject_id)
    return await _answer(refund_record(row, movements, refunds, await _now(request)), form)


@router.get(
    "/me/statement",
    operation_id="yearly_statement",
    summary="Your statement of one year, as PDF or page",
    response_class=Response,
    responses=paper(401, 403, 422),
)
async def read_yearly_statement(
    request: Request, year: Annotated[int | None, Query(ge=YEAR_MIN, le=YEAR_MAX)] = None, form: Form = "pdf"
) -> Response:
    """A line for each commitment with a movement in that year, and totals; the present year when none is named."""
    identity = await allowed(request, "yearly_statement")
    now = await _now(request)
    wanted = now.astimezone(UTC).year if year is None else year
    first, last = datetime(wanted, 1, 1, tzinfo=UTC), datetime(wanted + 1, 1, 1, tzinfo=UTC)
    rows = await own_year(gateway_of(request).reads, identity.subject_id, from_at=first, to_at=last)
    return await _answer(yearly_statement(rows, year=wanted, made_at=now), form)


@router.get(
    "/campaigns/{campaign_id}/supplier-statement",
    operation_id="supplier_statement",
    summary="What a supplier received from a campaign, as PDF or page",
    response_class=Response,
    responses=paper(401, 403, 404, 422),
)
async def read_supplier_statement(request: Request, campaign_id: UUID, form: Form = "pdf") -> Response:
    """Cleared, fee, reserve, transferred; for the campaign's supplier and for staff."""
    identity = await allowed(request, "supplier_statement")
    reads = gateway_of(request).reads
    if identity.is_supplier and not await is_campaign_supplier(reads, campaign_id, identity.supplier_id):
        raise Rejected("not_found")
    campaign = await visible_campaign(reads, campaign_id, identity)
    if campaign is None:
        raise Rejected("not_found")
    supplier_id = identity.supplier_id if identity.is_supplier else None
    plans = await supplier_plans(reads, campaign_id, supplier_id=supplier_id)
    sums = await supplier_sums(reads, campaign_id, supplier_id=supplier_id)
    return await _answer(supplier_statement(campaign, plans, sums, await _now(request)), form)


async def _own(request: Request, operation: str, commitment_id: UUID) -> tuple[Identity, Mapping[str, Any]]:
    identity = await allowed(request, operation)
    return identity, await own_commitment(gateway_of(request).reads, commitment_id, identity.subject_id)


async def _now(request: Request) -> datetime:
    found: datetime = (await stack_time(gateway_of(request).reads))["now"]
    return found


async def _answer(document: Document, form: str) -> Response:
    headers = PRIVATE | attachment(f"{document.file_name}.{form}")
    if form == "html":
        return Response(to_html(document), media_type="text/html; charset=utf-8", headers=headers)
    # Writing a PDF takes a noticeable part of a second; other requests go on meanwhile.
    content = await asyncio.to_thread(to_pdf, document)
    return Response(content, media_type="application/pdf", headers=headers)
