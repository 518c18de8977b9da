"""What a Stripe object says, read into our own words, with what is missing or odd refused at once.

Answers, webhooks and lists carry the same objects, so all three are read here. Ids of our own records come from the
object's metadata and are only a way to find a record: amount and currency are compared with that record before
anything is posted. It cannot tell whether an object is the newest; the caller asks again where that matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args
from uuid import UUID

from contracts.disputes import DisputeStatus
from services.escrow.domain.disputes import MOVEMENTS_MAX, DisputeFacts, Movement

PaymentStatus = Literal["succeeded", "requires_action", "processing", "canceled", "failed"]

_PAYMENT_STATUSES: Mapping[str, PaymentStatus] = {
    "succeeded": "succeeded",
    "requires_action": "requires_action",
    "processing": "processing",
    "canceled": "canceled",
    # Each of our payment intents is confirmed exactly once, so one that wants a payment method again has failed.
    "requires_payment_method": "failed",
}

UNNAMED_DECLINE = "card_declined"
REASON_CHARACTERS_MAX = 100
"""Longest reason of a dispute that is kept; Stripe's are codes of one or two words."""


class OddObjectError(ValueError):
    """An object of Stripe lacks what every object of its kind has."""


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """A payment intent. `decline_code` and `redirect_url` stand where the status calls for them."""

    id: str
    status: PaymentStatus
    amount_minor: int
    currency: str
    charge_id: str | None
    payment_id: UUID | None
    intent_id: UUID | None
    decline_code: str
    redirect_url: str | None


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """A refund. Status: pending, succeeded or failed (requires_action waits like pending, canceled is failed). `ordinal`
    is the attempt of its decision that made it; 0 when the object does not name one."""

    id: str
    status: Literal["pending", "succeeded", "failed"]
    amount_minor: int
    currency: str
    payment_intent_id: str | None
    decision_id: UUID | None
    ordinal: int


@dataclass(frozen=True, slots=True)
class ReversalFacts:
    """Something taken back of a transfer; `plan_id` when a recovery of ours asked for it."""

    id: str
    amount_minor: int
    plan_id: UUID | None


@dataclass(frozen=True, slots=True)
class TransferFacts:
    """A transfer to a supplier, with what was taken back of it."""

    id: str
    amount_minor: int
    currency: str
    destination: str
    plan_id: UUID | None
    reversals: tuple[ReversalFacts, ...]


@dataclass(frozen=True, slots=True)
class TopUpFacts:
    """A top-up of the platform's balance."""

    id: str
    status: Literal["pending", "succeeded", "failed"]
    amount_minor: int
    currency: str
    top_up_id: UUID | None


@dataclass(frozen=True, slots=True)
class MovementFacts:
    """A balance transaction: amount = net + fee, signed as Stripe signs them. Times are seconds since 1970."""

    id: str
    type: str
    source_id: str | None
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    created: int
    available_on: int


def payment_facts(body: Mapping[str, Any]) -> PaymentFacts:
    """Read a payment intent. Raises OddObjectError."""
    status = _PAYMENT_STATUSES.get(_text(body, "status"))
    if status is None:
        raise OddObjectError(f"a payment intent with status {body.get('status')!r}")
    action = body.get("next_action") or {}
    redirect = (action.get("redirect_to_url") or {}).get("url") if isinstance(action, Mapping) else None
    return PaymentFacts(
        id=_text(body, "id"),
        status=status,
        amount_minor=_amount(body, "amount"),
        currency=_text(body, "currency"),
        charge_id=body.get("latest_charge"),
        payment_id=metadata_id(body, "payment_id"),
        intent_id=metadata_id(body, "intent_id"),
        decline_code=decline_code(body.get("last_payment_error")),
        redirect_url=redirect,
    )


def refund_facts(body: Mapping[str, Any]) -> RefundFacts:
    """Read a refund. Raises OddObjectError."""
    status: Literal["pending", "succeeded", "failed"] = "pending"
    if body.get("status") == "succeeded":
        status = "succeeded"
    elif body.get("status") in ("failed", "canceled"):
        status = "failed"
    return RefundFacts(
        id=_text(body, "id"),
        status=status,
        amount_minor=_amount(body, "amount"),
        currency=_text(body, "currency"),
        payment_intent_id=body.get("payment_intent"),
        decision_id=metadata_id(body, "decision_id"),
        ordinal=_ordinal(body),
    )


