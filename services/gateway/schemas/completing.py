"""Complete the interface description: every error an operation can answer with, what its headers say, and examples.

What can be derived is derived here, from the policy and from an operation's own parameters, instead of being written at
each route and forgotten at one. A linter test states the same rules once more, from the reader's side. It cannot know
which of a status's codes an operation really uses; it names them all.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from contracts.errors import PROBLEMS
from services.gateway.domain.policy import POLICY, Rule
from services.gateway.schemas.describing import problems
from services.gateway.schemas.examples import BODY_EXAMPLES, FIELD_EXAMPLES
from services.gateway.schemas.linking import links_of

Json = dict[str, Any]

UNCOUNTED = frozenset({"stripe_webhook", "healthz", "readyz", "version"})
ASKS_NOBODY = frozenset({"healthz", "problems_list", "csp_report", "version"})
DEPTH_MAX = 12
ETAG_EXAMPLE = '"3f1c9a7e5b2d48f0a6c4e8b19d7f2035"'
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
PATH_EXAMPLE = "0197a3c0-5b1e-7c4d-9a2f-3d5e7f901a2b"
_FILE = "application/problem+json"


def complete(document: Json) -> None:
    """Complete a document in place."""
    schemas = document["components"]["schemas"]
    known = frozenset(each["operationId"] for operations in document["paths"].values() for each in operations.values())
    for path, operations in document["paths"].items():
        for operation in operations.values():
            rule = POLICY[operation["operationId"]]
            responses = operation["responses"]
            for status in errors_of(rule, operation):
                if rule.operation != "readyz":
                    responses[str(status)] = problems(status, limited=False)[status]
            versioned = "304" in responses or "412" in responses
            for status, response in responses.items():
                _complete_response(response, int(status), path, schemas, versioned=versioned)
                links = links_of(response, known=known) if int(status) < 400 else {}
                if links:
                    response["links"] = links
            if _FILE not in responses.get("422", {}).get("content", {_FILE: None}):
                # The framework adds one for each parameter in the path; an address that is none is not found.
                del responses["422"]
            if rule.operation == "campaigns_progress":
                _as_stream(responses["200"])
            operation["responses"] = dict(sorted(responses.items()))
            _complete_request(operation)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)


def errors_of(rule: Rule, operation: Json) -> list[int]:
    """The error statuses that an operation can answer with because of what it is."""
    statuses = {int(status) for status in operation["responses"] if int(status) >= 400} - {422}
    parameters = operation.get("parameters", [])
    places = {parameter["in"] for parameter in parameters}
    reads_body = "requestBody" in operation
    statuses |= {500} if rule.path != "/healthz" else set()
    statuses |= {429} if rule.operation not in UNCOUNTED else set()
    statuses |= {503} if rule.operation not in ASKS_NOBODY else set()
    statuses |= {401} if not rule.public else set()
    if rule.access == "write" and rule.operation != "stripe_webhook":
        statuses |= {403}
    if any(letter in "RC" for letter in rule.expected.values()):
        statuses |= {403}
    if "path" in places:
        statuses |= {404}
    if reads_body:
        statuses |= {400, 413}
    if "query" in places or (reads_body and rule.operation not in {"csp_report", "stripe_webhook"}):
        statuses |= {422}
    if any(parameter["name"] == "cursor" for parameter in parameters):
        statuses |= {400}
    return sorted(statuses)


def example_of(schema: Json, schemas: Json, *, name: str = "", depth: int = 0) -> Any:
    """An example that fits a schema; fields with a meaning of their own are shown by `FIELD_EXAMPLES`."""
    if depth > DEPTH_MAX:
        return None
    if "$ref" in schema:
        target = schema["$ref"].rsplit("/", 1)[-1]
        return example_of(schemas[target], schemas, name=name, depth=depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            real = [each for each in schema[key] if each.get("type") != "null"]
            return example_of(real[0], schemas, name=name, depth=depth + 1)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if schema.get("type") == "object" and "properties" in schema:
        return {
            field: example_of(each, schemas, name=field, depth=depth + 1)
            for field, each in schema["properties"].items()
        }
    if schema.get("type") == "array":
        return [example_of(schema.get("items", {}), schemas, name=name, depth=depth + 1)]
    if schema.get("type") == "null":
        return None
    return _plain(schema, name)


def _plain(schema: Json, name: str) -> Any:
    kind = schema.get("type")
    if kind == "boolean":
        return True
    if kind == "integer":
        return FIELD_EXAMPLES.get(name, 1) if isinstance(FIELD_EXAMPLES.get(name, 1), int) else 1
    if kind == "object" or kind is None:
        return {}
    if schema.get("format") == "uuid":
        return PATH_EXAMPLE
    if schema.get("format") == "date-time":
        return "2026-11-21T10:00:00Z"
    if schema.get("format") == "date":
        return "2026-11-01"
    found = FIELD_EXAMPLES.get(name)
    if isinstance(found, str) and "a-z" in schema.get("pattern", "") and "A-Z" not in schema["pattern"]:
        return found.lower()
    return found if isinstance(found, str) else name.replace("_", " ") or "text"


def _complete_response(response: Json, status: int, path: str, schemas: Json, *, versioned: bool) -> None:
    headers: Json = {"X-Request-Id": _header("The request's id: the one given, or one of ours.")}
    if status in {201, 202} and path.startswith("/v1"):
        headers["Location"] = _header("Where the created thing or the operation can be read.") | {"required": True}
    if status in {429, 503}:
        headers["Retry-After"] = _header("In how many seconds to ask again.", "integer")
    if status < 400 and path.startswith("/v1"):
        headers["RateLimit"] = _header("Where you stand with the tightest limit: what is left, and seconds until more.")
    if versioned and status in {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED, HTTPStatus.PRECONDITION_FAILED}:
        headers["ETag"] = _header("The present version; If-Match of a change and If-None-Match of a read name it.")
    response["headers"] = headers
    for media_type, content in response.get("content", {}).items():
        if media_type == _FILE:
            content["examples"] = {
                code: {"summary": problem.title, "value": _problem(code, path)}
                for code, problem in sorted(PROBLEMS.items())
                if problem.status == status
            }
        elif content.get("schema") and media_type == "application/json":
            content["example"] = example_of(content["schema"], schemas)


def _as_stream(response: Json) -> None:
    """A stream's events instead of one JSON body."""
    progress = response["content"]["application/json"]["example"]
    data = json.dumps(progress, separators=(",", ":"))
    response["description"] = "Events named `progress`; their data is a ProgressView. A comment line every 15 seconds."
    response["content"] = {
        "text/event-stream": {
            "schema": {"type": "string"},
            "example": f"id: 7\nevent: progress\ndata: {data}\n\n",
        }
    }


def _complete_request(operation: Json) -> None:
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        target = content["schema"].get("$ref", "").rsplit("/", 1)[-1]
        if media_type == "application/json" and target in BODY_EXAMPLES:
            content["example"] = BODY_EXAMPLES[target]
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter["example"] = PATH_EXAMPLE
        elif parameter["name"] in {"If-Match", "If-None-Match"}:
            parameter["example"] = ETAG_EXAMPLE
        elif parameter["name"] == "Idempotency-Key":
            parameter["example"] = "0f8fad5b-d9cb-469f-a165-70867728950e"


def _header(description: str, kind: str = "string") -> Json:
    return {"description": description, "schema": {"type": kind}}


def _problem(code: str, path: str) -> Json:
    problem = PROBLEMS[code]
    return {
        "type": f"/problems/{code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.next_step,
        "instance": path,
        "code": code,
        "facts": {},
        "errors": [],
        "trace_id": TRACE_ID,
        "request_id": TRACE_ID[::-1],
    }
