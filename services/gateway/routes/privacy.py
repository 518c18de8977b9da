"""A person's own data: to read and keep, and to have erased."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.gateway.auth.requests import allowed
from services.gateway.middleware import traceparent_of
from services.gateway.parts import gateway_of
from services.gateway.routes.files import attachment
from services.gateway.routes.replying import PRIVATE, json_answer
from services.gateway.schemas.answers_privacy import ErasureView, OwnDataView
from services.gateway.schemas.describing import answers, problems
from services.gateway.store.read_model import Row
from services.gateway.usecases.erase_people import Standing
from services.gateway.usecases.gather_own_data import SECTIONS, Gathered, Section
from services.kit.clock import wall_now

WAIT_WORDS = {
    "funds": "Funds for this commitment are held, or may still arrive.",
    "refund": "A refund is on its way to you.",
    "issue": "A fault you reported is being looked at.",
    "case": "Staff are looking at this commitment.",
}
TEMPLATES = Path(__file__).parents[1] / "templates"

router = APIRouter(prefix="/v1/me", tags=["privacy"])
_pages = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)


@router.get(
    "/data",
    operation_id="my_data",
    summary="Everything the platform keeps of you, as a file",
    responses=answers(OwnDataView, 401, 422, 503),
)
async def my_data(
    request: Request,
    format: Annotated[Literal["json", "html"], Query()] = "json",  # noqa: A002 - the parameter's name
    section: Annotated[list[Section] | None, Query(max_length=len(SECTIONS))] = None,
) -> Response:
    """All parts, or those named by `section`; JSON for programs, HTML to read."""
    identity = await allowed(request, "my_data")
    found = await gateway_of(request).own_data.gather(identity, section or SECTIONS)
    body = {"made_at": wall_now(), "completeness": found.completeness, **found.parts}
    headers = attachment(f"alpmera-my-data.{format}")
    if format == "json":
        return json_answer(body, headers=headers)
    page = _pages.get_template("my_data.html.j2").render(made_at=body["made_at"], parts=_parts(found))
    return Response(page.encode(), media_type="text/html; charset=utf-8", headers=PRIVATE | headers)


@router.get(
    "/erasure",
    operation_id="erasure_read",
    summary="Where the erasure of your data stands, and what it waits for",
    responses=answers(ErasureView, 401, 403),
)
async def erasure_read(request: Request) -> Response:
    """Also before it is asked for: then it tells what it would wait for."""
    identity = await allowed(request, "erasure_read")
    return json_answer(_erasure(await gateway_of(request).erasure.standing(identity.subject_id)))


@router.post(
    "/erasure",
    operation_id="request_erasure",
    summary="Ask for the erasure of your data",
    responses=answers(ErasureView, 401, 403),
)
async def request_erasure(request: Request) -> Response:
    """Recorded at once; carried out when nothing of yours is open any more. You are signed out everywhere then. It wants
    a confirmation of the last five minutes, or without a second factor a sign-in of the last fifteen."""
    identity = await allowed(request, "request_erasure")
    return json_answer(_erasure(await gateway_of(request).erasure.request(identity, traceparent_of(request.scope))))


@router.delete(
    "/erasure",
    operation_id="withdraw_erasure",
    summary="Take the request for erasure back, as long as it was not carried out",
    status_code=204,
    responses=problems(401, 403),
)
async def withdraw_erasure(request: Request) -> Response:
    """Everything stays as it was; also when there is no request."""
    identity = await allowed(request, "withdraw_erasure")
    await gateway_of(request).erasure.withdraw(identity, traceparent_of(request.scope))
    return Response(status_code=204, headers={"Cache-Control": "no-store"})


def _erasure(standing: Standing) -> dict[str, Any]:
    return {
        "state": "not_requested" if standing.requested_at is None else "waiting",
        "requested_at": standing.requested_at,
        "not_before": standing.not_before,
        "waits_for": [_wait(row) for row in standing.waits_for],
    }


def _wait(row: Row) -> dict[str, Any]:
    return {
        "kind": row["kind"],
        "words": WAIT_WORDS[row["kind"]],
        "commitment_id": row["id"],
        "campaign_id": row["campaign_id"],
        "campaign_title": row["campaign_title"],
    }


def _parts(found: Gathered) -> list[tuple[str, Mapping[str, Any], list[dict[str, str]]]]:
    """Every part with its completeness, as rows of name and value, the inner ones written out."""
    parts: list[tuple[str, Mapping[str, Any], list[dict[str, str]]]] = []
    for name, bounds in found.completeness.items():
        rows = found.parts[name]
        parts.append((name, bounds, [_flat(row) for row in (rows if isinstance(rows, list) else [rows])]))
    return parts


def _flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in row.items():
        label = f"{prefix}{name}".replace("_", " ")
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name} ")
        elif value is not None:
            flat[label] = str(value)
    return flat
