"""A small real world for the audit: five services on their databases, a stand-in, and topics on the real broker.

Messages go from each service's outbox to its followers' batch handling, with the numbers and ids that the broker would
bring; afterwards the relays send every outbox to topics of the world's own.
"""

from __future__ import annotations

import base64
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from contracts.campaigns import CommitFunds, DraftCampaign, ReviewCampaign, SubmitCampaign, WithdrawCommitment
from contracts.clearing import ApproveClearingPlan, SubmitClearingPlan
from contracts.envelope import Actor, Envelope, Message
from contracts.escrow import UsePaymentMethod
from contracts.suppliers import AcceptInvitation, RecordDelivery, RegisterSupplier
from contracts.terms import Terms
from contracts.topics import SERVICES, TOPICS
from deploy.audit.journal import StandinJournal
from deploy.audit.snapshot import event_producers
from deploy.audit.topics import KafkaTopics
from services.campaigns.handlers import SERVICE as CAMPAIGNS
from services.escrow.calls.client import StripeCalls
from services.escrow.checkpointer import Checkpointer
from services.escrow.handlers import make_service
from services.escrow.reconciler import Reconciler
from services.gateway.handlers import projection
from services.kit.audit_seal import seal
from services.kit.create_topics import create_topics
from services.kit.outbox import Outgoing, enqueue_commands
from services.kit.received import Received
from services.kit.relay import Relay
from services.notifications.handlers import SERVICE as NOTIFICATIONS
from services.notifications.settings import mail_settings
from services.suppliers.handlers import SERVICE as SUPPLIERS
from tests.fixtures.harness import Harness, make_harness
from tests.fixtures.infra import PARTS
from tests.integration.audit_support import Recorded, Still
from tests.integration.campaigns_support import ALL_WELL, PRODUCT, READINESS, make_terms
from tests.integration.checkpoint_keys import CHECKPOINT_KEYS
from tests.integration.escrow_support import Stage, escrow_settings_for
from tests.integration.standin_support import API_KEY, Standin, running

ROUNDS_MAX = 60
UNHEARD = frozenset({"operators", "gateway.replies"})
FIRST_TOP_UP_MINOR = 1_000_000
CHECKPOINTS = 2


def person(role: str) -> Actor:
    return Actor(str(uuid4()), role)


AUTHOR, KEEPER = person("operations"), person("gatekeeper")
MAKER, CHECKER = person("escrow_auditor"), person("escrow_auditor")
SUPPLIER = person("supplier")


