"""Recovery as a whole (protocol: recover a decider): which step follows which, what is done already, what it came to.

Every step can be run again: a stream is taken over in one transaction, gates and inbox skip what was handled, causes are
unique in the ledger, and Stripe is only read. Marks in the database say which steps are done; while there is one the
service does not start. The relay and all calls stay off: neither is ever made here. It cannot bring back what was only in
the lost database: audit records of refusals, and answers to questions. It needs the database owner's address.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

import contracts.catalogue  # noqa: F401 - fills the registry of messages
from services.escrow.handlers import make_service
from services.escrow.recover import inputs, own_topic, stripe_side
from services.escrow.recover.errors import RecoverError
from services.escrow.settings import EscrowSettings
from services.escrow.store import invariants
from services.escrow.store import recovering as store
from services.kit.assertion import make_verifier
from services.kit.broker import check_cluster
from services.kit.database import create_engine, sql

SINCE, ROW, DONE = "since", "row", "done:"
NOT_ASKED = frozenset({"I9"})
"""Cover is watched by reconciliation, which opens its case; a recovery does not fail for it."""


@dataclass
class Recovered:
    """What a recovery came to."""

    since: datetime
    counts: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)


class Recovery:
    """One run. `report` gets a line for each step."""

    def __init__(self, settings: EscrowSettings, engine: AsyncEngine, report: Callable[[str], None]) -> None:
        self.settings = settings
        self.engine = engine
        self.report = report
        self.stripe = stripe_side.read_only(lambda: settings)
        self.service = make_service(self.stripe)
        self.host = stripe_side.RecoveryHost(engine, self.service)
        self.result = Recovered(datetime.fromtimestamp(0, UTC))
        self._marks: dict[str, int] = {}

    async def run(self) -> Recovered:
        """All steps that are not done yet. Raises RecoverError."""
        async with self._alone():
            if await store.service_sessions(self.engine):
                raise RecoverError("recover_service_running", "stop the escrow service first; it uses this database")
            await self._begin()
            await self._step("the own topic", "topic", self._own_topic)
            await self._step("what others sent", "inputs", self._inputs)
            await self._step("what Stripe knows", "stripe", self._lists)
            await self._step("both books compared", "reconcile", self._reconcile)
            await self._step("calls that may have been made", "calls", self._doubt)
            await self._check()
            await store.drop_marks(self.engine)
        return self.result

    async def _begin(self) -> None:
        self._marks = await store.marks(self.engine)
        if SINCE not in self._marks:
            # What the database is from, before anything is added to it.
            newest = await store.newest_told(self.engine)
            await store.set_mark(self.engine, ROW, await store.newest_row(self.engine))
            await store.set_mark(self.engine, SINCE, int(newest.timestamp()))
            self._marks = await store.marks(self.engine)
        self.result.since = datetime.fromtimestamp(self._marks[SINCE], UTC)
        self.report(f"the database is from {self.result.since.isoformat()} (stack time)")

    async def _step(self, words: str, name: str, act: Callable[[], Awaitable[int]]) -> None:
        if DONE + name in self._marks:
            self.report(f"{words}: done before")
            return
        self.report(f"{words} …")
        self.result.counts[name] = await act()
        await store.set_mark(self.engine, DONE + name, 1)
        self.report(f"{words}: {self.result.counts[name]}")

    async def _own_topic(self) -> int:
        settings = self.settings
        own = await own_topic.read_own(self.engine, settings.kafka, prefix=settings.kafka_prefix)
        await self._check_clock(own)
        known = await inputs.read_inputs(settings.kafka, prefix=settings.kafka_prefix)
        await inputs.note_facts(
            self.engine,
            self.service,
            settings.kafka,
            prefix=settings.kafka_prefix,
            causes=own.causes | await self._causes(),
        )
        receipts = await own_topic.look_up_receipts(self.stripe, own)
        await own_topic.take_over(self.engine, self.service, own, known, receipts=receipts, salt_key=self._salt_key())
        return own.count

    async def _check_clock(self, own: own_topic.OwnEvents) -> None:
        newest = max((each.envelope.time for records in own.streams.values() for each in records), default=None)
        if newest is not None and newest > await store.stack_now(self.engine):
            raise RecoverError(
                "recover_clock_behind",
                f"the stack clock of this database stands before {newest.isoformat()}, when its last event was told",
            )

    async def _inputs(self) -> int:
        return await inputs.handle_inputs(
            self.engine,
            self.service,
            self.settings.kafka,
            prefix=self.settings.kafka_prefix,
            causes=await self._causes(),
            verifier=make_verifier(self.settings.public_key_pem()),
        )

    async def _causes(self) -> set[UUID]:
        return await store.causes_after(self.engine, self._marks[ROW])

    async def _lists(self) -> int:
        return await stripe_side.apply_lists(self.host, self.stripe, self.result.since)

    async def _reconcile(self) -> int:
        await stripe_side.reconcile(self.host, self.stripe)
        return 1

    async def _doubt(self) -> int:
        return await store.doubt_intents(self.engine, self.result.since)

    async def _check(self) -> None:
        """The ledger's own invariants; a recovery that broke one is not over."""
        async with self.engine.connect() as connection:
            for name in sorted(invariants.QUERIES.keys() - NOT_ASKED):
                found = await invariants.violations(connection, name)
                self.result.violations += [f"{name}: {row}" for row in found[:5]]
        if self.result.violations:
            raise RecoverError("recover_not_sound", "; ".join(self.result.violations[:5]))
        self.report("the ledger's invariants hold")

    def _salt_key(self) -> bytes | None:
        secret = self.settings.checkpoint_salt_key
        return base64.b64decode(secret.get_secret_value()) if secret is not None else None

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[AsyncConnection]:
        async with self.engine.connect() as plain:
            connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
            taken = await connection.execute(sql("SELECT pg_try_advisory_lock(:key)"), {"key": store.ADVISORY_LOCK})
            if not taken.scalar_one():
                raise RecoverError("recover_running", "another recovery works on this database")
            try:
                yield connection
            finally:
                await connection.execute(sql("SELECT pg_advisory_unlock(:key)"), {"key": store.ADVISORY_LOCK})


async def recover(settings: EscrowSettings, report: Callable[[str], None]) -> Recovered:
    """Bring the database at `settings.database_url` (its owner's) to where topics and Stripe are. Raises RecoverError."""
    await check_cluster(settings.kafka, settings.kafka_cluster_id)
    engine = create_engine(settings.database_url.get_secret_value(), pool_size=4, application_name="escrow-recover")
    recovery = Recovery(settings, engine, report)
    try:
        return await recovery.run()
    finally:
        await recovery.stripe.close()
        await engine.dispose()
