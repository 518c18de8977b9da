"""The reference in parts that a page can show: operations by area, their parameters, answers and shapes.

Everything comes from the interface description and from the policy, so that the page cannot say something else than they
do. It shows what is described; it cannot try a request.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from contracts.errors import PROBLEMS
from services.gateway.domain.policy import MAY_ASK, POLICY, ROLE_OF

Json = dict[str, Any]

SCHEMA_PREFIX = "#/components/schemas/"
JSON_INDENT = 2
PROBLEM_TYPE = "application/problem+json"


def reference_of(document: Json) -> Json:
    """What the reference page shows of an interface description."""
    areas: dict[str, list[Json]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            areas.setdefault(operation["tags"][0], []).append(_operation(path, method, operation))
    return {
        "title": document["info"]["title"],
        "summary": document["info"]["summary"],
        "version": document["info"]["version"],
        "areas": areas,
        "schemas": {name: _schema(schema) for name, schema in sorted(document["components"]["schemas"].items())},
    }


def _operation(path: str, method: str, operation: Json) -> Json:
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "description": operation.get("description", ""),
        "who": _who(operation["operationId"]),
        "parameters": [_parameter(each) for each in operation.get("parameters", ())],
        "bodies": list(_bodies(operation.get("requestBody", {}).get("content", {}))),
        "answers": [_answer(status, each) for status, each in operation["responses"].items()],
    }


def _who(operation: str) -> str:
    rule = POLICY[operation]
    if rule.public:
        return "everybody"
    roles = dict.fromkeys(role for person, role in ROLE_OF.items() if role and rule.expected[person] in MAY_ASK)
    return ", ".join(role.replace("_", " ") for role in roles)


def _parameter(parameter: Json) -> Json:
    return {
        "name": parameter["name"],
        "place": parameter["in"],
        "required": parameter.get("required", False),
        "type": type_of(parameter["schema"]),
        "description": parameter.get("description", ""),
    }


def _bodies(content: Json) -> Iterator[Json]:
    for media_type, each in content.items():
        examples = [each["example"]] if "example" in each else []
        yield {
            "media_type": media_type,
            "type": type_of(each["schema"]),
            "examples": [value if isinstance(value, str) else _written(value) for value in examples],
        }


def _answer(status: str, response: Json) -> Json:
    content = {name: each for name, each in response.get("content", {}).items() if name != PROBLEM_TYPE}
    return {
        "status": status,
        "description": response.get("description", ""),
        "bodies": list(_bodies(content)),
        "codes": sorted(code for code, problem in PROBLEMS.items() if str(problem.status) == status)
        if PROBLEM_TYPE in response.get("content", {})
        else [],
        "headers": sorted(response.get("headers", {})),
    }


def _schema(schema: Json) -> Json:
    required = set(schema.get("required", ()))
    return {
        "description": schema.get("description", ""),
        "type": type_of(schema) if "properties" not in schema else {"text": "object", "schema": None},
        "fields": [
            {"name": name, "type": type_of(each), "required": name in required}
            for name, each in schema.get("properties", {}).items()
        ],
    }


def type_of(schema: Json) -> Json:
    """A schema in a few words, and the name of the shape it leads to."""
    named = next((found for found in _references(schema)), None)
    return {"text": _words(schema), "schema": named}


def _references(schema: Json) -> Iterator[str]:
    if "$ref" in schema:
        yield schema["$ref"].removeprefix(SCHEMA_PREFIX)
    for key in ("anyOf", "oneOf", "allOf"):
        for each in schema.get(key, ()):
            yield from _references(each)
    if "items" in schema:
        yield from _references(schema["items"])


def _words(schema: Json) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].removeprefix(SCHEMA_PREFIX))
    if "enum" in schema:
        return "one of " + ", ".join(str(each) for each in schema["enum"])
    if "const" in schema:
        return f"always {schema['const']}"
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return " or ".join(_words(each) for each in schema[key])
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_words(schema.get('items', {}))}"
    return " ".join([schema.get("format", kind), *_bounds(schema)])


def _bounds(schema: Json) -> Iterator[str]:
    for key, words in (
        ("minimum", "at least"),
        ("exclusiveMinimum", "above"),
        ("maximum", "at most"),
        ("minLength", "from"),
        ("maxLength", "to"),
    ):
        if key in schema:
            yield f"{words} {schema[key]:,}" + (" characters" if key == "maxLength" else "")


def _written(value: Any) -> str:
    return json.dumps(value, indent=JSON_INDENT, ensure_ascii=False)
