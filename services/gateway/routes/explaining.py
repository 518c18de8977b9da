"""The pages behind the addresses that the interface names: a page for each problem code, their catalogue, the reference."""

from __future__ import annotations

import asyncio
import importlib
from functools import cache
from typing import Any

from fastapi import Request, Response

from contracts.errors import PROBLEMS, STATUS_MEANINGS, STATUS_REPEATS
from services.gateway.pages import page_response, render
from services.gateway.reference import reference_of

EXAMPLE_PATH = "/v1/campaigns"
MISSING = 404


async def problem_page(request: Request) -> Response:
    """What one code means and what to do next; 404 with a way to the catalogue for a code that there is not."""
    code = request.path_params["code"]
    if code not in PROBLEMS:
        return page_response(render("missing.html.j2"), status=MISSING)
    return page_response(_problem_page(code))


async def problem_catalogue_page(request: Request) -> Response:
    """Every code, by status."""
    return page_response(_catalogue())


async def reference_page(request: Request) -> Response:
    """The reference of this very process; made once and aside, because making it takes a moment."""
    page: str | None = getattr(request.app.state, "reference", None)
    if page is None:
        page = str(await asyncio.to_thread(_reference, request.app))
        request.app.state.reference = page
    return page_response(page)


def _reference(app: Any) -> str:
    describe = importlib.import_module("services.gateway.openapi").describe
    return render("reference.html.j2", reference=reference_of(describe(app)))


@cache
def _problem_page(code: str) -> str:
    problem = PROBLEMS[code]
    return render(
        "problem.html.j2",
        code=code,
        problem=problem,
        meaning=STATUS_MEANINGS[problem.status],
        repeats=STATUS_REPEATS[problem.status],
    )


@cache
def _catalogue() -> str:
    by_status: dict[int, list[tuple[str, str]]] = {}
    for code, problem in sorted(PROBLEMS.items()):
        by_status.setdefault(problem.status, []).append((code, problem.title))
    return render("problems.html.j2", by_status=sorted(by_status.items()), meanings=STATUS_MEANINGS)
