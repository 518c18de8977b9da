"""Versions of what is read and changed: the ETag of an answer, the If-Match without which nothing is changed, and the
If-None-Match of whoever has the present version already.

An ETag is the digest of the very body that somebody got, so that two people see different ones of the same thing. It says
whether anything they saw is different by now; what may be written over what is decided by the service that owns it.
"""

from __future__ import annotations

import hashlib
from http import HTTPStatus

from fastapi import Request, Response

from services.gateway.problems import ProblemError

DIGEST_CHARACTERS = 32
ANY = "*"


def with_etag(response: Response) -> Response:
    """An answer that names its version."""
    response.headers["ETag"] = etag_of(bytes(response.body))
    return response


def read_answer(request: Request, response: Response) -> Response:
    """The answer of a read, with its version; without its body when the request says that it has this very one. The
    work of making the body is not saved, its way is."""
    known = request.headers.get("if-none-match")
    versioned = with_etag(response)
    if known is None or not _names(request, versioned.headers["etag"]):
        return versioned
    headers = {name: versioned.headers[name] for name in ("etag", "cache-control")}
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)


def _names(request: Request, current: str) -> bool:
    """Whether the If-None-Match names the version; compared weakly, as RFC 9110 wants it here."""
    wanted = ", ".join(request.headers.getlist("if-none-match")).strip()
    return wanted == ANY or current in (each.strip().removeprefix("W/") for each in wanted.split(","))


def etag_of(content: bytes) -> str:
    """The ETag of a body."""
    return f'"{hashlib.sha256(content).hexdigest()[:DIGEST_CHARACTERS]}"'


def wanted_version(request: Request) -> str:
    """The request's If-Match. Raises ProblemError(version_missing)."""
    wanted = ", ".join(request.headers.getlist("if-match")).strip()
    if not wanted:
        raise ProblemError("version_missing")
    return wanted


def check_version(wanted: str, current: str) -> None:
    """Raises ProblemError(version_stale), with both versions, when the present one is not among those wanted; a weak
    one never is."""
    if wanted != ANY and current not in (each.strip() for each in wanted.split(",")):
        raise stale(wanted, current)


def stale(wanted: str, current: str) -> ProblemError:
    """The problem of a change that is based on a version which is no longer the present one."""
    return ProblemError("version_stale", facts={"if_match": wanted, "etag": current}, headers={"ETag": current})
