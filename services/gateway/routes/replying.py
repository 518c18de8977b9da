"""Write answers: JSON with moments in UTC, and the answer of an act from its outcome."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import Request, Response

from contracts.errors import PROBLEMS
from services.gateway.domain.operation import KINDS, Operation, Outcome, address
from services.gateway.parts import gateway_of
from services.gateway.problems import ProblemError, problem_body
from services.gateway.routes.reading import wait_seconds
from services.gateway.store.cursors import cursor_after
from services.gateway.usecases.accept_act import Act

PRIVATE = {"Cache-Control": "private, no-store"}

Present = Callable[[Outcome], Awaitable[Mapping[str, Any]]]


def json_answer(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer with a JSON body; private unless a header says otherwise."""
    content = json.dumps(body, default=_plain, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, status_code=status, media_type="application/json", headers={**PRIVATE, **(headers or {})})


def created_answer(body: Any, *, at: str, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of 201; `at` is where the created thing can be read: its own address, or that of the list it is in."""
    return json_answer(body, status=201, headers={"Location": at, **(headers or {})})


def page_answer(
    rows: Sequence[Mapping[str, Any]], *, limit: int, view: Callable[[Mapping[str, Any]], Any], moment: str
) -> Response:
    """A part of a list: at most `limit` rows, and a cursor when there are more. `moment` names the sorting column."""
    shown = rows[:limit]
    more = len(rows) > limit
    return json_answer(
        {
            "data": [view(row) for row in shown],
            "next_cursor": cursor_after(shown[-1][moment], shown[-1]["id"]) if more else None,
        }
    )


def list_answer(rows: Sequence[Any], view: Callable[[Any], Any]) -> Response:
    """A whole list."""
    return json_answer({"data": [view(row) for row in rows], "next_cursor": None})


async def perform(request: Request, act: Act, present: Present) -> Response:
    """Accept an act, wait for its outcome as the sender prefers, and answer with what the read model shows."""
    gateway = gateway_of(request)
    kind = KINDS[act.kind]
    seconds = wait_seconds(request, kind.wait_seconds)
    if seconds > 0:
        # Before anything is stored: whoever is turned away here has done nothing.
        gateway.outcomes.admit()
    accepted = await gateway.acts.accept(act)
    outcome = await gateway.outcomes.wait(accepted.operation, seconds=seconds, fresh=not accepted.replayed)
    headers = {"Preference-Applied": f"wait={seconds}"}
    if accepted.replayed:
        headers["Idempotent-Replayed"] = "true"
    return await _answer(accepted.operation, outcome, present, headers)


async def _answer(operation: Operation, outcome: Outcome, present: Present, headers: dict[str, str]) -> Response:
    kind = KINDS[operation.kind]
    href = address(kind.resource_type, operation.resource_id)
    if outcome.state == "done":
        body = await present(outcome)
        if kind.status == 201:
            headers["Location"] = href or f"/v1/operations/{operation.id}"
        return json_answer(body, status=kind.status, headers=headers)
    if outcome.state == "refused":
        raise ProblemError(
            outcome.code or "internal_error",
            facts=outcome.facts,
            resource=resource_view(operation),
            operation_id=operation.id,
            headers=headers,
        )
    headers["Location"] = f"/v1/operations/{operation.id}"
    return json_answer(operation_view(operation, outcome), status=202, headers=headers)


def operation_view(operation: Operation, outcome: Outcome) -> dict[str, Any]:
    """An operation with its present outcome."""
    problem: dict[str, Any] | None = None
    if outcome.state == "refused":
        code = outcome.code if outcome.code in PROBLEMS else "internal_error"
        problem = problem_body(ProblemError(code or "internal_error", facts=outcome.facts), None)
    return {
        "id": operation.id,
        "kind": operation.kind,
        "state": outcome.state,
        "resource": resource_view(operation),
        "next_action": {"type": "redirect", "url": outcome.redirect_url} if outcome.redirect_url else None,
        "problem": problem,
        "received_at": operation.received_at,
    }


def resource_view(operation: Operation) -> dict[str, Any]:
    """What an operation is about."""
    resource_type = KINDS[operation.kind].resource_type
    return {
        "type": resource_type,
        "id": str(operation.resource_id),
        "href": address(resource_type, operation.resource_id),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
