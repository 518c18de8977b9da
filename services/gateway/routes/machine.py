"""What machines ask: is the process there, can it work, which version is it, what do its problems mean."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter, Request, Response

from contracts.errors import PROBLEMS
from services.gateway.parts import gateway_of
from services.gateway.routes.replying import json_answer
from services.gateway.schemas.answers import Health, ProblemCatalogue, ReadyView, VersionView
from services.gateway.schemas.describing import answers

router = APIRouter(tags=["machines"])

PUBLIC = {"Cache-Control": "no-cache"}


@router.get("/healthz", operation_id="healthz", summary="The process answers", responses={200: {"model": Health}})
async def healthz() -> Response:
    """Nothing else is asked."""
    return json_answer({"status": "ok"}, headers=PUBLIC)


@router.get(
    "/readyz",
    operation_id="readyz",
    summary="Database, broker, migrations and projection work",
    responses={200: {"model": ReadyView}, 503: {"model": ReadyView, "description": "Something does not answer."}},
)
async def readyz(request: Request) -> Response:
    """Asks each of them now; 503 when one does not answer."""
    checks = await gateway_of(request).ready()
    return json_answer(checks, status=200 if checks["ready"] else 503, headers=PUBLIC)


@router.get(
    "/version", operation_id="version", summary="Which version this is", responses={200: {"model": VersionView}}
)
async def read_version(request: Request) -> Response:
    """The version, the profile and the generation of the read model."""
    gateway = gateway_of(request)
    body = {
        "version": installed_version(),
        "profile": gateway.settings.profile,
        "generation": gateway.reads.generation,
    }
    return json_answer(body, headers=PUBLIC)


@router.get(
    "/v1/problems",
    operation_id="problems_list",
    summary="Every problem code, what it means and what to do next",
    responses=answers(ProblemCatalogue),
)
async def problems_list() -> Response:
    """The catalogue behind the `type` of a problem."""
    catalogue = [
        {"code": code, "status": problem.status, "title": problem.title, "detail": problem.next_step}
        for code, problem in sorted(PROBLEMS.items())
    ]
    return json_answer({"data": catalogue, "next_cursor": None}, headers=PUBLIC)


def installed_version() -> str:
    """The version of the installed product, or `source` when it runs from a checkout."""
    try:
        return version("alpmera")
    except PackageNotFoundError:
        return "source"
