"""Start and stop a gateway's parts: the kit's runtime, the projection, the notices, the waiting requests, the streams.

They start in the sequence in which they need each other and stop in the reverse one. A new generation of the read model
is taken over while requests are served.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

from services.gateway.auth.sessions import NOTIFY_CHANNEL as SESSION_CHANNEL
from services.gateway.auth.sessions import Sessions
from services.gateway.notices import listen
from services.gateway.parts import Gateway
from services.gateway.projecting import Projecting
from services.gateway.replies import subscribe_replies
from services.gateway.settings import GatewaySettings
from services.gateway.site import Site
from services.gateway.store.generations import active_generation
from services.gateway.store.projection import NOTIFY_CHANNEL as READ_CHANNEL
from services.gateway.store.projection import Rows
from services.gateway.store.read_model import ReadModel
from services.gateway.usecases.accept_act import ActWriter
from services.gateway.usecases.ask_proof import Proofs
from services.gateway.usecases.ask_services import Questions
from services.gateway.usecases.campaign_visibility import Visibility
from services.gateway.usecases.check_money import MoneyChecks
from services.gateway.usecases.erase_people import Erasure
from services.gateway.usecases.gather_own_data import OwnData
from services.gateway.usecases.joining_pause import JoiningPause
from services.gateway.usecases.limit_rates import RateLimits
from services.gateway.usecases.read_audit import AuditTrail
from services.gateway.usecases.receive_webhook import WebhookWriter
from services.gateway.usecases.redirects import Redirects
from services.gateway.usecases.stream_progress import Progress
from services.gateway.usecases.sweep_expired import sweep_expired
from services.gateway.usecases.watch_outcomes import Outcomes
from services.kit import telemetry
from services.kit.assertion import load_private
from services.kit.broker import make_broker
from services.kit.database import DATABASE_ERRORS
from services.kit.runtime import Runtime, runtime
from services.kit.service import Service

GENERATION_CHANNEL = "gateway_generation"
GENERATION_POLL_SECONDS = 5.0
STOP_TIMEOUT_SECONDS = 20.0

log = telemetry.logger("gateway.running")


class Generations:
    """Follows the active generation: reads and projection change over together."""

    def __init__(self, running: Runtime, gateway_settings: GatewaySettings, reads: ReadModel) -> None:
        self._running = running
        self._settings = gateway_settings
        self._reads = reads
        self._projecting: Projecting | None = None
        self.on_touched: Any = None
        self.changed = asyncio.Event()

    async def start(self) -> None:
        """Run the projection of the generation that is read now."""
        projecting = Projecting(
            self._running, self._settings, generation=self._reads.generation, on_touched=self._touched
        )
        await projecting.start()
        self._projecting = projecting

    async def stop(self) -> None:
        """Stop the projection."""
        if self._projecting is not None:
            await self._projecting.stop()
            self._projecting = None

    async def consuming(self) -> bool:
        """Whether the projection consumes."""
        return self._projecting is not None and await self._projecting.consuming()

    async def follow(self, stopping: asyncio.Event) -> None:
        """Take over a new generation when there is one, until told to stop."""
        while not stopping.is_set():
            try:
                await asyncio.wait_for(self.changed.wait(), timeout=GENERATION_POLL_SECONDS)
            except TimeoutError:
                log.debug("gateway.generation.poll")
            self.changed.clear()
            try:
                await self._take_over()
            except DATABASE_ERRORS as error:
                log.warning("gateway.generation.unknown", error=type(error).__name__)

    async def _take_over(self) -> None:
        async with self._running.engine.connect() as connection:
            active = await active_generation(connection)
        if active == self._reads.generation:
            return
        log.info("gateway.generation.taken", before=self._reads.generation, after=active)
        await self._reads.switch(active)
        await self.stop()
        await self.start()

    def _touched(self, rows: Rows) -> None:
        if self.on_touched is not None:
            self.on_touched(rows)


@asynccontextmanager
async def running_gateway(settings: GatewaySettings, limits: RateLimits) -> AsyncIterator[Gateway]:
    """A started gateway, stopped on leaving."""
    # The kit's runtime relays and sweeps; the projection's consumer is our own, because its generation can change.
    service = Service(name="gateway", topics=(), poison_policy="stale")
    async with runtime(service, settings) as running:
        async with running.engine.connect() as connection:
            generation = await active_generation(connection)
        reads = ReadModel(
            settings.database_url.get_secret_value(), generation=generation, pool_size=settings.database_pool_size
        )
        generations = Generations(running, settings, reads)
        gateway = _assemble(running, settings, reads, generations, limits)
        replies = make_broker(settings, client_id=f"gateway-replies-{settings.instance}")
        subscribe_replies(replies, gateway.redirects, gateway.questions.take, settings)
        await generations.start()
        await replies.start()
        background = _background(gateway, settings, generations, running.stopping)
        try:
            yield gateway
        finally:
            gateway.progress.stop()
            await gateway.acts.drain()
            await gateway.webhooks.drain()
            running.stopping.set()
            await replies.stop()
            await generations.stop()
            await _settle(background)
            await reads.close()


def _assemble(
    running: Runtime, settings: GatewaySettings, reads: ReadModel, generations: Generations, limits: RateLimits
) -> Gateway:
    limits.use(running.engine)
    key = load_private(settings.private_key_pem())
    redirects = Redirects()
    outcomes = Outcomes(reads, redirects, waiting_max=settings.waiting_requests_max)
    progress = Progress(reads, streams_max=settings.progress_streams_max)

    def touched(rows: Rows) -> None:
        outcomes.committed(rows)
        progress.committed(rows)

    generations.on_touched = touched

    async def ready() -> dict[str, Any]:
        checks = await running.ready()
        parts_ready = bool(checks.pop("ready"))
        # The kit's runtime has no consumer here; the projection's is asked itself.
        checks["consumer"] = await generations.consuming()
        return {"ready": parts_ready and checks["consumer"], "checks": checks}

    sessions = Sessions(running.engine, cache_seconds=settings.session_cache_seconds)
    questions = Questions()
    return Gateway(
        settings=settings,
        engine=running.engine,
        reads=reads,
        sessions=sessions,
        acts=ActWriter(running.direct, key, kick=running.kick_relay),
        webhooks=WebhookWriter(running.direct, key, kick=running.kick_relay),
        outcomes=outcomes,
        redirects=redirects,
        progress=progress,
        questions=questions,
        audit_trail=AuditTrail(running.engine, key, questions, kick=running.kick_relay),
        own_data=OwnData(running.engine, reads, key, settings, questions, kick=running.kick_relay),
        erasure=Erasure(
            running.engine, reads, sessions, rest_seconds=settings.erasure_rest_seconds, kick=running.kick_relay
        ),
        proofs=Proofs(running.engine, reads, key, questions, kick=running.kick_relay),
        visibility=Visibility(reads),
        joining_pause=JoiningPause(reads),
        money_checks=MoneyChecks(reads),
        site=Site(settings),
        limits=limits,
        kick_relay=running.kick_relay,
        ready=ready,
        signing_key=key,
    )


def _background(
    gateway: Gateway, settings: GatewaySettings, generations: Generations, stopping: asyncio.Event
) -> list[asyncio.Task[None]]:
    def committed(instance: str) -> None:
        if instance != settings.instance:
            gateway.outcomes.committed_elsewhere()
            gateway.progress.committed_elsewhere()

    def connected() -> None:
        gateway.sessions.forget_all()
        gateway.outcomes.committed_elsewhere()
        gateway.progress.committed_elsewhere()
        generations.changed.set()

    handlers = {
        READ_CHANNEL: committed,
        SESSION_CHANNEL: lambda hashed: gateway.sessions.forget(bytes.fromhex(hashed)),
        GENERATION_CHANNEL: lambda _: generations.changed.set(),
    }
    url = settings.database_url.get_secret_value()
    loops: tuple[Awaitable[None], ...] = (
        listen(url, handlers, on_connected=connected, stopping=stopping),
        gateway.outcomes.run(stopping),
        gateway.progress.run(stopping),
        generations.follow(stopping),
        gateway.limits.run(stopping),
        gateway.erasure.run(stopping),
        sweep_expired(gateway.engine, stopping),
    )
    return [asyncio.create_task(_loop(loop)) for loop in loops]


async def _loop(loop: Awaitable[None]) -> None:
    await loop


async def _settle(tasks: list[asyncio.Task[None]]) -> None:
    """End the loops; each looks at its stop sign within its own tick."""
    _, late = await asyncio.wait(tasks, timeout=0.2)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
