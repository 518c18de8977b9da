"""Payment intents: created, confirmed, authenticated, cancelled; and the charges they make.

Owns a payment's states and the moment at which money comes in. Capture is automatic, as Alpmera
charges at the commitment. It cannot take any payment but a test card's, and keeps no card for
later.
"""

from __future__ import annotations

import secrets

from deploy.local.stripe_standin import disputes, payers, settings, shapes, testcards
from deploy.local.stripe_standin.core import Answer, Call, Reply, Standin, processing_fee_minor
from deploy.local.stripe_standin.errors import StripeError, invalid, unexpected_state
from deploy.local.stripe_standin.forms import Params
from deploy.local.stripe_standin.lists import list_objects, one
from deploy.local.stripe_standin.store import Facts

CANCELLABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELLATION_REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
AUTHENTICATION_FAILED = (
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or "
    "a new PaymentMethod to attempt to fulfill this PaymentIntent again."
)


def create(standin: Standin, call: Call) -> Answer:
    """POST /v1/payment_intents."""
    params = call.params
    payment: Facts = {
        "amount": params.need_amount(),
        "amount_received": 0,
        "currency": params.need_currency(),
        "customer": params.text("customer"),
        "description": params.text("description"),
        "metadata": params.metadata(),
        "receipt_email": params.text("receipt_email"),
        "statement_descriptor_suffix": params.text("statement_descriptor_suffix"),
        "transfer_group": params.text("transfer_group"),
        "status": "requires_payment_method",
    }
    params.text("capture_method", choices=("automatic", "automatic_async"))
    params.text("confirmation_method", choices=("automatic",))
    params.ignore("use_stripe_sdk")
    _read_method_types(params, payment)
    confirm = params.flag("confirm") or False
    chosen = _read_choice(params)
    params.finish()
    if payment["amount"] < settings.SMALLEST_CHARGE_MINOR:
        raise StripeError("Amount must be at least $0.50 usd", code="amount_too_small", param="amount")
    if payment["customer"] is not None:
        standin.find("customer", payment["customer"], param="customer", status=400)
    if not confirm and (chosen["confirmation_token"] or chosen["return_url"]):
        raise invalid("return_url and confirmation_token need confirm=true.", param="confirm")
    payment["_return_url"] = None
    payment["client_secret"] = ""
    standin.name("payment_intent", payment)
    payment["client_secret"] = f"{payment['id']}_secret_{secrets.token_hex(12)}"
    if confirm:
        return _confirm(standin, payment, chosen)
    if chosen["payment_method"]:
        method = payers.payment_method_for(standin, chosen["payment_method"])
        payment["payment_method"] = method["id"]
        payment["status"] = "requires_confirmation"
    standin.store.save("payment_intent", payment)
    return standin.show("payment_intent", payment)


def _read_method_types(params: Params, payment: Facts) -> None:
    types = params.texts("payment_method_types")
    automatic = params.group("automatic_payment_methods")
    redirects = "always"
    if automatic is not None:
        automatic.flag("enabled")
        redirects = automatic.text("allow_redirects", choices=("always", "never")) or "always"
        automatic.finish()
    if types and types != ["card"]:
        raise invalid("The stand-in takes cards only.", param="payment_method_types")
    payment["payment_method_types"] = ["card"]
    payment["payment_method_options"] = {
        "card": {"installments": None, "mandate_options": None, "network": None, "request_three_d_secure": "automatic"},
    }
    payment["automatic_payment_methods"] = None if types else {"allow_redirects": redirects, "enabled": True}


def _read_choice(params: Params) -> dict[str, str | None]:
    chosen = {
        "confirmation_token": params.text("confirmation_token"),
        "payment_method": params.text("payment_method"),
        "return_url": params.text("return_url"),
    }
    if chosen["confirmation_token"] and chosen["payment_method"]:
        raise invalid("Give confirmation_token or payment_method, not both.", param="payment_method")
    return chosen


