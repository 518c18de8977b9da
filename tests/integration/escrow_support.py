"""A stage for the escrow service: the words of the other services as messages, its calls going to a real stand-in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

from pydantic import SecretStr

from contracts.campaigns import (
    AcceptanceRequested,
    CampaignClosed,
    CampaignCompleted,
    CampaignOpened,
    CommitmentReserved,
    CommitmentWithdrawn,
    FulfillmentStarted,
    InspectionStarted,
    TargetReached,
)
from contracts.clearing import ApproveClearingPlan, ClearingPlanSubmitted, SubmitClearingPlan
from contracts.envelope import PLATFORM_SCOPE, SYSTEM, Actor, Envelope, Message
from contracts.escrow import ReceivePspEvent, UsePaymentMethod
from contracts.suppliers import (
    CampaignAccepted,
    DeliveryCompleted,
    FulfillmentAccepted,
    IssueReported,
    SupplierRegistered,
)
from contracts.terms import Product, Terms
from services.escrow.calls.client import StripeCalls
from services.escrow.handlers import make_service
from services.escrow.reconciler import Reconciler
from services.escrow.settings import EscrowSettings
from services.escrow.store.invariants import QUERIES, violations
from services.kit.service import Service
from services.kit.transaction import work_on
from services.kit.work import Work
from tests.fixtures.harness import Harness, Published
from tests.integration.float_support import give_room
from tests.integration.standin_support import API_KEY, Standin, running

ANA, BEN = Actor("ana", "escrow_auditor"), Actor("ben", "escrow_auditor")
OLGA = Actor("olga", "operations")
UNIT_PRICE_MINOR, FLOAT_MINOR = 5_000, 1_000_000
FEE_BASIS_POINTS = 500

UNTOLD = frozenset({"LedgerTransfersPosted", "ClearingPlanLinesTold", "ClearingPlanProgressed", "FloatGauged"})
"""Events that accompany others; a test that is about them names them."""

M = TypeVar("M", bound=Message)


def escrow_settings_for(url: str, **changes: Any) -> EscrowSettings:
    """Settings that speak to a stand-in."""
    values: dict[str, Any] = {
        "database_url": SecretStr("unused"),
        "kafka": "unused",
        "profile": "test",
        "stripe_url": url,
        "stripe_key": SecretStr(API_KEY),
        "stripe_kind": "stand-in",
        "stripe_timeout_seconds": 5,
        "float_top_up_minor": FLOAT_MINOR,
    }
    return EscrowSettings(**{**values, **changes})


def of(published: Iterable[Published], kind: type[M]) -> list[M]:
    """The published messages of one class."""
    return [each.message for each in published if isinstance(each.message, kind)]


def kinds(published: Iterable[Published]) -> list[str]:
    """The published messages' class names, without those that accompany others."""
    return [name for each in published if (name := type(each.message).__name__) not in UNTOLD]


@dataclass
class Join:
    """One commitment as a test knows it."""

    commitment_id: UUID
    participant_id: UUID
    amount_minor: int

    @property
    def person(self) -> Actor:
        return Actor(str(self.participant_id), "participant")


