"""The platform's balance, its transactions, and top-ups.

Owns what is pending and what is available: a balance transaction becomes available as stack time
passes, computed on reading, so that nothing has to visit a hundred thousand rows. It keeps no
payouts to a bank.
"""

from __future__ import annotations

from deploy.local.stripe_standin.core import Call, Standin
from deploy.local.stripe_standin.lists import list_objects, one
from deploy.local.stripe_standin.store import Facts

HOME_CURRENCY = "usd"


def get_balance(standin: Standin, call: Call) -> Facts:
    """GET /v1/balance: the sums of all balance transactions, by currency and availability."""
    call.params.finish()
    rows = standin.store.db.execute(
        "SELECT currency, SUM(CASE WHEN available_on <= ?1 THEN net_minor ELSE 0 END),"
        " SUM(CASE WHEN available_on > ?1 THEN net_minor ELSE 0 END)"
        " FROM balance_buckets GROUP BY currency ORDER BY currency",
        (standin.clock.now(),),
    ).fetchall()
    if not rows:
        rows = [(HOME_CURRENCY, 0, 0)]
    return {
        "object": "balance",
        "livemode": False,
        "available": [_part(currency, available) for currency, available, _ in rows],
        "connect_reserved": [{"amount": 0, "currency": currency} for currency, _, _ in rows],
        "pending": [_part(currency, pending) for currency, _, pending in rows],
    }


def _part(currency: str, amount_minor: int) -> Facts:
    return {
        "amount": amount_minor,
        "currency": currency,
        "source_types": {"card": amount_minor},
    }


def fold_past(standin: Standin) -> None:
    """Merge buckets whose day has come, so that reading the balance stays cheap."""
    now = standin.clock.now()
    due = standin.store.db.execute(
        "SELECT currency, SUM(net_minor) FROM balance_buckets"
        " WHERE available_on > 0 AND available_on <= ? GROUP BY currency",
        (now,),
    ).fetchall()
    for currency, net_minor in due:
        standin.store.db.execute(
            "DELETE FROM balance_buckets WHERE currency = ? AND available_on > 0 AND available_on <= ?",
            (currency, now),
        )
        standin.store.db.execute(
            "INSERT INTO balance_buckets (currency, available_on, net_minor) VALUES (?, 0, ?)"
            " ON CONFLICT (currency, available_on)"
            " DO UPDATE SET net_minor = net_minor + excluded.net_minor",
            (currency, net_minor),
        )


def list_balance_transactions(standin: Standin, call: Call) -> Facts:
    """GET /v1/balance_transactions."""
    params = call.params
    filters = {name: one(params.text(name)) for name in ("source", "type", "currency")}
    return list_objects(standin, call, "balance_transaction", filters)


def create_topup(standin: Standin, call: Call) -> Facts:
    """POST /v1/topups; succeeds and is available at once."""
    params = call.params
    topup: Facts = {
        "amount": params.need_amount(),
        "currency": params.need_currency(),
        "description": params.text("description"),
        "expected_availability_date": standin.clock.now(),
        "metadata": params.metadata(),
        "statement_descriptor": params.text("statement_descriptor"),
        "status": "succeeded",
        "transfer_group": params.text("transfer_group"),
    }
    params.ignore("source", "payment_method")
    params.finish()
    standin.name("topup", topup)
    movement = standin.move_money(
        "topup",
        source=topup["id"],
        amount_minor=topup["amount"],
        currency=topup["currency"],
        description=topup["description"],
    )
    topup["balance_transaction"] = movement["id"]
    standin.store.save("topup", topup)
    standin.journal("topup", topup)
    standin.emit("topup.succeeded", "topup", topup)
    return standin.show("topup", topup)


def list_topups(standin: Standin, call: Call) -> Facts:
    """GET /v1/topups."""
    status = call.params.text("status", choices=("succeeded", "pending", "failed", "canceled"))
    return list_objects(standin, call, "topup", {"status": one(status)})
