"""The routes that carry the load, served without the framework's layers: a campaign's page, joining it, Stripe's webhook.

The same functions stand behind the same addresses in the application (which describes them); here they are reached by
one pattern each instead of a walk over all routes and middlewares, which costs more than their own work. Everything
else, every other method and every other address, goes on to the application.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from fastapi import FastAPI, Request, Response

from services.gateway.middleware import App, Receive, Scope, Send
from services.gateway.problems import answer_error
from services.gateway.routes.campaigns import campaigns_read
from services.gateway.routes.commitments import commit_funds
from services.gateway.routes.stripe_webhook import stripe_webhook

Call = Callable[[Request], Awaitable[Response]]
_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"


@dataclass(frozen=True, slots=True)
class Pattern:
    """The name of a route for its span."""

    path: str


PAGE = Pattern("/v1/campaigns/{campaign_id}")
JOIN = Pattern("/v1/campaigns/{campaign_id}/commitments")
WEBHOOK = Pattern("/v1/webhooks/stripe")
_PAGE_PATH = re.compile(rf"^/v1/campaigns/({_UUID})$")
_JOIN_PATH = re.compile(rf"^/v1/campaigns/({_UUID})/commitments$")


class HotRoutes:
    """Serves these routes and hands on the rest."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        call = _HOT[scope["method"]](scope) if scope["type"] == "http" and scope["method"] in _HOT else None
        if call is None:
            await self._app(scope, receive, send)
            return
        scope["app"] = self._app
        request = Request(scope, receive)
        try:
            response = await call(request)
        except Exception as error:
            response = answer_error(scope, error)
        await response(scope, receive, send)


def _hot_post(scope: Scope) -> Call | None:
    if scope["path"] == WEBHOOK.path:
        scope["route"] = WEBHOOK
        return stripe_webhook
    return _about_campaign(scope, _JOIN_PATH, JOIN, commit_funds)


def _hot_get(scope: Scope) -> Call | None:
    return _about_campaign(scope, _PAGE_PATH, PAGE, campaigns_read)


def _about_campaign(
    scope: Scope, path: re.Pattern[str], pattern: Pattern, answer: Callable[[Request, UUID], Awaitable[Response]]
) -> Call | None:
    found = path.match(scope["path"])
    if found is None:
        return None
    campaign_id = UUID(found.group(1))
    scope["route"] = pattern
    scope["path_params"] = {"campaign_id": campaign_id}
    return lambda request: answer(request, campaign_id)


_HOT: dict[str, Callable[[Scope], Call | None]] = {"GET": _hot_get, "POST": _hot_post}


def with_hot_routes(app: FastAPI) -> App:
    """The application behind its hot routes."""
    return HotRoutes(app)
