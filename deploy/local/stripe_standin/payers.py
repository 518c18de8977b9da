"""Payers at Stripe, their payment methods and confirmation tokens.

Owns who pays and with which test card. A card's number is read, matched with the table of test
cards and dropped; nothing of it but the last four digits is stored. It keeps no saved cards:
Alpmera charges once, at the commitment.
"""

from __future__ import annotations

from deploy.local.stripe_standin import settings, testcards
from deploy.local.stripe_standin.core import Call, Standin
from deploy.local.stripe_standin.errors import StripeError
from deploy.local.stripe_standin.forms import Params
from deploy.local.stripe_standin.lists import list_objects, one
from deploy.local.stripe_standin.store import Facts

DEFAULT_EXPIRY = {"exp_month": 12, "exp_year": 2040}
_SECONDS_A_YEAR = 31_556_952


def create_payer(standin: Standin, call: Call) -> Facts:
    """POST /v1/customers."""
    params = call.params
    facts: Facts = {
        "email": params.text("email", max_chars=512),
        "name": params.text("name"),
        "description": params.text("description"),
        "metadata": params.metadata(),
    }
    params.finish()
    standin.add("customer", facts)
    return standin.show("customer", facts)


def update_payer(standin: Standin, call: Call) -> Facts:
    """POST /v1/customers/{id}: only what is given changes; metadata is merged."""
    facts = standin.find("customer", call.args[0])
    params = call.params
    for name in ("name", "description"):
        value = params.text(name)
        if value is not None:
            facts[name] = value
    facts["metadata"] = {**facts["metadata"], **params.metadata()}
    params.finish()
    standin.store.save("customer", facts)
    return standin.show("customer", facts)


def list_payers(standin: Standin, call: Call) -> Facts:
    """GET /v1/customers."""
    email = call.params.text("email")
    return list_objects(standin, call, "customer", {"email": one(email)})


def _read_card(standin: Standin, card: Params) -> Facts:
    test_card = testcards.by_number(card.need_text("number"))
    month = card.integer("exp_month") or DEFAULT_EXPIRY["exp_month"]
    year = card.integer("exp_year") or DEFAULT_EXPIRY["exp_year"]
    cvc = card.text("cvc")
    card.ignore("networks", "token")
    card.finish()
    year += 2000 if year < 100 else 0
    if not 1 <= month <= 12:
        raise testcards.card_refusal(
            "invalid_expiry_month", "Your card's expiration month is invalid.", param="exp_month"
        )
    this_year = 1970 + standin.clock.now() // _SECONDS_A_YEAR
    if not this_year <= year <= this_year + 50:
        raise testcards.card_refusal("invalid_expiry_year", "Your card's expiration year is invalid.", param="exp_year")
    if cvc is not None and not (cvc.isdigit() and len(cvc) in (3, 4)):
        raise testcards.card_refusal("invalid_cvc", "Your card's security code is invalid.", param="cvc")
    return testcards.stored(test_card, exp_month=month, exp_year=year)


def _named_card(payment_method: str) -> Facts:
    card = testcards.BY_PAYMENT_METHOD.get(payment_method)
    if card is None:
        raise StripeError(
            f"No such PaymentMethod: '{payment_method}'",
            code="resource_missing",
            param="payment_method",
        )
    return testcards.stored(card, **DEFAULT_EXPIRY)


def _existing_or_named(standin: Standin, payment_method: str) -> Facts:
    known = standin.store.get("payment_method", payment_method)
    if known is None:
        return _named_card(payment_method)
    return {name: value for name, value in known.items() if name not in ("id", "created")}


def create_confirmation_token(standin: Standin, call: Call) -> Facts:
    """POST /v1/test_helpers/confirmation_tokens, and the card form's /v1/confirmation_tokens."""
    params = call.params
    named = params.text("payment_method")
    data = params.group("payment_method_data")
    return_url = params.text("return_url")
    params.ignore("key", "_stripe_account", "client_attribution_metadata")
    billing: Facts | None = None
    card: Facts | None = None
    if data is not None:
        data.need_text("type", choices=("card",))
        details = data.group("card")
        billing = _read_billing(data.group("billing_details"))
        data.ignore("allow_redisplay", "metadata")
        data.finish()
        if details is not None:
            card = _read_card(standin, details)
    params.finish()
    if card is None:
        card = _existing_or_named(standin, named or "pm_card_visa")
    facts: Facts = {
        "expires_at": standin.clock.now() + settings.CONFIRMATION_TOKEN_KEEP_SECONDS,
        "return_url": return_url,
        "payment_intent": None,
        "_card": card,
        "_billing": billing,
    }
    standin.add("confirmation_token", facts)
    return standin.show("confirmation_token", facts)


def _read_billing(billing: Params | None) -> Facts | None:
    if billing is None:
        return None
    address = billing.group("address")
    names = ("city", "country", "line1", "line2", "postal_code", "state")
    read = dict.fromkeys(names) if address is None else {name: address.text(name) for name in names}
    facts: Facts = {"address": read, "tax_id": None}
    for name in ("email", "name", "phone"):
        facts[name] = billing.text(name)
    billing.finish()
    return facts


def spend_token(standin: Standin, token_id: str, payment_intent: str) -> tuple[Facts, str | None]:
    """Use a confirmation token once: its payment method's facts and its return address."""
    token = standin.find("confirmation_token", token_id, param="confirmation_token", status=400)
    if token["payment_intent"] is not None:
        raise StripeError(
            f"The ConfirmationToken {token_id} has already been used and cannot be used again.",
            code="resource_already_exists",
            param="confirmation_token",
        )
    if token["expires_at"] <= standin.clock.now():
        raise StripeError(f"The ConfirmationToken {token_id} has expired.", param="confirmation_token")
    token["payment_intent"] = payment_intent
    standin.store.save("confirmation_token", token)
    method = {**token["_card"], "billing_details": token["_billing"]}
    standin.add("payment_method", method)
    return method, token["return_url"]


def payment_method_for(standin: Standin, payment_method: str) -> Facts:
    """The stored payment method, or a new one made from a named test card."""
    known = standin.store.get("payment_method", payment_method)
    if known is None:
        known = _named_card(payment_method)
        standin.add("payment_method", known)
    return known
