"""Escrow's three calls that move money, each with the messages that lead to it and what one effect of it looks like."""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID, uuid4

from contracts.campaigns import (
    AcceptanceRequested,
    CommitmentWithdrawn,
    FulfillmentStarted,
    InspectionStarted,
    TargetReached,
)
from contracts.clearing import ApproveClearingPlan, ClearingPlanSubmitted, FundsReleased, SubmitClearingPlan
from contracts.envelope import Actor, Message
from contracts.escrow import RefundSent
from contracts.suppliers import CampaignAccepted, DeliveryCompleted, FulfillmentAccepted, SupplierRegistered
from services.escrow.store.invariants import QUERIES, violations
from services.kit.clock import wall_now
from tests.faults.parts import SUPPLIER_ID, TERMS, UNIT_PRICE_MINOR, Campaign
from tests.faults.scenarios import EscrowScenario

ANA, BEN = Actor("ana", "escrow_auditor"), Actor("ben", "escrow_auditor")


class CallScenario(EscrowScenario):
    """A purpose of escrow's intents, the path of its call at Stripe, and the failpoints where it is killed."""

    purpose = ""
    path = ""
    points: tuple[str, ...] = ("S1", "S3")

    async def made(self, number: int) -> int:
        """How many objects of this call the stand-in has made for the numbered campaign."""
        raise AssertionError("each call says it for itself")

    async def intents(self, number: int) -> list[tuple[str, int]]:
        """State and number of attempts of each intent of this purpose for the numbered campaign."""
        rows = await self.rig.rows(
            "SELECT state, attempts FROM intent WHERE purpose = :purpose AND scope = :scope",
            purpose=self.purpose,
            scope=str(self.campaigns[number].campaign_id),
        )
        return [(row.state, row.attempts) for row in rows]

    async def assert_keys_are_the_intents(self) -> None:
        """Every call of this purpose that the stand-in has ever taken bore the id of its intent as its key."""
        _, listed = await self.standin.control("GET", "requests?limit=1000")
        requests = [json.loads(line) for line in listed.splitlines()]
        keys = {each["key"] for each in requests if each["path"] == self.path}
        rows = await self.rig.rows("SELECT id FROM intent WHERE purpose = :purpose", purpose=self.purpose)
        assert keys <= {str(row.id) for row in rows}
        assert keys

    async def told(self, number: int, kind: str) -> int:
        """How many messages of a type were told about the numbered campaign."""
        rows = await self.rig.rows(
            "SELECT id FROM outbox WHERE type = :type AND key = :key",
            type=kind,
            key=str(self.campaigns[number].campaign_id),
        )
        return len(rows)

    async def sums(self, number: int, accounts: Sequence[str]) -> list[int]:
        """What these classes of accounts of the numbered campaign sum to."""
        rows = await self.rig.rows(
            "SELECT class, SUM(balance_minor)::bigint AS total FROM ledger_account WHERE scope = :scope GROUP BY class",
            scope=str(self.campaigns[number].campaign_id),
        )
        found = {row[0]: int(row.total) for row in rows}
        return [found.get(name, 0) for name in accounts]

    async def assert_sound(self) -> None:
        """No invariant of the ledger is broken."""
        async with self.rig.owner.connect() as connection:
            for name in sorted(QUERIES.keys() - {"I9"}):
                assert (name, await violations(connection, name)) == (name, [])


class CollectCall(CallScenario):
    """A reservation is paid. Posting an answer is the same for every call, so it is broken off here only."""

    purpose = "payment"
    path = "/v1/payment_intents"
    points = ("S1", "S3", "before the posting", "after the posting")

    async def made(self, number: int) -> int:
        """Payment intents, in whatever state."""
        return len(await self.payment_intents(number))


class RefundCall(CallScenario):
    """A held commitment is withdrawn, and refunded."""

    purpose = "refund"
    path = "/v1/refunds"

    async def prepare(self, count: int) -> None:
        """Every campaign holds one commitment's funds."""
        await super().prepare(count)
        for number in range(count):
            await EscrowScenario.send(self, number)
        await self.rig.quiet()

    async def send(self, number: int) -> UUID:
        """Withdraw."""
        each = self.campaigns[number]
        return await self.rig.event(
            CommitmentWithdrawn(
                campaign_id=each.campaign_id,
                commitment_id=each.commitment_id,
                participant_id=each.participant_id,
                was="LOCKED",
                quantity=1,
                amount_minor=UNIT_PRICE_MINOR,
                held_units=0,
                reserved_units=0,
                held_commitments=0,
            )
        )

    async def made(self, number: int) -> int:
        """Refunds, in whatever state."""
        page = await self.standin.sdk.refunds.list_async({"limit": 100})
        return len([each for each in page.data if str(self.campaigns[number].campaign_id) in str(each.metadata)])

    async def assert_one_effect(self, number: int, message_id: UUID) -> None:
        """One refund, told once, and nothing is owed any more."""
        assert await self.made(number) == 1
        assert await self.told(number, RefundSent.type) == 1
        assert await self.sums(number, ("escrow", "refund_payable")) == [0, 0]


