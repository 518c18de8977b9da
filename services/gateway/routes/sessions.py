"""Where somebody is signed in, and ending it: one session, or every other one. It takes effect at once, everywhere."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response

from contracts.errors import Rejected
from services.gateway.auth.requests import account_session
from services.gateway.parts import gateway_of
from services.gateway.routes.replying import list_answer
from services.gateway.schemas.answers_account import SessionList
from services.gateway.schemas.describing import answers, problems
from services.gateway.store.session_list import list_sessions
from services.kit.clock import wall_now

router = APIRouter(prefix="/v1/sessions", tags=["accounts"])


@router.get(
    "",
    operation_id="sessions_list",
    summary="Where you are signed in",
    responses=answers(SessionList, 401, 503),
)
async def sessions_list(request: Request) -> Response:
    """The sessions that live, the last used first."""
    identity = await account_session(request)
    async with gateway_of(request).engine.connect() as connection:
        rows = await list_sessions(connection, identity.subject_id, now=wall_now())
    return list_answer(rows, lambda row: row | {"current": row["id"] == identity.session_id})


@router.delete(
    "/{session_id}",
    operation_id="sessions_end",
    summary="End one of your sessions at once",
    status_code=204,
    responses=problems(401, 403, 404, 503),
)
async def sessions_end(request: Request, session_id: UUID) -> Response:
    """The next request under it is not signed in any more, at whichever gateway it arrives."""
    identity = await account_session(request)
    if not await gateway_of(request).sessions.end(identity.subject_id, only=session_id):
        raise Rejected("not_found")
    return Response(status_code=204)


@router.delete(
    "",
    operation_id="sessions_end_others",
    summary="End every session of yours but this one",
    status_code=204,
    responses=problems(401, 403, 503),
)
async def sessions_end_others(request: Request) -> Response:
    """For somebody who lost a device."""
    identity = await account_session(request)
    await gateway_of(request).sessions.end(identity.subject_id, except_for=identity.session_id)
    return Response(status_code=204)
