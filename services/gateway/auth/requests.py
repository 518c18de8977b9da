"""Prove a request: who it comes from, that its role allows the act, and that a browser meant to send it.

A cookie is sent by a browser whether its person wanted it or not, so a write under a cookie needs the session's CSRF
token and an origin of ours. A bearer token is never sent by accident and needs neither.
"""

from __future__ import annotations

import hmac
from http.cookies import CookieError, SimpleCookie

from fastapi import Request

from contracts.errors import Rejected
from services.gateway.auth.identity import Identity
from services.gateway.domain.roles import may
from services.gateway.parts import gateway_of

COOKIE = "__Host-session"
CSRF_HEADER = "x-alpmera-csrf"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SAME_SITE = frozenset({"same-origin", "none"})


async def identify(request: Request) -> Identity | None:
    """The signed-in account of a request, or None. Raises Rejected(csrf_failed) for a write that a browser was tricked
    into."""
    token, from_cookie = _token(request)
    if token is None:
        return None
    identity = await gateway_of(request).sessions.identity(token)
    if identity is not None and from_cookie and request.method not in SAFE_METHODS:
        _check_intent(request, identity)
    return identity


async def signed_in(request: Request) -> Identity:
    """The signed-in account. Raises Rejected(not_signed_in)."""
    identity = await identify(request)
    if identity is None:
        raise Rejected("not_signed_in")
    return identity


async def allowed(request: Request, act: str) -> Identity:
    """The signed-in account, whose role allows the act. Raises Rejected(not_signed_in, not_allowed)."""
    identity = await signed_in(request)
    if not may(identity.role, act):
        raise Rejected("not_allowed")
    return identity


def check_origin(request: Request) -> None:
    """For writes that need no session: a page of somebody else's must not send them. Raises Rejected(csrf_failed)."""
    origin = request.headers.get("origin")
    if origin is not None and not is_own_origin(request, origin):
        raise Rejected("csrf_failed")
    if request.headers.get("sec-fetch-site", "none") not in SAME_SITE:
        raise Rejected("csrf_failed")


def session_token(request: Request) -> str | None:
    """The session's token that a request carries, whether it is good or not."""
    return _token(request)[0]


def own_origin(request: Request) -> str:
    """The origin a browser asked for."""
    return f"{request.url.scheme}://{request.headers.get('host', '')}"


def is_own_origin(request: Request, origin: str) -> bool:
    """Whether an origin is the one asked for or one that the settings name."""
    return origin == own_origin(request) or origin in gateway_of(request).settings.public_origins


def _token(request: Request) -> tuple[str | None, bool]:
    authorization = request.headers.get("authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        return (token.strip() if scheme.lower() == "bearer" and token else None), False
    header = request.headers.get("cookie")
    if header is None or COOKIE not in header:
        return None, False
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return None, False
    return (morsel.value if morsel is not None else None), True


def _check_intent(request: Request, identity: Identity) -> None:
    given = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode(), identity.csrf_token.encode()):
        raise Rejected("csrf_failed")
    check_origin(request)
