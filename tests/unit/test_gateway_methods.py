"""Which methods an address has, where one address is written out and a pattern of another operation fits it too."""

from __future__ import annotations

import re

import httpx
import pytest

from services.gateway.app import bare_app
from services.gateway.domain.policy import RULES, Rule

OTHERS = ("GET", "PUT", "PATCH", "POST", "DELETE")


def shadowed() -> list[tuple[Rule, Rule]]:
    """Every rule of a written-out address, with a rule whose pattern fits that address too."""
    patterns = [rule for rule in RULES if "{" in rule.path and rule.operation != "site"]
    plain = [rule for rule in RULES if "{" not in rule.path]
    return [
        (rule, pattern)
        for rule in plain
        for pattern in patterns
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern.path), rule.path)
    ]


@pytest.mark.parametrize(("rule", "pattern"), shadowed(), ids=lambda rule: rule.operation)
async def test_an_address_that_is_written_out_is_not_taken_for_an_id_by_any_method(rule: Rule, pattern: Rule) -> None:
    own = {each.method for each in RULES if each.path == rule.path}
    assert pattern.method not in own, "two operations with one method: the sequence of the routes would decide"
    transport = httpx.ASGITransport(app=bare_app(local=True))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
        for method in sorted({*OTHERS, pattern.method} - own):
            answer = await client.request(method, rule.path)
            said = (answer.status_code, answer.headers["allow"], answer.json()["code"])
            assert said == (405, ", ".join(sorted(own)), "method_not_allowed"), method


def test_there_is_an_address_that_a_pattern_would_take() -> None:
    assert shadowed() != []
