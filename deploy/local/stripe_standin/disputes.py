"""Disputes: a payer's bank asks about a charge or takes it back; evidence, and how it ends.

Owns the states of a dispute and the money that moves with it, as Stripe has them: an inquiry moves none, a dispute takes
amount and fee at once, a win brings the amount back and never the fee. A pending refund of a charge that is disputed
fails; a disputed charge is not refunded, and an inquiry whose charge is refunded whole is closed. Which way a bank
decides is said by the evidence (Stripe's words for tests) or by the control addresses; it judges nothing itself.
"""

from __future__ import annotations

from deploy.local.stripe_standin import refunds, settings
from deploy.local.stripe_standin.core import Call, Standin
from deploy.local.stripe_standin.errors import StripeError, invalid
from deploy.local.stripe_standin.forms import Params
from deploy.local.stripe_standin.lists import list_objects, one
from deploy.local.stripe_standin.store import Facts

INQUIRY_STATES = ("warning_needs_response", "warning_under_review")
DISPUTE_STATES = ("needs_response", "under_review")
OPEN_STATES = (*INQUIRY_STATES, *DISPUTE_STATES)
REASONS = (
    "fraudulent",
    "product_not_received",
    "product_unacceptable",
    "credit_not_processed",
    "duplicate",
    "general",
    "unrecognized",
)
EVIDENCE_TEXTS = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_tracking_number",
    "uncategorized_text",
)
EVIDENCE_FILES = ("uncategorized_file",)
# Stripe's own words in `uncategorized_text` that decide a dispute in a test.
VERDICTS = {"winning_evidence": "won", "losing_evidence": "lost", "escalate_inquiry_evidence": "escalate"}
CONTROLS = ("win", "lose", "close_inquiry", "escalate", "reopen", "review")


def open_dispute(
    standin: Standin,
    charge_id: str,
    *,
    inquiry: bool = False,
    reason: str = "fraudulent",
    amount_minor: int | None = None,
) -> Facts:
    """A bank disputes a charge, or asks about it."""
    charge = standin.find("charge", charge_id, param="charge")
    if charge["status"] != "succeeded":
        raise invalid("Only a charge that succeeded can be disputed.", param="charge")
    if reason not in REASONS:
        raise invalid(f"reason must be one of {', '.join(REASONS)}.", param="reason")
    amount = charge["amount"] if amount_minor is None else amount_minor
    if not 0 < amount <= charge["amount"]:
        raise invalid("amount must lie between 1 and the charge's amount.", param="amount")
    dispute: Facts = {
        "amount": amount,
        "charge": charge_id,
        "currency": charge["currency"],
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
        "is_charge_refundable": inquiry,
        "_movements": [],
        "_evidence": {},
        "_submissions": 0,
        "_brand": charge["_card"]["brand"],
    }
    standin.name("dispute", dispute)
    _set_due(standin, dispute)
    standin.store.save("dispute", dispute)
    charge["disputed"] = True
    standin.store.save("charge", charge)
    if not inquiry:
        _withdraw(standin, dispute)
    _told(standin, dispute, "created")
    if not inquiry:
        _told(standin, dispute, "funds_withdrawn")
        _fail_pending_refunds(standin, charge_id)
    return dispute


def _set_due(standin: Standin, dispute: Facts) -> None:
    dispute["_due_by"] = standin.clock.now() + settings.DISPUTE_EVIDENCE_SECONDS
    standin.store.db.execute(
        "INSERT INTO dispute_dues (due_at, dispute_id) VALUES (?, ?)", (dispute["_due_by"], dispute["id"])
    )


def _withdraw(standin: Standin, dispute: Facts) -> None:
    _move(standin, dispute, -dispute["amount"], fee_minor=settings.DISPUTE_FEE_MINOR, category="dispute")
    dispute["is_charge_refundable"] = False


def _move(standin: Standin, dispute: Facts, amount_minor: int, *, fee_minor: int, category: str) -> None:
    charge = standin.find("charge", dispute["charge"])
    movement = standin.move_money(
        "adjustment",
        source=dispute["id"],
        amount_minor=amount_minor,
        currency=dispute["currency"],
        category=category,
        fee_minor=fee_minor,
        # As with a refund, money of a charge that is not yet available is taken out of the pending balance.
        available_on=charge["_available_on"],
        description=f"Chargeback {'withdrawal' if amount_minor < 0 else 'reversal'} for {dispute['charge']}",
    )
    dispute["_movements"].append(movement["id"])
    standin.store.save("dispute", dispute)


