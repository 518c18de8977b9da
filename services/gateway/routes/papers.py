"""How a paper is described and answered: as PDF, or as one page, both to keep."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query, Request, Response

from services.gateway.documents.document import Document
from services.gateway.documents.html import to_html
from services.gateway.documents.pdf import to_pdf
from services.gateway.parts import gateway_of
from services.gateway.routes.files import attachment
from services.gateway.routes.replying import PRIVATE
from services.gateway.schemas.describing import Described, problems
from services.gateway.store.read_flows import stack_time

PDF_TYPE = "application/pdf"
PDF_EXAMPLE = "%PDF-1.4 …"

Form = Annotated[Literal["pdf", "html"], Query(alias="format")]


def paper(*statuses: int) -> Described:
    """Describe an answer that is a paper in one of two forms."""
    content = {
        PDF_TYPE: {"schema": {"type": "string"}, "example": PDF_EXAMPLE},
        "text/html": {
            "schema": {"type": "string"},
            "example": "<!doctype html><title>Commitment record R-7K2M</title>",
        },
    }
    ok: Described = {200: {"description": "The paper, as PDF or as a page.", "content": content}}
    return ok | problems(*statuses)


def pdf_only(*statuses: int) -> Described:
    """Describe an answer that is a file which was made before."""
    content = {PDF_TYPE: {"schema": {"type": "string"}, "example": PDF_EXAMPLE}}
    ok: Described = {200: {"description": "The file.", "content": content}}
    return ok | problems(*statuses)


async def made_at(request: Request) -> datetime:
    """The moment that a paper names as that of its making (stack time)."""
    found: datetime = (await stack_time(gateway_of(request).reads))["now"]
    return found


async def pdf_of(document: Document) -> bytes:
    """The paper as PDF. Writing one takes a noticeable part of a second; other requests go on meanwhile."""
    return await asyncio.to_thread(to_pdf, document)


async def paper_answer(document: Document, form: str) -> Response:
    """The paper as a file in the form that was asked for."""
    if form == "html":
        headers = PRIVATE | attachment(f"{document.file_name}.html")
        return Response(to_html(document), media_type="text/html; charset=utf-8", headers=headers)
    return pdf_answer(await pdf_of(document), name=document.file_name)


def pdf_answer(content: bytes, *, name: str) -> Response:
    """A PDF to keep; `name` without its ending."""
    return Response(content, media_type=PDF_TYPE, headers=PRIVATE | attachment(f"{name}.pdf"))
