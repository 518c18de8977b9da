"""Who is signed in, signing out, and what the site needs to know before anybody does."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.gateway.auth.identity import Identity
from services.gateway.auth.requests import COOKIE, account_session
from services.gateway.middleware import traceparent_of
from services.gateway.parts import gateway_of
from services.gateway.routes.replying import created_answer, json_answer
from services.gateway.schemas.answers import ClientConfig, Me
from services.gateway.schemas.describing import answers, problems
from services.gateway.store.accounts import Account, OpenedSession
from services.gateway.store.read_clock import stack_clock

COOKIE_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Lax"

router = APIRouter(prefix="/v1", tags=["session"])


def session_cookie(token: str) -> str:
    """The header that gives a browser its session."""
    return f"{COOKIE}={token}; {COOKIE_ATTRIBUTES}"


def account_view(account: Account | Identity) -> dict[str, Any]:
    """An account as its owner sees it."""
    return {
        "subject_id": account.subject_id,
        "role": account.role,
        "supplier_id": account.supplier_id,
        "label": account.label,
    }


def session_answer(
    account: Account | Identity, session: OpenedSession, *, created: str | None = None, campaign_id: UUID | None = None
) -> Response:
    """The answer that gives a browser its session: the token in the cookie alone, where no script reads it. `created` is
    where something can be read that the request made, too."""
    body = {
        "account": account_view(account),
        "csrf_token": session.csrf_token,
        "expires_at": session.expires_at,
        "campaign_id": campaign_id,
    }
    headers = {"Set-Cookie": session_cookie(session.token), "Cache-Control": "no-store"}
    return json_answer(body, headers=headers) if created is None else created_answer(body, at=created, headers=headers)


@router.get("/me", operation_id="me", summary="Who is signed in", responses=answers(Me, 401))
async def me(request: Request) -> Response:
    """The signed-in account and the token that writes under a cookie need."""
    identity = await account_session(request)
    return json_answer({"account": account_view(identity), "csrf_token": identity.csrf_token})


@router.delete(
    "/session",
    operation_id="sign_out",
    summary="Sign out: the session ends at once, everywhere",
    status_code=204,
    responses=problems(401, 403),
)
async def sign_out(request: Request) -> Response:
    """End the session and clear the cookie."""
    identity = await account_session(request)
    await gateway_of(request).sessions.revoke(identity, traceparent_of(request.scope))
    headers = {
        "Set-Cookie": f"{COOKIE}=; {COOKIE_ATTRIBUTES}; Max-Age=0",
        "Clear-Site-Data": '"storage"',
        "Cache-Control": "no-store",
    }
    return Response(status_code=204, headers=headers)


@router.get(
    "/client-config",
    operation_id="client_config",
    summary="What the site needs before anybody signs in",
    responses=answers(ClientConfig, 503),
)
async def client_config(request: Request) -> Response:
    """The profile, the stack's clock, the card form's address, and the demo logins where there are some."""
    gateway = gateway_of(request)
    settings = gateway.settings
    clock = await stack_clock(gateway.reads)
    return json_answer(
        {
            "profile": settings.profile,
            "test_money": settings.profile != "production" or "_test_" in settings.stripe_publishable_key,
            "simulated_time": clock["offset_seconds"] > 0,
            "stack_time": clock["now"],
            "clock_moving": clock["paused"],
            "stripe": {
                "kind": settings.stripe_kind,
                "publishable_key": settings.stripe_publishable_key,
                "api_base": settings.stripe_browser_base,
            },
            "demo_logins": list(gateway.demo_logins),
        },
        headers={"Cache-Control": "no-store"},
    )
