"""The reconciliation loop: Stripe's books against ours, both ways, until every object has both its sides.

Every few seconds while something is unsettled, at once after the simulated clock moved, and once a minute in full. Calls
are made outside transactions; what they brought is applied in one transaction per group of scopes. One process at a time
does it (an advisory lock); a second one would do no harm, only double work. It cannot see money that Stripe does not
list.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from uuid import uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.envelope import EVENT_NAMESPACE, PLATFORM_SCOPE
from services.escrow.calls.client import StripeCalls, StripeUnavailableError
from services.escrow.domain.psp import MovementFacts, metadata_id, movement_facts
from services.escrow.domain.reconciliation import OVERLAP, UNEXPLAINED_AFTER, movement_class
from services.escrow.reconcile_daily import DailyLook
from services.escrow.reconcile_disputes import DisputeWatch
from services.escrow.reconcile_float import FloatWatch
from services.escrow.reconcile_watch import Host, Watch
from services.escrow.store import mirror
from services.escrow.store.objects import objects_by_id
from services.escrow.store.plans import waiting_plans
from services.escrow.usecases.explain_suspense import explain_suspense
from services.escrow.usecases.reconcile_objects import adopt, receive_missed, resume_plan
from services.escrow.usecases.settle_movements import settle_movements, settle_of_account, sweep
from services.escrow.usecases.top_up_float import record_top_up
from services.kit import telemetry
from services.kit.clock import monotonic_seconds
from services.kit.runtime import Runtime

FULL_PASS_SECONDS = 60.0
FIRST_TOP_UP_LOOKS_MAX = 50
FIRST_TOP_UP_LOOK_SECONDS = 0.2
PAGES_MAX = 100
WINDOW_HALVINGS_MAX = 24
MOVEMENTS_PER_TRANSACTION_MAX = 400
SCOPES_PER_TRANSACTION_MAX = 100
OBJECTS_READ_MAX = 50
PLANS_RESUMED_MAX = 50
FIRST_TOP_UP = uuid5(EVENT_NAMESPACE, "escrow:first-top-up")
ADVISORY_LOCK = 0x616C706D

OBJECT_PATHS = {
    "ch": "/v1/charges/",
    "py": "/v1/charges/",
    "pi": "/v1/payment_intents/",
    "re": "/v1/refunds/",
    "pyr": "/v1/refunds/",
    "tr": "/v1/transfers/",
    "tu": "/v1/topups/",
    "du": "/v1/disputes/",
    "dp": "/v1/disputes/",
}
"""Where an object is read by the prefix of its id."""

log = telemetry.logger("escrow.reconciler")


class Reconciler:
    """The loop's memory: when the last full pass was, and what waits to be explained since when."""

    def __init__(self, stripe: StripeCalls) -> None:
        self.stripe = stripe
        self.watch = Watch(stripe)
        self.disputes = DisputeWatch(stripe)
        self.float = FloatWatch(stripe)
        self.daily = DailyLook(stripe, self.watch)
        self._full_at = float("-inf")
        self._clock_version = -1
        self._seen_at: dict[str, float] = {}

    async def run(self, runtime: Runtime) -> None:
        """Reconcile until told to stop."""
        pause_seconds = self.stripe.settings.reconcile_seconds
        await self.first_top_up(runtime)
        await self._top_up_made(runtime)
        while not runtime.stopping.is_set():
            try:
                await self.step(runtime)
            except StripeUnavailableError as error:
                log.warning("escrow.reconcile.unavailable", error=str(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(runtime.stopping.wait(), timeout=pause_seconds)

    async def first_top_up(self, host: Host) -> None:
        """With the stand-in, and only there, the float is made at the first start."""
        settings = self.stripe.settings
        if settings.profile == "production" or settings.stripe_kind != "stand-in" or not settings.float_top_up_minor:
            return
        async with host.transaction([PLATFORM_SCOPE]) as work:
            await record_top_up(work, FIRST_TOP_UP, settings.float_top_up_minor, settings.float_currency)

    async def _top_up_made(self, runtime: Runtime) -> None:
        """Wait a little for the first top-up, so that a fresh stack does not begin with an alarm about its float."""
        for _ in range(FIRST_TOP_UP_LOOKS_MAX):
            if runtime.stopping.is_set() or not await mirror.top_up_is_open(runtime.engine, FIRST_TOP_UP):
                return
            await asyncio.sleep(FIRST_TOP_UP_LOOK_SECONDS)

    async def step(self, host: Host, *, full: bool = False) -> None:
        """One pass, as much of it as is due."""
        due = await mirror.what_waits(host.engine)
        held = self.watch.collections_held or not self.float.admits
        full = full or held or monotonic_seconds() - self._full_at >= FULL_PASS_SECONDS
        moved = due.clock_version != self._clock_version
        if not (full or moved or due.unsettled or due.sweepable or due.unanswered):
            return
        async with self._alone(host.engine) as mine:
            if not mine:
                return
            self._clock_version = due.clock_version
            balance = await self.watch.balance(host) if full else None
            if full or moved:
                await self.disputes.look(host)
            fresh = await self._movements(host, full=full) if full or due.unsettled else 0
            fresh += await self.daily.look(host, now=due.now) if full else 0
            await self._unexplained(host)
            if full:
                await self._suspended(host)
            await self._sweep(host)
            await self.float.look(host, full=full)
            await self._unanswered(host)
            if full:
                await self.watch.events(host)
                await self.watch.look(host, now=due.now, balance=balance if fresh == 0 else None)
                self._full_at = monotonic_seconds()

    async def read_movements(self, host: Host) -> int:
        """Read and settle what Stripe lists, sweeping nothing: a recovery first learns what was swept before."""
        return await self._movements(host, full=True)

    # -- balance transactions -----------------------------------------------------------------------------------

    async def _movements(self, host: Host, *, full: bool) -> int:
        """Read new balance transactions and settle those whose source is known; returns how many were new."""
        fresh = await self._read_fresh(host, full=full)
        settled = 0
        for start in range(0, len(fresh), MOVEMENTS_PER_TRANSACTION_MAX):
            settled += await self._settle(host, fresh[start : start + MOVEMENTS_PER_TRANSACTION_MAX])
        return len(fresh)

    async def _settle(self, host: Host, movements: Sequence[MovementFacts]) -> int:
        foreign = [each for each in movements if not self._is_ours(each)]
        if foreign:
            await self.watch.foreign(host, foreign)
            async with host.engine.begin() as connection:
                await mirror.mirror(connection, [(each, None) for each in foreign])
            movements = [each for each in movements if self._is_ours(each)]
        async with host.engine.connect() as connection:
            known = await objects_by_id(connection, [each.source_id for each in movements if each.source_id])
        owner = {each.id: known.get(each.source_id or "") for each in movements}
        attributed = [(each, found.scope) for each in movements if (found := owner[each.id]) is not None]
        left = [each for each in movements if owner[each.id] is None]
        of_account = [each for each in left if movement_class(each) in ("account_fee", "held", "freed")]
        if attributed:
            async with host.transaction({scope for _, scope in attributed}) as work:
                await settle_movements(work, attributed)
        if of_account:
            async with host.transaction([PLATFORM_SCOPE]) as work:
                await settle_of_account(work, of_account)
        waiting = [(each, None) for each in left if each not in of_account]
        if waiting:
            async with host.engine.begin() as connection:
                await mirror.mirror(connection, waiting)
        return len(attributed)

    def _is_ours(self, movement: MovementFacts) -> bool:
        """Whether it is in the currency of the books. What is not waits for a person: an amount of it means something else."""
        return movement.currency == self.stripe.settings.float_currency

    async def _read_fresh(self, host: Host, *, full: bool) -> list[MovementFacts]:
        """Balance transactions that are not in the ledger yet, oldest first."""
        newest = await mirror.newest_created(host.engine)
        since = max(newest - int(OVERLAP.total_seconds()), 0)
        until: int | None = None
        for _ in range(WINDOW_HALVINGS_MAX):
            try:
                return await self._read_window(host, since, until, stop_at_known=not full)
            except StripeUnavailableError:
                # Perhaps too many pages: a narrower window now, the rest in the next pass.
                now = int((await mirror.what_waits(host.engine)).now.timestamp())
                until = since + max(((until or now) - since) // 2, 1)
                if until - since <= 1:
                    raise
        return []

    async def _read_window(
        self, host: Host, since: int, until: int | None, *, stop_at_known: bool
    ) -> list[MovementFacts]:
        created = {"gte": since} | ({"lt": until} if until is not None else {})
        fresh: list[MovementFacts] = []
        pages = self.stripe.pages("/v1/balance_transactions", {"created": created}, pages_max=PAGES_MAX)
        async for rows in pages:
            facts = [movement_facts(row) for row in rows]
            known = await mirror.known_movements(host.engine, [each.id for each in facts])
            await self.watch.compare(host, facts, known)
            new = [each for each in facts if each.id not in known]
            fresh += new
            if stop_at_known and not new:
                break
        return fresh[::-1]

    async def _unexplained(self, host: Host) -> None:
        """Settle what was waiting for its source; look up what nobody here knows, and put the rest into suspense."""
        found = await mirror.unexplained(host.engine, rows_max=MOVEMENTS_PER_TRANSACTION_MAX)
        waiting = [each for each in found if self._is_ours(each)]
        if not waiting:
            self._seen_at.clear()
            return
        await self._settle(host, waiting)
        now = monotonic_seconds()
        limit = UNEXPLAINED_AFTER.total_seconds()
        old = [each for each in waiting if now - self._seen_at.setdefault(each.id, now) >= limit]
        for movement in old[:OBJECTS_READ_MAX]:
            await self.explain(host, movement)

    async def _suspended(self, host: Host) -> None:
        """Take out of suspense what an object explains that became known since."""
        waiting = await mirror.suspended(host.engine, rows_max=MOVEMENTS_PER_TRANSACTION_MAX)
        async with host.engine.connect() as connection:
            known = await objects_by_id(connection, [str(each.movement.source_id) for each in waiting])
        for each in waiting:
            scope = known[str(each.movement.source_id)].scope
            async with host.transaction({PLATFORM_SCOPE, scope}) as work:
                await explain_suspense(work, each, scope)

    async def explain(self, host: Host, movement: MovementFacts) -> None:
        """Read a movement's source at Stripe and adopt it when it names our records; otherwise it goes to suspense."""
        prefix = (movement.source_id or "").partition("_")[0]
        body = (
            await self.stripe.read(OBJECT_PATHS[prefix] + str(movement.source_id)) if prefix in OBJECT_PATHS else None
        )
        if body is not None and body.get("object") == "charge" and isinstance(body.get("payment_intent"), str):
            body = await self.stripe.read(f"/v1/payment_intents/{body['payment_intent']}")
        if body is not None and body.get("object") == "dispute":
            await self.disputes.apply(host, body)
        async with host.engine.connect() as connection:
            if await objects_by_id(connection, [str(movement.source_id)]):
                return
        campaign_id = metadata_id(body, "campaign_id") if body is not None else None
        scope = str(campaign_id) if campaign_id is not None else PLATFORM_SCOPE
        adopted = False
        if body is not None:
            async with host.transaction([scope]) as work:
                adopted = await adopt(work, body, str(movement.source_id))
        if not adopted:
            async with host.transaction([PLATFORM_SCOPE]) as work:
                await settle_of_account(work, [movement])

    async def _sweep(self, host: Host) -> None:
        swept = False
        while rows := await mirror.sweepable(host.engine):
            scopes = sorted({scope for scope, _ in rows})
            for start in range(0, len(scopes), SCOPES_PER_TRANSACTION_MAX):
                part = set(scopes[start : start + SCOPES_PER_TRANSACTION_MAX])
                async with host.transaction(part) as work:
                    await sweep(work, [movement_id for scope, movement_id in rows if scope in part])
            swept = True
            if len(rows) < mirror.SWEEP_ROWS_MAX:
                break
        if swept:
            await self._resume_plans(host)

    async def _resume_plans(self, host: Host) -> None:
        """Money became available: plans that waited for it look again."""
        async with host.engine.connect() as connection:
            waiting = await waiting_plans(connection, rows_max=PLANS_RESUMED_MAX)
        for plan_id, scope in waiting:
            async with host.transaction([scope]) as work:
                await resume_plan(work, plan_id)

    # -- objects and events -------------------------------------------------------------------------------------

    async def _unanswered(self, host: Host) -> None:
        """Read again what has no final state; a webhook may have been lost."""
        for scope, path in await mirror.unanswered(host.engine, rows_max=OBJECTS_READ_MAX):
            body = await self.stripe.read(path)
            if body is None:
                continue
            async with host.transaction([scope]) as work:
                await receive_missed(work, [body], authoritative=True)

    @asynccontextmanager
    async def _alone(self, engine: AsyncEngine) -> AsyncIterator[bool]:
        """Hold the loop's advisory lock; False when another process has it."""
        async with engine.connect() as plain:
            # Without a transaction, so that a long pass is not an idle transaction.
            connection = await plain.execution_options(isolation_level="AUTOCOMMIT")
            taken = await connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
            mine = bool(taken.scalar_one())
            try:
                yield mine
            finally:
                if mine:
                    await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
