"""What reconciliation watches: cover, overdue objects, changed figures, Stripe's balance, and events nobody delivered.

Each finding is a case with a name; a blocking one holds new collections and plans, never refunds. A case closes itself
when its cause is gone. It cannot say why figures differ; the case names the figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.envelope import PLATFORM_SCOPE
from services.escrow.calls.client import StripeCalls
from services.escrow.domain.psp import MovementFacts, metadata_id
from services.escrow.domain.reconciliation import OVERLAP, cover_minor, is_overdue
from services.escrow.domain.refunds import REFUND_SENT_WITHIN
from services.escrow.store import mirror
from services.escrow.store.checkpoints import see_balance
from services.escrow.store.objects import oldest_clearing
from services.escrow.store.unfinished import unfinished_objects
from services.escrow.usecases.receive_psp_event import EVENT_TYPES, event_object
from services.escrow.usecases.reconcile_objects import receive_missed
from services.kit.clock import wall_now
from services.kit.work import Work

COVER_BROKEN, CLEARING_OVERDUE, PSP_MISMATCH, REFUNDS_OVERDUE = (
    "cover_broken",
    "clearing_overdue",
    "psp_mismatch",
    "refunds_overdue",
)
HOLD_COLLECTIONS = (COVER_BROKEN, REFUNDS_OVERDUE)
"""Findings about the platform as a whole: while one stands, nobody's card is charged."""
BALANCE_SUBJECT = "balance"
OVERDUE_LOOKED_AT_MAX = 100
EVENT_PAGES_MAX = 1_000
"""A hundred thousand events since an hour before the last look: a campaign of ten thousand that collects and is refunded within
an hour makes thirty thousand. Beyond the bound a pass ends early, and says so in the log."""
BALANCE_DIFFERS_MAX = 2
"""Passes in sequence, without anything new, that must see the same difference before it is a finding."""


class Host(Protocol):
    """What the loop needs of its process: the database, and transactions over scopes."""

    engine: AsyncEngine

    def transaction(self, scopes: Iterable[str] = ...) -> AbstractAsyncContextManager[Work]:
        """A Work over these scopes, with a cause in hand."""


