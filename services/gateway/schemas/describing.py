"""Small helpers by which routes describe themselves: bodies, headers and the problems they answer with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import Query
from pydantic import BaseModel

from contracts.errors import PROBLEMS
from services.gateway.domain.operation import KINDS, WAIT_SECONDS_MAX
from services.gateway.schemas.answers import OperationView, ProblemView

BODY_MODELS: dict[str, type[BaseModel]] = {}
"""The bodies that routes read by hand; the interface description adds their schemas."""

Described = dict[int | str, dict[str, Any]]


def words_of(words: Iterable[str]) -> Any:
    """Describe a query parameter that must be one of a few words; the route checks it, to name them in its answer."""
    return Query(json_schema_extra={"enum": sorted(words)})


def body_of(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """Describe a route's body for OpenAPI."""
    BODY_MODELS[model.__name__] = model
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": required, "content": {"application/json": {"schema": schema}}}}


def problems(*statuses: int, limited: bool = True) -> Described:
    """Describe the problems a route may answer with; `limited` when its requests are counted."""
    described: Described = {}
    for status in sorted({*statuses, 500, *((429,) if limited else ())}):
        codes = ", ".join(sorted(code for code, problem in PROBLEMS.items() if problem.status == status))
        described[status] = {
            "description": f"A problem with one of the codes: {codes}.",
            "content": {
                "application/problem+json": {"schema": {"$ref": f"#/components/schemas/{ProblemView.__name__}"}}
            },
        }
    return described


def answers(model: type[BaseModel], *statuses: int, limited: bool = True) -> Described:
    """Describe a read: its body, and the problems it may answer with."""
    ok: Described = {200: {"model": model}}
    return ok | problems(*statuses, limited=limited)


def versioned_read(model: type[BaseModel], *statuses: int) -> dict[str, Any]:
    """Describe a read whose answer names its version, and is left out for whoever has that version."""
    known: Described = {304: {"description": "You have the present version: it is one of those in `If-None-Match`."}}
    return {"responses": answers(model, *statuses) | known, "openapi_extra": {"parameters": [_IF_NONE_MATCH]}}


def with_csv(described: Described, columns: Iterable[str]) -> Described:
    """The same answers, whose success can also be a CSV file with these columns."""
    content = {"text/csv": {"schema": {"type": "string"}, "example": ",".join(columns) + "\r\n"}}
    return described | {200: described[200] | {"content": content}}


def created(model: type[BaseModel], *statuses: int) -> Described:
    """Describe an answer of 201: its body, and the problems the route may answer with."""
    ok: Described = {201: {"model": model}}
    return ok | problems(*statuses)


def act(
    kind: str, body: type[BaseModel], answer: type[BaseModel], *statuses: int, versioned: bool = False
) -> dict[str, Any]:
    """Describe a route that accepts an act: its body, its headers (`versioned`: If-Match too), its success, the operation
    past the wait."""
    described = KINDS[kind]
    responses: Described = {
        described.status: {"model": answer, "description": "The outcome, as the read model shows it."},
        202: {
            "model": OperationView,
            "description": "Accepted; the outcome is not known yet, or the bank asks for a confirmation.",
        },
    }
    optional_body = not body.model_fields
    parameters = _headers(described.wait_seconds) + ([IF_MATCH] if versioned else [])
    return {
        "operation_id": kind,
        "status_code": described.status,
        "responses": responses | problems(400, 401, 403, 404, 409, 413, 422, 503, *statuses),
        "openapi_extra": body_of(body, required=not optional_body) | {"parameters": parameters},
    }


IF_MATCH: dict[str, Any] = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag of the version that the change is based on.",
    "schema": {"type": "string", "minLength": 1, "pattern": "^[!-~]+$"},
}


_IF_NONE_MATCH: dict[str, Any] = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "ETags of versions that you have; the answer is 304, without a body, when the present one is among them.",
    "schema": {"type": "string"},
}


def _headers(wait_seconds: int) -> list[dict[str, Any]]:
    return [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "A key of your own choice; a repeat with the same key is the same act.",
            "schema": {"type": "string", "minLength": 8, "maxLength": 255, "pattern": "^[!-~]+$"},
        },
        {
            "name": "Prefer",
            "in": "header",
            "required": False,
            "description": f"`wait=N`: how many seconds to wait for the outcome, 0 to {WAIT_SECONDS_MAX}; "
            f"{wait_seconds} when absent.",
            "schema": {"type": "string", "examples": ["wait=10"]},
        },
    ]
