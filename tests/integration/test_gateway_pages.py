"""The pages that the gateway writes itself: every problem code's, their catalogue, and the reference."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from contracts.errors import PROBLEMS, STATUS_MEANINGS, STATUS_REPEATS
from contracts.language import find_violations_in_html, visible_text
from services.gateway.openapi import document
from tests.integration.gateway_support import Stage, make_stage

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        yield made


def judge(answer: httpx.Response) -> str:
    """What holds for every such page; its visible words."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    (nonce,) = re.findall(r'<style nonce="([\w-]+)"', answer.text)
    policy = answer.headers["content-security-policy"]
    assert f"style-src 'nonce-{nonce}'" in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert "@@" not in answer.text
    assert re.findall(r"<script|<link|<img| style=| (?:src|href)=\"(?![/#])| on\w+=", answer.text) == []
    assert find_violations_in_html(answer.text) == []
    return " ".join(visible_text(answer.text).replace("\0", " ").split())


@pytest.mark.parametrize("code", sorted(PROBLEMS))
async def test_the_type_of_every_problem_opens_its_page(stage: Stage, code: str) -> None:
    answer = await stage.client().get(f"/problems/{code}")
    assert answer.status_code == 200
    words = judge(answer)
    problem = PROBLEMS[code]
    for said in (problem.title, problem.next_step, STATUS_MEANINGS[problem.status], STATUS_REPEATS[problem.status]):
        assert said in words
    assert f"Status {problem.status}" in words
    assert f"<code>{code}</code>" in answer.text


async def test_a_problems_own_type_is_the_address_of_its_page(stage: Stage) -> None:
    problem = (await stage.client().get("/v1/me")).json()
    page = await stage.client().get(problem["type"])
    assert page.status_code == 200
    assert problem["detail"] in judge(page)


@pytest.mark.parametrize("code", ["no_such_code", "NOT_FOUND", "<b>", "%00"])
async def test_a_code_that_there_is_not_is_not_found_and_leads_on(stage: Stage, code: str) -> None:
    answer = await stage.client().get(f"/problems/{code}")
    assert answer.status_code == 404
    judge(answer)
    assert 'href="/problems"' in answer.text


async def test_the_catalogue_lists_every_code(stage: Stage) -> None:
    answer = await stage.client().get("/problems")
    assert answer.status_code == 200
    judge(answer)
    assert set(re.findall(r'href="/problems/(\w+)"', answer.text)) == set(PROBLEMS)


async def test_the_reference_shows_every_operation_and_every_link_in_it_leads_somewhere(stage: Stage) -> None:
    first = await stage.client().get("/reference")
    assert first.status_code == 200
    words = judge(first)
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            assert f"<b>{method.upper()}</b> <code>{path}</code>" in first.text
            assert operation["summary"] in words
            assert f'id="{operation["operationId"]}"' in first.text
    targets = set(re.findall(r'\bid="([\w-]+)"', first.text))
    assert set(re.findall(r'href="#([\w-]+)"', first.text)) <= targets
    assert set(re.findall(r'href="/problems/(\w+)"', first.text)) <= set(PROBLEMS)
    again = await stage.client().get("/reference")
    assert again.headers["content-security-policy"] != first.headers["content-security-policy"]
