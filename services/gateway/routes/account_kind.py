"""The kind of one's account: a person, a group, an organisation."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from services.gateway.auth.requests import allowed
from services.gateway.domain.account_kinds import Kind
from services.gateway.middleware import traceparent_of
from services.gateway.parts import gateway_of
from services.gateway.routes.reading import read_body
from services.gateway.routes.replying import json_answer
from services.gateway.schemas.answers_addresses import AccountKindView
from services.gateway.schemas.bodies_addresses import AccountKindBody
from services.gateway.schemas.describing import answers, body_of
from services.gateway.usecases.choose_account_kind import choose_account_kind, read_kind

router = APIRouter(prefix="/v1", tags=["accounts"])


@router.get(
    "/account/kind",
    operation_id="account_kind_read",
    summary="What kind of account you have",
    responses=answers(AccountKindView, 401, 403),
)
async def account_kind_read(request: Request) -> Response:
    """With the name of a group or an organisation, and whether the kind can be another one now."""
    identity = await allowed(request, "account_kind_read")
    return json_answer(await read_kind(gateway_of(request), identity))


@router.put(
    "/account/kind",
    operation_id="account_kind_choose",
    summary="Choose what kind of account you have",
    responses=answers(AccountKindView, 400, 401, 403, 409, 413, 422),
    openapi_extra=body_of(AccountKindBody),
)
async def account_kind_choose(request: Request) -> Response:
    """Another kind only while no commitment of yours is open; the name can be changed at any time."""
    identity = await allowed(request, "account_kind_choose")
    body = await read_body(request, AccountKindBody)
    chosen = Kind(body.kind, body.display_name)
    return json_answer(await choose_account_kind(gateway_of(request), identity, chosen, traceparent_of(request.scope)))
