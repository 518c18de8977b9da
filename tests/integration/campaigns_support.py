"""A stage for the campaigns service: people, and the words of the other services, as messages through the harness."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from contracts.campaigns import CommitFunds, DraftCampaign, ReviewCampaign, SubmitCampaign, WithdrawCommitment
from contracts.clearing import FundsReleased
from contracts.envelope import Actor, Message
from contracts.escrow import FundsHeld, LateFundsReceived, RefundDecided, RefundReason, ReservationEnded
from contracts.housekeeping import EscrowCaseClosed, EscrowCaseOpened
from contracts.suppliers import (
    AcceptanceTimedOut,
    CampaignAccepted,
    DeliveryCompleted,
    InvitationDeclined,
    InvitationWithdrawn,
)
from contracts.terms import Product, Readiness, ReferencePrice, ReviewAnswers, Terms
from services.campaigns.handlers import SERVICE
from services.kit.received import Received
from tests.fixtures.harness import Harness, Published, make_harness

OLGA = Actor("olga", "operations")
GUS = Actor("gus", "gatekeeper")
ANA = Actor("ana", "escrow_auditor")
TESS = Actor("tess", "trust_reviewer")

PRODUCT = Product(
    name="Cast iron pan",
    specification="28 cm, 2.4 kg, no coating",
    category="kitchen",
    reference_prices=(ReferencePrice(amount_minor=6900, currency="usd", source="Maker's list", seen_on="2026-11-01"),),
)
READINESS = Readiness(
    owner="olga", backup="gus", what_fails="The maker is late", who_notices="olga", what_then="People are told"
)
ALL_WELL = ReviewAnswers(doctrine_fit=True, risks_stated=True, operable=True, precedent_safe=True)


def make_terms(close_at: datetime, **changes: Any) -> Terms:
    """Terms of a small campaign: target 4, capacity 8, 50.00 a unit."""
    values: dict[str, Any] = {
        "title": "Cast iron pans",
        "target_units": 4,
        "capacity_units": 8,
        "unit_price_minor": 5000,
        "currency": "usd",
        "min_units": 1,
        "max_units": None,
        "close_at": close_at,
        "fee_basis_points": 300,
        "delivery_window_days": 21,
        "delivery_model": "pickup point",
        "delivery_terms": "One pickup point in the area",
        "refund_terms": "In full on every ending but completion",
    }
    return Terms(**{**values, **changes})


@asynccontextmanager
async def campaigns_service() -> AsyncIterator[Harness]:
    """The campaigns service on a database of its own; each test brings its own campaign."""
    harness = await make_harness(SERVICE)
    yield harness
    await harness.close()


@dataclass
class Join:
    """One commitment as the test knows it."""

    commitment_id: UUID
    participant_id: UUID
    quantity: int

    @property
    def person(self) -> Actor:
        """The participant as an actor."""
        return Actor(str(self.participant_id), "participant")


@dataclass
class Stage:
    """One open campaign on a real database."""

    harness: Harness
    campaign_id: UUID = field(default_factory=uuid4)
    supplier_id: UUID = field(default_factory=uuid4)
    invitation_id: UUID = field(default_factory=uuid4)
    terms: Terms = field(init=False)

    # -- the campaign's way to ACTIVE -------------------------------------------------------------------------------

    async def draft(self, *, days: float = 14, actor: Actor = OLGA, **changes: Any) -> list[Published]:
        """Draft the campaign; `changes` go to the message when it has such a field, else to the terms."""
        fields = {name: changes.pop(name) for name in ("product", "readiness", "supplier_ids") if name in changes}
        self.terms = make_terms(await self.harness.now() + timedelta(days=days), **changes)
        values: dict[str, Any] = {"product": PRODUCT, "readiness": READINESS, "supplier_ids": (self.supplier_id,)}
        message = DraftCampaign(
            campaign_id=self.campaign_id, terms=self.terms, visibility="open", **{**values, **fields}
        )
        return await self.deliver(message, actor=actor)

    async def submit(self, actor: Actor = OLGA) -> list[Published]:
        """Submit the draft."""
        return await self.deliver(SubmitCampaign(campaign_id=self.campaign_id), actor=actor)

    async def review(
        self, decision: Any = "accept", *, actor: Actor = GUS, answers: ReviewAnswers = ALL_WELL
    ) -> list[Published]:
        """Review the campaign."""
        message = ReviewCampaign(
            campaign_id=self.campaign_id, decision=decision, reason="Looked at all four questions", answers=answers
        )
        return await self.deliver(message, actor=actor)

    async def open(self, **changes: Any) -> Stage:
        """Draft, submit and accept."""
        await self.draft(**changes)
        await self.submit()
        opened = await self.review()
        assert names(opened) == ["CampaignOpened"]
        return self

    # -- participants -----------------------------------------------------------------------------------------------

    def commit_message(self, join: Join, **changes: Any) -> CommitFunds:
        """The command of a join."""
        values: dict[str, Any] = {"campaign_id": self.campaign_id, "terms_hash": self.terms.hash(), **vars(join)}
        return CommitFunds(**{**values, **changes})

    async def commit(
        self, quantity: int = 1, *, participant_id: UUID | None = None, received_at: datetime | None = None
    ) -> tuple[Join, list[Published]]:
        """Send a join; returns it with what was published."""
        join = Join(uuid4(), participant_id or uuid4(), quantity)
        told = await self.deliver(self.commit_message(join), actor=join.person, received_at=received_at)
        return join, told

    async def hold(self, join: Join) -> list[Published]:
        """Escrow holds the funds."""
        return await self.deliver(self.funds_held(join))

    async def lock(self, quantity: int = 1) -> Join:
        """A join whose funds are held."""
        join, told = await self.commit(quantity)
        assert names(told) == ["CommitmentReserved"]
        await self.hold(join)
        return join

    async def withdraw(self, join: Join, **fields: Any) -> list[Published]:
        """The participant leaves."""
        message = WithdrawCommitment(
            campaign_id=self.campaign_id, commitment_id=join.commitment_id, participant_id=join.participant_id
        )
        return await self.deliver(message, **{"actor": join.person, **fields})

    # -- words of the other services --------------------------------------------------------------------------------

    def funds_held(self, join: Join) -> FundsHeld:
        """Escrow's word that funds are held."""
        return FundsHeld(
            **self._payment(join), intent_id=uuid4(), payment_intent_id=f"pi_{join.commitment_id.hex[:12]}"
        )

    def reservation_ended(self, join: Join, reason: Any = "expired") -> ReservationEnded:
        """Escrow's word that a reservation ended without funds."""
        return ReservationEnded(
            campaign_id=self.campaign_id,
            commitment_id=join.commitment_id,
            participant_id=join.participant_id,
            reason=reason,
        )

    def late_funds(self, join: Join) -> LateFundsReceived:
        """Escrow's word that money came for an ended reservation."""
        return LateFundsReceived(**self._payment(join), intent_id=uuid4())

    def refund_decided(self, join: Join, reason: RefundReason) -> RefundDecided:
        """Escrow's word that a refund is owed."""
        return RefundDecided(**self._payment(join), decision_id=uuid4(), reason=reason)

    def accepted(self, **changes: Any) -> CampaignAccepted:
        """The suppliers service's word that the supplier accepted."""
        values: dict[str, Any] = {
            "campaign_id": self.campaign_id,
            "invitation_id": self.invitation_id,
            "supplier_id": self.supplier_id,
            "terms_hash": self.terms.hash(),
            "accepted_at": self.terms.close_at,
        }
        return CampaignAccepted(**{**values, **changes})

    def declined(self, *, no_supplier_left: bool = True) -> InvitationDeclined:
        """The suppliers service's word that a supplier declined."""
        return InvitationDeclined(**self._invitation(), reason="No capacity", no_supplier_left=no_supplier_left)

    def timed_out(self) -> AcceptanceTimedOut:
        """The suppliers service's word that the window is over."""
        return AcceptanceTimedOut(**self._invitation())

    def withdrawn(self, reason: str = "target_not_reached") -> InvitationWithdrawn:
        """The suppliers service's word that the invitation is withdrawn."""
        return InvitationWithdrawn(campaign_id=self.campaign_id, invitation_id=self.invitation_id, reason=reason)

    def delivered(self, count: int = 1) -> DeliveryCompleted:
        """The suppliers service's word that everything is delivered."""
        return DeliveryCompleted(campaign_id=self.campaign_id, supplier_id=self.supplier_id, delivered=count)

    def released(self, *joins: Join, reserve: tuple[Join, ...] = (), plan_kind: Any = "release") -> FundsReleased:
        """Escrow's word that funds went to the supplier."""
        return FundsReleased(
            campaign_id=self.campaign_id,
            plan_id=uuid4(),
            plan_kind=plan_kind,
            supplier_id=self.supplier_id,
            net_minor=1,
            fee_minor=0,
            currency="usd",
            transfer_id="tr_1",
            released_commitment_ids=tuple(join.commitment_id for join in joins),
            reserve_commitment_ids=tuple(join.commitment_id for join in reserve),
        )

    def case_opened(self, case_id: UUID) -> EscrowCaseOpened:
        """Escrow opened a blocking case."""
        return EscrowCaseOpened(
            scope_id=str(self.campaign_id),
            case_id=case_id,
            case_kind="poison",
            severity="critical",
            subject_id="stream",
            blocking=True,
        )

    def case_closed(self, case_id: UUID) -> EscrowCaseClosed:
        """Escrow closed that case."""
        return EscrowCaseClosed(
            scope_id=str(self.campaign_id), case_id=case_id, case_kind="poison", resolution="resumed", blocking=True
        )

    async def tell(self, *messages: Message) -> list[Published]:
        """Deliver other services' words as one batch."""
        return await self.deliver(*messages)

    # -- through the harness; other tests' campaigns live in the same database ---------------------------------------

    async def deliver(self, *messages: Message, **fields: Any) -> list[Published]:
        """Deliver as one batch; what was published about this campaign."""
        return self._own(await self.harness.deliver(*messages, **fields))

    async def deliver_received(self, batch: list[Received]) -> list[Published]:
        """Deliver wrapped messages; what was published about this campaign."""
        return self._own(await self.harness.deliver_received(batch))

    async def advance(self, **span: float) -> list[Published]:
        """Move the clock; what was published about this campaign."""
        return self._own(await self.harness.advance(**span))

    async def cases(self) -> list[Any]:
        """The open cases of this campaign."""
        return [case for case in await self.harness.cases() if case.scope == str(self.campaign_id)]

    def _own(self, published: list[Published]) -> list[Published]:
        return [item for item in published if item.message.scope == str(self.campaign_id)]

    # -- where things stand -----------------------------------------------------------------------------------------

    async def campaign(self) -> Any:
        """The campaign's row."""
        rows = await self.harness.rows("SELECT * FROM campaign WHERE campaign_id = :c", c=self.campaign_id)
        return rows[0]

    async def state_of(self, join: Join) -> str:
        """A commitment's state."""
        rows = await self.harness.rows("SELECT state FROM commitment WHERE commitment_id = :c", c=join.commitment_id)
        return str(rows[0].state)

    async def counts_hold(self) -> bool:
        """Whether the campaign's counts are what its commitments add up to."""
        row = await self.campaign()
        sums = (
            await self.harness.rows(
                "SELECT COALESCE(sum(quantity) FILTER (WHERE state = 'LOCKED'), 0) AS held, "
                "count(*) FILTER (WHERE state = 'LOCKED') AS commitments, "
                "COALESCE(sum(quantity) FILTER (WHERE reservation_open), 0) AS reserved, "
                "count(*) FILTER (WHERE reservation_open) AS reservations FROM commitment WHERE campaign_id = :c",
                c=self.campaign_id,
            )
        )[0]
        return (row.held_units, row.held_commitments, row.reserved_units, row.open_reservations) == (
            sums.held,
            sums.commitments,
            sums.reserved,
            sums.reservations,
        )

    def _payment(self, join: Join) -> dict[str, Any]:
        return {
            "campaign_id": self.campaign_id,
            "commitment_id": join.commitment_id,
            "participant_id": join.participant_id,
            "amount_minor": join.quantity * self.terms.unit_price_minor,
            "currency": self.terms.currency,
        }

    def _invitation(self) -> dict[str, Any]:
        return {
            "campaign_id": self.campaign_id,
            "invitation_id": self.invitation_id,
            "supplier_id": self.supplier_id,
        }


def names(published: list[Published]) -> list[str]:
    """The class names of what was published, in sequence."""
    return [type(item.message).__name__ for item in published]


def only(published: list[Published], cls: type) -> Any:
    """The one published message of this class."""
    found = [item.message for item in published if isinstance(item.message, cls)]
    assert len(found) == 1, names(published)
    return found[0]


def refusal_code(published: list[Published]) -> str:
    """The code of the one refusal that was published."""
    codes = [item.message.code for item in published if hasattr(item.message, "code")]
    assert len(codes) == 1, names(published)
    return str(codes[0])
