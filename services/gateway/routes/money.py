"""Where my money is: the movements of one's own commitment, on a page and as a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from services.gateway.auth.requests import allowed
from services.gateway.parts import gateway_of
from services.gateway.routes.files import attachment, csv_answer, decimal
from services.gateway.routes.replying import json_answer
from services.gateway.schemas.answers_money import MoneyStoryView
from services.gateway.schemas.describing import answers, with_csv
from services.gateway.schemas.money_views import story_view
from services.gateway.store.read_commitments import own_commitment
from services.gateway.store.read_money import commitment_movements

COLUMNS = (
    "at",
    "sentence",
    "approved by",
    "approval",
    "amount",
    "currency",
    "kind",
    "transfer",
    "seq",
    "hash",
    "trace",
    "next",
    "next by",
)

router = APIRouter(prefix="/v1/me/commitments", tags=["commitments"])


@router.get(
    "/{commitment_id}/money",
    operation_id="my_money",
    summary="Where the money of your commitment is, movement by movement",
    responses=answers(MoneyStoryView, 401, 403, 404),
)
async def my_money(request: Request, commitment_id: UUID) -> Response:
    """What happened, when, why, who approved it by role, and what comes next and by when; each with its transfer."""
    return json_answer(await _story(request, "my_money", commitment_id))


@router.get(
    "/{commitment_id}/money/export",
    operation_id="my_money_export",
    summary="The movements of your commitment as a file, JSON or CSV",
    responses=with_csv(answers(MoneyStoryView, 401, 403, 404, 422), COLUMNS),
)
async def my_money_export(
    request: Request,
    commitment_id: UUID,
    format: Annotated[Literal["csv", "json"], Query()] = "json",  # noqa: A002 - the parameter's name
) -> Response:
    """The same as on the page."""
    story = await _story(request, "my_money_export", commitment_id)
    name = f"alpmera-money-{story['reference'] or commitment_id}.{format}"
    if format == "json":
        return json_answer(story, headers=attachment(name))
    return csv_answer(COLUMNS, [_line(movement) for movement in story["movements"]], name=name)


async def _story(request: Request, operation: str, commitment_id: UUID) -> dict[str, Any]:
    identity = await allowed(request, operation)
    reads = gateway_of(request).reads
    row = await own_commitment(reads, commitment_id, identity.subject_id)
    movements = await commitment_movements(reads, commitment_id, participant_id=identity.subject_id)
    return story_view(row, movements)


def _line(movement: Mapping[str, Any]) -> dict[str, Any]:
    transfer, coming = movement["transfer"], movement["next"] or {"words": None, "by": None}
    return {
        "at": movement["at"].isoformat(),
        "sentence": movement["sentence"],
        "approved by": ", ".join(movement["approved_by"]),
        "approval": movement["approval"],
        "amount": decimal(transfer["amount"]["amount"]),
        "currency": transfer["amount"]["currency"],
        "kind": transfer["kind"],
        "transfer": transfer["id"],
        "seq": transfer["seq"],
        "hash": transfer["hash"],
        "trace": movement["trace_id"],
        "next": coming["words"],
        "next by": coming["by"].isoformat() if coming["by"] is not None else None,
    }
