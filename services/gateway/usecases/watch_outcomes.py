"""Let requests wait for the outcome of their acts, woken by the commit of the read model.

Each commit tells which commitments, commands and plans it touched; the waiting requests among them are resolved by one
query for all. Other gateways' commits come as one notice per batch; a slow tick covers a notice that was lost. The
number of waiting requests is bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from uuid import UUID

from contracts.errors import Rejected
from services.gateway.domain import outcome as decide
from services.gateway.domain.operation import RUNNING, Operation, Outcome
from services.gateway.store.projection import Rows
from services.gateway.store.read_commitments import commitments_by_id
from services.gateway.store.read_model import ReadModel
from services.gateway.store.read_outcomes import command_outcomes, plan_transfers, top_ups
from services.gateway.usecases.redirects import Redirects
from services.kit import telemetry
from services.kit.database import is_transient

TICK_SECONDS = 1.0
GATHER_SECONDS = 0.05
GATHER_WAITING_MIN = 8
"""With so many requests waiting, what a moment's commits touched is resolved together."""
PAYMENTS = frozenset({"commit_funds", "pay_commitment"})

log = telemetry.logger("gateway.outcomes")


class Outcomes:
    """Resolves operations, now or when the read model shows their end."""

    def __init__(self, reads: ReadModel, redirects: Redirects, *, waiting_max: int) -> None:
        self._reads = reads
        self._redirects = redirects
        self._waiting_max = waiting_max
        self._waiting: dict[UUID, tuple[Operation, set[asyncio.Future[Outcome]]]] = {}
        self._watched: dict[UUID, set[UUID]] = {}
        self._count = 0
        self._dirty: set[UUID] = set()
        self._wake = asyncio.Event()
        redirects.on_arrival = self._touch

    def admit(self) -> None:
        """Raises Rejected(too_many_waiting) when no further request may wait."""
        if self._count >= self._waiting_max:
            raise Rejected("too_many_waiting")

    async def wait(self, operation: Operation, *, seconds: float, fresh: bool) -> Outcome:
        """The outcome, waited for at most `seconds`. A fresh operation is not looked up before something happens."""
        if seconds <= 0:
            # Of an act that was stored a moment ago nothing can be shown yet.
            return RUNNING if fresh else await self.now(operation)
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._register(operation, future)
        if not fresh:
            self._touch([operation.id])
        try:
            return await asyncio.wait_for(asyncio.shield(future), timeout=seconds)
        except TimeoutError:
            return await self.now(operation)
        finally:
            self._forget(operation, future)

    async def now(self, operation: Operation) -> Outcome:
        """The outcome as it stands."""
        return (await self.resolve([operation]))[operation.id]

    def committed(self, rows: Rows) -> None:
        """A batch was committed to the read model by this process."""
        self._touch(rows.touched_commitments)
        self._touch(rows.touched_commands)
        self._touch(rows.touched_other)

    def committed_elsewhere(self) -> None:
        """Another gateway committed a batch: any waiting request may be concerned."""
        self._dirty.update(self._waiting)
        self._wake.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Resolve what was touched, until told to stop."""
        while not stopping.is_set():
            try:
                await asyncio.wait_for(self._wake.wait(), timeout=TICK_SECONDS)
            except TimeoutError:
                self._dirty.update(self._waiting)
            if self._count >= GATHER_WAITING_MIN:
                await asyncio.sleep(GATHER_SECONDS)
            self._wake.clear()
            dirty, self._dirty = self._dirty, set()
            try:
                await self._settle([self._waiting[identity][0] for identity in dirty if identity in self._waiting])
            except Exception as error:
                if not is_transient(error):
                    log.error("gateway.outcomes.failed", error=f"{type(error).__name__}: {error}"[:300])
                # What could not be read is looked at again with the next tick.
                await asyncio.sleep(TICK_SECONDS)

    async def resolve(self, operations: Sequence[Operation]) -> dict[UUID, Outcome]:
        """The present outcomes of many operations, by one query per kind of row."""
        refusals = await command_outcomes(self._reads, [c for each in operations for c in each.command_ids])
        payments = [each.resource_id for each in operations if each.kind in PAYMENTS]
        commitments = await commitments_by_id(self._reads, payments) if payments else {}
        retried = [each.resource_id for each in operations if each.kind == "retry_plan_transfer"]
        plans = await plan_transfers(self._reads, retried) if retried else {}
        topped = [each.resource_id for each in operations if each.kind == "top_up_float"]
        tops = await top_ups(self._reads, topped) if topped else {}
        outcomes: dict[UUID, Outcome] = {}
        for each in operations:
            told = [refusals[command] for command in each.command_ids if command in refusals]
            if each.kind in PAYMENTS:
                url = self._redirects.url_of(each.resource_id)
                outcomes[each.id] = decide.of_payment(each, commitments.get(each.resource_id), told, url)
            elif each.kind == "retry_plan_transfer":
                outcomes[each.id] = decide.of_transfer_retry(each, plans.get(each.resource_id), told)
            elif each.kind == "top_up_float":
                outcomes[each.id] = decide.of_row(tops.get(each.resource_id), told)
            else:
                outcomes[each.id] = decide.from_commands(told)
        return outcomes

    async def _settle(self, operations: Sequence[Operation]) -> None:
        if not operations:
            return
        for identity, found in (await self.resolve(operations)).items():
            if found.state == RUNNING.state:
                continue
            _, futures = self._waiting.get(identity, (None, set()))
            for future in futures:
                if not future.done():
                    future.set_result(found)

    def _touch(self, identities: Iterable[UUID]) -> None:
        if not self._watched:
            return
        for identity in identities:
            concerned = self._watched.get(identity)
            if concerned:
                self._dirty |= concerned
                self._wake.set()

    def _register(self, operation: Operation, future: asyncio.Future[Outcome]) -> None:
        self._count += 1
        _, futures = self._waiting.setdefault(operation.id, (operation, set()))
        futures.add(future)
        for watched in operation.watched_ids:
            self._watched.setdefault(watched, set()).add(operation.id)

    def _forget(self, operation: Operation, future: asyncio.Future[Outcome]) -> None:
        self._count -= 1
        _, futures = self._waiting[operation.id]
        futures.discard(future)
        if futures:
            return
        del self._waiting[operation.id]
        for watched in operation.watched_ids:
            concerned = self._watched.get(watched)
            if concerned is not None:
                concerned.discard(operation.id)
                if not concerned:
                    del self._watched[watched]
