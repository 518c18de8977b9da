"""The interface description keeps its rules: every operation has id, summary, examples and every error it can answer with.

The rules stand here from the reader's side, beside the code that completes the document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs
import pytest

from contracts.errors import PROBLEMS
from contracts.language import find_violations
from services.gateway.domain.policy import POLICY
from services.gateway.openapi import document

DOCUMENT = document()
PROBLEM = "application/problem+json"
OPERATIONS = [
    (path, method, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]


def by_id(value: Any) -> str:
    return str(value.get("operationId")) if isinstance(value, dict) and "operationId" in value else str(value)


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every body an operation takes or gives: where, media type, description."""
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield "request", media_type, content
    for status, response in operation["responses"].items():
        for media_type, content in response.get("content", {}).items():
            yield status, media_type, content


def fits(schema: dict[str, Any], example: Any) -> list[str]:
    """What of an example does not fit its schema."""
    return [str(error) for error in validator(json.dumps(schema, sort_keys=True)).iter_errors(example)]


@cache
def validator(schema: str) -> Any:
    """The validator of a schema, which is slow to make: most bodies are the same few, every problem the same one."""
    return jsonschema_rs.validator_for({"components": DOCUMENT["components"], **json.loads(schema)})


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=by_id)
def test_an_operation_says_what_it_is(path: str, method: str, operation: dict[str, Any]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation["operationId"])
    assert 5 <= len(operation["summary"]) <= 90
    assert not operation["summary"].endswith(".")
    assert operation["description"]
    assert len(operation["tags"]) == 1
    assert find_violations(f"{operation['summary']}. {operation['description']}") == []
    placeholders = set(re.findall(r"\{(\w+)\}", path))
    assert placeholders == {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
    for parameter in operation.get("parameters", []):
        assert "schema" in parameter
        assert parameter["in"] != "path" or "example" in parameter


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=by_id)
def test_every_body_has_an_example_that_fits_its_schema(path: str, method: str, operation: dict[str, Any]) -> None:
    seen = 0
    for where, media_type, content in contents(operation):
        examples = (
            [content["example"]] if "example" in content else [each["value"] for each in content["examples"].values()]
        )
        assert examples, f"{where} {media_type}"
        for example in examples:
            assert fits(content["schema"], example) == [], f"{where} {media_type}"
            seen += 1
    assert seen or operation["operationId"] == "sign_out"


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=by_id)
def test_every_error_an_operation_can_answer_with_is_described(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    described = {int(status) for status in operation["responses"]}
    rule = POLICY[operation["operationId"]]
    machine = operation["operationId"] in {"healthz", "readyz", "version"}
    if not rule.public:
        assert 401 in described
        assert operation["security"]
    if path.startswith("/v1") and operation["operationId"] != "stripe_webhook":
        assert 429 in described
    if not machine:
        assert 500 in described
    if "requestBody" in operation:
        assert {400, 413} <= described
    if "{" in path:
        assert 404 in described
    if any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", [])):
        assert {202, 400, 403, 409, 422, 503} <= described
    assert any(status < 300 for status in described)


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=by_id)
def test_every_error_is_a_problem_with_its_codes(path: str, method: str, operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        if int(status) < 400 or (operation["operationId"], status) == ("readyz", "503"):
            continue
        (media_type,) = response["content"]
        assert media_type == PROBLEM
        codes = set(response["content"][PROBLEM]["examples"])
        assert codes == {code for code, problem in PROBLEMS.items() if problem.status == int(status)}
        assert codes
        if status in {"429", "503"}:
            assert "Retry-After" in response["headers"]


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=by_id)
def test_what_was_made_or_accepted_says_where_it_is(path: str, method: str, operation: dict[str, Any]) -> None:
    """That real answers keep it, and lead to an address that can be read, is checked in every test over HTTP."""
    made = {status: operation["responses"][status] for status in ("201", "202") if status in operation["responses"]}
    assert all(response["headers"]["Location"]["required"] for response in made.values())
    assert method == "post" or "201" not in made


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=by_id)
def test_whoever_has_the_version_that_a_read_names_is_spared_its_body(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    responses = operation["responses"]
    names_version = method == "get" and "ETag" in responses.get("200", {}).get("headers", {})
    assert names_version == ("304" in responses)
    assert names_version == any(each["name"] == "If-None-Match" for each in operation.get("parameters", []))
    assert "content" not in responses.get("304", {})


def test_ids_are_unique_and_no_schema_is_described_for_nobody() -> None:
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(ids) == len(set(ids))
    text = json.dumps(DOCUMENT)
    unused = [name for name in DOCUMENT["components"]["schemas"] if f'"#/components/schemas/{name}"' not in text]
    assert unused == []


def test_names_are_snake_case_and_money_is_never_a_fraction() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            assert re.fullmatch(r"[a-z]+(_[a-z]+)*", field), f"{name}.{field}"
            assert described.get("type") != "number", f"{name}.{field}"
