"""What every request and answer passes: a request id, a trace, a size limit, security headers, and a last net for faults.

One thin ASGI layer instead of an instrumentation library: it costs a fraction on hot routes. The route's pattern names
the span, never the address itself; ids of campaigns and commitments are the only attributes about its object.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from uuid import UUID

from opentelemetry.trace import Span, SpanKind

from contracts import telemetry as names
from services.gateway.auth.origins import SIGNED_PATHS, from_another_site
from services.gateway.headers import added, client_address, without_claims
from services.gateway.problems import ProblemError, names_of, problem_response
from services.gateway.usecases.limit_rates import RateLimitedError, RateLimits, Standing
from services.kit import telemetry

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BODY_BYTES_MAX = 64 * 1024
BULK_BODY_BYTES_MAX = 512 * 1024
WEBHOOK_BODY_BYTES_MAX = 256 * 1024
BULK_PATHS = ("/dispatches", "/deliveries", "/clearing-plans", "/v1/dev/participants")

_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
_ATTRIBUTE_OF = {"campaign_id": names.CAMPAIGN_ID, "commitment_id": names.COMMITMENT_ID, "plan_id": names.PLAN_ID}

log = telemetry.logger("gateway.http")


def traceparent_of(scope: MutableMapping[str, Any]) -> str | None:
    """The trace a request belongs to, as a header for what it causes."""
    traceparent: str | None = scope.get("alpmera", {}).get("traceparent")
    return traceparent


def note_standing(scope: Scope, standing: Standing) -> None:
    """Remember where the sender stands with a limit, when no other limit of this request is tighter."""
    state = scope["alpmera"]
    known: Standing | None = state.get("standing")
    if known is None or standing.remaining < known.remaining:
        state["standing"] = standing


class RequestLayer:
    """The layer around the application."""

    def __init__(
        self,
        app: App,
        *,
        https: bool,
        public_origins: Collection[str] = (),
        trusted_proxies: Collection[str] = (),
        limits: RateLimits | None = None,
    ) -> None:
        self._app = app
        self._limits = limits
        self._https = https
        self._public_origins = public_origins
        self._trusted_proxies = frozenset(trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other kinds of connections pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD" and not scope["path"].endswith("/events"):
            # A HEAD is a GET whose body the server leaves out; it looks at its own scope for that, so this is a copy.
            scope = {**scope, "method": "GET"}
        scope["client_address"] = client_address(scope, self._trusted_proxies)
        scope["headers"] = without_claims(scope["headers"])
        headers = {name: value for name, value in scope["headers"] if name in _READ_HEADERS}
        request_id = _request_id(headers.get(b"x-request-id"))
        parent = headers.get(b"traceparent", b"").decode("latin-1") or None
        method, path = scope["method"], scope["path"]
        if not path.startswith("/v1/"):
            scope["alpmera"] = {"request_id": request_id, "trace_id": None, "traceparent": None}
            await self._serve(scope, receive, send, headers)
            return
        with telemetry.span(
            method, parent=parent, kind=SpanKind.SERVER, attributes={names.HTTP_METHOD: method}
        ) as span:
            traceparent = telemetry.traceparent_of(span) or _own_traceparent(parent)
            scope["alpmera"] = {
                "request_id": request_id,
                "trace_id": telemetry.trace_id_of(traceparent),
                "traceparent": traceparent,
            }
            status = await self._serve(scope, receive, send, headers)
            if span.is_recording():
                _describe(span, scope, status)
        if status >= 500:
            _force_error_span(scope, status)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, headers: dict[bytes, bytes]) -> int:
        """Run the application; returns the status of its answer."""
        answered = {"status": 0}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered["status"] = message["status"]
                message["headers"] = [*message.get("headers", ()), *self._added(scope, message)]
            await send(message)

        limit = _limit(scope["path"])
        try:
            if from_another_site(
                scope["method"],
                scope["path"],
                headers,
                scheme=scope.get("scheme", "http"),
                public_origins=self._public_origins,
            ):
                raise ProblemError("csrf_failed")
            if self._limits is not None and not scope["path"].startswith(SIGNED_PATHS):
                standing = await self._limits.hit("address", scope["client_address"])
                if standing is not None:
                    note_standing(scope, standing)
            if _declared_length(headers) > limit:
                raise ProblemError("payload_too_large", facts={"bytes_max": limit})
            await self._app(scope, _limited(receive, limit), send_with_headers)
        except Exception as error:
            # What the application's handlers answered is sent already; what comes here before an answer is answered.
            if answered["status"] == 0:
                if isinstance(error, RateLimitedError):
                    note_standing(scope, error.standing)
                problem = error if isinstance(error, ProblemError) else ProblemError("internal_error")
                if problem is not error:
                    log.error("gateway.request.failed", error=f"{type(error).__name__}: {error}"[:500])
                response = problem_response(problem, names_of(scope))
                await response(scope, receive, send_with_headers)
        return answered["status"]

    def _added(self, scope: Scope, message: Message) -> list[tuple[bytes, bytes]]:
        state = scope["alpmera"]
        fields = added(message.get("headers", ()), https=self._https)
        fields.append((b"x-request-id", state["request_id"].encode()))
        if state.get("standing") is not None:
            fields += state["standing"].headers()
        if state["traceparent"] is not None:
            fields.append((b"traceparent", state["traceparent"].encode()))
        return fields


_READ_HEADERS = frozenset({b"x-request-id", b"traceparent", b"content-length", b"host", b"origin", b"sec-fetch-site"})


def _request_id(given: bytes | None) -> str:
    text = given.decode("latin-1") if given else ""
    return text if _REQUEST_ID.match(text) else secrets.token_hex(16)


def _own_traceparent(parent: str | None) -> str:
    """A trace id even where nothing is recorded, so that an answer and a log line can name the same request."""
    remote = telemetry.parse_traceparent(parent)
    trace_id = f"{remote.trace_id:032x}" if remote is not None else secrets.token_hex(16)
    return f"00-{trace_id}-{secrets.token_hex(8)}-00"


def _limit(path: str) -> int:
    if path.startswith("/v1/webhooks/"):
        return WEBHOOK_BODY_BYTES_MAX
    return BULK_BODY_BYTES_MAX if path.endswith(BULK_PATHS) else BODY_BYTES_MAX


def _declared_length(headers: dict[bytes, bytes]) -> int:
    value = headers.get(b"content-length", b"0")
    return int(value) if value.isdigit() else 0


def _limited(receive: Receive, limit: int) -> Receive:
    """Receive at most `limit` bytes of body, whatever length was declared."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > limit:
                raise ProblemError("payload_too_large", facts={"bytes_max": limit})
        return message

    return limited


