"""Load in bulk what a batch of messages or answers will look up, so that handling one costs no statement.

It follows the use cases by hand: a look-up that is not foreseen here still works, one statement each. It cannot see what
a use case decides; it loads what any of its ways may need.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from contracts.campaigns import CommitmentRefused, CommitmentReserved, CommitmentWithdrawn
from contracts.clearing import (
    ApproveClearingPlan,
    RetryPlanTransfer,
    SubmitClearingPlan,
    SubmitPlanByHand,
    TakePlanBack,
)
from contracts.envelope import Envelope, Message
from contracts.escrow import ReceivePspEvent, UsePaymentMethod
from contracts.suppliers import IssueDecided, IssueReported
from services.escrow.domain.ledger import commitment_account
from services.escrow.domain.psp import metadata_id
from services.escrow.store.book import book_of
from services.escrow.store.ledger import open_ledger
from services.escrow.usecases.receive_psp_event import EVENT_TYPES, event_object
from services.kit.service import Answer, Intent
from services.kit.work import Work


@dataclass(slots=True)
class Wanted:
    """Keys to load."""

    campaigns: set[UUID] = field(default_factory=set)
    commitments: set[UUID] = field(default_factory=set)
    tokens: set[UUID] = field(default_factory=set)
    payments: set[UUID] = field(default_factory=set)
    decisions: set[UUID] = field(default_factory=set)
    plans: set[UUID] = field(default_factory=set)
    issues: set[UUID] = field(default_factory=set)
    paid: dict[UUID, UUID] = field(default_factory=dict)
    """Commitment → campaign, whose accounts will be posted to."""
    causes: set[str] = field(default_factory=set)


async def load_messages(work: Work, batch: Sequence[tuple[Envelope, Message]]) -> None:
    """Load what these messages look up."""
    wanted = Wanted()
    for _, message in batch:
        _want(wanted, message)
    await _load(work, wanted)


async def load_answers(work: Work, answers: Sequence[tuple[Intent, Answer]]) -> None:
    """Load what posting these answers looks up."""
    wanted = Wanted()
    for intent, answer in answers:
        request = intent.request
        for name, keys in (
            ("campaign_id", wanted.campaigns),
            ("commitment_id", wanted.commitments),
            ("payment_id", wanted.payments),
            ("decision_id", wanted.decisions),
            ("plan_id", wanted.plans),
        ):
            if name in request:
                keys.add(UUID(request[name]))
        if "commitment_id" in request and answer.outcome == "done":
            wanted.paid[UUID(request["commitment_id"])] = UUID(request["campaign_id"])
            if intent.purpose == "payment":
                wanted.causes.add(f"pi:{intent.id}")
            elif intent.purpose == "refund":
                wanted.causes.add(f"refs:{answer.body.get('id')}")
    await _load(work, wanted)


def _want(wanted: Wanted, message: Message) -> None:
    campaign_id = getattr(message, "campaign_id", None)
    if isinstance(campaign_id, UUID):
        wanted.campaigns.add(campaign_id)
    match message:
        case CommitmentReserved() | UsePaymentMethod():
            wanted.commitments.add(message.commitment_id)
            wanted.tokens.add(message.commitment_id)
        case CommitmentRefused():
            wanted.tokens.add(message.commitment_id)
        case CommitmentWithdrawn():
            wanted.commitments.add(message.commitment_id)
            wanted.paid[message.commitment_id] = message.campaign_id
        case IssueReported():
            wanted.issues.add(message.issue_id)
        case IssueDecided():
            wanted.issues.add(message.issue_id)
            wanted.commitments.add(message.commitment_id)
            wanted.paid[message.commitment_id] = message.campaign_id
        case SubmitClearingPlan() | SubmitPlanByHand() | ApproveClearingPlan() | RetryPlanTransfer() | TakePlanBack():
            wanted.plans.add(message.plan_id)
        case ReceivePspEvent() if message.psp_event_type in EVENT_TYPES:
            _want_object(wanted, message)


def _want_object(wanted: Wanted, message: ReceivePspEvent) -> None:
    body = event_object(message.body)
    for name, keys in (
        ("campaign_id", wanted.campaigns),
        ("commitment_id", wanted.commitments),
        ("payment_id", wanted.payments),
        ("decision_id", wanted.decisions),
        ("plan_id", wanted.plans),
    ):
        identity = metadata_id(body, name)
        if identity is not None:
            keys.add(identity)


async def _load(work: Work, wanted: Wanted) -> None:
    book = book_of(work)
    await book.load_scopes(str(campaign_id) for campaign_id in wanted.campaigns)
    await book.campaigns.load(wanted.campaigns)
    await book.load_commitments(wanted.commitments)
    await book.waiting.load(wanted.tokens)
    await book.payments.load(wanted.payments)
    await book.decisions.load(wanted.decisions)
    await book.plans.load(wanted.plans)
    await book.issues.load(wanted.issues)
    if wanted.paid:
        ledger = await open_ledger(
            work, {str(campaign_id) for campaign_id in wanted.paid.values()}, _accounts(wanted.paid.items())
        )
        await ledger.load_causes(wanted.causes)


def _accounts(paid: Iterable[tuple[UUID, UUID]]) -> list[tuple[str, str]]:
    names = ("escrow", "refund_payable", "reserve")
    found = [
        (str(campaign_id), commitment_account(name, commitment_id))
        for commitment_id, campaign_id in paid
        for name in names
    ]
    return [*found, *{(str(campaign_id), "psp_clearing") for _, campaign_id in paid}]
