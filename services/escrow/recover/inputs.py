"""The second step: what other services and people sent, once more from the first record, with all calls off.

Twice: first only the facts that own events rest on (terms, states, evidence, reservations), without any gate; then, after
the own topic, every message through the service's own batch handling. Gates and inbox skip what was handled before the
moment that the database is from. A message whose effects the own topic told is not handled again: its facts are noted and
its effects are there. Any other one is handled as if it came today; its events, decisions and calls get the ids that
they had, because ids are derived from causes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.campaigns import (
    AcceptanceRequested,
    CampaignClosed,
    CampaignCompleted,
    CampaignOpened,
    CommitmentReserved,
    FulfillmentStarted,
    InspectionStarted,
    TargetReached,
)
from contracts.disputes import PrepareDisputeEvidence
from contracts.envelope import Message, parse
from contracts.escrow import UsePaymentMethod
from contracts.suppliers import (
    CampaignAccepted,
    DeliveryCompleted,
    FulfillmentAccepted,
    IssueDecided,
    IssueReported,
    SupplierRegistered,
)
from contracts.transparency import ProveCommitment
from services.escrow.recover.folding import Inputs
from services.escrow.recover.topics import read_topic
from services.escrow.store.book import book_of
from services.escrow.usecases import record_campaign
from services.kit import gate as gates
from services.kit.batch import BatchHandler
from services.kit.received import Received, Verifier
from services.kit.service import Handlers, Service
from services.kit.transaction import work_on
from services.kit.work import Early, Work, intent_id

FACT_TOPICS = ("campaigns.events", "suppliers.events")
COMMAND_TOPICS = ("escrow.commands", "escrow.psp")
MESSAGES_AT_ONCE = 200


async def read_inputs(bootstrap: str, *, prefix: str) -> Inputs:
    """What own events may rest on, from the topics as they are kept."""
    inputs = Inputs()
    async for records in read_topic(bootstrap, "campaigns.events", prefix=prefix):
        for record in records:
            if record.envelope.type == CommitmentReserved.type:
                told = _parsed(record)
                if isinstance(told, CommitmentReserved):
                    inputs.reserved[told.commitment_id] = (record.envelope, told)
    async for records in read_topic(bootstrap, "escrow.commands", prefix=prefix):
        for record in records:
            message = _parsed(record)
            if isinstance(message, UsePaymentMethod):
                inputs.methods[message.commitment_id, message.attempt] = message
            elif isinstance(message, PrepareDisputeEvidence):
                inputs.evidence[message.dispute_id, message.evidence.hash()] = message
    return inputs


async def note_facts(
    engine: AsyncEngine, service: Service, bootstrap: str, *, prefix: str, causes: Collection[UUID]
) -> int:
    """Note the facts of every message that is past its gate; returns how many there were."""
    count = 0
    for topic in FACT_TOPICS:
        async for records in read_topic(bootstrap, topic, prefix=prefix):
            passed = await _gates(engine, service, {each.envelope.stream for each in records if each.envelope.stream})
            fresh = [
                (record, message)
                for record in records
                if (record.envelope.seq or 0) > passed.get(record.envelope.stream or "", 0)
                and (message := _parsed(record)) is not None
            ]
            for start in range(0, len(fresh), MESSAGES_AT_ONCE):
                count += await _note(engine, service, fresh[start : start + MESSAGES_AT_ONCE], causes)
    return count


async def handle_inputs(  # noqa: PLR0913 - the parts of one step, all named
    engine: AsyncEngine,
    service: Service,
    bootstrap: str,
    *,
    prefix: str,
    causes: Collection[UUID],
    verifier: Verifier,
) -> int:
    """Hand every message to the service's own batch handling; returns how many were read."""
    quiet = replace(service, handlers=_handlers(service.handlers, causes))
    handler = BatchHandler(quiet, engine, verifier=verifier, after_commit=lambda: None, stopping=asyncio.Event())
    count = 0
    for topic in (*FACT_TOPICS, *COMMAND_TOPICS):
        async for records in read_topic(bootstrap, topic, prefix=prefix):
            for start in range(0, len(records), MESSAGES_AT_ONCE):
                part = records[start : start + MESSAGES_AT_ONCE]
                await handler.apply(part)
                count += len(part)
    return count