def _describe(span: Span, scope: Scope, status: int) -> None:
    route = _route_pattern(scope)
    span.update_name(f"{scope['method']} {route}")
    span.set_attribute(names.HTTP_ROUTE, route)
    span.set_attribute(names.HTTP_STATUS, status)
    for name, value in _object_attributes(scope).items():
        span.set_attribute(name, value)


def _object_attributes(scope: Scope) -> dict[str, str]:
    parameters = scope.get("path_params") or {}
    return {
        attribute: str(parameters[name])
        for name, attribute in _ATTRIBUTE_OF.items()
        if isinstance(parameters.get(name), UUID | str) and name in parameters
    }


def _route_pattern(scope: Scope) -> str:
    route = scope.get("route")
    pattern = getattr(route, "path", None)
    return str(pattern) if pattern else "unmatched"


def _force_error_span(scope: Scope, status: int) -> None:
    """A fault of ours is recorded even when its trace was not sampled."""
    traceparent = traceparent_of(scope)
    if telemetry.is_sampled(traceparent):
        return
    attributes = {telemetry.FORCE: True, names.HTTP_ROUTE: _route_pattern(scope), names.HTTP_STATUS: status}
    with telemetry.span(
        f"{scope['method']} {_route_pattern(scope)}",
        parent=None,
        kind=SpanKind.SERVER,
        attributes=attributes | _object_attributes(scope),
    ):
        return
