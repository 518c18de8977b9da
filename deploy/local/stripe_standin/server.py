"""The HTTP side: one small ASGI application.

Owns reading requests, keys of access, headers and the browser's cross-origin rules. It is plain
ASGI because a framework would cost more than the work itself. It is a test server for one
machine: it limits the size of a body, not the number of its clients.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from deploy.local.stripe_standin import files, pages, payment_intents, settings
from deploy.local.stripe_standin.control import Control, Housekeeper, read_json
from deploy.local.stripe_standin.core import Call, Standin
from deploy.local.stripe_standin.errors import StripeError, invalid
from deploy.local.stripe_standin.execution import Executor, digest_of
from deploy.local.stripe_standin.forms import Pairs, Params, build_tree, parse_pairs
from deploy.local.stripe_standin.routes import CARD_FORM_PATH, find_route
from deploy.local.stripe_standin.store import Facts, Store, encode
from deploy.local.stripe_standin.webhooks import Courier

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_LOCAL_ORIGIN = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
_JSON = (b"content-type", b"application/json")
_HTML: Headers = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
]


async def _read_pairs(scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> Pairs:
    content_type = headers.get(b"content-type", b"")
    if scope["method"] == "POST" and scope["path"] == files.PATH and content_type.startswith(files.MULTIPART):
        return files.multipart_pairs(await _read_body(receive, settings.UPLOAD_BODY_BYTES_MAX), content_type)
    body = await _read_body(receive)
    return parse_pairs(body if scope["method"] == "POST" else scope["query_string"])


async def _read_body(receive: Receive, bytes_max: int = settings.BODY_BYTES_MAX) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > bytes_max:
            raise invalid("The request's body is too large.")
    return body


async def _answer(send: Send, status: int, body: bytes, headers: Headers) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})


class Server:
    """The application: Stripe's API, the control addresses, the 3-D Secure page."""

    def __init__(self, chosen: settings.Settings) -> None:
        self.settings = chosen
        self.standin = Standin(chosen, Store(chosen.data_dir))
        self.executor = Executor(self.standin)
        self.courier = Courier(self.standin)
        self.housekeeper = Housekeeper(self.standin)
        self.control = Control(self.standin, self.courier, self.housekeeper)
        self._ticker: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI's entry."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    # -- life --------------------------------------------------------------------------------

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        await self.courier.start()
        self._ticker = asyncio.create_task(self._tick())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._ticker.cancel()
        await asyncio.gather(self._ticker, return_exceptions=True)
        await self.courier.stop()
        await self.standin.store.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _tick(self) -> None:
        while True:
            await self.housekeeper.catch_up()
            self.courier.wake()
            await asyncio.sleep(settings.TICK_SECONDS)

    # -- requests ----------------------------------------------------------------------------

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        headers: dict[bytes, bytes] = dict(scope["headers"])
        extra = self._cross_origin(path, headers)
        try:
            if path.startswith("/v1/"):
                await self._api(scope, headers, receive, send, extra)
            elif path.startswith("/_standin/"):
                await self._own(scope, headers, receive, send)
            elif path.startswith("/authenticate/"):
                await self._authenticate(scope, receive, send)
            elif path == "/healthz":
                await _answer(send, 200, b'{"status":"ok"}', [_JSON])
            else:
                raise _unknown_address(scope["method"], path)
        except StripeError as error:
            await _answer(send, error.status, encode(error.body()).encode(), [_JSON, *extra])

    async def _api(
        self,
        scope: Scope,
        headers: dict[bytes, bytes],
        receive: Receive,
        send: Send,
        extra: Headers,
    ) -> None:
        method, path = scope["method"], scope["path"]
        if method == "OPTIONS" and path == CARD_FORM_PATH:
            await _answer(send, 204, b"", extra)
            return
        pairs = await _read_pairs(scope, headers, receive)
        tree = build_tree(pairs)
        self._check_access(headers, path, tree)
        route = find_route(method, path)
        if route is None:
            raise _unknown_address(method, path)
        handler, args = route
        params = Params(tree)
        call = Call(
            method=method,
            path=path,
            params=params,
            args=args,
            request_id=f"req_{secrets.token_hex(7)}",
            expand=params.texts("expand"),
        )
        if method == "POST":
            call.key = _idempotency_key(headers)
            if call.key is not None:
                call.digest = digest_of(method, path, pairs)
        status, text, replayed = await self.executor.run(call, handler, lambda: _until_gone(receive))
        if method == "POST":
            self.courier.wake()
        await _answer(send, status, text.encode(), _api_headers(call, replayed) + extra)

    async def _own(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive, send: Send) -> None:
        body = await _read_body(receive)
        self._check_access(headers, scope["path"], {})
        query = dict(parse_pairs(scope["query_string"]))
        steps = scope["path"].removeprefix("/_standin/").split("/")
        answer = await self.control.handle(scope["method"], steps, read_json(body), query)
        if answer is None:
            raise _unknown_address(scope["method"], scope["path"])
        if isinstance(answer, str):
            await _answer(send, 200, answer.encode(), [(b"content-type", b"application/x-ndjson")])
        else:
            await _answer(send, 200, json.dumps(answer).encode(), [_JSON])

    async def _authenticate(self, scope: Scope, receive: Receive, send: Send) -> None:
        steps = scope["path"].split("/")
        payment = self.standin.store.get("payment_intent", steps[2]) if len(steps) == 4 else None
        if payment is None or not hmac.compare_digest(payment.get("_page_key", "").encode(), steps[3].encode()):
            raise _unknown_address(scope["method"], scope["path"])
        if scope["method"] == "GET":
            await _answer(send, 200, pages.authentication_page(payment).encode(), _HTML)
            return
        form = dict(parse_pairs(await _read_body(receive)))
        if form.get("outcome") not in ("succeed", "fail"):
            raise invalid("outcome must be succeed or fail.", param="outcome")
        payment = await self.standin.store.transact(
            lambda: self._decide(steps[2], succeeded=form["outcome"] == "succeed")
        )
        self.courier.wake()
        location = pages.return_address(payment).encode()
        await _answer(send, 303, b"", [(b"location", location), (b"cache-control", b"no-store")])

    def _decide(self, payment_id: str, *, succeeded: bool) -> Facts:
        payment = self.standin.find("payment_intent", payment_id)
        payment_intents.finish_authentication(self.standin, payment, succeeded=succeeded)
        return payment

    # -- access ------------------------------------------------------------------------------

    def _check_access(self, headers: dict[bytes, bytes], path: str, tree: dict[str, Any]) -> None:
        given = _access_key(headers.get(b"authorization", b""))
        allowed = [self.settings.api_key]
        if path == CARD_FORM_PATH:
            allowed.append(self.settings.publishable_key)
            given = given or str(tree.get("key", ""))
        if any(hmac.compare_digest(given.encode(), key.encode()) for key in allowed):
            if b"stripe-account" in headers:
                raise invalid("The stand-in acts for the platform's own account only.")
            return
        if not given:
            message = "You did not provide an API key. Send it as a bearer token."
        else:
            message = f"Invalid API Key provided: {given[:8]}{'*' * 8}"
        raise StripeError(message, status=401, kept=False)

    def _cross_origin(self, path: str, headers: dict[bytes, bytes]) -> Headers:
        origin = headers.get(b"origin")
        if path != CARD_FORM_PATH or origin is None:
            return []
        text = origin.decode("latin-1")
        listed = self.settings.allowed_origins
        if text not in listed if listed else not _LOCAL_ORIGIN.fullmatch(text):
            return []
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-methods", b"POST"),
            (b"access-control-allow-headers", b"authorization, content-type, stripe-version"),
            (b"access-control-max-age", b"600"),
            (b"vary", b"Origin"),
        ]