def confirm(standin: Standin, call: Call) -> Answer:
    """POST /v1/payment_intents/{id}/confirm, also with a new token after a decline."""
    chosen = _read_choice(call.params)
    call.params.ignore("use_stripe_sdk")
    call.params.finish()
    payment = standin.find("payment_intent", call.args[0], param="intent")
    if payment["status"] in ("succeeded", "canceled"):
        raise unexpected_state(
            f"You cannot confirm this PaymentIntent because it has a status of {payment['status']}.",
            standin.show("payment_intent", payment),
        )
    return _confirm(standin, payment, chosen)


def _confirm(standin: Standin, payment: Facts, chosen: dict[str, str | None]) -> Answer:
    method = _chosen_method(standin, payment, chosen)
    automatic = payment["automatic_payment_methods"]
    needs_return = automatic is not None and automatic["allow_redirects"] == "always"
    if needs_return and not payment["_return_url"]:
        raise StripeError(
            "This PaymentIntent is configured to accept payment methods that might redirect; you "
            "must provide a `return_url`, or set `automatic_payment_methods[allow_redirects]` to "
            "`never`.",
            param="return_url",
        )
    payment.update(payment_method=method["id"], last_payment_error=None, next_action=None)
    if not method["_authenticates"]:
        return _charge(standin, payment, method)
    payment["status"] = "requires_action"
    payment["next_action"] = _redirect(standin, payment)
    standin.store.save("payment_intent", payment)
    standin.emit("payment_intent.requires_action", "payment_intent", payment)
    return standin.show("payment_intent", payment)


def _chosen_method(standin: Standin, payment: Facts, chosen: dict[str, str | None]) -> Facts:
    token_url: str | None = None
    if chosen["confirmation_token"]:
        method, token_url = payers.spend_token(standin, chosen["confirmation_token"], payment["id"])
    elif chosen["payment_method"] or payment.get("payment_method"):
        name = chosen["payment_method"] or payment["payment_method"]
        method = payers.payment_method_for(standin, name)
    else:
        raise unexpected_state(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            standin.show("payment_intent", payment),
        )
    payment["_return_url"] = chosen["return_url"] or token_url or payment["_return_url"]
    return method


def _redirect(standin: Standin, payment: Facts) -> Facts:
    if not payment["_return_url"]:
        raise StripeError("This card asks for authentication: a `return_url` is needed.", param="return_url")
    payment["_page_key"] = secrets.token_urlsafe(18)
    url = f"{standin.settings.public_url}/authenticate/{payment['id']}/{payment['_page_key']}"
    return {
        "type": "redirect_to_url",
        "redirect_to_url": {"return_url": payment["_return_url"], "url": url},
    }


def _charge(standin: Standin, payment: Facts, method: Facts) -> Answer:
    decline = method["_decline"]
    charge = _new_charge(standin, payment, method)
    payment.update(latest_charge=charge["id"], next_action=None)
    if decline is None:
        _take_money(standin, payment, charge, method)
        return standin.show("payment_intent", payment)
    code, message = testcards.DECLINE_MESSAGES[decline]
    error = StripeError(
        message,
        status=402,
        kind="card_error",
        code=code,
        extra={"decline_code": decline, "charge": charge["id"]},
    ).error
    _fail(standin, payment, method, error)
    shown = standin.show("payment_intent", payment)
    return Reply(402, {"error": {**payment["last_payment_error"], "payment_intent": shown}})


def _fail(standin: Standin, payment: Facts, method: Facts, error: Facts) -> None:
    payment["status"] = "requires_payment_method"
    payment["last_payment_error"] = {**error, "payment_method": shapes.payment_method(method)}
    payment["payment_method"] = None
    payment["next_action"] = None
    standin.store.save("payment_intent", payment)
    standin.emit("payment_intent.payment_failed", "payment_intent", payment)


