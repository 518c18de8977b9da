"""What every handler works with: the store, the clock, and the three things each change records.

Owns the writing of balance transactions, events and journal rows, so that no money moves without
all three. Everything runs inside the caller's transaction. It cannot stop a handler from changing
an object without telling the journal; the audit compares the journal with the balance.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from deploy.local.stripe_standin import schema, settings, shapes
from deploy.local.stripe_standin.errors import missing
from deploy.local.stripe_standin.faults import FaultBook
from deploy.local.stripe_standin.forms import Params
from deploy.local.stripe_standin.settings import Settings
from deploy.local.stripe_standin.stack_clock import StackClock, wall_seconds
from deploy.local.stripe_standin.store import Facts, Store, encode

FEE_WORDS = {"adjustment": "Dispute fee"}
"""What the fee of a kind of balance transaction is called; all others are processing fees."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Call:
    """One request to the API."""

    method: str
    path: str
    params: Params
    args: tuple[str, ...] = ()
    key: str | None = None
    request_id: str = ""
    digest: bytes = b""
    expand: list[str] = field(default_factory=list)
    retry_after_seconds: int | None = None
    """What the refusal of this call asks for."""


@dataclass(slots=True)
class Reply:
    """An answer; ``kept`` = remembered by the idempotency key."""

    status: int
    body: Facts
    kept: bool = True


Answer = Facts | Reply


def processing_fee_minor(amount_minor: int) -> int:
    """2.9 percent rounded half up, plus 30, in minor units."""
    return (amount_minor * settings.FEE_BASIS_POINTS + 5_000) // 10_000 + settings.FEE_FIXED_MINOR


class Standin:
    """State and rules' common ground; one per process."""

    def __init__(self, chosen: Settings, store: Store) -> None:
        self.settings = chosen
        self.store = store
        self.faults = FaultBook()
        self.current_call: Call | None = None
        latest = store.db.execute("SELECT created FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        self.clock = StackClock(
            offset_seconds=float(store.meta("offset_seconds") or 0),
            version=int(store.meta("clock_version") or 0),
            latest=int(latest[0]) if latest else 0,
        )

    # -- objects -----------------------------------------------------------------------------

    def name(self, kind: str, facts: Facts) -> str:
        """Give a new object its id and date; whoever names it saves it in the same call."""
        return self.store.name(kind, facts, created=self.clock.now())

    def add(self, kind: str, facts: Facts) -> str:
        """Append an object dated now; returns its new id."""
        object_id = self.name(kind, facts)
        self.store.save(kind, facts)
        return object_id

    def find(self, kind: str, object_id: str, *, param: str = "id", status: int = 404) -> Facts:
        """The object's facts, or Stripe's "No such …"."""
        facts = self.store.get(kind, object_id)
        if facts is None:
            raise missing(kind, object_id, param=param, status=status)
        return facts

    def show(self, kind: str, facts: Facts) -> Facts:
        """The object as the API shows it."""
        return shapes.render(self, kind, facts)

    # -- what a change records ---------------------------------------------------------------

    def journal(self, kind: str, facts: Facts) -> None:
        """A money fact for the audit, in the sequence in which it happened."""
        self.store.db.execute(
            "INSERT INTO journal (kind, object_id, created, facts) VALUES (?, ?, ?, ?)",
            (kind, facts["id"], self.clock.now(), encode(facts)),
        )

    def move_money(
        self,
        kind: str,
        *,
        source: str,
        amount_minor: int,
        currency: str,
        category: str | None = None,
        fee_minor: int = 0,
        available_on: int = 0,
        description: str | None = None,
    ) -> Facts:
        """Write a balance transaction (``amount_minor`` signed) and its journal row."""
        now = self.clock.now()
        facts: Facts = {
            "amount": amount_minor,
            "available_on": max(now, available_on),
            "currency": currency,
            "description": description,
            "fee": fee_minor,
            "fee_details": [_fee_detail(fee_minor, currency, FEE_WORDS.get(kind, "Stripe processing fees"))]
            if fee_minor
            else [],
            "net": amount_minor - fee_minor,
            "reporting_category": category or kind,
            "source": source,
            "type": kind,
        }
        self.add("balance_transaction", facts)
        self.store.db.execute(
            "INSERT INTO balance_buckets (currency, available_on, net_minor) VALUES (?, ?, ?)"
            " ON CONFLICT (currency, available_on)"
            " DO UPDATE SET net_minor = net_minor + excluded.net_minor",
            (currency, available_on if available_on > now else 0, facts["net"]),
        )
        self.journal("balance_transaction", {name: value for name, value in facts.items() if name != "fee_details"})
        return facts

    def available_minor(self, currency: str) -> int:
        """What a transfer may take now."""
        total: int = self.store.db.execute(
            "SELECT COALESCE(SUM(net_minor), 0) FROM balance_buckets WHERE currency = ? AND available_on <= ?",
            (currency, self.clock.now()),
        ).fetchone()[0]
        return total

    def next_availability(self) -> int:
        """When a charge made now becomes available: at midnight UTC when the wait is in days."""
        wait = self.settings.available_after_seconds
        moment = self.clock.now() + wait
        if wait >= settings.DAY_SECONDS:
            moment += -moment % settings.DAY_SECONDS
        return moment

    def emit(self, event_type: str, kind: str, facts: Facts, previous: Facts | None = None) -> None:
        """Record an event with the object as it is now, and queue its webhook."""
        call = self.current_call
        event: Facts = {
            "type": event_type,
            "request": {
                "id": call.request_id if call else None,
                "idempotency_key": call.key if call else None,
            },
            "_kind": kind,
            "_snapshot": facts,
        }
        if previous:
            event["_previous"] = previous
        event_id = self.add("event", event)
        wanted = self.settings.webhook_url and event_type in self.settings.webhook_events
        if not wanted:
            return
        plan = self.faults.delivery_plan(event_type, facts.get("metadata") or {})
        for _ in range(plan.copies):
            self.queue_delivery(
                event_id,
                wall_not_before=wall_seconds() + plan.delay_seconds if plan.delay_seconds else 0,
                stack_not_before=(self.clock.now() + plan.delay_stack_seconds if plan.delay_stack_seconds else 0),
            )

    def queue_delivery(self, event_id: str, *, wall_not_before: float = 0.0, stack_not_before: int = 0) -> None:
        """Queue one sending of an event."""
        self.store.db.execute(
            "INSERT INTO deliveries (event_id, state, wall_not_before, stack_not_before) VALUES (?, 'pending', ?, ?)",
            (event_id, wall_not_before, stack_not_before),
        )

    def next_due(self) -> int | None:
        """The next moment of stack time at which something here changes by itself, or None."""
        now = self.clock.now()
        moments = self.store.db.execute(
            "SELECT MIN(due_at) FROM dues"
            " UNION ALL SELECT MIN(due_at) FROM dispute_dues"
            " UNION ALL SELECT MIN(available_on) FROM balance_buckets WHERE available_on > ?"
            " UNION ALL SELECT MIN(stack_not_before) FROM deliveries"
            " WHERE state = 'pending' AND stack_not_before > ?",
            (now, now),
        )
        known = [row[0] for row in moments if row[0] is not None]
        return min(known) if known else None


def _fee_detail(fee_minor: int, currency: str, description: str) -> dict[str, Any]:
    return {
        "amount": fee_minor,
        "application": None,
        "currency": currency,
        "description": description,
        "type": "stripe_fee",
    }


def kind_of(object_id: str) -> str | None:
    """The kind an id's prefix names."""
    return schema.KIND_BY_PREFIX.get(object_id.partition("_")[0])
