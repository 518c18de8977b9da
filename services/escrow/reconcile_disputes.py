"""Disputes that no webhook told of, and how many there are.

Every pass lists the disputes since the last seen and reads the open ones again; what a reading says more than is booked
is applied in one transaction over its campaign. The share of disputes among payments opens a case for staff; nobody is
blocked by it. It cannot see a dispute before Stripe lists it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.envelope import PLATFORM_SCOPE
from services.escrow.calls.client import StripeCalls
from services.escrow.domain.disputes import RATE_WINDOW, rate_verdict
from services.escrow.domain.psp import OddObjectError, metadata_id
from services.escrow.domain.reconciliation import OVERLAP
from services.escrow.reconcile_watch import PSP_MISMATCH, Host
from services.escrow.store import mirror
from services.escrow.store.disputes import activity, known_readings, to_ask_about
from services.escrow.store.objects import objects_by_id
from services.escrow.usecases.read_dispute import apply_reading

DISPUTE_PAGES_MAX = 100
DISPUTES_ASKED_MAX = 50
RATE_CASES: Mapping[str, str] = {"warning": "dispute_rate_warning", "critical": "dispute_rate_critical"}
RATE_SUBJECT = "platform"
READ_UNTIL = "disputes"


class DisputeWatch:
    """The part of the loop that is about disputes."""

    def __init__(self, stripe: StripeCalls) -> None:
        self.stripe = stripe

    async def look(self, host: Host) -> None:
        """List, read again, count."""
        await self._list(host)
        for dispute_id in await to_ask_about(host.engine, rows_max=DISPUTES_ASKED_MAX):
            body = await self.stripe.read(f"/v1/disputes/{dispute_id}")
            if body is not None:
                await self._apply_new(host, [body])
        await self._rate(host)

    async def apply(self, host: Host, body: Mapping[str, Any]) -> None:
        """Apply a dispute in its campaign; one whose charge belongs to nobody here is left to suspense."""
        scope, payment = await self._owner(host, body)
        if scope is None:
            return
        async with host.transaction([scope]) as work:
            try:
                await apply_reading(work, body, payment)
            except OddObjectError as error:
                work.open_case(PSP_MISMATCH, scope=scope, subject=str(body.get("id")), facts={"why": str(error)})

    async def _list(self, host: Host) -> None:
        since = max(await mirror.read_until(host.engine, READ_UNTIL) - int(OVERLAP.total_seconds()), 0)
        found: list[dict[str, Any]] = []
        pages = self.stripe.pages("/v1/disputes", {"created": {"gte": since}}, pages_max=DISPUTE_PAGES_MAX)
        async for rows in pages:
            found += rows
        await self._apply_new(host, found[::-1])
        if found:
            newest = max(int(body["created"]) for body in found)
            await mirror.set_read_until(host.engine, READ_UNTIL, newest)

    async def _apply_new(self, host: Host, bodies: list[dict[str, Any]]) -> None:
        known = await known_readings(host.engine, [str(body.get("id")) for body in bodies])
        for body in bodies:
            status, posted = known.get(str(body.get("id")), ("", frozenset()))
            movements = {str(row["id"]) for row in body.get("balance_transactions") or ()}
            if body.get("status") != status or not movements <= posted:
                await self.apply(host, body)

    async def _owner(self, host: Host, body: Mapping[str, Any]) -> tuple[str | None, Mapping[str, Any] | None]:
        charge_id, payment_intent_id = str(body.get("charge")), body.get("payment_intent")
        async with host.engine.connect() as connection:
            owner = (await objects_by_id(connection, [charge_id])).get(charge_id)
        if owner is not None:
            return owner.scope, None
        payment = await self.stripe.read(f"/v1/payment_intents/{payment_intent_id}") if payment_intent_id else None
        campaign_id = metadata_id(payment, "campaign_id") if payment is not None else None
        return (str(campaign_id), payment) if campaign_id is not None else (None, None)

    async def _rate(self, host: Host) -> None:
        """Open the case that the share of disputes calls for, and close the one that it does not."""
        counted = await activity(host.engine, within=RATE_WINDOW)
        verdict = rate_verdict(disputes=counted.disputes, payments=counted.payments)
        open_now = await mirror.open_case_subjects(host.engine, tuple(RATE_CASES.values()))
        facts = {"disputes": counted.disputes, "payments": counted.payments, "days": RATE_WINDOW.days}
        for name, kind in RATE_CASES.items():
            is_open = (kind, RATE_SUBJECT) in open_now
            if (name == verdict) == is_open:
                continue
            async with host.transaction([PLATFORM_SCOPE]) as work:
                if is_open:
                    await work.close_case(kind, subject=RATE_SUBJECT, resolution=f"now {verdict}")
                else:
                    severity = "critical" if name == "critical" else "high"
                    work.open_case(kind, scope=PLATFORM_SCOPE, subject=RATE_SUBJECT, severity=severity, facts=facts)
