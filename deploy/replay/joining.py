"""Send one slot's lines: open what opens, commit, withdraw, until each has its outcome.

Owns what must keep its sequence. Lines of different products never wait for each other. Lines of one participant for one
product keep their sequence, since a withdrawal concerns the latest commitment before it. When a product may run full in
this slot, all its lines keep their sequence, so that the last units go to the same people whenever the file is replayed.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from deploy.replay.acting import Acts, Outcome
from deploy.replay.opening import Campaign, Opening
from deploy.replay.people import People
from deploy.replay.reading import Line
from deploy.replay.slots import Slot


@dataclass(slots=True)
class Made:
    """A commitment that the platform made of a line, and the line that withdrew it, if one did."""

    line: Line
    id: UUID
    withdrawal: Line | None = None

    @property
    def withdrawn(self) -> bool:
        """Whether its participant has left."""
        return self.withdrawal is not None


@dataclass(slots=True)
class Pace:
    """How fast this run's commitments were answered with 201. Seconds of the machine."""

    first_at: float | None = None
    last_at: float = 0.0
    answered: int = 0
    within_slots_seconds: float = 0.0
    slot_first_at: float | None = None

    def sent(self) -> None:
        """A commitment is sent."""
        self.slot_first_at = self.slot_first_at or time.monotonic()
        self.first_at = self.first_at or self.slot_first_at

    def made(self) -> None:
        """A commitment was answered with 201."""
        self.answered += 1
        self.last_at = time.monotonic()

    def end_slot(self) -> None:
        """A slot is over: its time counts from its first commitment to its last answer."""
        if self.slot_first_at is not None:
            self.within_slots_seconds += max(0.0, self.last_at - self.slot_first_at)
        self.slot_first_at = None


@dataclass(slots=True)
class Book:
    """What became of the lines, by product, in the lines' sequence."""

    made: dict[str, list[Made]] = field(default_factory=lambda: defaultdict(list))
    refused: Counter[str] = field(default_factory=Counter)
    withdrawals_refused: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    pace: Pace = field(default_factory=Pace)

    def held_units(self, code: str) -> int:
        """The units of a product that are held now, as far as this replay joined them."""
        return sum(each.line.quantity for each in self.made[code] if not each.withdrawn)


class Joining:
    """Sends slots. `looking` is true while the platform may know the acts already, from an earlier run."""

    def __init__(
        self, acts: Acts, people: People, opening: Opening, campaigns: dict[str, Campaign], *, looking: bool
    ) -> None:
        self.book = Book()
        self.looking = looking
        self._acts = acts
        self._people = people
        self._opening = opening
        self._campaigns = campaigns
        self._opened: set[str] = set()
        self._known: dict[UUID, Outcome] = {}

    async def send(self, slot: Slot, done: Callable[[], None]) -> None:
        """Send all lines of a slot; returns when each has its outcome."""
        if self.looking:
            self._known = await self._look(slot)
            self.looking = bool(self._known)
        await asyncio.gather(*(self._send_product(code, lines, done) for code, lines in slot.lines.items()))
        self.book.pace.end_slot()
        for code in slot.lines:
            self.book.made[code].sort(key=lambda made: (made.line.at, made.line.number))
        self._known = {}

    async def _look(self, slot: Slot) -> dict[UUID, Outcome]:
        """What the platform knows of this slot's acts."""
        operations: dict[str, list[UUID]] = defaultdict(list)
        for line in (line for lines in slot.lines.values() for line in lines):
            account = self._people.participants[line.participant]
            operations[line.participant].append(self._acts.operation_id(account, self._key(line)))
        found = await asyncio.gather(
            *(self._acts.known(self._people.participants[name], ids) for name, ids in operations.items())
        )
        return {operation: outcome for some in found for operation, outcome in some.items()}

    async def _send_product(self, code: str, lines: list[Line], done: Callable[[], None]) -> None:
        campaign = self._campaigns[code]
        if code not in self._opened:
            self._opened.add(code)
            await self._opening.open(campaign)
        wanted = sum(line.quantity for line in lines if not line.is_withdrawal)
        if self.book.held_units(code) + wanted >= campaign.product.capacity_units:
            await self._send_chain(campaign, lines, done)
            return
        chains: dict[str, list[Line]] = defaultdict(list)
        for line in lines:
            chains[line.participant].append(line)
        await asyncio.gather(*(self._send_chain(campaign, chain, done) for chain in chains.values()))

    async def _send_chain(self, campaign: Campaign, lines: list[Line], done: Callable[[], None]) -> None:
        for line in lines:
            if line.is_withdrawal:
                await self._withdraw(campaign, line)
            else:
                await self._commit(campaign, line)
            done()

    async def _commit(self, campaign: Campaign, line: Line) -> None:
        account = self._people.participants[line.participant]
        key = self._key(line)
        operation = self._acts.operation_id(account, key)
        outcome = self._known.get(operation)
        if outcome is None:
            path = f"/v1/campaigns/{campaign.id}/commitments"
            async with self._acts.client.places:
                token = await self._acts.client.confirmation_token()
                body = b'{"quantity":%d,"terms_hash":"%b","confirmation_token":"%b"}' % (
                    line.quantity,
                    campaign.terms_hash.encode(),
                    token,
                )
                self.book.pace.sent()
                outcome = await self._acts.send(account, path, body, key=key)
            if outcome.done and outcome.fresh:
                self.book.pace.made()
        if outcome.done:
            self.book.made[campaign.product.code].append(Made(line, self._acts.created_id(account, key)))
        else:
            self.book.refused[outcome.code] += 1

    async def _withdraw(self, campaign: Campaign, line: Line) -> None:
        latest = next(
            (
                made
                for made in reversed(self.book.made[campaign.product.code])
                if made.line.participant == line.participant and not made.withdrawn
            ),
            None,
        )
        if latest is None:
            self.book.skipped["no_earlier_line"] += 1
            return
        if latest.line.quantity != line.quantity:
            self.book.skipped["other_quantity"] += 1
            return
        account = self._people.participants[line.participant]
        key = self._key(line)
        outcome = self._known.get(self._acts.operation_id(account, key))
        if outcome is None:
            outcome = await self._acts.perform(account, f"/v1/commitments/{latest.id}/withdrawal", {}, key=key)
        if outcome.done:
            latest.withdrawal = line
        else:
            self.book.withdrawals_refused[outcome.code] += 1

    def _key(self, line: Line) -> str:
        return self._acts.key(line.number, "withdraw" if line.is_withdrawal else "commit")
