"""Refunds: full or partial, at once, pending, or failing after they had succeeded.

Owns the bound that no charge is refunded beyond its amount, and the changes of a refund with time.
A pending refund has no balance transaction until it succeeds, as when Stripe waits for available
money. It cannot refund anything but a charge of its own, and never returns the processing fee.
"""

from __future__ import annotations

from deploy.local.stripe_standin.core import Call, Standin
from deploy.local.stripe_standin.errors import StripeError, invalid, unexpected_state
from deploy.local.stripe_standin.lists import list_objects, one
from deploy.local.stripe_standin.store import Facts

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
FAILURE_REASON = "expired_or_canceled_card"

# How a refund begins, and what it becomes after ``refund_settles_after_seconds``.
COURSES: dict[str, tuple[str, str | None]] = {
    "succeeds": ("succeeded", None),
    "pending": ("pending", "succeeded"),
    "pending_fails": ("pending", "failed"),
    "fails": ("succeeded", "failed"),
}
ALLOWED_CHANGES = {("pending", "succeeded"), ("pending", "failed"), ("succeeded", "failed")}


def create(standin: Standin, call: Call) -> Facts:
    """POST /v1/refunds, by payment intent or by charge."""
    params = call.params
    intent_id, charge_id = params.text("payment_intent"), params.text("charge")
    amount = params.amount()
    reason = params.text("reason", choices=REASONS)
    metadata = params.metadata()
    params.finish()
    if intent_id is None and charge_id is None:
        raise invalid(
            "One of the following params should be provided for this request: payment_intent or charge.",
            code="parameter_missing",
        )
    charge = _refundable_charge(standin, intent_id, charge_id)
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise StripeError(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = left if amount is None else amount
    if amount > left:
        raise StripeError(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            param="amount",
        )
    status, later = COURSES[charge["_refund"]]
    refund: Facts = {
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "currency": charge["currency"],
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": status,
    }
    standin.name("refund", refund)
    if status == "succeeded":
        _pay_out(standin, refund, charge)
    standin.store.save("refund", refund)
    _count_refunded(standin, charge, amount)
    if later is not None:
        standin.store.db.execute(
            "INSERT INTO dues (due_at, refund_id, outcome) VALUES (?, ?, ?)",
            (
                standin.clock.now() + standin.settings.refund_settles_after_seconds,
                refund["id"],
                later,
            ),
        )
    standin.journal("refund", refund)
    standin.emit("refund.created", "refund", refund)
    return standin.show("refund", refund)


def _refundable_charge(standin: Standin, intent_id: str | None, charge_id: str | None) -> Facts:
    if intent_id is not None:
        payment = standin.find("payment_intent", intent_id, param="payment_intent", status=400)
        if payment["status"] != "succeeded" or charge_id not in (None, payment["latest_charge"]):
            raise unexpected_state(
                f"This PaymentIntent ({intent_id}) does not have a successful charge to refund.",
                standin.show("payment_intent", payment),
            )
        charge_id = payment["latest_charge"]
    charge = standin.find("charge", charge_id or "", param="charge", status=400)
    if charge["status"] != "succeeded":
        raise StripeError(
            f"Charge {charge['id']} has not succeeded and cannot be refunded.",
            code="charge_not_refundable",
        )
    _refuse_disputed(standin, charge)
    return charge


def _refuse_disputed(standin: Standin, charge: Facts) -> None:
    if not charge.get("disputed"):
        return
    rows = standin.store.page("dispute", filters={"charge": [charge["id"]]}, above=0, below=1 << 60, limit=100)
    if any(not dispute["is_charge_refundable"] for dispute in rows):
        raise StripeError(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed"
        )


def _pay_out(standin: Standin, refund: Facts, charge: Facts) -> None:
    # Money of a charge that is not yet available goes back out of the pending balance.
    movement = standin.move_money(
        "refund",
        source=refund["id"],
        amount_minor=-refund["amount"],
        currency=refund["currency"],
        available_on=charge["_available_on"],
    )
    refund["balance_transaction"] = movement["id"]


def _count_refunded(standin: Standin, charge: Facts, amount_minor: int) -> None:
    charge["amount_refunded"] += amount_minor
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    standin.store.save("charge", charge)


def settle(standin: Standin, refund_id: str, outcome: str, *, reason: str = FAILURE_REASON) -> Facts:
    """Let a refund succeed or fail now; the same outcome twice changes nothing."""
    refund = standin.find("refund", refund_id)
    before = refund["status"]
    if before == outcome:
        return standin.show("refund", refund)
    if (before, outcome) not in ALLOWED_CHANGES:
        raise StripeError(f"A refund cannot go from {before} to {outcome}.", param="status")
    charge = standin.find("charge", refund["charge"])
    refund["status"] = outcome
    if outcome == "succeeded":
        _pay_out(standin, refund, charge)
    else:
        _take_back(standin, refund, charge, reason)
    standin.store.save("refund", refund)
    standin.store.db.execute("DELETE FROM dues WHERE refund_id = ?", (refund_id,))
    standin.journal("refund", refund)
    previous = {"status": before}
    if outcome == "failed":
        standin.emit("refund.failed", "refund", refund, previous)
    standin.emit("refund.updated", "refund", refund, previous)
    return standin.show("refund", refund)


def _take_back(standin: Standin, refund: Facts, charge: Facts, reason: str) -> None:
    refund["failure_reason"] = reason
    if refund["balance_transaction"] is not None:
        movement = standin.move_money(
            "refund_failure",
            source=refund["id"],
            amount_minor=refund["amount"],
            currency=refund["currency"],
            available_on=charge["_available_on"],
        )
        refund["failure_balance_transaction"] = movement["id"]
    _count_refunded(standin, charge, -refund["amount"])


def settle_due(standin: Standin, limit: int) -> int:
    """Settle refunds whose time has come, at most ``limit``; returns how many."""
    rows = standin.store.db.execute(
        "SELECT refund_id, outcome FROM dues WHERE due_at <= ? ORDER BY due_at, seq LIMIT ?",
        (standin.clock.now(), limit),
    ).fetchall()
    for refund_id, outcome in rows:
        settle(standin, refund_id, outcome)
    return len(rows)


def list_refunds(standin: Standin, call: Call) -> Facts:
    """GET /v1/refunds."""
    intent = call.params.text("payment_intent")
    charge = call.params.text("charge")
    return list_objects(standin, call, "refund", {"payment_intent": one(intent), "charge": one(charge)})
