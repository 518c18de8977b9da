"""The interface explored by its own description: no fault of ours, no answer beside the description, no ignored token."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
import uvicorn

from services.gateway.domain.policy import RULES, Rule
from services.gateway.openapi import document
from tests.integration.gateway_people import People
from tests.integration.gateway_support import make_stage
from tests.integration.http_exploring import Exploration, explore_aside

pytestmark = pytest.mark.asyncio

LEFT_OUT = ("campaigns_progress", "audit_list", "audit_export", "my_data")
"""A stream never ends, and what is asked of the other services waits for them in vain here: those have tests of their own."""
ASKED_BY = {
    # What a list of sessions names may be ended next, so it is not asked by anybody who asks for something else.
    "sessions_list": "risk_analyst",
    # Staff read everybody's operations, so that all that begin one lead to it.
    "operations_read": "operations",
}
ENDS_SESSIONS = ("sessions_end_others", "request_erasure", "withdraw_erasure")
UNLINKED = ("sessions_end",)
"""Nobody but its holder can end a session, and the list of sessions is asked by somebody else here."""
QUICK_CASES, FULL_CASES = 1_000, 20_000
QUICK_KINDS = ("address_id", "campaign_id", "commitment_id", "dispute_id", "token_id")
"""The kinds of things whose links a quick run follows: what is made, listed, read, acted on and ended."""
QUICK_LINKS, FULL_LINKS = 10, 60
"""How many of the links are followed to an answer that is no problem; the others lead to acts that nobody decides here."""


@pytest_asyncio.fixture(scope="module")
async def people() -> AsyncIterator[People]:
    async with make_stage() as stage:
        yield await People(stage).prepare()


def asker(people: People, rule: Rule) -> str:
    """Somebody whose role allows the operation. What ends every other session is asked by somebody who asks nothing else."""
    if rule.operation in ASKED_BY:
        return ASKED_BY[rule.operation]
    allowed = [person for person in people.sessions if rule.expected[person] == "y"]
    able = allowed or [person for person in people.sessions if rule.expected[person] in "WKN"]
    return able[-1] if rule.operation in ENDS_SESSIONS else able[0]


async def explored(people: People, **how: Any) -> Exploration:
    """The whole interface, each operation asked by somebody whose role allows it."""
    tokens = {}
    for rule in RULES:
        if not rule.public:
            tokens[rule.operation] = (await people.open_session(asker(people, rule))).token
    ids = {name: str(identity) for name, identity in people.ids.items()}
    return await explore_aside(
        document(), people.stage.url, tokens=tokens, ids=ids, without=LEFT_OUT, unlinked=UNLINKED, **how
    )


def shortcomings(found: Exploration, *, cases: int, links: int) -> list[str]:
    """What speaks against an exploration: failures, server errors, too few cases, too few links that led on, an operation
    that was left out."""
    described = {
        f"{method.upper()} {path}"
        for path, operations in document()["paths"].items()
        for method, operation in operations.items()
        if operation["operationId"] not in LEFT_OUT
    }
    judged = (
        (not found.failures, found.told()),
        (found.total >= cases, f"fewer than {cases} cases: {found.cases}"),
        (max(found.statuses) < 500, f"server errors: {found.statuses}"),
        (described <= set(found.operations), f"never asked: {described - set(found.operations)}"),
        (found.cases["stateful"] >= cases // 10, f"too few cases along links: {found.cases}"),
        (found.followed.total() >= cases // 25, f"too few links led on: {found.followed}"),
        (len(found.followed) >= links, f"too few of the links led on: {sorted(found.followed)}"),
    )
    return [words for good, words in judged if not good]


async def test_a_thousand_requests_made_from_the_description_are_answered_by_it(people: People) -> None:
    found = await explored(people, examples_per_operation=1, coverage_every=12, walks_per_part=3, kinds=QUICK_KINDS)
    against = shortcomings(found, cases=QUICK_CASES, links=QUICK_LINKS)
    assert against == [], "\n\n".join(against)


@pytest.mark.full
@pytest.mark.timeout(3_000)
async def test_twenty_thousand_requests_made_from_the_description_are_answered_by_it(people: People) -> None:
    found = await explored(people, examples_per_operation=300, walks_per_part=25, rounds=2)
    against = shortcomings(found, cases=FULL_CASES, links=FULL_LINKS)
    assert against == [], "\n\n".join(against)


# -- the exploration itself ---------------------------------------------------------------------------------------

SMALL = {
    "openapi": "3.1.0",
    "info": {"title": "A small interface", "version": "1"},
    "paths": {
        "/things/{thing_id}": {
            "get": {
                "operationId": "things_read",
                "security": [{"token": []}],
                "parameters": [
                    {"name": "thing_id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}}
                ],
                "responses": {
                    "200": {
                        "description": "The thing.",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "properties": {"size": {"type": "integer"}},
                                    "required": ["size"],
                                }
                            }
                        },
                    },
                    **{
                        status: {"description": "A problem.", "content": {"application/json": {"schema": {}}}}
                        for status in ("401", "404", "405", "422")
                    },
                },
            }
        }
    },
    "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
}
TOKEN = "the-only-token-that-is-known"  # noqa: S105 - of a server that lives for one test
Answer = Callable[[bool, str], tuple[int, Any]]


def sound(known: bool, thing: str) -> tuple[int, Any]:
    if not known:
        return 401, {}
    return (200, {"size": 1}) if thing.isascii() and thing.isdigit() and int(thing) > 0 else (422, {})


def faulty(known: bool, thing: str) -> tuple[int, Any]:
    return (500, {}) if known else (401, {})


def breaching(known: bool, thing: str) -> tuple[int, Any]:
    status, body = sound(known, thing)
    return status, {"size": "large"} if status == 200 else body


def careless(known: bool, thing: str) -> tuple[int, Any]:
    return sound(True, thing)


@asynccontextmanager
async def small_interface(answer: Answer) -> AsyncIterator[str]:
    """A server of the small interface; its address."""

    async def app(scope: MutableMapping[str, Any], receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        known = (b"authorization", f"Bearer {TOKEN}".encode()) in scope["headers"]
        status, body = answer(known, scope["path"].removeprefix("/things/"))
        headers = [(b"content-type", b"application/json")]
        if scope["method"] not in {"GET", "HEAD"}:
            status, body = 405, {}
            headers.append((b"allow", b"GET"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})

    # Named as TCP, because only then the event loop sends small answers at once.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error"))
    running = asyncio.create_task(server._serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


@pytest.mark.parametrize(
    ("answer", "check"),
    [
        (sound, None),
        (faulty, "not_a_server_error"),
        (breaching, "response_schema_conformance"),
        (careless, "ignored_auth"),
    ],
)
async def test_the_exploration_finds_what_it_looks_for(answer: Answer, check: str | None) -> None:
    async with small_interface(answer) as url:
        found = await explore_aside(
            SMALL, url, tokens={"things_read": TOKEN}, ids={"thing_id": "1"}, examples_per_operation=5
        )
    assert found.total > 10
    checks = {key.split(" ")[2] for key in found.failures}
    assert checks == set() if check is None else check in checks, found.told()
