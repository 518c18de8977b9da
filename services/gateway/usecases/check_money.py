"""Compare the sums of money with their entries, at most so often, and remember when.

Adding up every transfer costs as much as there are transfers, so that its result is kept for a moment and everybody who
asks meanwhile gets it with its time. A failed comparison is logged once per look; what to do about it is the audit's.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.gateway.domain.money_checks import Check, checks_of
from services.gateway.store.read_flows import scopes_without_rows, stack_time, sums
from services.gateway.store.read_model import ReadModel
from services.kit import telemetry
from services.kit.clock import monotonic_seconds

CAMPAIGN_KEPT_SECONDS = 1.0
PLATFORM_KEPT_SECONDS = 15.0
REMEMBERED_MAX = 1_000

log = telemetry.logger("gateway.money")


@dataclass(frozen=True, slots=True)
class Checked:
    """Sums per currency with their comparisons, and the stack's time at which they were made."""

    sums: Sequence[Mapping[str, Any]]
    checks: tuple[Check, ...]
    at: datetime

    @property
    def equal(self) -> bool:
        """Whether every comparison holds."""
        return all(check.holds for check in self.checks)


class MoneyChecks:
    """The newest comparison of each scope; one is under way per scope at a time."""

    def __init__(self, reads: ReadModel) -> None:
        self._reads = reads
        self._newest: OrderedDict[str | None, tuple[float, Checked]] = OrderedDict()
        self._under_way: dict[str | None, asyncio.Lock] = {}

    async def of(self, scope: str | None) -> Checked:
        """The comparison of a campaign, or of the whole platform with None."""
        kept_seconds = PLATFORM_KEPT_SECONDS if scope is None else CAMPAIGN_KEPT_SECONDS
        lock = self._under_way.setdefault(scope, asyncio.Lock())
        try:
            async with lock:
                known = self._newest.get(scope)
                if known is not None and monotonic_seconds() - known[0] < kept_seconds:
                    return known[1]
                made = await self._compare(scope)
                self._newest[scope] = (monotonic_seconds(), made)
                self._newest.move_to_end(scope)
                while len(self._newest) > REMEMBERED_MAX:
                    self._newest.popitem(last=False)
                return made
        finally:
            if not lock.locked():
                self._under_way.pop(scope, None)

    async def _compare(self, scope: str | None) -> Checked:
        now = (await stack_time(self._reads))["now"]
        found = await sums(self._reads, scope)
        lost = await scopes_without_rows(self._reads, scope)
        made = Checked(found, checks_of(found, lost_scopes=lost, whole_platform=scope is None), now)
        if not made.equal:
            failed = [check.name for check in made.checks if not check.holds]
            log.error("gateway.money.not_equal", scope=scope or "everything", failed=failed)
        return made
