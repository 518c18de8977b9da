"""What people's own programs use: access tokens, and a participant's calendar of own dates by a secret address."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from contracts.errors import Rejected
from services.gateway.auth.access_tokens import make_token
from services.gateway.auth.requests import allowed, own_origin, record_act
from services.gateway.domain.calendar_dates import calendar_of
from services.gateway.domain.token_scopes import scopes_of
from services.gateway.middleware import traceparent_of
from services.gateway.parts import gateway_of
from services.gateway.routes.reading import read_body
from services.gateway.routes.replying import created_answer, json_answer
from services.gateway.schemas.answers_kit import (
    AccessTokenBody,
    AccessTokenList,
    CalendarView,
    NewAccessTokenView,
)
from services.gateway.schemas.describing import answers, body_of, problems
from services.gateway.store import access_tokens as store
from services.gateway.store.accounts import TOKEN_BYTES, token_hash
from services.gateway.store.cursors import LIMIT_MAX, Page
from services.gateway.store.read_clock import stack_clock
from services.gateway.store.read_commitments import own_commitments
from services.kit.clock import wall_now

FEED_PATH = "/v1/calendar/"
EXAMPLE = "BEGIN:VCALENDAR\r\nPRODID:-//Alpmera//Dates of my campaigns//EN\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"

router = APIRouter(prefix="/v1", tags=["participant kit"])


@router.get(
    "/access-tokens",
    operation_id="access_tokens_list",
    summary="Your access tokens",
    responses=answers(AccessTokenList, 401, 403),
)
async def access_tokens_list(request: Request) -> Response:
    """The live ones, the newest first, and the scopes that yours may have; the secrets are not among what is kept."""
    identity = await allowed(request, "access_tokens_list")
    async with gateway_of(request).engine.connect() as connection:
        rows = await store.tokens_of(connection, identity.subject_id, now=wall_now())
    tokens = [_token_view(row) for row in rows]
    return json_answer({"data": tokens, "next_cursor": None, "scopes_offered": scopes_of(identity.role)})


@router.post(
    "/access-tokens",
    operation_id="make_access_token",
    summary="Make an access token for a program of yours",
    status_code=201,
    responses={201: {"model": NewAccessTokenView}, **problems(400, 401, 403, 409, 413, 422)},
    openapi_extra=body_of(AccessTokenBody),
)
async def make_access_token(request: Request) -> Response:
    """The secret is shown this once. A token asks only what its scopes name, for a year, and 90 days when it is a staff
    member's. To make one wants a fresh proof, or a recent sign-in where the account has no second factor."""
    identity = await allowed(request, "make_access_token")
    body = await read_body(request, AccessTokenBody)
    made = await make_token(gateway_of(request).engine, identity, body.scopes, traceparent_of(request.scope))
    if made is None:
        raise Rejected("validation_failed", tokens_max=store.TOKENS_MAX)
    return created_answer(_token_view(made.row) | {"secret": made.token}, at="/v1/access-tokens")


@router.delete(
    "/access-tokens/{token_id}",
    operation_id="end_access_token",
    summary="End an access token at once",
    status_code=204,
    responses=problems(401, 403, 404),
)
async def end_access_token(request: Request, token_id: UUID) -> Response:
    """It does nothing from this moment on."""
    identity = await allowed(request, "end_access_token")
    async with gateway_of(request).engine.begin() as connection:
        if not await store.delete_token(connection, identity.subject_id, token_id):
            raise Rejected("not_found")
        await record_act(request, connection, identity, "access_token.ended", subject=token_id)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@router.get(
    "/me/calendar",
    operation_id="calendar_read",
    summary="Whether you have a calendar of your dates",
    responses=answers(CalendarView, 401, 403),
)
async def calendar_read(request: Request) -> Response:
    """Its address is shown only when it is made; renew it when it is lost."""
    identity = await allowed(request, "calendar_read")
    async with gateway_of(request).engine.connect() as connection:
        made_at = await store.feed_made_at(connection, identity.subject_id)
    return json_answer({"made_at": made_at, "url": None})


@router.post(
    "/me/calendar",
    operation_id="renew_calendar",
    summary="Make or renew the secret address of your calendar",
    responses=answers(CalendarView, 401, 403),
)
async def renew_calendar(request: Request) -> Response:
    """An older address leads nowhere from this moment on."""
    identity = await allowed(request, "renew_calendar")
    secret, now = secrets.token_urlsafe(TOKEN_BYTES), wall_now()
    async with gateway_of(request).engine.begin() as connection:
        await store.renew_feed(connection, identity.subject_id, hashed=token_hash(secret), now=now)
        await record_act(request, connection, identity, "calendar.renewed", subject=identity.subject_id)
    return json_answer({"made_at": now, "url": f"{own_origin(request)}{FEED_PATH}{secret}"})


@router.delete(
    "/me/calendar",
    operation_id="end_calendar",
    summary="End your calendar's address",
    status_code=204,
    responses=problems(401, 403),
)
async def end_calendar(request: Request) -> Response:
    """The address leads nowhere from this moment on."""
    identity = await allowed(request, "end_calendar")
    async with gateway_of(request).engine.begin() as connection:
        if await store.delete_feed(connection, identity.subject_id):
            await record_act(request, connection, identity, "calendar.ended", subject=identity.subject_id)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


@router.get(
    "/calendar/{feed}",
    operation_id="calendar_feed",
    summary="A calendar of somebody's dates, by its secret address",
    response_class=Response,
    responses={
        200: {
            "description": "A calendar (RFC 5545).",
            "content": {"text/calendar": {"schema": {"type": "string"}, "example": EXAMPLE}},
        },
        **problems(404),
    },
)
async def calendar_feed(request: Request, feed: str) -> Response:
    """Whoever has the address can read the dates: titles of campaigns and moments, nothing else."""
    gateway = gateway_of(request)
    async with gateway.engine.connect() as connection:
        subject_id = await store.feed_owner(connection, token_hash(feed.removesuffix(".ics")))
    if subject_id is None:
        raise Rejected("not_found")
    rows = await own_commitments(gateway.reads, subject_id, state=None, campaign_id=None, page=Page(LIMIT_MAX))
    clock = await stack_clock(gateway.reads)
    headers = {"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"}
    return Response(calendar_of(rows, now=clock["now"]), media_type="text/calendar; charset=utf-8", headers=headers)


def _token_view(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "scopes": list(row.scopes),
        "hint": row.hint,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "last_used_at": row.last_used_at,
    }
