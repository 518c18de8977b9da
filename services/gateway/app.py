"""The gateway's application: routes, problems, and the lifespan that starts and stops its parts.

`create_app` makes the whole; `bare_app` makes the routes alone, which is all that the interface description needs.
"""

from __future__ import annotations

import base64
import importlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from contracts.errors import Rejected
from services.gateway import problems
from services.gateway.hot_routes import with_hot_routes
from services.gateway.methods import SITE, methods_at
from services.gateway.middleware import App, RequestLayer
from services.gateway.parts import gateway_of
from services.gateway.routes import (
    account_kind,
    addresses,
    alerts,
    audit,
    campaigns,
    clearing,
    commitments,
    disputes,
    escrow,
    explaining,
    machine,
    member_invitations,
    money,
    operations,
    page_reports,
    participant_kit,
    privacy,
    rail,
    refunds,
    second_factors,
    session,
    sessions,
    sign_in,
    staff_money,
    statements,
    step_up,
    stripe_webhook,
    suppliers,
    transparency,
)
from services.gateway.running import running_gateway
from services.gateway.settings import GatewaySettings
from services.gateway.usecases.limit_rates import RateLimits

TITLE = "Alpmera"
SUMMARY = "Join campaigns, commit funds to escrow, and see where they are."
LOCAL_SIGN_IN = "services.gateway.auth.local_sign_in"
API_NAMES = frozenset({"v1", "healthz", "readyz", "version", "openapi.json"})

ROUTERS = (
    session.router,
    sign_in.router,
    sessions.router,
    second_factors.router,
    step_up.router,
    account_kind.router,
    addresses.router,
    member_invitations.router,
    campaigns.router,
    commitments.router,
    money.router,
    escrow.router,
    rail.router,
    staff_money.router,
    statements.router,
    suppliers.router,
    clearing.router,
    disputes.router,
    refunds.router,
    operations.router,
    audit.router,
    privacy.router,
    participant_kit.router,
    transparency.router,
    alerts.router,
    stripe_webhook.router,
    page_reports.router,
    machine.router,
)


def bare_app(*, local: bool, lifespan: Any = None) -> FastAPI:
    """The application's routes. With `local` also the sign-in without proof, whose module exists only there."""
    app = FastAPI(
        title=TITLE,
        summary=SUMMARY,
        version=machine.installed_version(),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    if local:
        app.include_router(importlib.import_module(LOCAL_SIGN_IN).router)
    return app


def create_app(settings: GatewaySettings) -> App:
    """The whole application for one process."""
    local = settings.profile != "production"
    limits = RateLimits(
        settings.profile, settings.rate_limits, secret=base64.b64decode(settings.people_key_gateway.get_secret_value())
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running_gateway(settings, limits) as gateway:
            if local:
                gateway.demo_logins = await _local_people(gateway.engine, settings)
                gateway.kick_relay()
            app.state.gateway = gateway
            yield

    app = bare_app(local=local, lifespan=lifespan)
    for name, path, answer in PLAIN_ROUTES:
        app.add_route(path, answer, methods=["GET"], name=name, include_in_schema=False)
    return RequestLayer(
        with_hot_routes(app),
        https=settings.profile == "production",
        public_origins=settings.public_origins,
        trusted_proxies=settings.trusted_proxies,
        limits=limits,
    )


async def openapi_document(request: Request) -> Response:
    """The interface description of this very process; made once, because making it costs a third of a second."""
    document = getattr(request.app.state, "document", None)
    if document is None:
        document = importlib.import_module("services.gateway.openapi").describe(request.app)
        request.app.state.document = document
    return JSONResponse(document, headers={"Cache-Control": "no-cache"})


async def open_site(request: Request) -> Response:
    """The web application, for every address that is not one of the interface's."""
    path = request.path_params["path"]
    if path.partition("/")[0] in API_NAMES:
        raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED) if methods_at(request.url.path) else Rejected("not_found")
    return gateway_of(request).site.answer(path)


PLAIN_ROUTES: tuple[tuple[str, str, Callable[[Request], Awaitable[Response]]], ...] = (
    ("openapi", "/openapi.json", openapi_document),
    ("reference", "/reference", explaining.reference_page),
    ("problem_catalogue", "/problems", explaining.problem_catalogue_page),
    ("problem_page", "/problems/{code}", explaining.problem_page),
    (SITE, "/{path:path}", open_site),
)
"""Name, address and function of what is not part of the described interface; the site takes every address left over."""


async def _local_people(engine: Any, settings: GatewaySettings) -> Sequence[dict[str, str]]:
    local_sign_in = importlib.import_module(LOCAL_SIGN_IN)
    await local_sign_in.make_demo_accounts(engine, settings)
    logins: Sequence[dict[str, str]] = local_sign_in.demo_logins()
    return logins
