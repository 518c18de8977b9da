"""What the interface's description must not hold: a secret in an address, a password anywhere, another protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fastapi.routing import APIRoute

from services.gateway.app import ROUTERS
from services.gateway.auth import local_sign_in
from services.gateway.openapi import document
from tests.house.repository import matching

SECRET_NAMES = (
    "token",
    "code",
    "secret",
    "session",
    "csrf",
    "email",
    "password",
    "signature",
    "address",
    "challenge",
    "feed",
)
NO_SECRETS = {"session_id", "token_id", "address_id"}
"""Names that only look like one: the ids of a session, of an access token and of a postal address are shown in their lists
and open nothing."""

A_CALENDARS_ADDRESS = ("/v1/calendar/{feed}", "feed")
"""The one exception, by decision 0016: programs for calendars can send an address and nothing else."""


def names(value: Any) -> Iterator[str]:
    """Every key of a document, at every depth, and the fields that it lists."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names(inner)


def test_no_address_of_the_interface_carries_a_secret() -> None:
    parameters = [
        (path, parameter["name"])
        for path, methods in document()["paths"].items()
        for operation in methods.values()
        for parameter in operation.get("parameters", [])
        if parameter["in"] in {"path", "query"}
    ]
    assert len(parameters) > 30
    telling = [
        (path, name)
        for path, name in parameters
        if name not in NO_SECRETS and any(secret in name.lower() for secret in SECRET_NAMES)
    ]
    assert telling == [A_CALENDARS_ADDRESS]


def test_the_secret_of_an_invitation_stands_where_no_server_sees_it() -> None:
    command = matching("services/gateway/invite_founder.py")[0].text
    assert "/sign-up#{token}" in command
    assert "?token" not in command


def test_nobody_has_a_password_a_hint_or_a_question() -> None:
    fields = {name.lower() for name in names(document())}
    assert len(fields) > 200
    wrong = ("password", "passphrase", "secret_question", "security_question")
    assert not [name for name in fields if any(each in name for each in wrong)]
    migrations = "".join(source.text for source in matching("services/gateway/migrations/versions/*.py")).lower()
    assert "password" not in migrations
    pages = matching("services/gateway/web/src/*.tsx")
    assert len(pages) > 20
    assert not [page.path for page in pages if 'type="password"' in page.text or "PasswordInput" in page.text]


def test_the_gateway_speaks_plain_requests_and_answers_only() -> None:
    routes = [route for router in (*ROUTERS, local_sign_in.router) for route in router.routes]
    assert len(routes) > 50
    assert [route for route in routes if not isinstance(route, APIRoute)] == []
    described = json.dumps(document()).lower()
    assert "graphql" not in described
    assert "websocket" not in described
