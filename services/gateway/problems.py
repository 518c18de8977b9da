"""Every error answer of the interface: one place that turns refusals and faults into problem documents (RFC 9457).

A code comes from `contracts.errors`, so that a service's refusal, the interface and the web pages say the same words.
What it cannot know: the cause behind a fault of our own; the log has it, under the same trace id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.alerts import ALERT_KINDS
from contracts.errors import PROBLEMS, Rejected
from services.gateway.methods import methods_at, wrong_methods_at
from services.gateway.usecases.coalesce import QueueFullError
from services.kit import telemetry
from services.kit.database import is_transient

PROBLEM_TYPE = "/problems/{}"
MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = {"clock_moving": 1, "too_many_waiting": 1, "service_unavailable": 2, "rate_limited": 10}
ERRORS_MAX = 50
MESSAGE_CHARACTERS_MAX = 300

CALENDARS = "/v1/calendar/"

log = telemetry.logger("gateway.problems")

_BY_STATUS = {
    400: "malformed_request",
    401: "not_signed_in",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    429: "rate_limited",
    503: "service_unavailable",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that does not fit: a JSON pointer to it, what is wrong, and a stable code."""

    pointer: str
    message: str
    code: str

    def body(self) -> dict[str, str]:
        """The JSON form."""
        return {"pointer": self.pointer, "message": self.message, "code": self.code}


class ProblemError(Exception):
    """A request ends with this problem. `facts` are figures and ids; never personal data."""

    def __init__(
        self,
        code: str,
        *,
        facts: Mapping[str, Any] | None = None,
        errors: Sequence[FieldError] = (),
        resource: Mapping[str, Any] | None = None,
        operation_id: UUID | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.facts = dict(facts or {})
        self.errors = tuple(errors)
        self.resource = resource
        self.operation_id = operation_id
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class RequestNames:
    """What an answer repeats of its request."""

    path: str
    request_id: str
    trace_id: str | None
    extra: Mapping[str, str] = field(default_factory=dict)


def names_of(scope: Mapping[str, Any]) -> RequestNames:
    """The names that the middleware put into an ASGI scope."""
    state = scope.get("alpmera", {})
    return RequestNames(
        path=_shown_path(str(scope.get("path", "/"))),
        request_id=state.get("request_id", ""),
        trace_id=state.get("trace_id"),
    )


def _shown_path(path: str) -> str:
    """An address as it may be told and logged: the secret of a calendar is left out."""
    return CALENDARS + "…" if path.startswith(CALENDARS) else path


def problem_body(error: ProblemError, names: RequestNames | None) -> dict[str, Any]:
    """The problem document of an error. An unknown code is our own fault and is told as one."""
    code = error.code if error.code in PROBLEMS else "internal_error"
    problem = PROBLEMS[code]
    body: dict[str, Any] = {
        "type": PROBLEM_TYPE.format(code),
        "title": problem.title,
        "status": problem.status,
        "detail": problem.next_step,
        "code": code,
        "facts": error.facts,
        "errors": [item.body() for item in error.errors[:ERRORS_MAX]],
    }
    if names is not None:
        body |= {"instance": names.path, "trace_id": names.trace_id, "request_id": names.request_id}
    if error.resource is not None:
        body["resource"] = dict(error.resource)
    if error.operation_id is not None:
        body["operation_id"] = str(error.operation_id)
    return body


def problem_response(error: ProblemError, names: RequestNames | None) -> JSONResponse:
    """The answer for an error."""
    body = problem_body(error, names)
    headers = {"Cache-Control": "no-store", **error.headers}
    if body["code"] in RETRY_AFTER_SECONDS:
        headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS[body["code"]]))
    return JSONResponse(body, status_code=body["status"], headers=headers, media_type=MEDIA_TYPE)


def as_problem(error: Exception) -> ProblemError | None:
    """The problem an exception stands for; None for a bug."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, Rejected):
        return ProblemError(error.code, facts=error.facts)
    if isinstance(error, HTTPException):
        code = _BY_STATUS.get(error.status_code, "malformed_request" if error.status_code < 500 else "internal_error")
        return ProblemError(code, headers=error.headers)
    if isinstance(error, RequestValidationError):
        return _request_problem(error)
    if isinstance(error, QueueFullError | PoolTimeoutError) or is_transient(error):
        return ProblemError("service_unavailable")
    return None


def validation_problem(error: ValidationError) -> ProblemError:
    """The problem of a body that does not fit its described fields."""
    return ProblemError(
        "validation_failed", errors=[_field_error(item, _in_body(item["loc"])) for item in error.errors()]
    )


def _in_body(location: Sequence[str | int]) -> Sequence[str | int]:
    """A place in the body as it was sent: the library names the kind of a rule on the way to its fields."""
    *way, last = location or ("",)
    return [part for part in way if part not in ALERT_KINDS] + ([last] if location else [])


def answer_error(scope: Mapping[str, Any], error: Exception) -> JSONResponse:
    """The answer for an exception. A bug is logged with its kind and told as a fault of ours."""
    names = names_of(scope)
    problem = as_problem(error)
    if problem is None:
        log.error("gateway.request.failed", error=f"{type(error).__name__}: {error}"[:500], route=_route(scope))
        problem = ProblemError("internal_error")
    elif problem.code == "service_unavailable":
        log.warning("gateway.request.unavailable", error=type(error).__name__, route=_route(scope))
    return problem_response(problem, names)


def _route(scope: Mapping[str, Any]) -> str:
    """The pattern of an address: the address itself may hold a secret, such as a calendar's."""
    return str(getattr(scope.get("route"), "path", "unmatched"))


class WrittenOutFirst:
    """An address that is written out is never taken for a value in the pattern of another operation, whatever the method."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a method that such an address lacks; hand on the rest."""
        methods = wrong_methods_at(scope["path"], scope["method"]) if scope["type"] == "http" else []
        if not methods:
            await self._app(scope, receive, send)
            return
        wrong = HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": ", ".join(methods)})
        await answer_error(scope, wrong)(scope, receive, send)


def install(app: FastAPI) -> None:
    """Answer every exception of the application with a problem document, and every wrong method as one."""

    async def answer(request: Request, error: Exception) -> JSONResponse:
        if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            methods = methods_at(request.url.path)
            if request.method in methods:
                return answer_error(request.scope, Rejected("not_found"))
            error.headers = {"Allow": ", ".join(methods)} if methods else error.headers
        return answer_error(request.scope, error)

    for kind in (ProblemError, Rejected, HTTPException, RequestValidationError, QueueFullError, Exception):
        app.add_exception_handler(kind, answer)
    app.add_middleware(WrittenOutFirst)


def pointer(location: Sequence[Any]) -> str:
    """A JSON pointer (RFC 6901) to a place in a body."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def _field_error(item: Any, location: Sequence[Any]) -> FieldError:
    return FieldError(pointer(location), str(item["msg"])[:MESSAGE_CHARACTERS_MAX], str(item["type"]))


def _request_problem(error: RequestValidationError) -> ProblemError:
    items = error.errors()
    if any(item["loc"] and item["loc"][0] == "path" for item in items):
        # An address with something else than an id names nothing that exists.
        return ProblemError("not_found")
    return ProblemError("validation_failed", errors=[_field_error(item, item["loc"][1:]) for item in items])
