"""The links of the interface description lead where they say: from what an answer names to operations that take it."""

from __future__ import annotations

from typing import Any

from services.gateway.openapi import document

DOCUMENT = document()
OPERATIONS = {
    operation["operationId"]: operation
    for operations in DOCUMENT["paths"].values()
    for operation in operations.values()
}
SECRET = {"calendar_feed"}
"""Its address is a secret as a whole, which no other answer takes apart."""


def links() -> list[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Every link: the operation that has it, its name, the link, and the answer that it stands in."""
    return [
        (source, name, link, response)
        for source, operation in OPERATIONS.items()
        for response in operation["responses"].values()
        for name, link in response.get("links", {}).items()
    ]


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        named: dict[str, Any] = DOCUMENT["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        return named
    return schema


def named_by(response: dict[str, Any], place: str) -> dict[str, Any] | None:
    """The schema of the place in an answer that an expression names; None when there is no such place."""
    prefix, _, pointer = place.partition("#/")
    schema = resolved(response["content"]["application/json"]["schema"]) if prefix == "$response.body" else None
    for part in pointer.split("/"):
        inner = (schema or {}).get("items") if part.isdigit() else (schema or {}).get("properties", {}).get(part)
        schema = resolved(inner) if inner is not None else None
    return schema


def test_a_link_fills_a_parameter_of_an_address_from_a_place_in_the_answer() -> None:
    wrong = []
    for source, name, link, response in links():
        taken = {each["name"] for each in OPERATIONS[link["operationId"]].get("parameters", ()) if each["in"] == "path"}
        for parameter, place in link["parameters"].items():
            found = named_by(response, place)
            if parameter not in taken or found is None or found.get("type") != "string":
                wrong.append((source, name, parameter, place))
    assert wrong == []


def test_every_operation_about_one_thing_is_led_to() -> None:
    led_to = {link["operationId"] for _, _, link, _ in links()}
    about_one = {
        name
        for name, operation in OPERATIONS.items()
        if any(each["in"] == "path" for each in operation.get("parameters", ()))
    }
    assert about_one - led_to == SECRET
