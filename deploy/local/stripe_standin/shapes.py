"""Objects as Stripe's API shows them: constant fields merged with an object's facts.

Owns rendering and expansion. It cannot show what Stripe computes from data that the stand-in does
not keep, such as a receipt's address.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from deploy.local.stripe_standin import testcards
from deploy.local.stripe_standin.errors import StripeError
from deploy.local.stripe_standin.schema import KIND_BY_PREFIX
from deploy.local.stripe_standin.store import Facts
from deploy.local.stripe_standin.templates import CHECKS, NO_BILLING, NO_REQUIREMENTS, TEMPLATES

if TYPE_CHECKING:
    from deploy.local.stripe_standin.core import Standin

EXPAND_DEPTH_MAX = 4
REVERSALS_SHOWN = 10
NETWORK_REASON_CODE = "10.4"


def _shown(kind: str, facts: Facts) -> Facts:
    shown = TEMPLATES[kind].copy()
    for name, value in facts.items():
        if name[0] != "_":
            shown[name] = value
    return shown


def _card(facts: Facts) -> Facts:
    brand = facts["brand"]
    return {
        "brand": brand,
        "checks": CHECKS,
        "country": "US",
        "display_brand": brand,
        "exp_month": facts["exp_month"],
        "exp_year": facts["exp_year"],
        "fingerprint": f"standin{brand}{facts['last4']}",
        "funding": "credit",
        "generated_from": None,
        "last4": facts["last4"],
        "networks": {"available": [brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def payment_method(facts: Facts) -> Facts:
    """A card payment method."""
    return {
        **TEMPLATES["payment_method"],
        "id": facts["id"],
        "created": facts["created"],
        "billing_details": facts.get("billing_details") or NO_BILLING,
        "card": _card(facts),
    }


def _card_on_charge(facts: Facts) -> Facts:
    """A charge's ``payment_method_details``."""
    return {
        "card": {
            "amount_authorized": None,
            "authorization_code": None,
            "brand": facts["brand"],
            "checks": CHECKS,
            "country": "US",
            "exp_month": facts["exp_month"],
            "exp_year": facts["exp_year"],
            "funding": "credit",
            "installments": None,
            "last4": facts["last4"],
            "mandate": None,
            "network": facts["brand"],
            "regulated_status": "unregulated",
            "three_d_secure": None,
            "wallet": None,
        },
        "type": "card",
    }


def _outcome(decline: str | None) -> Facts:
    declined = decline is not None
    return {
        "advice_code": "try_again_later" if declined else None,
        "network_advice_code": None,
        "network_decline_code": "01" if declined else None,
        "network_status": "declined_by_network" if declined else "approved_by_network",
        "reason": decline,
        "risk_level": "normal",
        "seller_message": "The bank declined the payment." if declined else "Payment complete.",
        "type": "issuer_declined" if declined else "authorized",
    }


def _charge(facts: Facts) -> Facts:
    decline = facts["_decline"]
    code, message = testcards.DECLINE_MESSAGES[decline] if decline else (None, None)
    return {
        **_shown("charge", facts),
        "amount_captured": 0 if decline else facts["amount"],
        "billing_details": facts["_billing"] or NO_BILLING,
        "captured": decline is None,
        "failure_code": code,
        "failure_message": message,
        "outcome": _outcome(decline),
        "paid": decline is None,
        "payment_method_details": _card_on_charge(facts["_card"]),
    }


def _confirmation_token(facts: Facts) -> Facts:
    shown = _shown("confirmation_token", facts)
    card = facts["_card"]
    shown["payment_method_preview"] = {
        "allow_redisplay": "unspecified",
        "customer": None,
        "type": "card",
        "billing_details": facts.get("_billing") or NO_BILLING,
        "card": _card(card),
    }
    return shown


def _transfer(standin: Standin, facts: Facts) -> Facts:
    shown = _shown("transfer", facts)
    reversals: list[Facts] = []
    count = facts["_reversal_count"]
    if count:
        rows = standin.store.page(
            "transfer_reversal",
            filters={"transfer": [facts["id"]]},
            above=0,
            below=1 << 60,
            limit=REVERSALS_SHOWN,
        )
        reversals = [_shown("transfer_reversal", row) for row in rows]
    shown["reversals"] = {
        "object": "list",
        "data": reversals,
        "has_more": count > len(reversals),
        "url": f"/v1/transfers/{facts['id']}/reversals",
    }
    return shown