def _fail_pending_refunds(standin: Standin, charge_id: str) -> None:
    rows = standin.store.page("refund", filters={"charge": [charge_id]}, above=0, below=1 << 60, limit=100)
    for refund in rows:
        if refund["status"] == "pending":
            refunds.settle(standin, refund["id"], "failed", reason="charge_for_pending_refund_disputed")


def _told(standin: Standin, dispute: Facts, verb: str, previous: Facts | None = None) -> None:
    standin.journal("dispute", {name: value for name, value in dispute.items() if name != "_evidence"})
    standin.emit(f"charge.dispute.{verb}", "dispute", dispute, previous)


def _go(standin: Standin, dispute: Facts, status: str) -> Facts:
    before = dispute["status"]
    dispute["status"] = status
    dispute["is_charge_refundable"] = status in (*INQUIRY_STATES, "warning_closed", "won")
    standin.store.save("dispute", dispute)
    return {"status": before}


# -- how it goes on ----------------------------------------------------------------------------------------------------


def decide(standin: Standin, dispute_id: str, verb: str) -> Facts:
    """What a bank does next: one of `CONTROLS`. The same decision twice changes nothing."""
    dispute = standin.find("dispute", dispute_id, param="dispute")
    status = dispute["status"]
    if verb in ("win", "lose"):
        _end(standin, dispute, "won" if verb == "win" else "lost")
    elif verb == "close_inquiry" and status in (*INQUIRY_STATES, "warning_closed"):
        _close_inquiry(standin, dispute)
    elif verb == "escalate" and status in INQUIRY_STATES:
        _escalate(standin, dispute)
    elif verb == "reopen" and status in ("won", "lost", "warning_closed"):
        _reopen(standin, dispute)
    elif verb == "review" and status in ("needs_response", "warning_needs_response"):
        _told(standin, dispute, "updated", _go(standin, dispute, _reviewed(status)))
    else:
        raise StripeError(f"A dispute that is {status} cannot {verb}.", param="status")
    return standin.show("dispute", dispute)


def _reviewed(status: str) -> str:
    return "warning_under_review" if status.startswith("warning_") else "under_review"


def _end(standin: Standin, dispute: Facts, status: str) -> None:
    if dispute["status"] == status:
        return
    if dispute["status"] not in DISPUTE_STATES:
        raise StripeError(f"A dispute that is {dispute['status']} cannot be {status}.", param="status")
    previous = _go(standin, dispute, status)
    if status == "won":
        _move(standin, dispute, dispute["amount"], fee_minor=0, category="dispute_reversal")
    _told(standin, dispute, "closed", previous)
    if status == "won":
        _told(standin, dispute, "funds_reinstated")


def _close_inquiry(standin: Standin, dispute: Facts) -> None:
    if dispute["status"] != "warning_closed":
        _told(standin, dispute, "closed", _go(standin, dispute, "warning_closed"))


def _escalate(standin: Standin, dispute: Facts) -> None:
    previous = _go(standin, dispute, "needs_response")
    _set_due(standin, dispute)
    _withdraw(standin, dispute)
    _told(standin, dispute, "updated", previous)
    _told(standin, dispute, "funds_withdrawn")
    _fail_pending_refunds(standin, dispute["charge"])


def _reopen(standin: Standin, dispute: Facts) -> None:
    """The bank takes its decision up again: what had come back is taken once more, without another fee."""
    before = dispute["status"]
    previous = _go(standin, dispute, "under_review")
    if before != "lost":
        fee_minor = 0 if before == "won" else settings.DISPUTE_FEE_MINOR
        _move(standin, dispute, -dispute["amount"], fee_minor=fee_minor, category="dispute")
    dispute["is_charge_refundable"] = False
    standin.store.save("dispute", dispute)
    _told(standin, dispute, "updated", previous)
    if before != "lost":
        _told(standin, dispute, "funds_withdrawn")
        _fail_pending_refunds(standin, dispute["charge"])


def refund_charge(standin: Standin, call: Call) -> Facts:
    """POST /v1/refunds: the refund, and the end of an inquiry about a charge that is now refunded whole."""
    refund = refunds.create(standin, call)
    charge = standin.find("charge", refund["charge"])
    if charge["refunded"]:
        for dispute in _of_charge(standin, charge["id"]):
            if dispute["status"] in INQUIRY_STATES:
                _close_inquiry(standin, dispute)
    return refund


