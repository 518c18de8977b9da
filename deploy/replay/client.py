"""One HTTP client for gateway and stand-in: connections kept alive, bounded concurrency, patient with a restart.

Owns the retries: a service may be gone for some seconds, so a request is repeated with the same Idempotency-Key until
an answer comes or a bound is reached. Requests carry a trace that is not sampled, so that load leaves no traces. It
shares its cores with the platform and therefore does as little work per request as it can.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

from deploy.local.addresses import StackAddresses
from deploy.replay.errors import ReplayError

REQUESTS_AT_ONCE_MAX = 128
"""Acts under way at once. The gateway lets 512 wait; more of ours would only wait longer."""
REQUEST_TIMEOUT_SECONDS = 60
RETRY_SECONDS_MAX = 240
FAULTS_MAX = 8
"""How often a 500 is met before it is believed."""
PAUSE_FIRST_SECONDS = 0.05
PAUSE_MAX_SECONDS = 1.0
BUSY = frozenset({429, 502, 503, 504})
FAULT = 500
TOKEN_PATH = "/v1/test_helpers/confirmation_tokens"  # noqa: S105 - an address
TOKEN_FORM = b"payment_method=pm_card_visa"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `retried`: the same request had been sent before, so it may be the answer of a repeat."""

    status: int
    body: bytes
    retried: bool = False

    def json(self) -> Any:
        """The body read as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The stable code of a problem."""
        try:
            return str(json.loads(self.body).get("code", f"status_{self.status}"))
        except (ValueError, AttributeError):
            return f"status_{self.status}"


class Client:
    """Sends requests. Use as an async context manager."""

    def __init__(self, addresses: StackAddresses) -> None:
        self._gateway = addresses.gateway_url
        self._standin = addresses.stripe_url
        self._standin_headers = {
            "Authorization": f"Bearer {addresses.stripe_key}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self.trace = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
        self.places = asyncio.Semaphore(REQUESTS_AT_ONCE_MAX)

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=2 * REQUESTS_AT_ONCE_MAX, keepalive_timeout=30),
            timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept-Encoding"),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def get(self, path: str, *, token: str, wait_seconds: int = 0) -> Answer:
        """GET from the gateway."""
        headers = {"Authorization": f"Bearer {token}", "traceparent": self.trace}
        if wait_seconds:
            headers["Prefer"] = f"wait={wait_seconds}"
        return await self._send("GET", self._gateway + path, None, headers)

    async def read(self, path: str, *, token: str) -> Any:
        """GET from the gateway what must be there. Raises ReplayError."""
        answer = await self.get(path, token=token)
        if answer.status != 200:
            raise ReplayError(f"the gateway answered {answer.status} ({answer.code}) to GET {path.split('?')[0]}.")
        return answer.json()

    async def post(self, path: str, body: bytes, *, token: str, key: str, wait_seconds: int) -> Answer:
        """POST an act to the gateway under its Idempotency-Key."""
        headers = {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": key,
            "Prefer": f"wait={wait_seconds}",
            "Content-Type": "application/json",
            "traceparent": self.trace,
        }
        return await self._send("POST", self._gateway + path, body, headers)

    async def call(self, path: str, body: Any) -> Any:
        """POST to one of the gateway's local addresses, which need no session. Raises ReplayError."""
        headers = {"Content-Type": "application/json", "traceparent": self.trace}
        answer = await self._send("POST", self._gateway + path, json.dumps(body).encode(), headers)
        if answer.status != 200:
            raise ReplayError(f"the gateway answered {answer.status} ({answer.code}) to POST {path}.")
        return answer.json()

    async def confirmation_token(self) -> bytes:
        """A confirmation token of a test card, as a browser gets it from the card form."""
        answer = await self._send("POST", self._standin + TOKEN_PATH, TOKEN_FORM, self._standin_headers)
        # The id is cut out: reading the whole object costs more than the request.
        begin = answer.body.find(b'"id":') + 5
        begin = answer.body.find(b'"', begin) + 1
        token = answer.body[begin : answer.body.find(b'"', begin)]
        if answer.status != 200 or not token.startswith(b"ctoken_"):
            raise ReplayError(f"the payment stand-in answered {answer.status} to POST {TOKEN_PATH}.")
        return token

    async def standin(self, path: str, form: bytes) -> Any:
        """POST to the stand-in as a person at Stripe's own pages would. Raises ReplayError."""
        answer = await self._send("POST", self._standin + path, form, self._standin_headers)
        if answer.status != 200:
            raise ReplayError(f"the payment stand-in answered {answer.status} to POST {path}.")
        return answer.json()

    async def _send(self, method: str, url: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        """Send until an answer comes. Raises ReplayError when none does."""
        loop = asyncio.get_running_loop()
        end = loop.time() + RETRY_SECONDS_MAX
        pause, faults, sent = PAUSE_FIRST_SECONDS, 0, 0
        while True:
            answer = await self._once(method, url, body, headers, retried=sent > 0)
            sent += 1
            faults += answer is not None and answer.status == FAULT
            wanted = answer is not None and answer.status not in BUSY
            if answer is not None and wanted and (answer.status != FAULT or faults >= FAULTS_MAX):
                return answer
            if loop.time() > end:
                said = "no answer" if answer is None else f"{answer.status} ({answer.code})"
                path = url.removeprefix(self._gateway).split("?")[0]
                raise ReplayError(f"{method} {path} met {said} for {RETRY_SECONDS_MAX} s; start the replay again.")
            await asyncio.sleep(pause)
            pause = min(PAUSE_MAX_SECONDS, pause * 1.6)

    async def _once(
        self, method: str, url: str, body: bytes | None, headers: dict[str, str], *, retried: bool
    ) -> Answer | None:
        try:
            async with self._http.request(method, url, data=body, headers=headers) as response:
                return Answer(response.status, await response.read(), retried)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None