def _new_charge(standin: Standin, payment: Facts, method: Facts) -> Facts:
    decline = method["_decline"]
    charge: Facts = {
        "amount": payment["amount"],
        "amount_refunded": 0,
        "balance_transaction": None,
        "currency": payment["currency"],
        "customer": payment["customer"],
        "description": payment["description"],
        "metadata": payment["metadata"],
        "payment_intent": payment["id"],
        "payment_method": method["id"],
        "refunded": False,
        "status": "failed" if decline else "succeeded",
        "transfer_group": payment["transfer_group"],
        "_billing": method.get("billing_details"),
        "_card": {name: method[name] for name in ("brand", "last4", "exp_month", "exp_year")},
        "_decline": decline,
        "_refund": method["_refund"],
    }
    standin.name("charge", charge)
    if decline:
        standin.store.save("charge", charge)
        standin.journal("charge", _journaled(charge))
    return charge


def _journaled(charge: Facts) -> Facts:
    names = (
        "id",
        "amount",
        "amount_refunded",
        "balance_transaction",
        "currency",
        "customer",
        "metadata",
        "payment_intent",
        "status",
        "transfer_group",
    )
    return {name: charge[name] for name in names} | {"decline": charge["_decline"]}


def _take_money(standin: Standin, payment: Facts, charge: Facts, method: Facts) -> None:
    movement = standin.move_money(
        "charge",
        source=charge["id"],
        amount_minor=charge["amount"],
        currency=charge["currency"],
        fee_minor=processing_fee_minor(charge["amount"]),
        available_on=0 if method["_available_at_once"] else standin.next_availability(),
        description=payment["description"],
    )
    charge["balance_transaction"] = movement["id"]
    charge["_available_on"] = movement["available_on"]
    standin.store.save("charge", charge)
    standin.journal("charge", _journaled(charge))
    payment["status"] = "succeeded"
    payment["amount_received"] = payment["amount"]
    standin.store.save("payment_intent", payment)
    standin.emit("payment_intent.succeeded", "payment_intent", payment)
    if method["_dispute"] is not None:
        inquiry = method["_dispute"] == "inquiry"
        disputes.open_dispute(
            standin, charge["id"], inquiry=inquiry, reason="fraudulent" if inquiry else method["_dispute"]
        )


def cancel(standin: Standin, call: Call) -> Facts:
    """POST /v1/payment_intents/{id}/cancel; refused once it has succeeded."""
    reason = call.params.text("cancellation_reason", choices=CANCELLATION_REASONS)
    call.params.finish()
    payment = standin.find("payment_intent", call.args[0], param="intent")
    if payment["status"] not in CANCELLABLE:
        raise unexpected_state(
            f"You cannot cancel this PaymentIntent because it has a status of {payment['status']}. "
            "Only a PaymentIntent with one of the following statuses may be canceled: "
            "requires_payment_method, requires_capture, requires_confirmation, requires_action, "
            "processing.",
            standin.show("payment_intent", payment),
        )
    payment["status"] = "canceled"
    payment["canceled_at"] = standin.clock.now()
    payment["cancellation_reason"] = reason
    payment["next_action"] = None
    standin.store.save("payment_intent", payment)
    standin.emit("payment_intent.canceled", "payment_intent", payment)
    return standin.show("payment_intent", payment)


def list_payment_intents(standin: Standin, call: Call) -> Facts:
    """GET /v1/payment_intents."""
    payer = call.params.text("customer")
    return list_objects(standin, call, "payment_intent", {"customer": one(payer)})


def list_charges(standin: Standin, call: Call) -> Facts:
    """GET /v1/charges."""
    intent = call.params.text("payment_intent")
    return list_objects(standin, call, "charge", {"payment_intent": one(intent)})


def finish_authentication(standin: Standin, payment: Facts, *, succeeded: bool) -> None:
    """The person at the 3-D Secure page decided; nothing happens if nothing waits for it."""
    if payment["status"] != "requires_action":
        return
    method = standin.find("payment_method", payment["payment_method"])
    if succeeded:
        _charge(standin, payment, method)
        return
    error = StripeError(AUTHENTICATION_FAILED, kind="card_error", code="payment_intent_authentication_failure").error
    _fail(standin, payment, method, error)
