"""The addresses of Stripe's API that the stand-in answers.

Owns the table from method and path to handler. What is not in the table is a 404 in Stripe's
shape; nothing is answered by guessing.
"""

from __future__ import annotations

from deploy.local.stripe_standin import (
    balance,
    connect,
    disputes,
    events,
    files,
    payers,
    payment_intents,
    refunds,
)
from deploy.local.stripe_standin.core import Call, Standin
from deploy.local.stripe_standin.execution import Handler
from deploy.local.stripe_standin.store import Facts

CARD_FORM_PATH = "/v1/confirmation_tokens"


def _retrieve(kind: str) -> Handler:
    def handler(standin: Standin, call: Call) -> Facts:
        call.params.finish()
        return standin.show(kind, standin.find(kind, call.args[0]))

    return handler


_ROUTES: dict[tuple[str, str], Handler] = {
    ("POST", "/v1/test_helpers/confirmation_tokens"): payers.create_confirmation_token,
    ("POST", CARD_FORM_PATH): payers.create_confirmation_token,
    ("GET", "/v1/confirmation_tokens/*"): _retrieve("confirmation_token"),
    ("GET", "/v1/payment_methods/*"): _retrieve("payment_method"),
    ("POST", "/v1/customers"): payers.create_payer,
    ("GET", "/v1/customers"): payers.list_payers,
    ("GET", "/v1/customers/*"): _retrieve("customer"),
    ("POST", "/v1/customers/*"): payers.update_payer,
    ("POST", "/v1/payment_intents"): payment_intents.create,
    ("GET", "/v1/payment_intents"): payment_intents.list_payment_intents,
    ("GET", "/v1/payment_intents/*"): _retrieve("payment_intent"),
    ("POST", "/v1/payment_intents/*/confirm"): payment_intents.confirm,
    ("POST", "/v1/payment_intents/*/cancel"): payment_intents.cancel,
    ("GET", "/v1/charges"): payment_intents.list_charges,
    ("GET", "/v1/charges/*"): _retrieve("charge"),
    ("POST", "/v1/refunds"): disputes.refund_charge,
    ("GET", "/v1/refunds"): refunds.list_refunds,
    ("GET", "/v1/refunds/*"): _retrieve("refund"),
    ("GET", "/v1/disputes"): disputes.list_disputes,
    ("GET", "/v1/disputes/*"): _retrieve("dispute"),
    ("POST", "/v1/disputes/*"): disputes.update,
    ("POST", "/v1/disputes/*/close"): disputes.close,
    ("POST", "/v1/files"): files.upload,
    ("GET", "/v1/files/*"): _retrieve("file"),
    ("POST", "/v1/accounts"): connect.create_account,
    ("GET", "/v1/accounts/*"): _retrieve("account"),
    ("POST", "/v1/transfers"): connect.create_transfer,
    ("GET", "/v1/transfers"): connect.list_transfers,
    ("GET", "/v1/transfers/*"): _retrieve("transfer"),
    ("POST", "/v1/transfers/*/reversals"): connect.create_reversal,
    ("GET", "/v1/transfers/*/reversals"): connect.list_reversals,
    ("GET", "/v1/transfers/*/reversals/*"): connect.get_reversal,
    ("POST", "/v1/topups"): balance.create_topup,
    ("GET", "/v1/topups"): balance.list_topups,
    ("GET", "/v1/topups/*"): _retrieve("topup"),
    ("GET", "/v1/balance"): balance.get_balance,
    ("GET", "/v1/balance_transactions"): balance.list_balance_transactions,
    ("GET", "/v1/balance_transactions/*"): _retrieve("balance_transaction"),
    ("GET", "/v1/events"): events.list_events,
    ("GET", "/v1/events/*"): _retrieve("event"),
}


def find_route(method: str, path: str) -> tuple[Handler, tuple[str, ...]] | None:
    """The handler and the ids in the path, or None."""
    handler = _ROUTES.get((method, path))
    if handler is not None:
        return handler, ()
    steps = path.split("/")
    if not 4 <= len(steps) <= 6:
        return None
    args = [steps[3]]
    steps[3] = "*"
    if len(steps) == 6:
        args.append(steps[5])
        steps[5] = "*"
    handler = _ROUTES.get((method, "/".join(steps)))
    return None if handler is None else (handler, tuple(args))
