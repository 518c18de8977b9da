"""Read a request: its body by a model, its waiting time, its list parameters. What does not fit becomes a problem."""

from __future__ import annotations

import re
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from contracts.errors import Rejected
from services.gateway.domain.operation import WAIT_SECONDS_MAX
from services.gateway.problems import FieldError, ProblemError, validation_problem

B = TypeVar("B", bound=BaseModel)

_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?(?=$|[,;\s])")
_NUL = b"\\u0000"


async def read_body(request: Request, model: type[B]) -> B:
    """The request's body. Raises ProblemError: malformed_request when it is not JSON, validation_failed when it does
    not fit."""
    raw = await request.body()
    if not raw.strip():
        raw = b"{}" if not model.model_fields else raw
    elif not _is_json(request):
        raise ProblemError("malformed_request", facts={"content_type": "application/json"})
    try:
        body = model.model_validate_json(raw)
    except ValidationError as error:
        if any(item["type"] == "json_invalid" for item in error.errors(include_url=False, include_input=False)):
            raise ProblemError("malformed_request") from None
        raise validation_problem(error) from None
    if _NUL in raw:
        # The database has no such character; it is refused here, where it can be told to the sender.
        raise ProblemError(
            "validation_failed", errors=[FieldError("", "The character U+0000 cannot be stored.", "string_nul")]
        )
    return body


def wait_seconds(request: Request, default: int) -> int:
    """How long the sender wants to wait for an outcome; what cannot be read is ignored (RFC 7240)."""
    header = request.headers.get("prefer")
    found = _WAIT.search(header) if header else None
    return min(int(found.group(1)), WAIT_SECONDS_MAX) if found else default


def one_of(value: str | None, allowed: frozenset[str], *, name: str) -> str | None:
    """A query parameter that must be one of a few words. Raises Rejected(validation_failed)."""
    if value is not None and value not in allowed:
        raise Rejected("validation_failed", parameter=name, allowed=sorted(allowed))
    return value


def _is_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")
