"""Operations: what became of an accepted act, for whoever did not wait for it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from contracts.errors import Rejected
from services.gateway.auth.requests import signed_in
from services.gateway.parts import gateway_of
from services.gateway.routes.reading import wait_seconds
from services.gateway.routes.replying import json_answer, list_answer, operation_view
from services.gateway.schemas.answers import OperationList, OperationView
from services.gateway.schemas.describing import answers

IDS_MAX = 100
_ID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
IDS = Query(json_schema_extra={"pattern": f"^{_ID}(,{_ID}){{0,{IDS_MAX - 1}}}$"})

router = APIRouter(prefix="/v1/operations", tags=["operations"])


@router.get(
    "/{operation_id}",
    operation_id="operations_read",
    summary="What became of an act",
    responses=answers(OperationView, 401, 404, 503),
)
async def operations_read(request: Request, operation_id: UUID) -> Response:
    """The present outcome; `Prefer: wait=N` waits for it."""
    identity = await signed_in(request)
    gateway = gateway_of(request)
    stored = (await gateway.acts.stored([operation_id])).get(operation_id)
    if stored is None or not (identity.is_staff or stored.operation.actor_id == identity.subject_id):
        raise Rejected("not_found")
    seconds = wait_seconds(request, 0)
    if seconds > 0:
        gateway.outcomes.admit()
    outcome = await gateway.outcomes.wait(stored.operation, seconds=seconds, fresh=False)
    headers = {"Preference-Applied": f"wait={seconds}"} if seconds > 0 else {}
    return json_answer(operation_view(stored.operation, outcome), headers=headers)


@router.get(
    "",
    operation_id="operations_list",
    summary="What became of several acts of yours",
    responses=answers(OperationList, 401, 422),
)
async def operations_list(request: Request, ids: Annotated[str, IDS]) -> Response:
    """`ids` are up to 100 ids separated by commas; those that are not yours are left out."""
    identity = await signed_in(request)
    gateway = gateway_of(request)
    wanted = _ids(ids)
    stored = await gateway.acts.stored(wanted)
    own = [stored[each].operation for each in wanted if each in stored]
    own = [operation for operation in own if identity.is_staff or operation.actor_id == identity.subject_id]
    outcomes = await gateway.outcomes.resolve(own)
    return list_answer(own, lambda operation: operation_view(operation, outcomes[operation.id]))


def _ids(text: str) -> list[UUID]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not 1 <= len(parts) <= IDS_MAX:
        raise Rejected("validation_failed", parameter="ids", count_max=IDS_MAX)
    try:
        return list(dict.fromkeys(UUID(part) for part in parts))
    except ValueError as error:
        raise Rejected("validation_failed", parameter="ids") from error
