"""A running service: consumer, relay, deadlines, executor, sweeper, sealer and the service's own loops, supervised.

`runtime(service, settings)` starts and stops all of it; `run(service, settings)` is the whole process of a service that
serves no HTTP beyond its health address. A loop that fails is started again with a bounded delay and said in the log.
"""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

import contracts.catalogue  # noqa: F401 - fills the registry of messages
from contracts.envelope import PLATFORM_SCOPE, SYSTEM, Envelope
from services.kit import telemetry
from services.kit.assertion import make_verifier
from services.kit.audit_seal import Sealer
from services.kit.batch import BatchHandler
from services.kit.broker import check_cluster, make_broker, subscribe
from services.kit.database import create_engine, retry_delay_seconds, sql
from services.kit.deadlines import Deadlines
from services.kit.flush import NOTIFY_CHANNEL
from services.kit.health import serve_health
from services.kit.intents import Executor
from services.kit.listener import CLOCK_CHANNEL, Listener
from services.kit.relay import Relay
from services.kit.revisions import head_revision
from services.kit.service import Service
from services.kit.settings import KitSettings
from services.kit.statements import Direct
from services.kit.sweeper import Sweeper
from services.kit.transaction import work_on
from services.kit.work import Work

STOP_TIMEOUT_SECONDS = 20.0
GC_ALLOCATIONS = 20_000

log = telemetry.logger("kit.runtime")

Loop = Callable[[asyncio.Event], Awaitable[None]]