class Watch:
    """The watching part of the loop."""

    def __init__(self, stripe: StripeCalls) -> None:
        self.stripe = stripe
        self._balance_differed = 0
        self.collections_held = False
        """Whether the last look found a reason to hold all collections; then the next look comes at once."""

    async def balance(self, host: Host) -> int:
        """Stripe's own sum, available and pending, minor units; remembered for the next platform checkpoint."""
        body = await self.stripe.read("/v1/balance") or {}
        currency = self.stripe.settings.float_currency
        parts = [*body.get("available", ()), *body.get("pending", ())]
        total = sum(int(part["amount"]) for part in parts if part["currency"] == currency)
        await see_balance(host.engine, currency, total, wall_now())
        return total

    async def compare(self, host: Host, read: Sequence[MovementFacts], known: Mapping[str, Any]) -> None:
        """A mirrored balance transaction whose figures have changed is a case."""
        for facts in read:
            row = known.get(facts.id)
            if row is None:
                continue
            figures = (facts.amount_minor, facts.fee_minor, facts.net_minor, facts.currency)
            if figures != (row.amount, row.fee, row.net, row.currency):
                await self.mismatch(
                    host, facts.id, why="a balance transaction changed", net_minor=facts.net_minor, was=row.net
                )

    async def foreign(self, host: Host, movements: Sequence[MovementFacts]) -> None:
        """A balance transaction in another currency than the books' is a case; nothing of it is posted."""
        for facts in movements:
            why = "a balance transaction is in another currency"
            await self.mismatch(host, facts.id, why=why, net_minor=facts.net_minor, currency=facts.currency)

    async def mismatch(self, host: Host, bt_id: str, **facts: Any) -> None:
        """Open the case of one balance transaction that does not fit; it holds collections, plans and bank payouts."""
        async with host.transaction([PLATFORM_SCOPE]) as work:
            work.open_case(
                PSP_MISMATCH, scope=PLATFORM_SCOPE, subject=bt_id, severity="critical", blocking=True, facts=facts
            )

    async def look(self, host: Host, *, now: datetime, balance: int | None) -> None:
        """Judge cover, overdue refunds and objects, and the balance. `now` was read before Stripe's lists were; `balance` is
        None when something new came in between."""
        wanted = await self._findings(host, now)
        self.collections_held = any(kind in HOLD_COLLECTIONS for kind, _ in wanted)
        differs = await self._balance_finding(host, balance)
        if differs is not None:
            wanted[PSP_MISMATCH, BALANCE_SUBJECT] = (PLATFORM_SCOPE, differs)
        kinds = (*HOLD_COLLECTIONS, CLEARING_OVERDUE)
        open_now = await mirror.open_case_subjects(host.engine, kinds)
        for (kind, subject), (scope, facts) in wanted.items():
            if (kind, subject) not in open_now:
                async with host.transaction([scope]) as work:
                    work.open_case(kind, scope=scope, subject=subject, severity="critical", blocking=True, facts=facts)
        for (kind, subject), scope in open_now.items():
            if (kind, subject) not in wanted:
                async with host.transaction([scope]) as work:
                    await work.close_case(kind, subject=subject, resolution="gone")

    async def events(self, host: Host) -> None:
        """Read events since the last seen, and apply those that change something."""
        since = max(await mirror.read_until(host.engine, "events") - int(OVERLAP.total_seconds()), 0)
        newest = 0
        pages = self.stripe.pages(
            "/v1/events", {"created": {"gte": since}, "types": list(EVENT_TYPES)}, pages_max=EVENT_PAGES_MAX
        )
        objects: list[Mapping[str, Any]] = []
        async for rows in pages:
            newest = max([newest, *(int(row["created"]) for row in rows)])
            bodies = [event_object(row) for row in rows]
            wanted = await unfinished_objects(host.engine, bodies)
            objects += wanted
        # Oldest first, as they happened.
        for body in reversed(objects):
            campaign_id = metadata_id(body, "campaign_id")
            async with host.transaction([str(campaign_id) if campaign_id else PLATFORM_SCOPE]) as work:
                await receive_missed(work, [body], authoritative=False)
        if newest:
            await mirror.set_read_until(host.engine, "events", newest)

    async def _findings(self, host: Host, now: datetime) -> dict[tuple[str, str], tuple[str, dict[str, Any]]]:
        found: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}
        cover = await mirror.cover(host.engine)
        spare_minor = cover_minor(held_minor=cover.held_minor, owed_minor=cover.owed_minor)
        figures = {"held_minor": cover.held_minor, "owed_minor": cover.owed_minor}
        if spare_minor < 0:
            found[COVER_BROKEN, PLATFORM_SCOPE] = (PLATFORM_SCOPE, figures)
        refunds, since_unsent = await mirror.unsent_refunds(host.engine, before=now - REFUND_SENT_WITHIN)
        if since_unsent is not None:
            told = {"refunds": refunds, "since": since_unsent.isoformat()}
            found[REFUNDS_OVERDUE, PLATFORM_SCOPE] = (PLATFORM_SCOPE, told)
        async with host.engine.connect() as connection:
            oldest = await oldest_clearing(connection, rows_max=OVERDUE_LOOKED_AT_MAX)
        for object_id, scope, balance_minor, since in oldest:
            if is_overdue(object_id, since=since, now=now):
                found[CLEARING_OVERDUE, object_id] = (
                    scope,
                    {"balance_minor": balance_minor, "since": since.isoformat()},
                )
        return found

    async def _balance_finding(self, host: Host, balance: int | None) -> dict[str, Any] | None:
        if balance is None:
            return None
        mirrored = await mirror.mirrored_total(host.engine)
        if mirrored == balance:
            self._balance_differed = 0
            return None
        self._balance_differed += 1
        if self._balance_differed < BALANCE_DIFFERS_MAX:
            return None
        return {"why": "Stripe's balance differs from its own list", "balance_minor": balance, "listed_minor": mirrored}