def _dispute(standin: Standin, facts: Facts) -> Facts:
    found = (standin.store.get("balance_transaction", each) for each in facts["_movements"])
    movements = [render(standin, "balance_transaction", each) for each in found if each is not None]
    past_due = facts["_submissions"] > 0 and standin.clock.now() > facts["_due_by"]
    shown = _shown("dispute", facts)
    shown["balance_transactions"] = movements
    shown["evidence"] = {**shown["evidence"], "enhanced_evidence": {}, **facts["_evidence"]}
    shown["evidence_details"] = {
        "due_by": facts["_due_by"],
        "enhanced_eligibility": {},
        "has_evidence": bool(facts["_evidence"]),
        "past_due": past_due,
        "submission_count": facts["_submissions"],
    }
    is_inquiry = facts["status"].startswith("warning_")
    shown["payment_method_details"] = {
        "card": {
            "brand": facts["_brand"],
            "case_type": "inquiry" if is_inquiry else "chargeback",
            "network": facts["_brand"],
            "network_reason_code": NETWORK_REASON_CODE,
        },
        "type": "card",
    }
    return shown


def _account(facts: Facts) -> Facts:
    shown = _shown("account", facts)
    reason = facts["_restricted"]
    shown["requirements"] = {**NO_REQUIREMENTS, "disabled_reason": reason}
    if reason:
        shown["charges_enabled"] = shown["payouts_enabled"] = False
    shown["external_accounts"] = {
        "object": "list",
        "data": [],
        "has_more": False,
        "url": f"/v1/accounts/{facts['id']}/external_accounts",
    }
    return shown


def _event(standin: Standin, facts: Facts) -> Facts:
    kind, snapshot = facts["_kind"], facts["_snapshot"]
    shown = _shown("event", facts)
    shown["data"] = {"object": render(standin, kind, snapshot)}
    if facts.get("_previous"):
        shown["data"]["previous_attributes"] = facts["_previous"]
    waiting = standin.store.db.execute("SELECT COUNT(*) FROM deliveries WHERE event_id = ?", (facts["id"],)).fetchone()
    shown["pending_webhooks"] = waiting[0]
    return shown


_SHOWN_BY_FACTS: dict[str, Callable[[Facts], Facts]] = {
    "account": _account,
    "charge": _charge,
    "confirmation_token": _confirmation_token,
    "payment_method": payment_method,
}


def render(standin: Standin, kind: str, facts: Facts) -> Facts:
    """The object as Stripe's API shows it, at this moment of stack time."""
    shown_by = _SHOWN_BY_FACTS.get(kind)
    if shown_by is not None:
        return shown_by(facts)
    if kind == "dispute":
        return _dispute(standin, facts)
    if kind == "transfer":
        return _transfer(standin, facts)
    if kind == "event":
        return _event(standin, facts)
    shown = _shown(kind, facts)
    if kind == "balance_transaction":
        is_available = facts["available_on"] <= standin.clock.now()
        shown["status"] = "available" if is_available else "pending"
    return shown


def expand(standin: Standin, shown: Facts, path: str) -> None:
    """Replace the id at ``path`` (such as ``latest_charge.balance_transaction``) by its object."""
    steps = path.split(".")
    if len(steps) > EXPAND_DEPTH_MAX + 1:
        raise _not_expandable(path)
    _expand_steps(standin, shown, steps, path=path)


def _expand_steps(standin: Standin, node: Any, steps: list[str], *, path: str) -> None:
    if isinstance(node, list):
        for item in node:
            _expand_steps(standin, item, steps, path=path)
        return
    name = steps[0]
    if not isinstance(node, dict) or name not in node:
        raise _not_expandable(path)
    value = node[name]
    if value is None:
        return
    if isinstance(value, str):
        kind = KIND_BY_PREFIX.get(value.partition("_")[0])
        facts = standin.store.get(kind, value) if kind else None
        if kind is None or facts is None or name == "id":
            raise _not_expandable(path)
        node[name] = value = render(standin, kind, facts)
    if len(steps) > 1:
        _expand_steps(standin, value, steps[1:], path=path)


def _not_expandable(path: str) -> StripeError:
    return StripeError(f"This property cannot be expanded ({path}).", param="expand")