def _handlers(handlers: Handlers, causes: Collection[UUID]) -> Handlers:
    """The service's handlers, each passing over a message whose effects were told."""

    def wrapped(handler: Any) -> Any:
        async def unless_told(work: Work, message: Any) -> None:
            if work.cause.id in causes:
                await note_told(work, message)
            elif not await _is_paid(work, message):
                await handler(work, message)

        return unless_told

    quiet = {kind: wrapped(handler) for kind, handler in handlers.items()}
    quiet[ProveCommitment] = _nobody_waits
    return quiet


async def _nobody_waits(work: Work, message: Message) -> None:
    """A question whose answer was for a browser that is long gone."""


async def _is_paid(work: Work, message: Message) -> bool:
    """Whether the payment that a token is for was started by another message: the one that came second begins it."""
    if not isinstance(message, UsePaymentMethod):
        return False
    payment_id = intent_id("payment", f"{message.commitment_id}:{message.attempt}", 1)
    return await book_of(work).payments.get(payment_id) is not None


async def note_told(work: Work, message: Message) -> None:
    """The facts of a message whose effects were told; the effects themselves came back with the own topic."""
    handler = _FACTS.get(type(message))
    if handler is not None:
        await handler(work, message)
    elif isinstance(message, CampaignClosed):
        await _note_closed(work, message)
    elif isinstance(message, IssueDecided):
        issue = await book_of(work).issues.get(message.issue_id)
        if issue is not None and issue.verdict is None:
            issue.verdict, issue.decided_event_id = message.verdict, work.cause.id


async def _note_closed(work: Work, message: CampaignClosed) -> None:
    book = book_of(work)
    campaign = await book.campaigns.get(message.campaign_id)
    if campaign is None or campaign.close_reason is not None:
        return
    scope = await book.scope(message.campaign_id)
    if scope.latch == "clearing":
        # The close met a release at work; its case was told, and nothing was closed here.
        return
    scope.latch, scope.latch_plan_id = "close", None
    await record_campaign.record_state(work, message.campaign_id, "CLOSED")
    campaign.close_reason, campaign.closed_event_id = message.reason, work.cause.id


async def _note(
    engine: AsyncEngine, service: Service, fresh: Sequence[tuple[Received, Message]], causes: Collection[UUID]
) -> int:
    wanted = [
        (record, message)
        for record, message in fresh
        if type(message) in _FACTS
        or (record.envelope.id in causes and isinstance(message, CampaignClosed | IssueDecided))
    ]
    if not wanted:
        return 0
    async with work_on(engine, service, {record.envelope.key for record, _ in wanted}) as work:
        for record, message in wanted:
            work.for_cause(record.envelope)
            try:
                await note_told(work, message)
            except Early:
                # Its campaign is not known yet; the handling of the inputs parks it, as it would have.
                continue
    return len(wanted)


async def _gates(engine: AsyncEngine, service: Service, streams: Iterable[str]) -> Mapping[str, int]:
    async with engine.begin() as connection:
        locked = await gates.lock(connection, service.consumer, streams)
        return {stream: gate.last_seq for stream, gate in locked.items()}


def _parsed(record: Received) -> Message | None:
    if record.body is None:
        return None
    try:
        return parse(record.envelope.type, record.body)
    except ValueError:
        # Poison: it was parked when it first came, and the handling of the inputs parks it again.
        return None


_FACTS: Mapping[type[Message], Any] = {
    CampaignOpened: record_campaign.record_opened,
    TargetReached: record_campaign.record_state_event,
    AcceptanceRequested: record_campaign.record_state_event,
    FulfillmentStarted: record_campaign.record_state_event,
    InspectionStarted: record_campaign.record_state_event,
    CampaignCompleted: record_campaign.record_state_event,
    CampaignAccepted: record_campaign.record_accepted,
    DeliveryCompleted: record_campaign.record_delivery,
    FulfillmentAccepted: record_campaign.record_verdict,
    IssueReported: record_campaign.record_issue,
    SupplierRegistered: record_campaign.record_supplier,
}
