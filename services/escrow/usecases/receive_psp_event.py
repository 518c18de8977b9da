"""A verified Stripe event, or an object read again: find whose it is, and apply it as an answer would be.

The record is found by our own ids in the object's metadata and compared with it before anything is posted. A message
may be old, repeated or out of sequence: states move only forward, causes are unique, and where a message does not
suffice the object is read again. An event about an object that is not ours is ignored here; reconciliation finds money.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.envelope import PLATFORM_SCOPE
from contracts.escrow import ReceivePspEvent
from services.escrow.domain.psp import (
    OddObjectError,
    metadata_id,
    payment_facts,
    refund_facts,
    top_up_facts,
    transfer_facts,
)
from services.escrow.store.book import book_of
from services.escrow.usecases.apply_payment import apply_payment
from services.escrow.usecases.apply_refund import apply_refund
from services.escrow.usecases.hint_dispute import DISPUTE_EVENTS, hint_dispute
from services.escrow.usecases.release_funds import apply_transfer
from services.escrow.usecases.top_up_float import apply_top_up
from services.kit.service import Answer, Intent
from services.kit.work import Work

EVENT_TYPES = (
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "transfer.created",
    "transfer.reversed",
    "topup.succeeded",
    "topup.failed",
)
"""The types whose object is applied as it comes; subscribe to these and to `DISPUTE_EVENTS`, and no others."""


async def receive_psp_event(work: Work, message: ReceivePspEvent) -> None:
    """Apply one event."""
    body = event_object(message.body)
    if message.psp_event_type in DISPUTE_EVENTS:
        await hint_dispute(work, body)
        return
    if message.psp_event_type not in EVENT_TYPES:
        return
    try:
        await apply_object(work, body, authoritative=False)
    except OddObjectError as error:
        work.open_case(
            "psp_mismatch",
            scope=message.scope_id,
            subject=message.psp_event_id,
            facts={"type": message.psp_event_type, "why": str(error)},
        )


async def post_object_read(work: Work, intent: Intent, answer: Answer) -> None:
    """An object was read again: its state is the newest there is."""
    if answer.outcome == "done":
        await apply_object(work, answer.body, authoritative=True)


async def apply_object(work: Work, body: Mapping[str, Any], *, authoritative: bool) -> None:
    """Apply an object to the record that its metadata name. Raises OddObjectError."""
    book = book_of(work)
    kind = body.get("object")
    if kind == "payment_intent":
        payment = await _named(book.payments, body, "payment_id")
        if payment is not None and _in_hand(work, payment.campaign_id):
            await apply_payment(work, payment, payment_facts(body))
    elif kind == "refund":
        decision = await _named(book.decisions, body, "decision_id")
        if decision is not None and _in_hand(work, decision.campaign_id):
            facts = refund_facts(body)
            await apply_refund(work, decision, facts, ordinal=facts.ordinal, authoritative=authoritative)
    elif kind == "transfer":
        plan = await _named(book.plans, body, "plan_id")
        if plan is not None and _in_hand(work, plan.scope):
            await apply_transfer(work, plan, transfer_facts(body))
    elif kind == "topup":
        top_up = await _named(book.top_ups, body, "top_up_id")
        if top_up is not None and _in_hand(work, PLATFORM_SCOPE):
            await apply_top_up(work, top_up, top_up_facts(body))


def event_object(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The object inside a Stripe event; a bare object is taken as it is."""
    data = body.get("data")
    if isinstance(data, Mapping) and isinstance(data.get("object"), Mapping):
        found: Mapping[str, Any] = data["object"]
        return found
    return body


async def _named(rows: Any, body: Mapping[str, Any], name: str) -> Any:
    identity = metadata_id(body, name)
    return await rows.get(identity) if identity is not None else None


def _in_hand(work: Work, scope: object) -> bool:
    """Whether the record's scope is locked here: metadata that name another campaign's record are not believed."""
    try:
        work.head(str(scope))
    except KeyError:
        return False
    return True
