"""Prove a request: who it comes from, that its role allows the act, and that a browser meant to send it.

A cookie is sent by a browser whether its person wanted it or not, so a write under a cookie needs the session's CSRF
token and an origin of ours. A bearer token is never sent by accident and needs neither.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from uuid import UUID

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.errors import Rejected
from services.gateway.auth.access_tokens import PREFIX, token_identity
from services.gateway.auth.identity import Identity
from services.gateway.auth.origins import SAFE_METHODS
from services.gateway.domain.limits import LimitName
from services.gateway.domain.policy import may
from services.gateway.domain.proofs import (
    OWNERS_CONFIRMED_ACTS,
    STEP_UP_ACTS,
    is_confirmed,
    is_fresh,
    opens_the_account,
)
from services.gateway.domain.token_scopes import may_ask
from services.gateway.middleware import note_standing, traceparent_of
from services.gateway.parts import gateway_of
from services.gateway.store.own_records import Acting, record_account_act
from services.gateway.usecases.limit_rates import RateLimitedError
from services.kit.clock import wall_now

COOKIE = "__Host-session"
CSRF_HEADER = "x-alpmera-csrf"
COUNTED_APART: dict[str, LimitName] = {"commit_funds": "commit"}
"""Operations with a limit of their own beside those of the account."""


async def identify(request: Request) -> Identity | None:
    """The signed-in account of a request, counted against its limits, or None. Raises Rejected(csrf_failed) for a write
    that a browser was tricked into, Rejected(second_factor_required) for a session that has to prove more first,
    ProblemError(rate_limited)."""
    identity = await _counted_identity(request)
    if identity is not None and not opens_the_account(identity.role, identity.proof):
        raise Rejected("second_factor_required")
    return identity


async def count(request: Request, name: LimitName, whose: str, *, exactly: bool = False) -> None:
    """Count a request against a limit; the answer tells where the sender stands with the tightest one. `exactly` counts
    in the database itself, for what guards a secret. Raises ProblemError(rate_limited)."""
    limits = gateway_of(request).limits
    try:
        standing = await (limits.hit_exactly(name, whose) if exactly else limits.hit(name, whose))
    except RateLimitedError as error:
        note_standing(request.scope, error.standing)
        raise
    if standing is not None:
        note_standing(request.scope, standing)


async def count_sign_in(request: Request) -> None:
    """Count an attempt to sign in against the network address it came from. Raises ProblemError(rate_limited)."""
    await count(request, "sign_in_address", request.scope["client_address"], exactly=True)


async def identity_of(request: Request) -> Identity | None:
    """The account behind a request's token, without counting. Raises Rejected(csrf_failed)."""
    token, from_cookie = _token(request)
    if token is None:
        return None
    if token.startswith(PREFIX) and not from_cookie:
        return await _reader(request, token)
    gateway = gateway_of(request)
    identity = await gateway.sessions.identity(token)
    if identity is None or (identity.proof == "local" and gateway.settings.profile == "production"):
        return None
    if from_cookie and request.method not in SAFE_METHODS:
        _check_intent(request, identity)
    return identity


async def signed_in(request: Request) -> Identity:
    """The signed-in account. Raises Rejected(not_signed_in)."""
    identity = await identify(request)
    if identity is None:
        raise Rejected("not_signed_in")
    return identity


async def account_session(request: Request) -> Identity:
    """The signed-in account, also of a session that has to prove more before it can do anything else. Raises
    Rejected(not_signed_in)."""
    identity = await _counted_identity(request)
    if identity is None:
        raise Rejected("not_signed_in")
    return identity


async def allowed(request: Request, operation: str) -> Identity:
    """The signed-in account, whose role may ask the operation. Raises Rejected(not_signed_in, not_allowed,
    step_up_required, sign_in_again)."""
    identity = await signed_in(request)
    if not may(identity.role, operation):
        raise Rejected("not_allowed")
    if operation in STEP_UP_ACTS and not is_fresh(identity.proof, identity.proven_at, now=wall_now()):
        raise Rejected("step_up_required")
    if operation in OWNERS_CONFIRMED_ACTS and not is_confirmed(
        identity.proof, identity.proven_at, has_factor=identity.has_factor, now=wall_now()
    ):
        raise Rejected("step_up_required" if identity.has_factor else "sign_in_again")
    if operation in COUNTED_APART:
        await count(request, COUNTED_APART[operation], str(identity.subject_id))
    return identity


async def _reader(request: Request, token: str) -> Identity | None:
    """The account behind an access token. Raises Rejected(not_allowed) for what the token may not ask."""
    found = await token_identity(gateway_of(request).engine, token)
    if found is None:
        return None
    identity, scopes = found
    if not may_ask(scopes, request.method, request.url.path):
        raise Rejected("not_allowed")
    return identity


def lacks_factor(request: Request, identity: Identity) -> bool:
    """Whether a participant has to add a second factor before committing funds. The local sign-in is a proof of its own
    kind."""
    wanted = gateway_of(request).settings.second_factor_before_commitment and identity.is_participant
    return wanted and not identity.has_factor and identity.proof != "local"


async def record_act(
    request: Request,
    connection: AsyncConnection,
    acting: Acting,
    action: str,
    *,
    subject: UUID,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write the audit record of an act on an account, in the caller's transaction and under the request's trace."""
    traceparent = traceparent_of(request.scope)
    await record_account_act(
        connection, acting, action, subject=subject, before=before, after=after, traceparent=traceparent
    )


def session_token(request: Request) -> str | None:
    """The session's token that a request carries, whether it is good or not."""
    return _token(request)[0]


def own_origin(request: Request) -> str:
    """The site's origin: the one that was asked for, or the first of the settings' when they name some and not this."""
    asked = f"{request.url.scheme}://{request.headers.get('host', '')}"
    named = gateway_of(request).settings.public_origins
    return named[0] if named and asked not in named else asked


def is_own_origin(request: Request, origin: str) -> bool:
    """Whether an origin is the one asked for or one that the settings name."""
    return origin == own_origin(request) or origin in gateway_of(request).settings.public_origins


async def _counted_identity(request: Request) -> Identity | None:
    identity = await identity_of(request)
    if identity is not None:
        await count(request, "account", str(identity.subject_id))
        if request.method not in SAFE_METHODS:
            await count(request, "write", str(identity.subject_id))
    return identity


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
