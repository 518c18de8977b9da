"""What every answer carries, whatever the address and however it went, and what no request may claim about itself."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from services.gateway.app import bare_app
from services.gateway.domain.policy import RULES, Rule
from services.gateway.headers import client_address
from services.gateway.middleware import RequestLayer
from tests.integration.gateway_people import FOREIGN, PARAMETERS
from tests.integration.gateway_support import Stage, make_stage

pytestmark = pytest.mark.asyncio

ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
KEEPABLE = {
    "healthz": "no-cache",
    "readyz": "no-cache",
    "version": "no-cache",
    "problems_list": "no-cache",
    "openapi": "no-cache",
    "transparency_refunds": "no-cache",
    "platform_checkpoints": "public, max-age=10",
    "platform_head": "public, max-age=10",
}
"""What says the same to everybody may be kept, most of it after asking again; everything else is never stored."""


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        yield made


def address(rule: Rule) -> str:
    return re.sub(r"\{[\w:]+\}", str(uuid4()), rule.path)


async def answers(stage: Stage, rule: Rule) -> list[httpx.Response]:
    """What an address answers to nobody, to staff, to a participant, and to a page of another site."""
    found = []
    for person in (None, "olga@alpmera.test", "maya@demo.test"):
        client = await stage.sign_in(person) if person is not None else stage.client()
        for headers in ({}, FOREIGN):
            body = None if rule.method == "GET" else {"nothing": 1}
            parameters = PARAMETERS.get(rule.operation)
            found.append(
                await client.request(rule.method, address(rule), params=parameters, json=body, headers=headers)
            )
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.operation)
async def test_every_answer_of_every_address_keeps_the_browser_safe(stage: Stage, rule: Rule) -> None:
    for answer in await answers(stage, rule):
        told = f"{rule.operation}: {answer.status_code} {dict(answer.headers)}"
        assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS, told
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy, told
        assert "frame-ancestors 'none'" in policy, told
        assert "unsafe" not in policy, told
        kept = answer.headers["cache-control"]
        keepable = KEEPABLE.get(rule.operation) if answer.is_success else None
        assert kept == keepable if keepable is not None else "no-store" in kept, told
        assert "access-control-allow-origin" not in answer.headers, told
        assert "strict-transport-security" not in answer.headers, "this profile speaks in the clear"
        assert answer.headers["x-request-id"], told
        # What a page of another site sends is turned away before it is counted; Stripe's webhook is never counted.
        turned_away = answer.status_code == 403 and answer.json()["code"] == "csrf_failed"
        counted = rule.operation != "stripe_webhook" and not turned_away
        assert ("ratelimit" in answer.headers, "ratelimit-policy" in answer.headers) == (counted, counted), told
        for header in answer.headers.get_list("set-cookie"):
            for name, morsel in SimpleCookie(header).items():
                assert name.startswith("__Host-"), told
                assert (morsel["secure"], morsel["httponly"], morsel["samesite"]) == (True, True, "Lax"), told
                assert (morsel["path"], morsel["domain"]) == ("/", ""), told


async def test_an_answer_that_is_no_page_is_a_sandbox(stage: Stage) -> None:
    maya = await stage.sign_in("maya@demo.test")
    for path in ("/v1/me", "/v1/nothing", "/healthz", "/openapi.json"):
        answer = await maya.get(path)
        assert answer.headers["content-type"] in {"application/json", "application/problem+json"}
        directives = answer.headers["content-security-policy"].split("; ")
        assert {"default-src 'none'", "sandbox", "form-action 'none'"} <= set(directives), path


async def test_over_https_a_browser_is_told_to_come_back_over_https_only() -> None:
    transport = httpx.ASGITransport(app=RequestLayer(bare_app(local=False), https=True))
    async with httpx.AsyncClient(transport=transport, base_url="https://gateway") as client:
        for path in ("/healthz", "/v1/problems", "/v1/nothing"):
            answer = await client.get(path)
            assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"


@pytest.mark.parametrize(
    "claims",
    [
        {"X-Forwarded-For": "203.0.113.9"},
        {"X-Forwarded-Host": "elsewhere.example", "X-Forwarded-Proto": "https"},
        {"Forwarded": "for=203.0.113.9;host=elsewhere.example"},
        {"X-User-Id": str(uuid4()), "X-User-Role": "operations"},
        {"X-Remote-User": "olga@alpmera.test", "X-Actor-Role": "founder"},
        {"X-HTTP-Method-Override": "DELETE", "X-Original-URL": "/v1/staff/overview"},
    ],
)
async def test_what_a_client_claims_in_a_proxys_words_changes_nothing(stage: Stage, claims: dict[str, str]) -> None:
    anonymous = await stage.client().get("/v1/me", headers=claims)
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "not_signed_in")
    maya = await stage.sign_in("maya@demo.test")
    me = (await maya.get("/v1/me", headers=claims)).json()
    assert me["account"]["role"] == "participant"
    refused = await maya.get("/v1/staff/overview", headers=claims)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")


def seen_from(address: str, said: str | None, proxies: frozenset[str]) -> str:
    headers = [(b"x-forwarded-for", said.encode())] if said is not None else []
    return client_address({"client": (address, 1), "headers": headers}, proxies)


async def test_only_a_named_proxy_is_believed_about_a_clients_address() -> None:
    proxies = frozenset({"10.0.0.1", "10.0.0.2"})
    assert seen_from("198.51.100.7", "203.0.113.9", frozenset()) == "198.51.100.7"
    assert seen_from("198.51.100.7", "203.0.113.9", proxies) == "198.51.100.7"
    assert seen_from("10.0.0.1", "203.0.113.9", proxies) == "203.0.113.9"
    assert seen_from("10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2", proxies) == "203.0.113.9"
    assert seen_from("10.0.0.1", None, proxies) == "10.0.0.1"


@pytest.mark.parametrize(
    "report",
    [
        [{"type": "csp-violation", "body": {"effectiveDirective": "img-src", "blockedURL": "https://a.example/b?c"}}],
        {"csp-report": {"violated-directive": "script-src", "blocked-uri": "inline"}},
        [{"body": "no object"}] * 50,
        [],
    ],
)
async def test_a_browsers_report_is_taken_and_leaves_nothing_behind(stage: Stage, report: object) -> None:
    answer = await stage.client().post("/v1/csp-reports", json=report)
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("report", [b"", b"no json", b"[1]", b"7", b"[" * 20_000])
async def test_what_is_no_report_is_refused(stage: Stage, report: bytes) -> None:
    answer = await stage.client().post("/v1/csp-reports", content=report)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