class Runtime:
    """The parts of one running service."""

    def __init__(self, service: Service, settings: KitSettings, engine: AsyncEngine) -> None:
        self.service = service
        self.settings = settings
        self.engine = engine
        self.direct = Direct(
            settings.database_url.get_secret_value(),
            size=settings.database_pool_size,
            application_name=f"{service.name}-direct",
        )
        self.stopping = asyncio.Event()
        self.relay = Relay(
            service=service.name,
            direct=self.direct,
            bootstrap=settings.kafka,
            instance=settings.instance,
            prefix=settings.kafka_prefix,
            publishes_events=service.name != "gateway",
        )
        self.executor = Executor(
            service,
            engine,
            instance=settings.instance,
            after_commit=self.kick_relay,
            conclude_after_seconds=getattr(settings, "conclude_after_seconds", 300),
        )
        self.deadlines = Deadlines(service, engine, after_commit=self.kick_all)
        self.handler = self.make_handler(service)
        self.broker = make_broker(settings, client_id=f"{service.name}-{settings.instance}")
        self._tasks: list[asyncio.Task[None]] = []

    def make_handler(self, service: Service) -> BatchHandler:
        """A batch handler on this runtime's engine (another one serves a projection's new generation)."""
        return BatchHandler(
            service,
            self.engine,
            verifier=make_verifier(self.settings.public_key_pem()),
            after_commit=self.kick_all,
            stopping=self.stopping,
        )

    def kick_relay(self) -> None:
        """Something was committed that may have to be sent."""
        self.relay.kick()

    def kick_all(self) -> None:
        """Something was committed that may have to be sent or called."""
        self.relay.kick()
        self.executor.kick()

    @asynccontextmanager
    async def transaction(self, scopes: Iterable[str] = (PLATFORM_SCOPE,)) -> AsyncIterator[Work]:
        """A Work over these scopes for a loop of the service, with a fresh system cause in hand."""
        named = list(scopes)
        async with work_on(self.engine, self.service, named) as work:
            work.for_cause(
                Envelope(
                    id=uuid4(),
                    type=f"{self.service.name}.loop",
                    source=self.service.name,
                    time=work.now,
                    key=named[0] if named else PLATFORM_SCOPE,
                    actor=SYSTEM,
                )
            )
            yield work
        self.kick_all()

    async def start(self) -> None:
        """Start every part. The consumer comes last, when all else is there to serve it."""
        # What was imported lives as long as the process: looking through it at each collection costs a tenth of the CPU.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GC_ALLOCATIONS, 20, 20)
        await check_cluster(self.settings.kafka, self.settings.kafka_cluster_id)
        url = self.settings.database_url.get_secret_value()
        listener = Listener(url, {NOTIFY_CHANNEL: self.kick_all, CLOCK_CHANNEL: self.deadlines.kick})
        loops: list[tuple[str, Loop]] = [("relay", self.relay.run), ("listener", listener.run)]
        if self.service.on_deadline is not None:
            loops.append(("deadlines", self.deadlines.run))
        if self.service.purposes:
            loops.append(("executor", self.executor.run))
        loops += [("sweeper", Sweeper(self.handler).run), ("sealer", Sealer(self.engine).run)]
        for index, loop in enumerate(self.service.loops):
            loops.append((f"loop-{index}", self._own(loop)))
        for name, run_loop in loops:
            self._tasks.append(asyncio.create_task(self._supervise(name, run_loop)))
        if self.service.topics:
            subscribe(self.broker, self.handler, self.settings, topics=self.service.topics)
        await self.broker.start()

    async def stop(self) -> None:
        """Stop taking messages, let what is in hand finish, send what is committed."""
        self.stopping.set()
        await self.broker.stop()
        self.kick_all()
        _, late = await asyncio.wait(self._tasks, timeout=STOP_TIMEOUT_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        await self.direct.close()

    def _own(self, loop: Callable[[Runtime], Awaitable[None]]) -> Loop:
        async def run_own(stopping: asyncio.Event) -> None:
            await loop(self)

        return run_own

    async def _supervise(self, name: str, run_loop: Loop) -> None:
        failures = 0
        while not self.stopping.is_set():
            try:
                await run_loop(self.stopping)
            except Exception as error:
                failures += 1
                log.error(
                    "kit.loop.failed",
                    service=self.service.name,
                    loop=name,
                    failures=failures,
                    error=f"{type(error).__name__}: {error}"[:500],
                )
                await asyncio.sleep(retry_delay_seconds(min(failures, 10)))
            else:
                return

    async def ready(self) -> dict[str, Any]:
        """Ask what this service depends on: its database at the newest revision, its broker, its loops."""
        checks: dict[str, Any] = {}
        try:
            async with self.engine.connect() as connection:
                at = (await connection.execute(sql("SELECT version_num FROM alembic_version"))).scalar_one()
            checks["database"] = True
            checks["migrations"] = at == head_revision(self.service.name)
        except Exception as error:
            checks["database"] = False
            checks["error"] = type(error).__name__
        checks["broker"] = bool(await self.broker.ping(timeout=2.0))
        checks["consumer"] = all(
            consumer is not None and bool(consumer.assignment())
            for consumer in (getattr(each, "consumer", None) for each in self.broker.subscribers)
        )
        checks["ready"] = all(checks.get(name) for name in ("database", "migrations", "broker", "consumer"))
        return checks


@asynccontextmanager
async def runtime(service: Service, settings: KitSettings) -> AsyncIterator[Runtime]:
    """A started runtime, stopped on leaving."""
    telemetry.configure_logs(service.name)
    telemetry.configure_traces(service.name, settings)
    engine = create_engine(
        settings.database_url.get_secret_value(), pool_size=settings.database_pool_size, application_name=service.name
    )
    running = Runtime(service, settings, engine)
    try:
        await running.start()
        yield running
    finally:
        await running.stop()
        await engine.dispose()
        telemetry.shutdown()


async def _serve(service: Service, settings: KitSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with runtime(service, settings) as running:
        health = asyncio.create_task(serve_health(running, settings.health_port, stop))
        await stop.wait()
        await health


def run(service: Service, settings: KitSettings) -> None:
    """The process of a service: until SIGTERM or SIGINT, then an orderly stop."""
    try:
        import uvloop  # not on every platform

        uvloop.run(_serve(service, settings))
    except ImportError:
        asyncio.run(_serve(service, settings))