def _of_charge(standin: Standin, charge_id: str) -> list[Facts]:
    return standin.store.page("dispute", filters={"charge": [charge_id]}, above=0, below=1 << 60, limit=100)


def end_due(standin: Standin, limit: int) -> int:
    """A dispute that nobody answered by its date is lost, an inquiry is closed; returns how many dates were looked at."""
    rows = standin.store.db.execute(
        "SELECT seq, dispute_id, due_at FROM dispute_dues WHERE due_at <= ? ORDER BY due_at, seq LIMIT ?",
        (standin.clock.now(), limit),
    ).fetchall()
    for seq, dispute_id, due_at in rows:
        standin.store.db.execute("DELETE FROM dispute_dues WHERE seq = ?", (seq,))
        dispute = standin.find("dispute", dispute_id)
        if dispute["_due_by"] != due_at:
            continue
        if dispute["status"] == "needs_response":
            _end(standin, dispute, "lost")
        elif dispute["status"] == "warning_needs_response":
            _close_inquiry(standin, dispute)
    return len(rows)


# -- the API -----------------------------------------------------------------------------------------------------------


def list_disputes(standin: Standin, call: Call) -> Facts:
    """GET /v1/disputes."""
    intent, charge = call.params.text("payment_intent"), call.params.text("charge")
    return list_objects(standin, call, "dispute", {"payment_intent": one(intent), "charge": one(charge)})


def update(standin: Standin, call: Call) -> Facts:
    """POST /v1/disputes/{id}: evidence is staged, or with `submit` (as in Stripe, by default) sent to the bank."""
    params = call.params
    given = params.group("evidence")
    evidence = _read_evidence(standin, given) if given is not None else {}
    submit = params.flag("submit")
    metadata = params.metadata() if "metadata" in params.tree else None
    params.finish()
    dispute = standin.find("dispute", call.args[0], param="dispute")
    if metadata is not None:
        dispute["metadata"] = {**dispute["metadata"], **metadata}
    if evidence or submit:
        if dispute["status"] not in ("needs_response", "warning_needs_response"):
            raise StripeError("This dispute does not take evidence any more.", param="evidence")
        dispute["_evidence"] = {**dispute["_evidence"], **evidence}
        if sum(len(text) for text in dispute["_evidence"].values()) > settings.EVIDENCE_CHARACTERS_MAX:
            raise StripeError("The evidence is longer than 150,000 characters in all.", param="evidence")
    standin.store.save("dispute", dispute)
    if submit is False or not (evidence or submit):
        _told(standin, dispute, "updated")
    else:
        _submit(standin, dispute)
    return standin.show("dispute", standin.find("dispute", dispute["id"]))


def _read_evidence(standin: Standin, given: Params) -> dict[str, str]:
    texts = {name: given.text(name, max_chars=settings.EVIDENCE_TEXT_CHARACTERS_MAX) for name in EVIDENCE_TEXTS}
    for name in EVIDENCE_FILES:
        texts[name] = given.text(name)
        if texts[name] is not None:
            standin.find("file", str(texts[name]), param=f"evidence[{name}]", status=400)
    given.finish()
    return {name: text for name, text in texts.items() if text is not None}


def _submit(standin: Standin, dispute: Facts) -> None:
    dispute["_submissions"] += 1
    _told(standin, dispute, "updated", _go(standin, dispute, _reviewed(dispute["status"])))
    verdict = VERDICTS.get(str(dispute["_evidence"].get("uncategorized_text")))
    if verdict is None:
        return
    if verdict == "escalate" or dispute["status"] in INQUIRY_STATES:
        if dispute["status"] in INQUIRY_STATES:
            (_close_inquiry if verdict == "won" else _escalate)(standin, dispute)
        return
    _end(standin, dispute, verdict)


def close(standin: Standin, call: Call) -> Facts:
    """POST /v1/disputes/{id}/close: the dispute is accepted, and so lost."""
    call.params.finish()
    dispute = standin.find("dispute", call.args[0], param="dispute")
    if dispute["status"] not in OPEN_STATES:
        raise StripeError("This dispute is already closed.", param="dispute")
    if dispute["status"] in INQUIRY_STATES:
        raise StripeError("An inquiry is answered or refunded, not closed.", param="dispute")
    _end(standin, dispute, "lost")
    return standin.show("dispute", dispute)
