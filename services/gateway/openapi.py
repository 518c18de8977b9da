"""The interface description: what FastAPI derives from the routes, plus the bodies that routes read by hand.

The committed `contracts/openapi.json` is this document; a test compares them, so that no change goes unannounced.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from services.gateway.app import SUMMARY, TITLE, bare_app
from services.gateway.domain.policy import POLICY
from services.gateway.schemas.answers import ProblemView
from services.gateway.schemas.completing import complete
from services.gateway.schemas.describing import BODY_MODELS

REF_TEMPLATE = "#/components/schemas/{model}"
DOCUMENT_VERSION = "1"
SECURITY = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-session",
        "description": "A browser's session; writes need the header X-Alpmera-CSRF too.",
    },
    "token": {"type": "http", "scheme": "bearer", "description": "A session's token, for scripts."},
}


def document() -> dict[str, Any]:
    """The interface description as it is committed: with the local profile's sign-in, marked as such."""
    return describe(bare_app(local=True))


def describe(app: FastAPI) -> dict[str, Any]:
    """The interface description of an application."""
    described = get_openapi(
        title=TITLE,
        version=DOCUMENT_VERSION,
        summary=SUMMARY,
        description="Errors are problem documents (RFC 9457) with a stable code; `/v1/problems` lists them all.",
        routes=app.routes,
    )
    components = described.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    read_by_hand: list[type[BaseModel]] = [*BODY_MODELS.values(), ProblemView]
    _, extra = models_json_schema([(model, "validation") for model in read_by_hand], ref_template=REF_TEMPLATE)
    schemas.update(extra.get("$defs", {}))
    components["schemas"] = dict(sorted(schemas.items()))
    components["securitySchemes"] = SECURITY
    for path in described["paths"].values():
        for operation in path.values():
            if not POLICY[operation["operationId"]].public:
                operation["security"] = [{name: []} for name in SECURITY]
    complete(described)
    return described
