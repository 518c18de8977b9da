"""What a kill-point test needs to know of a service: how to prepare it, what to send, what one effect of it looks like."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

from tests.faults.nursery import Nursery
from tests.faults.rig import Rig
from tests.fixtures.infra import PARTS

HANDLER_POINTS = {
    "K1": "before_batch",
    "K6": "before_inbox",
    "K2": "before_commit",
    "K3": "after_commit",
    "K4": "relay.read",
    "K5": "relay.sent",
    "K7": "before_offset",
    "K8": "after_offset",
}
"""Kill point → failpoint of the kit: before the transaction; fetched, the inbox not written; in the transaction before
its commit; committed, not yet relayed; the relay read the row, not sent; sent, not marked; handled, the offset not
committed; the offset committed."""


class Scenario(ABC):
    """One handler of one service. `number` says which of several alike campaigns a message is about."""

    service = ""
    group: str | None = None
    beside: tuple[str, ...] = ()

    def __init__(self, folder: Path, nursery: Nursery) -> None:
        self.folder = folder
        self.nursery = nursery
        self.rig: Rig

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Rig]:
        """The rig of this scenario, on a database of its own, with the service started."""
        database = await PARTS.database(self.service)
        rig = Rig(
            self.service,
            nursery=self.nursery,
            database=database,
            folder=self.folder,
            environment=await self.environment(),
            group=self.group,
            beside=self.beside,
        )
        async with rig:
            self.rig = rig
            await rig.start()
            yield rig

    async def environment(self) -> Mapping[str, str]:
        """What the service needs beside the kit's settings."""
        return {}

    @abstractmethod
    async def prepare(self, count: int) -> None:
        """Bring the service to where each of `count` campaigns awaits its message."""

    @abstractmethod
    async def send(self, number: int) -> UUID:
        """Send the message; returns its id."""

    async def settled(self) -> None:  # noqa: B027 - doing nothing is right for most
        """Wait for what the service does by itself, beside its messages; most do nothing."""

    @abstractmethod
    async def assert_one_effect(self, number: int, message_id: UUID) -> None:
        """The message had exactly one effect."""
