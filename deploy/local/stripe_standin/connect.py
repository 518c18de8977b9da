"""Supplier accounts, transfers to them, and reversals.

Owns the rules of paying out: only available money, only to an account that may receive transfers,
never reversed beyond the amount. It keeps no balance for a connected account and pays nothing out
to a bank.
"""

from __future__ import annotations

import secrets

from deploy.local.stripe_standin.core import Call, Standin
from deploy.local.stripe_standin.errors import StripeError, invalid
from deploy.local.stripe_standin.lists import list_objects, one
from deploy.local.stripe_standin.store import Facts

ACCOUNT_TYPES = ("custom", "express", "standard", "none")
RESTRICTION = "requirements.past_due"


def create_account(standin: Standin, call: Call) -> Facts:
    """POST /v1/accounts; asks for the transfers capability, gets it at once."""
    params = call.params
    country = params.text("country") or "US"
    asked = params.group("capabilities")
    capabilities: dict[str, str] = {}
    for name in ("transfers", "card_payments"):
        wish = asked.group(name) if asked is not None else None
        if wish is not None and wish.flag("requested"):
            capabilities[name] = "active"
    if asked is not None:
        asked.finish()
    kind = params.text("type", choices=ACCOUNT_TYPES)
    facts: Facts = {
        "business_type": params.text("business_type"),
        "capabilities": capabilities,
        "controller": {"type": "application"},
        "country": country,
        "default_currency": params.text("default_currency") or "usd",
        "email": params.text("email"),
        "metadata": params.metadata(),
        "type": kind or "none",
        "_restricted": None,
    }
    params.ignore("business_profile", "controller", "settings", "tos_acceptance")
    params.finish()
    standin.add("account", facts)
    return standin.show("account", facts)


def restrict_account(standin: Standin, account_id: str, *, restricted: bool) -> Facts:
    """Take the transfers capability away, or give it back; tells it by account.updated."""
    facts = standin.find("account", account_id, param="account")
    before = dict(facts["capabilities"])
    facts["_restricted"] = RESTRICTION if restricted else None
    status = "inactive" if restricted else "active"
    facts["capabilities"] = dict.fromkeys(before, status)
    standin.store.save("account", facts)
    standin.emit("account.updated", "account", facts, {"capabilities": before})
    return standin.show("account", facts)


def create_transfer(standin: Standin, call: Call) -> Facts:
    """POST /v1/transfers."""
    params = call.params
    amount = params.need_amount()
    transfer: Facts = {
        "amount": amount,
        "amount_reversed": 0,
        "currency": params.need_currency(),
        "description": params.text("description"),
        "destination": params.need_text("destination"),
        "metadata": params.metadata(),
        "reversed": False,
        "transfer_group": params.text("transfer_group"),
        "_reversal_count": 0,
    }
    params.text("source_type", choices=("card",))
    params.finish()
    account = standin.find("account", transfer["destination"], param="destination", status=400)
    if account["capabilities"].get("transfers") != "active":
        raise StripeError(
            "Your destination account needs to have at least one of the following capabilities "
            "enabled: transfers, crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
        )
    if standin.available_minor(transfer["currency"]) < amount:
        raise StripeError(
            "You have insufficient available funds in your Stripe account. Try adding funds "
            "directly to your available balance by creating a top-up.",
            code="balance_insufficient",
        )
    transfer["destination_payment"] = f"py_{secrets.token_hex(12)}"
    standin.name("transfer", transfer)
    movement = standin.move_money(
        "transfer",
        source=transfer["id"],
        amount_minor=-amount,
        currency=transfer["currency"],
        description=transfer["description"],
    )
    transfer["balance_transaction"] = movement["id"]
    standin.store.save("transfer", transfer)
    standin.journal("transfer", transfer)
    standin.emit("transfer.created", "transfer", transfer)
    return standin.show("transfer", transfer)


def list_transfers(standin: Standin, call: Call) -> Facts:
    """GET /v1/transfers."""
    group = call.params.text("transfer_group")
    account = call.params.text("destination")
    return list_objects(standin, call, "transfer", {"transfer_group": one(group), "destination": one(account)})


def create_reversal(standin: Standin, call: Call) -> Facts:
    """POST /v1/transfers/{id}/reversals; never more than is left of the transfer."""
    params = call.params
    asked = params.amount()
    metadata = params.metadata()
    params.ignore("description")
    params.finish()
    transfer = standin.find("transfer", call.args[0])
    left = transfer["amount"] - transfer["amount_reversed"]
    amount = left if asked is None else asked
    if left == 0 or amount > left:
        raise StripeError(
            f"Reversal amount ({amount}) is greater than the unreversed amount ({left}) of transfer {transfer['id']}.",
            param="amount",
        )
    reversal: Facts = {
        "amount": amount,
        "currency": transfer["currency"],
        "metadata": metadata,
        "transfer": transfer["id"],
    }
    standin.name("transfer_reversal", reversal)
    movement = standin.move_money(
        "transfer_refund",
        source=reversal["id"],
        amount_minor=amount,
        currency=transfer["currency"],
        category="transfer_reversal",
    )
    reversal["balance_transaction"] = movement["id"]
    standin.store.save("transfer_reversal", reversal)
    transfer["amount_reversed"] += amount
    transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
    transfer["_reversal_count"] += 1
    standin.store.save("transfer", transfer)
    standin.journal("transfer_reversal", reversal)
    standin.emit("transfer.reversed", "transfer", transfer)
    return standin.show("transfer_reversal", reversal)


def list_reversals(standin: Standin, call: Call) -> Facts:
    """GET /v1/transfers/{id}/reversals."""
    transfer = standin.find("transfer", call.args[0])
    return list_objects(standin, call, "transfer_reversal", {"transfer": [transfer["id"]]})


def get_reversal(standin: Standin, call: Call) -> Facts:
    """GET /v1/transfers/{id}/reversals/{reversal}."""
    reversal = standin.find("transfer_reversal", call.args[1])
    if reversal["transfer"] != call.args[0]:
        raise invalid(f"No such reversal: '{call.args[1]}'", code="resource_missing")
    return standin.show("transfer_reversal", reversal)
