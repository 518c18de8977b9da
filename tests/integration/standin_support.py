"""What the stand-in's tests share: a running stand-in, the official SDK, a webhook receiver.

Owns processes and ports of these tests. Each stand-in is a real process on a free port with its
own directory. It cannot show how the stand-in behaves next to the whole stack; journeys do.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import aiohttp
import stripe
from aiohttp import web

from tests.fixtures.standin_process import standin_process

API_KEY = "sk_test_standin"
WEBHOOK_SECRET = "whsec_standin"
START_SECONDS = 20.0
START_POLL_SECONDS = 0.02
STOP_SECONDS = 15.0
WAIT_SECONDS = 15.0
RETURN_URL = "http://localhost:9/back"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Standin:
    """A stand-in process, its SDK client, and its control addresses."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.data_dir = data_dir
        self.options = options
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: BaseProcess | None = None
        self.http = aiohttp.ClientSession(headers={"Authorization": f"Bearer {API_KEY}"})
        # With a connector of its own the library does not read the list of authorities, which it needs for TLS alone.
        self._sdk_http = stripe.AIOHTTPClient(connector=aiohttp.TCPConnector())
        self.sdk = stripe.StripeClient(
            API_KEY,
            base_addresses={"api": self.url, "files": self.url},
            http_client=self._sdk_http,
            max_network_retries=0,
        ).v1

    async def start(self) -> Standin:
        self.process = standin_process(
            "--port", str(self.port), "--data-dir", str(self.data_dir), "--api-key", API_KEY, *self.options
        )
        await asyncio.to_thread(self.process.start)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.process.is_alive(), "the stand-in ended while starting"
            with contextlib.suppress(aiohttp.ClientError):
                async with self.http.get(f"{self.url}/healthz") as answer:
                    if answer.status == 200:
                        return self
            await asyncio.sleep(START_POLL_SECONDS)
        raise AssertionError("the stand-in did not start in time")

    async def kill(self) -> None:
        """kill -9, as a crash would."""
        assert self.process is not None
        self.process.kill()
        await asyncio.to_thread(self.process.join)

    async def stop(self) -> None:
        if self.process is not None and self.process.is_alive():
            self.process.terminate()
            await asyncio.to_thread(self.process.join, STOP_SECONDS)
            assert not self.process.is_alive(), "the stand-in did not stop in time"
        await self.http.close()
        await self._sdk_http.close_async()

    async def control(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with self.http.request(method, f"{self.url}/_standin/{path}", json=body) as answer:
            if answer.content_type == "application/x-ndjson":
                return answer.status, await answer.text()
            return answer.status, await answer.json()

    async def fault(self, **rule: Any) -> None:
        status, answer = await self.control("POST", "faults", rule)
        assert status == 200, answer

    async def move_clock(self, seconds: float) -> dict[str, Any]:
        _, clock = await self.control("GET", "clock")
        target = clock["offset_seconds"] + seconds
        status, moved = await self.control("POST", "clock", {"offset_seconds": target, "version": clock["version"] + 1})
        assert status == 200, moved
        return dict(moved)

    async def token(self, payment_method: str = "pm_card_visa") -> str:
        made = await self.sdk.test_helpers.confirmation_tokens.create_async({"payment_method": payment_method})
        return made.id

    async def pay(
        self, payment_method: str = "pm_card_visa", *, key: str | None = None, **params: Any
    ) -> stripe.PaymentIntent:
        wanted: Any = {
            "amount": 1200,
            "currency": "usd",
            "confirm": True,
            "return_url": RETURN_URL,
            "confirmation_token": await self.token(payment_method),
            **params,
        }
        options: Any = {"idempotency_key": key} if key else {}
        return await self.sdk.payment_intents.create_async(wanted, options)


@contextlib.asynccontextmanager
async def running(data_dir: Path, *options: str) -> AsyncIterator[Standin]:
    standin = Standin(data_dir, *options)
    try:
        yield await standin.start()
    finally:
        await standin.stop()


@dataclass
class Receiver:
    """A webhook address that keeps what arrives; ``refuse`` answers that many with 500."""

    url: str = ""
    refuse: int = 0
    taken: list[tuple[bytes, str]] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.refuse > 0:
            self.refuse -= 1
            return web.Response(status=500)
        async with self.arrived:
            self.taken.append((body, request.headers["Stripe-Signature"]))
            self.arrived.notify_all()
        return web.Response()

    def events(self) -> list[stripe.Event]:
        return [stripe.Webhook.construct_event(body, header, WEBHOOK_SECRET) for body, header in self.taken]

    async def wait_for(self, event_type: str, count: int = 1) -> list[stripe.Event]:
        def found() -> list[stripe.Event]:
            return [event for event in self.events() if event.type == event_type]

        async with self.arrived:
            await asyncio.wait_for(self.arrived.wait_for(lambda: len(found()) >= count), WAIT_SECONDS)
        return found()


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    application = web.Application()
    application.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    receiver.url = f"http://127.0.0.1:{port}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


async def eventually(question: Any, *, seconds: float = WAIT_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not await question():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.05)
