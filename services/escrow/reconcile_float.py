"""Measure the float: spread what it can carry over shares, and tell when joining pauses or goes on.

Part of every full pass of reconciliation, and of any pass that finds much of the room taken. While joining pauses every pass
is a full one, so that it goes on within seconds of a top-up. It cannot see money that is not in Stripe's balance yet.
"""

from __future__ import annotations

from typing import Any

from contracts.envelope import PLATFORM_SCOPE
from contracts.escrow import FloatGauged
from services.escrow.calls.client import StripeCalls
from services.escrow.domain import float_rule
from services.escrow.domain.float_rule import Gauge
from services.escrow.reconcile_watch import Host
from services.escrow.store import float_gauge
from services.kit.work import Work

FLOAT_LOW = "float_low"


class FloatWatch:
    """What the loop remembers of the float."""

    def __init__(self, stripe: StripeCalls) -> None:
        self.stripe = stripe
        self.admits = True
        """Whether joining went on when the float was last measured; the first pass of a process always measures."""
        self._room_minor = 0

    async def look(self, host: Host, *, full: bool) -> None:
        """Measure in a full pass, or when too much of the room is taken."""
        if full or await self._is_used_up(host):
            await self.measure(host, full=full)

    async def measure(self, host: Host, *, full: bool = True) -> None:
        """Bring the shares to what the float carries now. Told is a change of admission at once, a change of the figures in a
        full pass."""
        found = await float_gauge.figures(host.engine)
        gauge = Gauge(
            available_minor=float_rule.available_minor(
                held_minor=found.held_minor, owed_minor=found.owed_minor, not_yet_minor=found.not_yet_minor
            ),
            worst_case_fees_minor=float_rule.worst_case_fees_minor(found.payments),
            buffer_minor=self.stripe.settings.float_buffer_minor,
            next_fee_minor=float_rule.next_fee_minor(found.dearest_unit_minor),
        )
        # What was let in meanwhile moved from the shares to the payments, so the difference of the two stays true.
        await float_gauge.change_shares(host.engine, float_rule.spread(found.left, gauge.room_minor - sum(found.left)))
        self.admits, self._room_minor = gauge.admits, gauge.room_minor
        async with host.engine.connect() as connection:
            told = await float_gauge.told(connection)
        changed = not told.measured or told.admits != gauge.admits or (full and told.gauge != gauge)
        if changed:
            async with host.transaction([PLATFORM_SCOPE]) as work:
                await self._tell(work, gauge, told)

    async def _is_used_up(self, host: Host) -> bool:
        return await float_gauge.left_minor(host.engine) * float_rule.MEASURE_BELOW_DIVISOR < self._room_minor

    async def _tell(self, work: Work, gauge: Gauge, told: float_gauge.Told) -> None:
        await float_gauge.tell(work, gauge)
        work.publish(
            FloatGauged(
                currency=self.stripe.settings.float_currency,
                available_minor=gauge.available_minor,
                worst_case_fees_minor=gauge.worst_case_fees_minor,
                buffer_minor=gauge.buffer_minor,
                room_minor=gauge.room_minor,
                next_fee_minor=gauge.next_fee_minor,
                admits=gauge.admits,
            )
        )
        if gauge.admits:
            await work.close_case(FLOAT_LOW, subject=PLATFORM_SCOPE, resolution="the float has room again")
        else:
            work.open_case(
                FLOAT_LOW, scope=PLATFORM_SCOPE, subject=PLATFORM_SCOPE, severity="critical", facts=_facts(gauge)
            )
        if told.admits != gauge.admits:
            work.audit(
                "escrow.float.admission",
                scope=PLATFORM_SCOPE,
                subject=PLATFORM_SCOPE,
                before={"admits": told.admits},
                after={"admits": gauge.admits, **_facts(gauge)},
            )


def _facts(gauge: Gauge) -> dict[str, Any]:
    return {
        "available_minor": gauge.available_minor,
        "worst_case_fees_minor": gauge.worst_case_fees_minor,
        "buffer_minor": gauge.buffer_minor,
        "room_minor": gauge.room_minor,
        "next_fee_minor": gauge.next_fee_minor,
    }