@dataclass
class Living:
    """The world while it lives."""

    services: dict[str, Harness]
    stage: Stage
    standin: Standin
    supplier_id: UUID = field(default_factory=uuid4)
    passed: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    # -- messages -----------------------------------------------------------------------------------------------

    async def send(self, message: Message, actor: Actor) -> None:
        """Accept a command at the gateway, and let everything follow."""
        gateway = self.services["gateway"]
        now = await gateway.now()
        outgoing = Outgoing(id=uuid4(), message=message, actor=actor, received_at=now, correlation_id=uuid4())
        async with gateway.engine.begin() as connection:
            await enqueue_commands(connection, [outgoing], None)
        await self.follow()

    async def follow(self) -> None:
        """Carry messages and make calls until nothing moves."""
        for _ in range(ROUNDS_MAX):
            moved = 0
            for name in SERVICES:
                moved += await self._carry(name)
            if not moved:
                await self.services["escrow"].execute()
                if not await self._waiting("escrow"):
                    return
        raise AssertionError("the world did not become quiet")

    async def settle(self) -> None:
        """Follow, and let Stripe's books be read, until nothing moves."""
        for _ in range(ROUNDS_MAX):
            await self.follow()
            await self.stage.reconciler.step(self.stage, full=True)
            if not await self._waiting("escrow"):
                return
        raise AssertionError("the world's books did not become quiet")

    async def advance(self, **span: float) -> None:
        """Move every clock, and let everything follow."""
        await self.standin.move_clock(timedelta(**span).total_seconds())
        for harness in self.services.values():
            await harness.advance(**span)
        await self.settle()
        for harness in self.services.values():
            await harness.deadlines.step()
        await self.settle()

    async def _carry(self, name: str) -> int:
        rows = await self.services[name].rows(
            "SELECT id, topic, key, headers, payload FROM outbox WHERE id > :passed ORDER BY id",
            passed=self.passed[name],
        )
        batches: dict[str, list[Received]] = defaultdict(list)
        for row in rows:
            self.passed[name] = row.id
            received = Received(row.topic, Envelope.from_headers(row.headers, row.key), row.payload.encode())
            for consumer in followers(row.topic):
                batches[consumer].append(received)
        for consumer, batch in batches.items():
            await self.services[consumer].handler.apply(batch)
        return len(rows)

    async def _waiting(self, name: str) -> bool:
        query = "SELECT count(*) AS n FROM outbox WHERE id > :passed"
        found = await self.services[name].rows(query, passed=self.passed[name])
        return bool(found[0].n)

    # -- journeys -----------------------------------------------------------------------------------------------

    async def register_supplier(self) -> None:
        account = await self.standin.sdk.accounts.create_async(
            {"country": "US", "capabilities": {"transfers": {"requested": True}}}
        )
        register = RegisterSupplier(
            supplier_id=self.supplier_id, display_name="Dock", payout_account_id=account.id, tier="provisional"
        )
        await self.send(register, AUTHOR)

    async def open(self, **changes: Any) -> tuple[UUID, Terms]:
        campaign_id = uuid4()
        terms = make_terms(await self.services["campaigns"].now() + timedelta(days=14), **changes)
        draft = DraftCampaign(
            campaign_id=campaign_id, product=PRODUCT, terms=terms, supplier_ids=(self.supplier_id,),
            visibility="open", readiness=READINESS,
        )  # fmt: skip
        await self.send(draft, AUTHOR)
        await self.send(SubmitCampaign(campaign_id=campaign_id), AUTHOR)
        review = ReviewCampaign(campaign_id=campaign_id, decision="accept", reason="Looked at it", answers=ALL_WELL)
        await self.send(review, KEEPER)
        return campaign_id, terms

    async def join(self, campaign: tuple[UUID, Terms], quantity: int, card: str = "pm_card_visa") -> tuple[UUID, Actor]:
        campaign_id, terms = campaign
        commitment_id, who = uuid4(), person("participant")
        commit = CommitFunds(
            campaign_id=campaign_id, commitment_id=commitment_id, participant_id=UUID(who.id),
            quantity=quantity, terms_hash=terms.hash(),
        )  # fmt: skip
        await self.send(commit, who)
        method = UsePaymentMethod(
            campaign_id=campaign_id, commitment_id=commitment_id, participant_id=UUID(who.id),
            confirmation_token=await self.standin.token(card), return_url="http://localhost:9/back",
        )  # fmt: skip
        await self.send(method, who)
        return commitment_id, who

    async def complete_one(self) -> UUID:
        """A campaign that reaches its capacity and is released."""
        campaign = await self.open(target_units=2, capacity_units=4)
        joins = [await self.join(campaign, quantity) for quantity in (1, 3)]
        campaign_id, terms = campaign
        (window,) = await self.services["suppliers"].rows(
            "SELECT invitation_id FROM invitation WHERE campaign_id = :id AND state = 'open'", id=campaign_id
        )
        accept = AcceptInvitation(
            campaign_id=campaign_id, invitation_id=window.invitation_id, supplier_id=self.supplier_id,
            terms_hash=terms.hash(),
        )  # fmt: skip
        await self.send(accept, SUPPLIER)
        delivery = RecordDelivery(
            campaign_id=campaign_id, supplier_id=self.supplier_id, evidence="Signed for",
            commitment_ids=tuple(commitment_id for commitment_id, _ in joins),
        )  # fmt: skip
        await self.send(delivery, SUPPLIER)
        await self.advance(days=8)
        plan_id = uuid4()
        submit = SubmitClearingPlan(campaign_id=campaign_id, plan_id=plan_id, plan_kind="release", reason="All met")
        await self.send(submit, MAKER)
        (plan,) = await self.services["escrow"].rows(
            "SELECT plan_hash FROM clearing_plan WHERE plan_id = :id", id=plan_id
        )
        approve = ApproveClearingPlan(campaign_id=campaign_id, plan_id=plan_id, plan_hash=plan.plan_hash)
        await self.send(approve, CHECKER)
        return campaign_id

    async def close_one(self) -> UUID:
        """A campaign that stays below its target: one leaves, one card is declined, the rest is refunded."""
        campaign = await self.open(target_units=6)
        await self.join(campaign, 2)
        await self.join(campaign, 1, "pm_card_chargeDeclined")
        commitment_id, who = await self.join(campaign, 1)
        leave = WithdrawCommitment(campaign_id=campaign[0], commitment_id=commitment_id, participant_id=UUID(who.id))
        await self.send(leave, who)
        await self.advance(days=15)
        return campaign[0]

    async def dispute_some(self, campaign: tuple[UUID, Terms], completed: UUID) -> None:
        """Banks: a payment disputed and lost, one that was only asked about, and one of a campaign that was released."""
        await self.join(campaign, 1, "pm_card_createDispute")
        await self.join(campaign, 1, "pm_card_createDisputeInquiry")
        await self.settle()
        for dispute in (await self.standin.sdk.disputes.list_async({"limit": 10})).data:
            verb = "lose" if dispute.status == "needs_response" else "close_inquiry"
            await self.standin.control("POST", f"disputes/{dispute.id}/{verb}")
        (payment, *_) = await self.services["escrow"].rows(
            "SELECT charge_id FROM payment WHERE campaign_id = :id AND state = 'succeeded' ORDER BY 1", id=completed
        )
        await self.standin.control("POST", f"charges/{payment.charge_id}/dispute")
        await self.settle()


