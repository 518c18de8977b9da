"""What browsers tell about the site's pages: breaches of the content policy, each one line in the log.

A report names the directive and the origin that was kept out; addresses of pages are left out, because they may name a
campaign that is private. Anybody can send a report, so nothing is stored and nothing follows from one.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response

from services.gateway.auth.requests import count
from services.gateway.problems import ProblemError
from services.gateway.schemas.describing import problems
from services.kit import telemetry

REPORTS_MAX = 20
WORD_CHARACTERS_MAX = 60
MEDIA_TYPES = ("application/reports+json", "application/csp-report", "application/json")
_SCHEMA = {"oneOf": [{"type": "array", "items": {"type": "object"}}, {"type": "object"}]}
_EXAMPLE = [
    {
        "type": "csp-violation",
        "body": {"effectiveDirective": "script-src-elem", "blockedURL": "https://elsewhere.example/a.js"},
    }
]

log = telemetry.logger("gateway.page")

router = APIRouter(prefix="/v1", tags=["machines"])


@router.post(
    "/csp-reports",
    operation_id="csp_report",
    summary="Breaches of the content policy, as browsers report them",
    status_code=204,
    response_class=Response,
    responses=problems(400, 403, 413),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {name: {"schema": _SCHEMA, "example": _EXAMPLE} for name in MEDIA_TYPES},
        }
    },
)
async def csp_report(request: Request) -> Response:
    """At most 20 of one request are read; the answer is the same whatever they say."""
    await count(request, "report", request.scope["client_address"])
    try:
        told = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise ProblemError("malformed_request") from error
    reports = told if isinstance(told, list) else [told]
    if not all(isinstance(report, dict) for report in reports):
        raise ProblemError("malformed_request")
    for report in reports[:REPORTS_MAX]:
        body = report.get("body", report.get("csp-report"))
        if isinstance(body, dict):
            log.warning("gateway.page.breach", directive=_word(_directive(body)), blocked=_origin(_blocked(body)))
    return Response(status_code=204)


def _directive(body: dict[str, Any]) -> Any:
    return body.get("effectiveDirective", body.get("effective-directive", body.get("violated-directive")))


def _blocked(body: dict[str, Any]) -> Any:
    return body.get("blockedURL", body.get("blocked-uri"))


def _word(value: Any) -> str:
    text = str(value)[:WORD_CHARACTERS_MAX]
    return text if text.isascii() and text.replace("-", "").isalpha() else "unknown"


def _origin(value: Any) -> str:
    """An address without its path and its question; a keyword such as `inline` stays."""
    try:
        parts = urlsplit(str(value)[:2000])
        host = parts.hostname
    except ValueError:
        return "unknown"
    return f"{parts.scheme}://{host}"[:WORD_CHARACTERS_MAX] if parts.scheme and host else _word(value)
