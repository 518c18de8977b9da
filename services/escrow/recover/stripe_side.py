"""The third step: what Stripe knows beyond this database, read and never written.

Its lists since a day and an hour before the moment that the database is from: payments, refunds, transfers and top-ups
are applied as messages that were missed, money for an ended reservation is owed back, movements are mirrored. Then the
loop that compares both books runs once as ever. At the end every call that may have been made counts as attempted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.envelope import PLATFORM_SCOPE, SYSTEM, Envelope
from services.escrow.calls.client import StripeCalls, StripeUnavailableError
from services.escrow.domain.psp import metadata_id
from services.escrow.reconciler import Reconciler
from services.escrow.recover.errors import RecoverError
from services.escrow.settings import EscrowSettings
from services.escrow.store import recovering, recovering_sweeps
from services.escrow.store.book import book_of
from services.escrow.usecases.reconcile_objects import receive_missed
from services.escrow.usecases.record_plan_step import audit_plan
from services.escrow.usecases.send_plan import intend_call
from services.kit.service import Answer, Service
from services.kit.transaction import work_on
from services.kit.work import Work

LOOK_BACK = timedelta(hours=25)
"""A key is tried again for less than a day, so whatever was under way then began within this."""
PAGES_MAX = 1_000
LISTS = ("/v1/payment_intents", "/v1/refunds", "/v1/transfers", "/v1/topups")


class ReadOnlyCalls(StripeCalls):
    """Stripe with everything but reading refused, so that no mistake of a step can move money."""

    async def send(self, method: str, path: str, params: Mapping[str, Any], *, key: str | None = None) -> Answer:
        """Read. Raises RecoverError for a call that would change something."""
        if method.lower() != "get":
            raise RecoverError("recover_read_only", f"{method} {path} is not for a recovery")
        return await super().send(method, path, params, key=key)


def read_only(settings: Callable[[], EscrowSettings]) -> ReadOnlyCalls:
    """The calls of a recovery."""
    return ReadOnlyCalls(settings)


class RecoveryHost:
    """What the reconciliation loop needs of its process."""

    def __init__(self, engine: AsyncEngine, service: Service) -> None:
        self.engine = engine
        self._service = service

    @asynccontextmanager
    async def transaction(self, scopes: Iterable[str] = (PLATFORM_SCOPE,)) -> AsyncIterator[Work]:
        """A Work over these scopes, with a cause of its own."""
        named = list(scopes)
        async with work_on(self.engine, self._service, named) as work:
            work.for_cause(
                Envelope(
                    id=uuid4(),
                    type="escrow.recover",
                    source="escrow",
                    time=work.now,
                    key=named[0] if named else PLATFORM_SCOPE,
                    actor=SYSTEM,
                )
            )
            yield work


async def apply_lists(host: RecoveryHost, stripe: StripeCalls, since: datetime) -> int:
    """Apply every object of Stripe's lists since the moment; returns how many there were."""
    begin = max(int((since - LOOK_BACK).timestamp()), 0)
    count = 0
    known = {stream.split(":", 1)[1] for stream in await recovering.heads(host.engine)}
    for path in LISTS:
        bodies: list[dict[str, Any]] = []
        try:
            async for rows in stripe.pages(path, {"created": {"gte": begin}}, pages_max=PAGES_MAX):
                bodies += rows
        except StripeUnavailableError as error:
            raise RecoverError("recover_stripe_unavailable", str(error)) from None
        for body in reversed(bodies):
            campaign_id = metadata_id(body, "campaign_id")
            scope = str(campaign_id) if campaign_id else PLATFORM_SCOPE
            if scope not in known:
                continue
            if body.get("object") == "transfer":
                await _was_sent(host, scope, body)
            async with host.transaction([scope]) as work:
                await receive_missed(work, [body], authoritative=True)
            count += 1
    return count


async def _was_sent(host: RecoveryHost, scope: str, body: Mapping[str, Any]) -> None:
    """A transfer of a plan that this database only knows as cleared: it was called in the lost time."""
    plan_id = metadata_id(body, "plan_id")
    if plan_id is None:
        return
    async with host.transaction([scope]) as work:
        plan = await book_of(work).plans.get(plan_id)
        if plan is None or plan.scope != scope or plan.state not in ("CLEARED", "SENDING"):
            return
        if plan.state == "CLEARED":
            plan.state = "SENDING"
            audit_plan(work, plan, before="CLEARED")
            await intend_call(work, plan)
    await recovering.attempt_transfer(host.engine, plan_id)


async def reconcile(host: RecoveryHost, stripe: StripeCalls) -> None:
    """Mirror Stripe's movements, learn which of them were swept, and compare both books once in full."""
    reconciler = Reconciler(stripe)
    try:
        await reconciler.read_movements(host)
        await mark_sweeps(host.engine)
        await reconciler.step(host, full=True)
    except StripeUnavailableError as error:
        raise RecoverError("recover_stripe_unavailable", str(error)) from None


async def mark_sweeps(engine: AsyncEngine) -> int:
    """Mark the balance transactions that the ledger's sweeps took. Raises RecoverError when that cannot be told."""
    count = 0
    async with engine.begin() as connection:
        for sweep in await recovering_sweeps.unmarked_sweeps(connection):
            rows = await recovering_sweeps.sweepable_then(
                connection, sweep.scope, sweep.run, sweep.created_at, sweep.position
            )
            taken = _taken([(row.bt_id, int(row.net)) for row in rows], int(sweep.net_minor))
            if taken is None:
                raise RecoverError(
                    "recover_sweep_unclear", f"which movements the sweep at {sweep.position} of {sweep.scope} took"
                )
            await recovering_sweeps.mark_swept(connection, taken, sweep.created_at)
            count += len(taken)
    return count


def _taken(rows: list[tuple[str, int]], net_minor: int) -> list[str] | None:
    """All of them when they come to the sum, else the first ones that do: a sweep takes a bounded number, by id."""
    if sum(net for _, net in rows) == net_minor:
        return [identity for identity, _ in rows]
    total = 0
    for place, (_, net) in enumerate(rows, start=1):
        total += net
        if total == net_minor:
            return [identity for identity, _ in rows[:place]]
    return None
