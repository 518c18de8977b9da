"""What folding an own event into a row needs: the transaction, what the inputs said, what was looked up at Stripe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from contracts.campaigns import CommitmentReserved
from contracts.disputes import PrepareDisputeEvidence
from contracts.envelope import Envelope
from contracts.escrow import UsePaymentMethod
from services.escrow.domain.ledger import Posting
from services.escrow.recover.errors import RecoverError
from services.escrow.store.book import Book, book_of
from services.escrow.store.tables import Campaign, Payment, Plan, RefundDecision, Reservation
from services.escrow.usecases.post_transfers import post
from services.kit.work import Work

T = TypeVar("T")


@dataclass
class Inputs:
    """What other services and people sent, as far as own events rest on it."""

    reserved: dict[UUID, tuple[Envelope, CommitmentReserved]] = field(default_factory=dict)
    methods: dict[tuple[UUID, int], UsePaymentMethod] = field(default_factory=dict)
    evidence: dict[tuple[str, str], PrepareDisputeEvidence] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A payment as Stripe has it: its payment intent and its charge."""

    payment_intent_id: str
    charge_id: str | None


@dataclass
class Folding:
    """One scope's stream being folded. `receipts`: by the id of the call that made the payment."""

    work: Work
    scope: str
    inputs: Inputs
    receipts: Mapping[UUID, Receipt]
    answered: dict[UUID, str] = field(default_factory=dict)
    late: dict[UUID, str] = field(default_factory=dict)
    plans: set[UUID] = field(default_factory=set)

    @property
    def book(self) -> Book:
        """The transaction's rows."""
        return book_of(self.work)

    @property
    def event(self) -> Envelope:
        """The own event in hand."""
        return self.work.cause

    def answer(self, intent: UUID, outcome: str = "done") -> None:
        """The call with this id has its result."""
        self.answered[intent] = outcome

    async def reservation(self, commitment_id: UUID) -> Reservation:
        """The reservation that an event speaks of, which was known or was made from its input."""
        return self._there(await self.book.reservations.get(commitment_id), f"reservation {commitment_id}")

    async def decision(self, decision_id: UUID) -> RefundDecision:
        """The refund decision that an event speaks of."""
        return self._there(await self.book.decisions.get(decision_id), f"refund decision {decision_id}")

    async def plan(self, plan_id: UUID) -> Plan:
        """The plan that an event speaks of."""
        self.plans.add(plan_id)
        return self._there(await self.book.plans.get(plan_id), f"plan {plan_id}")

    async def campaign(self, campaign_id: UUID) -> Campaign:
        """The campaign's facts."""
        return self._there(await self.book.campaigns.get(campaign_id), f"campaign {campaign_id}")

    async def payment(self, commitment_id: UUID, intent: UUID | None = None) -> Payment:
        """The payment of a commitment that a call made; the newest one when the call is a later attempt of the same."""
        found = await self.book.payments_of(commitment_id)
        for payment in found:
            if payment.payment_id == intent:
                return payment
        return self._there(found[-1] if found else None, f"payment of {commitment_id}")

    async def post_if_missing(self, posting: Posting) -> None:
        """Post what an event told and the topic does not hold: its transaction was cut off by the relay's death."""
        await post(self.work, posting)

    def _there(self, found: T | None, what: str) -> T:
        if found is None:
            raise RecoverError(
                "recover_input_missing",
                f"{self.event.type} {self.event.id} speaks of {what}, which no input made known",
            )
        return found