def transfer_facts(body: Mapping[str, Any]) -> TransferFacts:
    """Read a transfer. Raises OddObjectError."""
    rows = (body.get("reversals") or {}).get("data") or ()
    return TransferFacts(
        id=_text(body, "id"),
        amount_minor=_amount(body, "amount"),
        currency=_text(body, "currency"),
        destination=str(body.get("destination") or ""),
        plan_id=metadata_id(body, "plan_id"),
        reversals=tuple(
            ReversalFacts(_text(row, "id"), _amount(row, "amount"), metadata_id(row, "plan_id")) for row in rows
        ),
    )


def top_up_facts(body: Mapping[str, Any]) -> TopUpFacts:
    """Read a top-up. Raises OddObjectError."""
    status: Literal["pending", "succeeded", "failed"] = "pending"
    if body.get("status") == "succeeded":
        status = "succeeded"
    elif body.get("status") in ("failed", "canceled", "reversed"):
        status = "failed"
    return TopUpFacts(
        id=_text(body, "id"),
        status=status,
        amount_minor=_amount(body, "amount"),
        currency=_text(body, "currency"),
        top_up_id=metadata_id(body, "top_up_id"),
    )


def dispute_facts(body: Mapping[str, Any]) -> DisputeFacts:
    """Read a dispute with its movements, the oldest first. Raises OddObjectError, also for a status nobody here knows."""
    status = _text(body, "status")
    if status not in get_args(DisputeStatus):
        raise OddObjectError(f"a dispute with status {status!r}")
    if _amount(body, "amount") <= 0:
        raise OddObjectError(f"dispute {body.get('id')!r} about nothing")
    rows = body.get("balance_transactions") or ()
    if len(rows) > MOVEMENTS_MAX:
        raise OddObjectError(f"dispute {body.get('id')!r} has {len(rows)} movements")
    movements = [(_amount(row, "created"), movement_facts(row)) for row in rows]
    due_by = (body.get("evidence_details") or {}).get("due_by")
    payment_intent_id = body.get("payment_intent")
    return DisputeFacts(
        id=_text(body, "id"),
        status=cast(DisputeStatus, status),
        amount_minor=_amount(body, "amount"),
        currency=_text(body, "currency"),
        charge_id=_text(body, "charge"),
        payment_intent_id=payment_intent_id if isinstance(payment_intent_id, str) else None,
        reason=str(body.get("reason") or "general")[:REASON_CHARACTERS_MAX],
        due_by=due_by if isinstance(due_by, int) and due_by > 0 else None,
        movements=tuple(
            Movement(facts.id, facts.amount_minor, facts.fee_minor)
            # Of one second what was taken comes first: nothing is given back before.
            for _, facts in sorted(movements, key=lambda each: (each[0], each[1].amount_minor))
        ),
    )


def movement_facts(body: Mapping[str, Any]) -> MovementFacts:
    """Read a balance transaction. Raises OddObjectError when its amount is not net plus fee."""
    facts = MovementFacts(
        id=_text(body, "id"),
        type=_text(body, "type"),
        source_id=body.get("source"),
        amount_minor=_amount(body, "amount"),
        fee_minor=_amount(body, "fee"),
        net_minor=_amount(body, "net"),
        currency=_text(body, "currency"),
        created=_amount(body, "created"),
        available_on=_amount(body, "available_on"),
    )
    if facts.amount_minor != facts.net_minor + facts.fee_minor:
        raise OddObjectError(f"balance transaction {facts.id}: amount is not net plus fee")
    return facts


def decline_code(error: Mapping[str, Any] | None) -> str:
    """The most telling code of a declined payment."""
    if not error:
        return UNNAMED_DECLINE
    return str(error.get("decline_code") or error.get("code") or error.get("type") or UNNAMED_DECLINE)


def metadata_id(body: Mapping[str, Any], name: str) -> UUID | None:
    """An id of ours in the object's metadata; None when it is not there or is not one."""
    metadata = body.get("metadata")
    value = metadata.get(name) if isinstance(metadata, Mapping) else None
    try:
        return UUID(str(value)) if value else None
    except ValueError:
        return None


def _ordinal(body: Mapping[str, Any]) -> int:
    metadata = body.get("metadata")
    value = str(metadata.get("ordinal", "")) if isinstance(metadata, Mapping) else ""
    return int(value) if value.isascii() and value.isdigit() else 0


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise OddObjectError(f"{body.get('object', 'object')} {body.get('id')!r} has no {name}")
    return value


def _amount(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise OddObjectError(f"{body.get('object', 'object')} {body.get('id')!r} has no whole {name}")
    return value
