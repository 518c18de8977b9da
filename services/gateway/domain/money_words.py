"""Where the money of one commitment is now, in one plain sentence.

Computed from the commitment's state, its payment and its refunds, each told by the service that owns it. The sentence
claims nothing that the ledger does not hold: a refund is called paid only when the payment processor says so, and held
funds are called held only after the ledger posted them. It cannot see the participant's bank.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.gateway.domain.money_text import day, minute, money

REFUND_REASONS: dict[str, str] = {
    "target_not_reached": "the target quantity was not reached",
    "supplier_declined": "the supplier declined",
    "acceptance_timeout": "the supplier did not answer in time",
    "withdrawn": "you withdrew",
    "cancelled": "the campaign was cancelled",
    "fulfillment_failed": "fulfillment was not completed",
    "quality_issue": "your reported fault was upheld",
    "delivery_failure": "the delivery was not completed",
    "delay_exit": "you chose to leave after a delay",
    "partial": "the fulfillment was partial",
    "duplicate": "it was taken twice",
    "chargeback": "your bank took the payment back",
    "correction": "it was corrected by staff",
    "late_receipt": "it arrived after the reservation had ended",
    "goodwill": "staff decided a remedy after the release",
}


def money_now(commitment: Mapping[str, Any]) -> str:
    """The sentence for one row of the read model (see `store.read_commitments.COMMITMENT_COLUMNS`)."""
    if commitment["dispute_state"] == "open":
        return _in_dispute(commitment)
    if commitment["dispute_charged_back"] or commitment["refund_state"] == "charged_back":
        amount = money(commitment["dispute_minor"], commitment["currency"])
        return f"Your card's bank took the payment of {amount} back on {day(commitment['dispute_state_at'])}."
    if commitment["refund_state"] is not None:
        return _refund(commitment) + _rest(commitment)
    state = commitment["state"]
    amount = money(commitment["amount_minor"], commitment["currency"])
    if state == "LOCKED":
        return f"{amount} is held in escrow. {_held_until(commitment)}"
    if state == "PENDING_FUNDS":
        return _pending(commitment, amount)
    if state == "RELEASED":
        moment = commitment["released_at"]
        when = f" on {day(moment)}" if moment is not None else ""
        return f"{amount} was released to the supplier{when}, after delivery, inspection and two approvals."
    return {
        "REFUSED": "No money was taken: the join was not accepted.",
        "FUNDS_FAILED": "No money is held: the reservation ended before its funds arrived.",
        "WITHDRAWN": _withdrawn(commitment, amount),
        "REFUNDED": f"{amount} is owed to you; the refund is being recorded.",
    }[state]


def _in_dispute(commitment: Mapping[str, Any]) -> str:
    amount = money(commitment["dispute_minor"], commitment["currency"])
    since = day(commitment["dispute_opened_at"])
    if commitment["dispute_status"].startswith("warning_"):
        return f"Your card's bank asks about the payment of {amount} since {since}; it is kept as it is until the bank answers."
    return f"{amount} is in dispute with your card's bank since {since}; the bank decides whose it is."


def _rest(commitment: Mapping[str, Any]) -> str:
    """What is still held after a part was refunded by hand."""
    if (commitment["state"], commitment["refund_reason"]) != ("LOCKED", "partial"):
        return ""
    rest_minor = commitment["amount_minor"] - commitment["refunded_minor"]
    return f" {money(rest_minor, commitment['currency'])} is still held in escrow. {_held_until(commitment)}"


def _refund(commitment: Mapping[str, Any]) -> str:
    amount = money(commitment["refund_minor"], commitment["currency"])
    why = REFUND_REASONS.get(commitment["refund_reason"] or "", "of a correction")
    state = commitment["refund_state"]
    if state == "sent":
        when = commitment["refund_sent_at"] or commitment["refund_decided_at"]
        return f"{amount} was refunded to your card on {day(when)} because {why}; your bank shows it within days."
    if state == "paid_outside":
        when = commitment["refund_sent_at"] or commitment["refund_decided_at"]
        return (
            f"{amount} was paid back to you on {day(when)} another way than your card because {why}; two people approved "
            "it with the proof of payment."
        )
    if state == "failed":
        return (
            f"{amount} is owed to you because {why}. The card refund did not go through; staff have an open case to "
            "pay it another way."
        )
    since = f" since {day(commitment['refund_decided_at'])}" if commitment["refund_decided_at"] else ""
    step = "the payment processor is paying it" if state == "pending" else "it goes to the payment processor next"
    return f"{amount} is on its way back to your card{since} because {why}; {step}."


def _pending(commitment: Mapping[str, Any], amount: str) -> str:
    payment = commitment["payment_state"]
    if payment == "declined":
        until = commitment["retry_until"] or commitment["reserved_until"]
        limit = f" Another card can be used until {minute(until)}." if until is not None else ""
        return f"No money was taken: the card was declined.{limit}"
    if payment == "action_required":
        return f"No money is held yet: your bank asks you to confirm the payment of {amount}."
    return f"No money is held yet: the payment of {amount} is under way."


def _withdrawn(commitment: Mapping[str, Any], amount: str) -> str:
    if commitment["withdrawn_was"] == "LOCKED":
        return f"{amount} is owed to you; the refund is being recorded."
    return "No money is held: you withdrew before the payment arrived. If it still arrives, it goes straight back."


def _held_until(commitment: Mapping[str, Any]) -> str:
    state = commitment["campaign_state"]
    close_at = commitment["close_at"]
    if state == "ACTIVE":
        return f"If the target quantity is not reached by {minute(close_at)}, all of it is refunded."
    if state == "TARGET_ACHIEVED":
        return f"The target quantity is reached; after the close on {minute(close_at)} the supplier is asked to accept."
    if state == "PENDING_ACCEPTANCE":
        window = commitment["window_closes_at"]
        until = f" until {minute(window)}" if window is not None else ""
        return f"The supplier decides{until}; without an acceptance all of it is refunded."
    if state == "FULFILLMENT":
        return "The supplier fulfills; it is released only after delivery, inspection and two approvals."
    if state == "INSPECTION":
        until = commitment["inspection_until"]
        limit = f" until {minute(until)}" if until is not None else ""
        return f"Your inspection runs{limit}; it is released only afterwards, with two approvals."
    if state == "COMPLETED":
        return "It stays in reserve until your reported fault is decided."
    return "The campaign is closed; the refund is being recorded."
