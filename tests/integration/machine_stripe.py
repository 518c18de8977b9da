"""Stripe in memory, for tests that make thousands of steps: objects, lists, keys, events, balance transactions.

It takes the place of the HTTP session only; the calls, the reconciler and everything behind them are the service's own.
Its clock goes with the database's. The stand-in shows that a call over HTTP is understood; this one cannot.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from services.escrow.calls.client import StripeCalls, keep
from services.escrow.settings import EscrowSettings
from services.kit.clock import wall_seconds
from services.kit.service import Answer

DAY_SECONDS = 86_400
AVAILABLE_AFTER_SECONDS = 2 * DAY_SECONDS
DISPUTE_FEE_MINOR = 1_500
OPEN_DISPUTES = ("warning_needs_response", "warning_under_review", "needs_response", "under_review")
PREFIXES = {
    "payment_intents": "pi",
    "charges": "ch",
    "refunds": "re",
    "transfers": "tr",
    "reversals": "trr",
    "topups": "tu",
    "disputes": "du",
    "balance_transactions": "txn",
    "events": "evt",
}


class MemoryStripe(StripeCalls):
    """One account at Stripe."""

    def __init__(self, settings: EscrowSettings) -> None:
        super().__init__(lambda: settings)
        self.offset_seconds = 0
        self.lists: dict[str, list[dict[str, Any]]] = {name: [] for name in PREFIXES}
        self.by_id: dict[str, dict[str, Any]] = {}
        self.refund_course = "pays"
        self.is_restricted = False
        self._answers: dict[str, Answer] = {}

    @property
    def now(self) -> int:
        """Seconds since 1970 on the stack's clock."""
        return int(wall_seconds()) + self.offset_seconds

    # -- the calls ------------------------------------------------------------------------------------------------

    async def send(self, method: str, path: str, params: Mapping[str, Any], *, key: str | None = None) -> Answer:
        """Answer one call; a repeated key brings back the first answer."""
        if key is not None and key in self._answers:
            return copy.deepcopy(self._answers[key])
        answer = self._handle(method, path.removeprefix("/v1/").split("/"), copy.deepcopy(dict(params)))
        if key is not None:
            self._answers[key] = copy.deepcopy(answer)
        return copy.deepcopy(answer)

    async def send_paced(self, method: str, path: str, params: Mapping[str, Any], *, key: str) -> Answer:
        """As `send`; nobody waits here."""
        return await self.send(method, path, params, key=key)

    async def close(self) -> None:
        """Nothing is open."""

    def _handle(self, method: str, parts: list[str], params: dict[str, Any]) -> Answer:
        match method, parts:
            case "post", ["payment_intents"]:
                return self._pay(params)
            case "post", ["payment_intents", identity, "cancel"]:
                return self._cancel(self.by_id[identity])
            case "post", ["refunds"]:
                return self._refund(params)
            case "post", ["transfers"]:
                return self._transfer(params)
            case "post", ["transfers", identity, "reversals"]:
                return self._reverse(self.by_id[identity], params)
            case "post", ["topups"]:
                return self._top_up(params)
            case "get", ["balance"]:
                return Answer("done", self.balance())
            case "get", ["transfers", identity, "reversals"]:
                rows = [row for row in self.lists["reversals"] if row["transfer"] == identity]
                return Answer("done", self._page(rows, params))
            case "get", [collection]:
                return Answer("done", self._page(self.lists[collection], params))
            case "get", [_, identity]:
                found = self.by_id.get(identity)
                return Answer("done", keep(found)) if found is not None else _refused("resource_missing", status=404)
        raise LookupError(f"{method} {parts}")

    def _page(self, rows: list[dict[str, Any]], params: dict[str, Any]) -> dict[str, Any]:
        created = params.get("created", {})
        found = [
            row
            for row in reversed(rows)
            if created.get("gte", 0) <= row["created"] < created.get("lt", 2**60)
            and all(row.get(name) == params[name] for name in ("payment_intent", "transfer_group") if name in params)
            and ("types" not in params or row["type"] in params["types"])
        ]
        if "starting_after" in params:
            ids = [row["id"] for row in found]
            found = found[ids.index(params["starting_after"]) + 1 :]
        limit = params.get("limit", 10)
        return {"object": "list", "data": [keep(row) for row in found[:limit]], "has_more": len(found) > limit}

    # -- payments -------------------------------------------------------------------------------------------------

    def _pay(self, params: dict[str, Any]) -> Answer:
        made = self._made(
            "payment_intents",
            object="payment_intent",
            status="processing",
            amount=params["amount"],
            currency=params["currency"],
            metadata=params["metadata"],
            latest_charge=None,
            transfer_group=params["transfer_group"],
        )
        course = params["confirmation_token"].partition(":")[0]
        if course == "pays":
            self.payment_succeeds(made)
        elif course == "asks":
            made["status"] = "requires_action"
            made["next_action"] = {"redirect_to_url": {"url": "http://localhost:9/3ds"}}
        elif course == "declines":
            self.payment_fails(made)
            error = {"type": "card_error", "code": "card_declined", "decline_code": "do_not_honor"}
            return Answer("refused", {"status": 402, "error": error, "payment_intent": keep(made)})
        return Answer("done", keep(made))

    def payment_succeeds(self, payment: dict[str, Any]) -> None:
        """The bank pays."""
        charge = self._made(
            "charges",
            object="charge",
            status="succeeded",
            amount=payment["amount"],
            currency=payment["currency"],
            payment_intent=payment["id"],
            refunded=0,
        )
        payment.update(status="succeeded", latest_charge=charge["id"], next_action=None)
        fee_minor = (payment["amount"] * 290 + 5_000) // 10_000 + 30
        self._moves("charge", charge["id"], payment["amount"], fee_minor=fee_minor, later=True)
        self._tells("payment_intent.succeeded", payment)

    def payment_fails(self, payment: dict[str, Any]) -> None:
        """The bank declines."""
        error = {"type": "card_error", "code": "card_declined", "decline_code": "do_not_honor"}
        payment.update(status="requires_payment_method", last_payment_error=error, next_action=None)
        self._tells("payment_intent.payment_failed", payment)

    def _cancel(self, payment: dict[str, Any]) -> Answer:
        if payment["status"] not in ("requires_action", "requires_payment_method"):
            return _refused("payment_intent_unexpected_state")
        payment.update(status="canceled", next_action=None)
        self._tells("payment_intent.canceled", payment)
        return Answer("done", keep(payment))

    # -- refunds --------------------------------------------------------------------------------------------------

    def _refund(self, params: dict[str, Any]) -> Answer:
        charge = self.by_id[self.by_id[params["payment_intent"]]["latest_charge"]]
        disputes = [row for row in self.lists["disputes"] if row["charge"] == charge["id"]]
        if any(row["status"] in ("needs_response", "under_review", "lost") for row in disputes):
            return _refused("charge_disputed")
        if charge["refunded"] == charge["amount"]:
            return _refused("charge_already_refunded")
        if self.refund_course == "refuses" or charge["refunded"] + params["amount"] > charge["amount"]:
            return _refused("amount_too_large")
        charge["refunded"] += params["amount"]
        refund = self._made(
            "refunds",
            object="refund",
            status="pending",
            amount=params["amount"],
            currency=charge["currency"],
            charge=charge["id"],
            payment_intent=params["payment_intent"],
            metadata=params["metadata"],
        )
        self._moves("refund", refund["id"], -params["amount"])
        self._tells("refund.created", refund)
        if self.refund_course == "pays":
            self.refund_is_paid(refund)
        for row in disputes:
            if row["status"] in OPEN_DISPUTES:
                self.dispute_ends(row, "warning_closed")
        return Answer("done", keep(refund))

    def refund_is_paid(self, refund: dict[str, Any]) -> None:
        """A pending refund reaches the person."""
        refund["status"] = "succeeded"
        self._tells("refund.updated", refund)

    def refund_fails(self, refund: dict[str, Any]) -> None:
        """A refund comes back, also after it was paid."""
        refund["status"] = "failed"
        self.by_id[refund["charge"]]["refunded"] -= refund["amount"]
        self._moves("refund_failure", refund["id"], refund["amount"])
        self._tells("refund.failed", refund)

    # -- transfers, top-ups, the account itself -------------------------------------------------------------------

    def _transfer(self, params: dict[str, Any]) -> Answer:
        if self.is_restricted:
            return _refused("insufficient_capabilities_for_transfer")
        if self.available_minor() < params["amount"]:
            return _refused("balance_insufficient")
        transfer = self._made("transfers", object="transfer", reversals={"data": []}, **params)
        self._moves("transfer", transfer["id"], -params["amount"])
        self._tells("transfer.created", transfer)
        return Answer("done", keep(transfer))

    def _reverse(self, transfer: dict[str, Any], params: dict[str, Any]) -> Answer:
        if params["amount"] > self.left_of(transfer):
            return _refused("amount_too_large")
        reversal = self._made(
            "reversals",
            object="transfer_reversal",
            amount=params["amount"],
            currency=transfer["currency"],
            transfer=transfer["id"],
            metadata=params.get("metadata", {}),
        )
        transfer["reversals"]["data"].append(reversal)
        self._moves("transfer_refund", reversal["id"], params["amount"])
        self._tells("transfer.reversed", transfer)
        return Answer("done", keep(reversal))

    def left_of(self, transfer: dict[str, Any]) -> int:
        """What of a transfer was not taken back, in minor units."""
        return int(transfer["amount"]) - sum(row["amount"] for row in transfer["reversals"]["data"])

    def _top_up(self, params: dict[str, Any]) -> Answer:
        made = self._made("topups", object="topup", status="succeeded", **params)
        self._moves("topup", made["id"], params["amount"])
        self._tells("topup.succeeded", made)
        return Answer("done", keep(made))

    def account_moves(self, kind: str, amount_minor: int) -> None:
        """A balance transaction of the account as a whole, or of something that nobody knows."""
        self._moves(kind, None, amount_minor)

    def balance(self) -> dict[str, Any]:
        """Stripe's own sums."""
        total = sum(row["net"] for row in self.lists["balance_transactions"])
        available = self.available_minor()
        return {
            "object": "balance",
            "available": [{"amount": available, "currency": "usd"}],
            "pending": [{"amount": total - available, "currency": "usd"}],
        }

    def available_minor(self) -> int:
        """What may be sent now, in minor units."""
        return sum(row["net"] for row in self.lists["balance_transactions"] if row["available_on"] <= self.now)

    # -- disputes -------------------------------------------------------------------------------------------------

    def dispute_opens(self, charge: dict[str, Any], *, amount_minor: int, inquiry: bool) -> dict[str, Any]:
        """A person's bank disputes a charge, or asks about it."""
        dispute = self._made(
            "disputes",
            object="dispute",
            status="warning_needs_response" if inquiry else "needs_response",
            amount=amount_minor,
            currency=charge["currency"],
            charge=charge["id"],
            payment_intent=charge["payment_intent"],
            reason="product_not_received",
            evidence_details={"due_by": self.now + 7 * DAY_SECONDS},
            balance_transactions=[],
        )
        self._tells("charge.dispute.created", dispute)
        if not inquiry:
            self._dispute_moves(dispute, -amount_minor, "charge.dispute.funds_withdrawn")
        return dispute

    def dispute_goes_on(self, dispute: dict[str, Any], verb: str) -> None:
        """The bank's next step, when the dispute is where that step is possible."""
        status = dispute["status"]
        if verb == "escalates" and status in ("warning_needs_response", "warning_under_review"):
            dispute["status"] = "needs_response"
            self._dispute_moves(dispute, -dispute["amount"], "charge.dispute.funds_withdrawn")
        elif verb == "is taken up again" and status == "won":
            dispute["status"] = "under_review"
            self._dispute_moves(dispute, -dispute["amount"], "charge.dispute.funds_withdrawn")
        elif verb == "is won" and status in ("needs_response", "under_review"):
            dispute["status"] = "won"
            self._dispute_moves(dispute, dispute["amount"], "charge.dispute.funds_reinstated")
            self._tells("charge.dispute.closed", dispute)
        elif verb == "is lost" and status in ("needs_response", "under_review"):
            self.dispute_ends(dispute, "lost")
        elif verb == "is closed" and status.startswith("warning_") and status != "warning_closed":
            self.dispute_ends(dispute, "warning_closed")

    def dispute_ends(self, dispute: dict[str, Any], status: str) -> None:
        """The bank decides, without a movement of money."""
        dispute["status"] = status
        self._tells("charge.dispute.closed", dispute)

    def _dispute_moves(self, dispute: dict[str, Any], amount_minor: int, event_type: str) -> None:
        fee_minor = DISPUTE_FEE_MINOR if amount_minor < 0 else 0
        movement = self._moves("adjustment", dispute["id"], amount_minor, fee_minor=fee_minor)
        dispute["balance_transactions"].append(movement)
        self._tells(event_type, dispute)

    # -- what all of them do --------------------------------------------------------------------------------------

    def _made(self, collection: str, **values: Any) -> dict[str, Any]:
        rows = self.lists[collection]
        identity = f"{PREFIXES[collection]}_{len(rows) + 1:06}"
        made = {"id": identity, "created": self.now, "livemode": False, "metadata": {}, **values}
        rows.append(made)
        self.by_id[identity] = made
        return made

    def _moves(
        self, kind: str, source: str | None, amount_minor: int, *, fee_minor: int = 0, later: bool = False
    ) -> dict[str, Any]:
        return self._made(
            "balance_transactions",
            object="balance_transaction",
            type=kind,
            source=source,
            amount=amount_minor,
            fee=fee_minor,
            net=amount_minor - fee_minor,
            currency="usd",
            available_on=self.now + (AVAILABLE_AFTER_SECONDS if later else 0),
        )

    def _tells(self, event_type: str, thing: dict[str, Any]) -> None:
        self._made("events", object="event", type=event_type, data={"object": copy.deepcopy(thing)})


def _refused(code: str, *, status: int = 400) -> Answer:
    return Answer("refused", {"status": status, "error": {"type": "invalid_request_error", "code": code}})