def followers(topic: str) -> list[str]:
    return [consumer for each in TOPICS if each.name == topic for consumer in each.consumers if consumer not in UNHEARD]


@contextmanager
def mail_environment() -> Iterator[None]:
    """What the notifications service reads of its environment; nobody in this world has an address."""
    wanted = {
        "ALPMERA_MASTER_KEY": base64.b64encode(os.urandom(32)).decode(),
        "ALPMERA_PEOPLE_KEY_NOTIFICATIONS": base64.b64encode(os.urandom(32)).decode(),
        "ALPMERA_PROFILE": "local",
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    mail_settings.cache_clear()
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        mail_settings.cache_clear()


@asynccontextmanager
async def still_world(data_dir: Path) -> AsyncIterator[Still]:
    """Live through the journeys, then stand still."""
    with mail_environment():
        async with running(data_dir) as standin, _lived(standin) as still:
            yield still


@asynccontextmanager
async def _lived(standin: Standin) -> AsyncIterator[Still]:
    living, close = await _come_alive(standin)
    await living.stage.reconciler.first_top_up(living.stage)
    await living.settle()
    await living.register_supplier()
    completed = await living.complete_one()
    closed = await living.close_one()
    opened = await living.open()
    await living.join(opened, 2)
    await living.dispute_some(opened, completed)
    prefix = f"a{uuid4().hex[:8]}."
    await create_topics(PARTS.infra.kafka_bootstrap, prefix=prefix)
    for _ in range(CHECKPOINTS):
        await _relay("escrow", living.services["escrow"], prefix)
        await Checkpointer(lambda: living.stage.stripe.settings).step(living.stage)
        await living.join(opened, 1)
        await living.settle()
    for name, harness in living.services.items():
        await _relay(name, harness, prefix)
        async with harness.engine.begin() as connection:
            await seal(connection)
    databases = {name: harness.database.name for name, harness in living.services.items()}
    await close()
    async with StandinJournal(standin.url, API_KEY) as live:
        journal = Recorded(
            [line async for page in live.facts() for line in page],
            [line async for page in live.requests() for line in page],
            await live.balance(),
        )
        names = [f"{producer}.events" for producer in event_producers()]
        source = KafkaTopics(PARTS.infra.kafka_bootstrap, prefix)
        records = [record async for record in source.read(names)]
        still = Still(databases, prefix, journal, live, completed, closed, opened[0], records)
        yield still
    for name in [*still.copies, *databases.values()]:
        PARTS.infra.drop_database(name)


async def _come_alive(standin: Standin) -> tuple[Living, Callable[[], Awaitable[None]]]:
    settings = escrow_settings_for(standin.url, float_top_up_minor=FIRST_TOP_UP_MINOR, **CHECKPOINT_KEYS)
    stripe = StripeCalls(lambda: settings)
    wanted = {
        "campaigns": CAMPAIGNS,
        "escrow": make_service(stripe),
        "suppliers": SUPPLIERS,
        "notifications": NOTIFICATIONS,
        "gateway": projection(1, instance="audit"),
    }
    services = {name: await make_harness(service) for name, service in wanted.items()}
    stage = Stage(services["escrow"], standin, stripe, Reconciler(stripe))

    async def close() -> None:
        await stripe.close()
        for harness in services.values():
            await harness.direct.close()
            await harness.engine.dispose()
            await harness.owner.dispose()

    return Living(services, stage, standin), close


async def _relay(name: str, harness: Harness, prefix: str) -> None:
    relay = Relay(
        service=name,
        direct=harness.direct,
        bootstrap=PARTS.infra.kafka_bootstrap,
        instance="audit",
        prefix=prefix,
        publishes_events=name != "gateway",
    )
    while await relay.step():
        continue
    await relay._drop_producer()
