"""Campaigns with hundreds of held commitments, made through messages as any: one that closes, one that people refund by
hand, one that is released; and what the stand-in, the ledger and the audit say of them in the end.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from contracts.campaigns import CampaignClosed
from contracts.clearing import SubmitClearingPlan, SubmitPlanByHand, WantedLine
from contracts.escrow import UsePaymentMethod
from deploy.audit.check_ledger import check_kit_tables, check_ledger
from deploy.audit.check_records import check_records
from deploy.audit.check_repeats import check_repeats
from deploy.audit.check_stripe import check_journal
from deploy.audit.findings import Findings
from deploy.audit.journal import StandinJournal
from deploy.audit.snapshot import Snapshot
from services.escrow.store.invariants import chain_faults
from tests.faults.nursery import Nursery
from tests.faults.parts import UNIT_PRICE_MINOR, Campaign
from tests.faults.stripe_scenarios import ANA, ReleaseCall
from tests.integration.standin_support import API_KEY

SENT_AT_ONCE = 100
STRIPE_TIMEOUT_SECONDS = 1

ALWAYS = 1_000_000
NOW_AND_THEN: tuple[Mapping[str, Any], ...] = (
    {"action": "rate_limit_429", "every": 149, "seconds": 1},
    {"action": "timeout_after", "every": 61, "seconds": 60},
    {"action": "fail_500_before", "every": 83},
    {"action": "fail_500_after", "every": 97},
    {"action": "conflict_409", "every": 89},
)
"""What goes wrong with the refunds: each so many-th call is told to wait, loses its answer, or fails."""


@dataclass
class Crowd:
    """One campaign and its people, one unit each."""

    size: int
    campaign_id: UUID = field(default_factory=uuid4)

    def __post_init__(self) -> None:
        self.joins = [Campaign(campaign_id=self.campaign_id) for _ in range(self.size)]

    @property
    def commitment_ids(self) -> set[str]:
        """Of all its people."""
        return {str(join.commitment_id) for join in self.joins}


async def together(works: Iterable[Awaitable[object]]) -> None:
    """Do these, a bounded number at once, begun in their sequence."""
    places = asyncio.Semaphore(SENT_AT_ONCE)

    async def one(work: Awaitable[object]) -> None:
        async with places:
            await work

    await asyncio.gather(*[one(work) for work in works])


class MassRefund(ReleaseCall):
    """Escrow beside a stand-in that fails now and then. `environment` of the service may be added to."""

    def __init__(self, folder: Path, nursery: Nursery, **settings: str) -> None:
        super().__init__(folder, nursery)
        self._settings = settings

    async def environment(self) -> Mapping[str, str]:
        """A call whose answer is lost is given up soon."""
        return {
            **await super().environment(),
            "ALPMERA_STRIPE_TIMEOUT_SECONDS": str(STRIPE_TIMEOUT_SECONDS),
            **self._settings,
        }

    # -- how it comes about -------------------------------------------------------------------------------------

    async def hold(self, *crowds: Crowd) -> None:
        """Open the campaigns and charge everybody, through messages and the stand-in as always."""
        await self.rig.until(self._float_is_measured, "the float is measured")
        for crowd in crowds:
            await self.rig.event(crowd.joins[0].opened())
        await self.rig.quiet()
        joins = [join for crowd in crowds for join in crowd.joins]
        await together(self._join(join) for join in joins)

        async def held() -> bool:
            (row,) = await self.rig.rows("SELECT count(*) AS n FROM reservation WHERE state = 'held'")
            return bool(row.n == len(joins))

        await self.rig.until(held, f"{len(joins)} commitments are held")
        await self.rig.quiet()

    async def _join(self, join: Campaign) -> None:
        await self.rig.event(join.reserved())
        token = UsePaymentMethod(
            campaign_id=join.campaign_id,
            commitment_id=join.commitment_id,
            participant_id=join.participant_id,
            confirmation_token=await self.standin.token("pm_card_visa"),
            return_url="http://localhost:9/back",
        )
        await self.rig.command(token, actor=join.person)

    async def submit_refunds(self, crowd: Crowd) -> None:
        """A plan that gives everybody of a campaign their whole amount back."""
        lines = tuple(
            WantedLine(commitment_id=join.commitment_id, amount_minor=UNIT_PRICE_MINOR) for join in crowd.joins
        )
        plan = SubmitPlanByHand(
            campaign_id=crowd.campaign_id, plan_id=uuid4(), plan_kind="manual_refund", reason="told by phone",
            reason_code="delay_exit", lines=lines, currency="usd", evidence=("doc:7f3a",),
        )  # fmt: skip
        await self.rig.command(plan, actor=ANA)

    async def submit_release(self, crowd: Crowd) -> None:
        """A plan that pays the supplier of a campaign that is delivered."""
        await self.to_inspection(crowd.joins[0], units=crowd.size)
        await self.settled()
        plan = SubmitClearingPlan(campaign_id=crowd.campaign_id, plan_id=uuid4(), plan_kind="release", reason="all met")
        await self.rig.command(plan, actor=ANA)

    async def close(self, crowd: Crowd) -> None:
        """The campaign ends without completion."""
        await self.rig.event(
            CampaignClosed(
                campaign_id=crowd.campaign_id,
                reason="target_not_reached",
                from_state="ACTIVE",
                held_units=crowd.size,
                held_commitments=crowd.size,
            )
        )

    async def fail_now_and_then(self) -> None:
        """From here on refunds go wrong as `NOW_AND_THEN` says."""
        for rule in NOW_AND_THEN:
            await self.standin.fault(match={"method": "POST", "path": "/v1/refunds"}, times=ALWAYS, **rule)

    async def paid(self) -> int:
        """Refunds that are paid by the ledger."""
        (row,) = await self.rig.rows("SELECT count(*) AS n FROM refund_decision WHERE state = 'paid'")
        return int(row.n)

    async def all_paid(self, count: int) -> float:
        """Wait until so many refunds are paid; seconds that it took."""
        began = time.monotonic()

        async def done() -> bool:
            return await self.paid() == count

        await self.rig.until(done, f"{count} refunds are paid")
        return time.monotonic() - began

    # -- what it is in the end ----------------------------------------------------------------------------------

    async def assert_each_refunded_once(self, *crowds: Crowd) -> None:
        """The stand-in holds one succeeded refund of the whole amount for each commitment, and no other."""
        found: Counter[tuple[str, str, int]] = Counter()
        async with StandinJournal(self.standin.url, API_KEY) as journal:
            async for page in journal.facts():
                for line in page:
                    if line["kind"] == "refund":
                        made = line["object"]
                        found[made["metadata"]["commitment_id"], made["status"], made["amount"]] += 1
        wanted = {each for crowd in crowds for each in crowd.commitment_ids}
        assert found == Counter({(each, "succeeded", UNIT_PRICE_MINOR): 1 for each in wanted})
        await self._assert_states("refunded", crowds)

    async def _assert_states(self, state: str, crowds: Iterable[Crowd]) -> None:
        for crowd in crowds:
            rows = await self.rig.rows(
                "SELECT state, count(*) AS n FROM reservation WHERE campaign_id = :c GROUP BY state",
                c=crowd.campaign_id,
            )
            assert [(row.state, row.n) for row in rows] == [(state, crowd.size)]

    async def assert_settled(self, crowd: Crowd) -> None:
        """The closed campaign is told settled, once, with all that was refunded, and owes nothing."""
        rows = await self.rig.rows(
            "SELECT payload::jsonb ->> 'refunded_minor' AS minor FROM outbox "
            "WHERE type = 'escrow.campaign_settled.v1' AND key = :key",
            key=str(crowd.campaign_id),
        )
        assert [int(row.minor) for row in rows] == [crowd.size * UNIT_PRICE_MINOR]

    async def assert_released_once(self, crowd: Crowd) -> None:
        """One transfer of the campaign, told once; everybody's funds are released."""
        page = await self.standin.sdk.transfers.list_async({"transfer_group": str(crowd.campaign_id)})
        assert len(page.data) == 1
        await self._assert_states("released", [crowd])

    async def assert_plans_ended(self, **states: int) -> None:
        """So many plans ended in each state."""
        rows = await self.rig.rows("SELECT state, count(*) AS n FROM clearing_plan GROUP BY state")
        assert {row.state: row.n for row in rows} == states

    async def assert_audit_clean(self) -> None:
        """What the audit asks of escrow and of the stand-in's journal finds nothing."""
        findings = Findings()
        async with self.rig.owner.connect() as connection, StandinJournal(self.standin.url, API_KEY) as journal:
            (now,) = [row.now for row in await self.rig.rows("SELECT stack_now() AS now")]
            snapshot = Snapshot({"escrow": connection}, read_model=1, now=now, taken_at=now.timestamp())
            await check_ledger(snapshot, findings)
            await check_kit_tables(snapshot, findings, "escrow")
            await check_records(snapshot, findings, "escrow")
            await check_journal(snapshot, findings, journal, quiet=True)
            await check_repeats(findings, journal)
            assert [fault async for fault in chain_faults(connection)] == []
        found = {name: entry.examples for name, entry in findings.entries.items() if entry.violations}
        assert found == {}