@dataclass
class Stage:
    """Escrow on a real database beside a real stand-in, and one campaign."""

    harness: Harness
    standin: Standin
    stripe: StripeCalls
    reconciler: Reconciler
    campaign_id: UUID = field(default_factory=uuid4)
    supplier_id: UUID = field(default_factory=uuid4)
    account_id: str = ""

    @property
    def scope(self) -> str:
        return str(self.campaign_id)

    # -- what the loop needs ----------------------------------------------------------------------------------

    @property
    def engine(self) -> Any:
        return self.harness.engine

    @asynccontextmanager
    async def transaction(self, scopes: Iterable[str] = (PLATFORM_SCOPE,)) -> AsyncIterator[Work]:
        async with work_on(self.harness.engine, self.harness.service, scopes) as work:
            work.for_cause(
                Envelope(
                    id=uuid4(), type="escrow.loop", source="escrow", time=work.now, key=next(iter(scopes)), actor=SYSTEM
                )
            )
            yield work

    async def reconcile(self, *, full: bool = True) -> list[Published]:
        await self.reconciler.step(self, full=full)
        return await self.harness.published()

    # -- the other services' words ----------------------------------------------------------------------------

    async def open(self, *, campaign_id: UUID | None = None) -> list[Published]:
        now = await self.harness.now()
        terms = Terms(
            title="Cast iron pans",
            target_units=4,
            capacity_units=100_000,
            unit_price_minor=UNIT_PRICE_MINOR,
            currency="usd",
            min_units=1,
            max_units=None,
            close_at=now + timedelta(days=14),
            fee_basis_points=FEE_BASIS_POINTS,
            delivery_window_days=21,
            delivery_model="pickup point",
            delivery_terms="One pickup point in the area",
            refund_terms="In full on every ending but completion",
        )
        return await self.harness.deliver(
            CampaignOpened(
                campaign_id=campaign_id or self.campaign_id,
                product=Product(name="Pan", specification="28 cm", category="kitchen"),
                terms=terms,
                terms_hash=terms.hash(),
                supplier_ids=(self.supplier_id,),
                visibility="open",
                opened_at=now,
            )
        )

    async def reserved(self, join: Join, *, minutes: int = 15) -> CommitmentReserved:
        return CommitmentReserved(
            campaign_id=self.campaign_id,
            commitment_id=join.commitment_id,
            participant_id=join.participant_id,
            quantity=join.amount_minor // UNIT_PRICE_MINOR,
            amount_minor=join.amount_minor,
            currency="usd",
            terms_hash="0" * 64,
            reference="R-1",
            reserved_until=await self.harness.now() + timedelta(minutes=minutes),
            reserved_units=1,
            held_units=0,
        )

    def join(self, units: int = 1) -> Join:
        return Join(uuid4(), uuid4(), units * UNIT_PRICE_MINOR)

    async def method(self, join: Join, card: str = "pm_card_visa", *, attempt: int = 1) -> UsePaymentMethod:
        return UsePaymentMethod(
            campaign_id=self.campaign_id,
            commitment_id=join.commitment_id,
            participant_id=join.participant_id,
            confirmation_token=await self.standin.token(card),
            return_url="http://localhost:9/back",
            attempt=attempt,
        )

    async def start(self, join: Join, card: str = "pm_card_visa") -> list[Published]:
        """Reserve and give the token; the call is recorded."""
        first = await self.harness.deliver(await self.reserved(join))
        return first + await self.harness.deliver(await self.method(join, card), actor=join.person)

    async def fund(self, join: Join, card: str = "pm_card_visa") -> list[Published]:
        """Reserve, give the token, make the call."""
        await self.start(join, card)
        return await self.harness.execute()

    async def funded(self, count: int = 1, card: str = "pm_card_visa") -> list[Join]:
        joins = [self.join() for _ in range(count)]
        for join in joins:
            await self.start(join, card)
        await self.harness.execute()
        return joins

    def withdrawn(self, join: Join, was: str) -> CommitmentWithdrawn:
        return CommitmentWithdrawn(
            campaign_id=self.campaign_id,
            commitment_id=join.commitment_id,
            participant_id=join.participant_id,
            was=was,
            quantity=1,
            amount_minor=join.amount_minor,
            held_units=0,
            reserved_units=0,
            held_commitments=0,
        )

    async def close(self, reason: str = "target_not_reached") -> list[Published]:
        return await self.harness.deliver(
            CampaignClosed(
                campaign_id=self.campaign_id, reason=reason, from_state="ACTIVE", held_units=0, held_commitments=0
            )
        )

    async def to_inspection(self, *, open_issues: Iterable[Join] = (), verdict: str = "release") -> list[UUID]:
        """Everything up to the end of inspection; returns the ids of the reported issues."""
        account = await self.standin.sdk.accounts.create_async(
            {"country": "US", "capabilities": {"transfers": {"requested": True}}}
        )
        self.account_id = account.id
        issues = {join.commitment_id: uuid4() for join in open_issues}
        campaign_id, supplier_id = self.campaign_id, self.supplier_id
        await self.harness.deliver(
            SupplierRegistered(
                supplier_id=supplier_id, display_name="Dock", payout_account_id=account.id, tier="provisional"
            )
        )
        await self.harness.deliver(
            TargetReached(campaign_id=campaign_id, held_units=4, target_units=4),
            AcceptanceRequested(
                campaign_id=campaign_id,
                final_units=4,
                commitments=4,
                unit_price_minor=UNIT_PRICE_MINOR,
                currency="usd",
                terms_hash="0" * 64,
            ),
            CampaignAccepted(
                campaign_id=campaign_id,
                invitation_id=uuid4(),
                supplier_id=supplier_id,
                terms_hash="0" * 64,
                accepted_at=await self.harness.now(),
            ),
            FulfillmentStarted(campaign_id=campaign_id, supplier_id=supplier_id, invitation_id=uuid4()),
            DeliveryCompleted(campaign_id=campaign_id, supplier_id=supplier_id, delivered=4),
            InspectionStarted(campaign_id=campaign_id),
            *(
                IssueReported(
                    campaign_id=campaign_id,
                    commitment_id=join.commitment_id,
                    participant_id=join.participant_id,
                    issue_id=issues[join.commitment_id],
                    description_digest="0" * 64,
                )
                for join in open_issues
            ),
            FulfillmentAccepted(
                campaign_id=campaign_id,
                supplier_id=supplier_id,
                delivered=4,
                issue_rate_basis_points=0,
                verdict=verdict,
                open_issue_commitment_ids=tuple(issues),
            ),
        )
        return list(issues.values())

    async def submit(self, kind: str = "release", *, by: Actor = ANA, **asked: Any) -> tuple[UUID, list[Published]]:
        plan_id = uuid4()
        published = await self.harness.deliver(
            SubmitClearingPlan(
                campaign_id=self.campaign_id, plan_id=plan_id, plan_kind=kind, reason="all met", **asked
            ),
            actor=by,
        )
        return plan_id, published

    async def approve(self, plan_id: UUID, plan_hash: str, *, by: Actor = BEN) -> list[Published]:
        return await self.harness.deliver(
            ApproveClearingPlan(campaign_id=self.campaign_id, plan_id=plan_id, plan_hash=plan_hash), actor=by
        )

    async def approved(self, kind: str = "release") -> tuple[UUID, list[Published]]:
        plan_id, published = await self.submit(kind)
        (submitted,) = of(published, ClearingPlanSubmitted)
        return plan_id, await self.approve(plan_id, submitted.plan_hash)

    async def completed(self, plan_id: UUID) -> None:
        await self.harness.deliver(
            CampaignCompleted(campaign_id=self.campaign_id, plan_id=plan_id, supplier_id=self.supplier_id)
        )

    # -- the stand-in's words, as the gateway would pass them on ----------------------------------------------

    async def webhooks(self, *types: str) -> list[ReceivePspEvent]:
        """Every event of these types about this campaign, oldest first."""
        page = await self.standin.sdk.events.list_async({"limit": 100, "types": list(types)})
        found = []
        for event in reversed(page.data):
            body = event.to_dict()
            metadata = body["data"]["object"].get("metadata") or {}
            if metadata.get("campaign_id", self.scope) != self.scope:
                continue
            found.append(
                ReceivePspEvent(
                    scope_id=metadata.get("campaign_id", PLATFORM_SCOPE),
                    psp_event_id=event.id,
                    psp_event_type=event.type,
                    body=body,
                )
            )
        return found

    async def align_clock(self) -> None:
        """Put the database's clock where the stand-in's is; an earlier stage may have moved it."""
        _, clock = await self.standin.control("GET", "clock")
        await self.harness.advance(seconds=clock["offset_seconds"])

    async def move_clock(self, **span: float) -> list[Published]:
        """Both clocks."""
        await self.standin.move_clock(timedelta(**span).total_seconds())
        return await self.harness.advance(**span)

    # -- what the books say -----------------------------------------------------------------------------------

    async def balance(self, account: str, scope: str | None = None) -> int:
        rows = await self.harness.rows(
            "SELECT balance_minor FROM ledger_account WHERE scope = :scope AND account = :account",
            scope=scope or self.scope,
            account=account,
        )
        return rows[0].balance_minor if rows else 0

    async def class_balance(self, name: str, scope: str | None = None) -> int:
        rows = await self.harness.rows(
            "SELECT COALESCE(SUM(balance_minor), 0)::bigint AS total FROM ledger_account "
            "WHERE scope = :scope AND class = :name",
            scope=scope or self.scope,
            name=name,
        )
        return int(rows[0].total)

    async def assert_sound(self) -> None:
        """No message was poison, no invariant is broken, and each waiting object is what its entries say."""
        assert await self.harness.rows("SELECT reason, error FROM parked WHERE reason = 'poison'") == []
        async with self.harness.owner.connect() as connection:
            for name in sorted(QUERIES.keys() - {"I9"}):
                assert (name, await violations(connection, name)) == (name, [])
        entries = await self.harness.rows(
            "SELECT object_id, SUM(amount_minor)::bigint AS balance_minor FROM ledger_entry "
            "WHERE account = 'psp_clearing' GROUP BY object_id HAVING SUM(amount_minor) <> 0 ORDER BY object_id"
        )
        waiting = await self.harness.rows(
            "SELECT object_id, balance_minor FROM clearing_object WHERE object_id <> 'ch_lost' ORDER BY object_id"
        )
        assert [tuple(row) for row in waiting] == [tuple(row) for row in entries]

    async def case_kinds(self) -> list[str]:
        return sorted(case.kind for case in await self.harness.cases())


@asynccontextmanager
async def staged_beside(harness: Any, standin: Standin, **settings: Any) -> AsyncIterator[Stage]:
    """A stage with an open campaign beside a stand-in that other stages may share."""
    chosen = escrow_settings_for(standin.url, **settings)
    stripe = StripeCalls(lambda: chosen)
    service: Service = make_service(stripe)
    stage = Stage(await harness(service), standin, stripe, Reconciler(stripe))
    await give_room(stage.engine, chosen.float_top_up_minor)
    await stage.align_clock()
    await stage.open()
    try:
        yield stage
        await stage.assert_sound()
    finally:
        await stripe.close()


@asynccontextmanager
async def staged(harness: Any, data_dir: Path, *options: str, **settings: Any) -> AsyncIterator[Stage]:
    """A stage with a stand-in of its own."""
    async with running(data_dir, *options) as standin, staged_beside(harness, standin, **settings) as stage:
        yield stage
