"""What the tests of disputes share: a bank's steps at the stand-in, and how escrow learns of them."""

from __future__ import annotations

from typing import Any

from contracts.envelope import PLATFORM_SCOPE
from contracts.escrow import ReceivePspEvent
from services.escrow.store.invariants import QUERIES, violations
from tests.fixtures.harness import Published
from tests.integration.escrow_support import Join, Stage


class Bank:
    """The banks of a stage's participants."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.disputes: dict[Any, str] = {}
        self._told: set[str] = set()

    async def charge_of(self, join: Join) -> str:
        rows = await self.stage.harness.rows(
            "SELECT charge_id FROM payment WHERE commitment_id = :id AND charge_id IS NOT NULL", id=join.commitment_id
        )
        return str(rows[0].charge_id)

    async def opens(self, join: Join, *, inquiry: bool = False, **more: Any) -> str:
        """A dispute about this commitment's charge; escrow does not know of it yet."""
        charge = await self.charge_of(join)
        status, body = await self.stage.standin.control(
            "POST", f"charges/{charge}/dispute", {"inquiry": inquiry, "reason": "product_not_received", **more}
        )
        assert status == 200, body
        self.disputes[join.commitment_id] = body["id"]
        return str(body["id"])

    async def decides(self, join: Join, verb: str) -> None:
        """The bank's next step; an inquiry that a refund has closed takes none."""
        dispute_id = self.disputes[join.commitment_id]
        status, body = await self.stage.standin.control("POST", f"disputes/{dispute_id}/{verb}")
        if status != 200:
            dispute = await self.stage.standin.sdk.disputes.retrieve_async(dispute_id)
            assert dispute.status == "warning_closed", body

    async def events(self, *, again: bool = False) -> list[ReceivePspEvent]:
        """What Stripe says about this stage's disputes, oldest first; only what was not asked for yet, or all."""
        page = await self.stage.standin.sdk.events.list_async({"limit": 100, "type": "charge.dispute.*"})
        found = []
        for event in reversed(page.data):
            body = event.to_dict()
            if body["data"]["object"]["id"] in self.disputes.values() and (again or event.id not in self._told):
                self._told.add(event.id)
                found.append(
                    ReceivePspEvent(
                        scope_id=PLATFORM_SCOPE, psp_event_id=event.id, psp_event_type=event.type, body=body
                    )
                )
        return found

    async def tells(self, *, again: bool = False) -> list[Published]:
        """Deliver the webhooks about disputes and refunds, and make the calls that they ask for."""
        harness = self.stage.harness
        refunds = await self.stage.webhooks("refund.failed", "refund.updated")
        first = await harness.deliver(*await self.events(again=again), *refunds)
        return first + await harness.execute()


async def assert_invariants(stage: Stage) -> None:
    """Every invariant of the ledger that needs no cover; disputes cost the platform its own money."""
    async with stage.harness.owner.connect() as connection:
        for name in sorted(QUERIES.keys() - {"I9", "I17"}):
            assert (name, await violations(connection, name)) == (name, [])


async def flows(stage: Stage, join: Join) -> dict[str, int]:
    """Where a commitment's money is: what was refunded, what disputes took from the hold, what is left by class."""
    rows = await stage.harness.rows(
        """
        SELECT t.kind, split_part(e.account, ':', 1) AS part, SUM(e.amount_minor)::bigint AS amount
        FROM ledger_transfer t
        JOIN ledger_entry e ON e.scope = t.scope AND e.position = t.position
        WHERE t.commitment_id = :id
        GROUP BY 1, 2
        """,
        id=join.commitment_id,
    )
    sums = {"refunded": 0}
    for row in rows:
        if row.part != "psp_clearing":
            sums[row.part] = sums.get(row.part, 0) + row.amount
        elif row.kind in ("refund_sent", "refund_failed"):
            sums["refunded"] += row.amount
    return {name: amount for name, amount in sums.items() if amount}