def _access_key(authorization: bytes) -> str:
    scheme, _, value = authorization.decode("latin-1").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value).decode().partition(":")[0]
        except ValueError:
            return ""
    return ""


def _idempotency_key(headers: dict[bytes, bytes]) -> str | None:
    raw = headers.get(b"idempotency-key")
    if raw is None or raw == b"":
        return None
    if len(raw) > settings.IDEMPOTENCY_KEY_CHARS_MAX:
        raise invalid("Idempotency keys have at most 255 characters.")
    return raw.decode("latin-1")


def _api_headers(call: Call, replayed: bool) -> Headers:
    headers: Headers = [
        _JSON,
        (b"request-id", call.request_id.encode()),
        (b"stripe-version", settings.API_VERSION.encode()),
    ]
    if call.key is not None:
        headers.append((b"idempotency-key", call.key.encode("latin-1")))
    if replayed:
        headers.append((b"idempotent-replayed", b"true"))
    if call.retry_after_seconds is not None:
        headers.append((b"retry-after", str(call.retry_after_seconds).encode()))
    return headers


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


def _unknown_address(method: str, path: str) -> StripeError:
    return StripeError(
        f"Unrecognized request URL ({method}: {path}). The stand-in answers only what its README lists.",
        status=404,
        kept=False,
    )