class ReleaseCall(CallScenario):
    """A clearing plan is approved, and the supplier is paid."""

    purpose = "transfer"
    path = "/v1/transfers"

    async def prepare(self, count: int) -> None:
        """Every campaign is delivered, its inspection over, its clearing plan submitted."""
        await super().prepare(count)
        await self.register_supplier()
        for number in range(count):
            await EscrowScenario.send(self, number)
        await self.rig.quiet()
        for each in self.campaigns:
            await self.to_inspection(each)
        await self.settled()
        for each in self.campaigns:
            submit = SubmitClearingPlan(
                campaign_id=each.campaign_id, plan_id=uuid4(), plan_kind="release", reason="all met"
            )
            await self.rig.command(submit, actor=ANA)
        await self.rig.quiet()

    async def register_supplier(self) -> None:
        """A supplier with an account at the stand-in."""
        account = await self.standin.sdk.accounts.create_async(
            {"country": "US", "capabilities": {"transfers": {"requested": True}}}
        )
        await self.rig.event(
            SupplierRegistered(
                supplier_id=SUPPLIER_ID, display_name="Emerald", payout_account_id=account.id, tier="provisional"
            )
        )

    async def to_inspection(self, each: Campaign, *, units: int = 1) -> None:
        """Tell of a campaign of so many commitments, one unit each, until its inspection is over."""
        campaign_id = each.campaign_id
        told = (
            TargetReached(campaign_id=campaign_id, held_units=units, target_units=1),
            AcceptanceRequested(
                campaign_id=campaign_id,
                final_units=units,
                commitments=units,
                unit_price_minor=UNIT_PRICE_MINOR,
                currency="usd",
                terms_hash=TERMS.hash(),
            ),
            CampaignAccepted(
                campaign_id=campaign_id,
                invitation_id=uuid4(),
                supplier_id=SUPPLIER_ID,
                terms_hash=TERMS.hash(),
                accepted_at=wall_now(),
            ),
            FulfillmentStarted(campaign_id=campaign_id, supplier_id=SUPPLIER_ID, invitation_id=uuid4()),
            DeliveryCompleted(campaign_id=campaign_id, supplier_id=SUPPLIER_ID, delivered=units),
            InspectionStarted(campaign_id=campaign_id),
            FulfillmentAccepted(
                campaign_id=campaign_id,
                supplier_id=SUPPLIER_ID,
                delivered=units,
                issue_rate_basis_points=0,
                verdict="release",
                open_issue_commitment_ids=(),
            ),
        )
        for message in told:
            await self.rig.event(message)

    async def send(self, number: int) -> UUID:
        """The second approval."""
        return await self.approve(self.campaigns[number].campaign_id, submitted_as=ClearingPlanSubmitted)

    async def approve(self, campaign_id: UUID, *, submitted_as: type[Message]) -> UUID:
        """The second approval of a campaign's one submitted plan; returns the command's id."""
        ((payload,),) = await self.rig.rows(
            "SELECT payload FROM outbox WHERE type = :type AND key = :key",
            type=submitted_as.type,
            key=str(campaign_id),
        )
        submitted = json.loads(payload)
        approve = ApproveClearingPlan(
            campaign_id=campaign_id, plan_id=UUID(submitted["plan_id"]), plan_hash=submitted["plan_hash"]
        )
        return await self.rig.command(approve, actor=BEN)

    async def made(self, number: int) -> int:
        """Transfers of the campaign's group."""
        group = str(self.campaigns[number].campaign_id)
        page = await self.standin.sdk.transfers.list_async({"transfer_group": group})
        return len(page.data)

    async def assert_one_effect(self, number: int, message_id: UUID) -> None:
        """One transfer, told once, and the supplier is owed nothing any more."""
        assert await self.made(number) == 1
        assert await self.told(number, FundsReleased.type) == 1
        assert await self.sums(number, ("escrow", "supplier_payable")) == [0, 0]
