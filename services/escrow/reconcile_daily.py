"""The daily look over four days: what the passes in between may have missed, and what Stripe lists no longer.

Stripe may add to its list late, and its figures may change for some days. A pass reads an hour back; once a day this reads
four days, compares every figure, takes in what was missed, and asks the other way round whether everything that is
mirrored here is still listed there. At the start of the service it may be due at once. It cannot see what is older.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from services.escrow.calls.client import StripeCalls
from services.escrow.domain.psp import MovementFacts, movement_facts
from services.escrow.domain.reconciliation import OVERLAP
from services.escrow.reconcile_watch import Host, Watch
from services.escrow.store import mirror

LOOK_EVERY = timedelta(days=1)
LOOK_BACK = timedelta(days=4)
DAILY_PAGES_MAX = 1_000
READ_UNTIL = "daily"


class DailyLook:
    """The part of the loop that looks further back."""

    def __init__(self, stripe: StripeCalls, watch: Watch) -> None:
        self.stripe = stripe
        self.watch = watch

    async def look(self, host: Host, *, now: datetime) -> int:
        """Look when it is due (stack time); returns how many balance transactions had been missed."""
        moment = int(now.timestamp())
        if moment - await mirror.read_until(host.engine, READ_UNTIL) < LOOK_EVERY.total_seconds():
            return 0
        since = moment - int(LOOK_BACK.total_seconds())
        listed: set[str] = set()
        missed: list[tuple[MovementFacts, str | None]] = []
        pages = self.stripe.pages("/v1/balance_transactions", {"created": {"gte": since}}, pages_max=DAILY_PAGES_MAX)
        async for rows in pages:
            facts = [movement_facts(row) for row in rows]
            known = await mirror.known_movements(host.engine, [each.id for each in facts])
            await self.watch.compare(host, facts, known)
            missed += [(each, None) for each in facts if each.id not in known]
            listed |= {each.id for each in facts}
        if missed:
            async with host.engine.begin() as connection:
                await mirror.mirror(connection, missed)
        # What is newer than an hour may have come while the pages were read.
        await self._no_longer_listed(host, since, moment - int(OVERLAP.total_seconds()), listed)
        await mirror.set_read_until(host.engine, READ_UNTIL, moment)
        return len(missed)

    async def _no_longer_listed(self, host: Host, since: int, until: int, listed: set[str]) -> None:
        for row in await mirror.mirrored_between(host.engine, since, until):
            if row.bt_id not in listed:
                await self.watch.mismatch(
                    host, row.bt_id, why="a balance transaction is no longer listed", net_minor=row.net
                )
