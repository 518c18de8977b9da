"""The replay itself: prepare, send slot after slot, walk on until every campaign is settled, report.

Owns the time. The file's dates are shifted by a constant so that its first slot begins with the stack's next full hour.
Time is walked to the beginning of each slot; what is due inside a walk acts in grains of one hour. While demand flows
the desk is visited once per simulated day; afterwards, when nothing but deadlines is due, grains are six hours long and
the desk is visited after each day. Nothing is stored: a replay that was stopped asks the platform what it knows, takes
the shift from its first campaign, and goes on. When the stack's time is past a slot already, its lines are sent now.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from deploy.clock.walk import StackClock
from deploy.local.addresses import StackAddresses
from deploy.quiet import NotQuietError
from deploy.replay.acting import Acts
from deploy.replay.client import Client
from deploy.replay.desk import Desk
from deploy.replay.errors import ReplayError
from deploy.replay.joining import Joining
from deploy.replay.opening import Campaign, Opening
from deploy.replay.own_money import top_up
from deploy.replay.people import People
from deploy.replay.products import Product, make_products
from deploy.replay.reading import Demand, read_demand
from deploy.replay.report import make_report
from deploy.replay.slots import Slot, cut, shift_between

SLOT_GRAIN_SECONDS = 3_600
SETTLING_GRAIN_SECONDS = 6 * 3_600
DESK_EVERY = timedelta(days=1)
SETTLING_DAYS_MAX = 90
"""Joining, acceptance and inspection take four weeks together; more than three months is a fault."""
QUIET_TIMEOUT_SECONDS = 600


class Progress(Protocol):
    """Who is told how far the replay is."""

    def begin(self, phase: str, total: int) -> None:
        """A phase with so many steps begins."""

    def step(self, count: int = 1) -> None:
        """So many steps were done."""

    def at(self, moment: datetime) -> None:
        """The simulated time is here now."""


@dataclass(slots=True)
class Replay:
    """One replay of one file on one stack."""

    path: Path
    addresses: StackAddresses
    progress: Progress
    limit: int | None = None

    async def run(self) -> dict[str, Any]:
        """Replay the file and return the report. Raises ReplayError."""
        began = time.monotonic()
        demand = read_demand(self.path, limit=self.limit)
        skipped = demand.skipped.copy()
        products = make_products(demand.lines, skipped)
        slots = cut(products)
        async with (
            Client(self.addresses) as client,
            StackClock(self.addresses, quiet_timeout_seconds=QUIET_TIMEOUT_SECONDS) as clock,
        ):
            try:
                run = await self._prepare(client, clock, demand, products, slots)
                await run.demand()
                await run.settle()
                now = await clock.now()
            except NotQuietError as error:
                raise ReplayError(f"{error}; start the replay again to go on.") from error
        return make_report(
            files=list(run.desk.files.values()),
            book=run.joining.book,
            skipped=skipped,
            lines_read=demand.lines_read,
            simulated=(run.begins_at, now),
            seconds=time.monotonic() - began,
        )

    async def _prepare(  # noqa: PLR0917 - what was opened and read above
        self, client: Client, clock: StackClock, demand: Demand, products: list[Product], slots: list[Slot]
    ) -> _Run:
        """Sign in, put the float beside the file's payments, make the accounts, settle the shift, and draft every campaign."""
        # A walk that was broken off left the writes paused; a walk to the present takes the pause away.
        await clock.advance_to(await clock.now())
        people = People(client)
        acts = Acts(client, demand.digest)
        await people.sign_in_staff()
        await people.register_supplier(acts)
        await top_up(acts, people, products)
        await people.make_participants(
            line.participant for slot in slots for some in slot.lines.values() for line in some
        )
        opening = Opening(acts, people)
        shift, known = timedelta(), False
        campaigns: dict[str, Campaign] = {}
        if slots:
            earlier = await opening.shift_of(products[0])
            known = earlier is not None
            shift = earlier if earlier is not None else shift_between(slots[0].begins_at, await clock.now())
            self.progress.begin("drafting campaigns", len(products))
            campaigns = await opening.draft(products, shift, self.progress.step)
        joining = Joining(acts, people, opening, campaigns, looking=known)
        return _Run(
            clock=clock,
            slots=slots,
            shift=shift,
            begins_at=slots[0].begins_at + shift if slots else await clock.now(),
            joining=joining,
            desk=Desk(acts, people, campaigns, lambda code: joining.book.made[code]),
            progress=self.progress,
        )


@dataclass(slots=True)
class _Run:
    """A replay that is prepared."""

    clock: StackClock
    slots: list[Slot]
    shift: timedelta
    begins_at: datetime
    joining: Joining
    desk: Desk
    progress: Progress

    async def demand(self) -> None:
        """Send every slot at its time."""
        self.progress.begin("demand", sum(slot.line_count for slot in self.slots))
        desk_due = self.begins_at + DESK_EVERY
        for slot in self.slots:
            moment = slot.begins_at + self.shift
            await self._walk(moment, grain_seconds=SLOT_GRAIN_SECONDS)
            self.progress.at(moment)
            await self.joining.send(slot, self.progress.step)
            if moment >= desk_due and not self.joining.looking:
                await self.desk.round(await self.clock.now())
                desk_due = moment + DESK_EVERY

    async def settle(self) -> None:
        """Walk on until every campaign is at its end and owes nobody anything."""
        self.progress.begin("settling campaigns", len(self.desk.files))
        settled = 0
        for _ in range(SETTLING_DAYS_MAX):
            await self.clock.probe.wait(QUIET_TIMEOUT_SECONDS)
            await self.desk.round(await self.clock.now())
            left = len(self.desk.unsettled)
            self.progress.step(len(self.desk.files) - left - settled)
            settled = len(self.desk.files) - left
            if not left:
                break
            now = await self.clock.now()
            self.progress.at(now)
            await self._walk(now + DESK_EVERY, grain_seconds=SETTLING_GRAIN_SECONDS)
        await self.clock.probe.wait(QUIET_TIMEOUT_SECONDS)
        await self.desk.read_money()

    async def _walk(self, moment: datetime, *, grain_seconds: int) -> None:
        if await self.clock.now() < moment:
            await self.clock.advance_to(moment, grain_seconds=grain_seconds)


async def replay(
    path: Path, addresses: StackAddresses, progress: Progress, *, limit: int | None = None
) -> dict[str, Any]:
    """Replay a file on a running stack and return the report. Raises ReplayError."""
    return await Replay(path, addresses, progress, limit).run()
