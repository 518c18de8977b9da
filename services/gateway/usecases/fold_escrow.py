"""Fold the escrow service's events into rows of the read model: payments, and the ledger's sums."""

from __future__ import annotations

from typing import Any

from contracts import escrow
from contracts.envelope import Envelope
from contracts.ledger import LedgerTransfer
from services.gateway.store.projection import Rows

_OWED_CLASSES = frozenset({"escrow", "refund_payable", "dispute_hold", "reserve", "supplier_payable", "platform_fee"})


def fold_payment(rows: Rows, envelope: Envelope, event: Any) -> bool:
    """Fold an event about the payment of one commitment; False when it is about something else."""
    match event:
        case escrow.PaymentStarted():
            _payment(rows, event, payment_state="started", attempt=event.attempt)
        case escrow.PaymentDeclined():
            _payment(
                rows, event,
                payment_state="declined", decline_code=event.decline_code, retry_until=event.retry_until,
            )  # fmt: skip
        case escrow.PaymentActionRequired():
            _payment(rows, event, payment_state="action_required")
        case escrow.FundsHeld():
            _payment(rows, event, payment_state="held", held_at=envelope.time)
        case escrow.ReservationEnded():
            _payment(rows, event, payment_state="ended", end_reason=event.reason)
        case escrow.LateFundsReceived():
            _payment(rows, event)
            rows.add("commitment_money", event.commitment_id, late_minor=event.amount_minor)
        case _:
            return False
    return True


def fold_money(rows: Rows, envelope: Envelope, event: Any) -> bool:
    """Fold an event about a campaign's money; False when it is about something else."""
    match event:
        case escrow.LedgerTransfersPosted():
            for transfer in event.transfers:
                _transfer(rows, event.scope_id, transfer)
        case escrow.CampaignSettled():
            rows.put("campaign_settlement", event.campaign_id, settled_at=envelope.time)
            rows.touched_campaigns.add(event.campaign_id)
        case escrow.FloatToppedUp():
            rows.put(
                "top_up", event.top_up_id, amount_minor=event.amount_minor, currency=event.currency, at=envelope.time
            )
            rows.touched_other.add(event.top_up_id)
        case escrow.FloatGauged():
            figures = event.model_dump(exclude={"currency"})
            rows.put("float_gauge", event.currency, **figures, gauged_at=envelope.time)
        case _:
            return False
    return True


def _payment(rows: Rows, event: Any, **columns: Any) -> None:
    rows.put("commitment_money", event.commitment_id, campaign_id=event.campaign_id, **columns)
    rows.touched_commitments.add(event.commitment_id)


_REFUND_KINDS = frozenset({"refund_sent", "refund_failed", "refund_paid_outside"})


def _touches(transfer: LedgerTransfer, account: str) -> bool:
    """Whether a transfer moves this account: a correction counts as what it takes back, whose kind it does not tell."""
    return any(entry.account == account for entry in transfer.entries)


def _transfer(rows: Rows, scope_id: str, transfer: LedgerTransfer) -> None:
    """Add one ledger transfer to its scope's sums per account class; credits are positive."""
    amounts: dict[str, int] = {}
    for entry in transfer.entries:
        account_class = entry.account.partition(":")[0]
        if account_class in _OWED_CLASSES:
            name = f"{account_class}_minor"
            amounts[name] = amounts.get(name, 0) + entry.amount_minor
    if transfer.kind in {"lock", "late_receipt"}:
        amounts["received_minor"] = amounts.get("escrow_minor", 0) + amounts.get("refund_payable_minor", 0)
    elif transfer.kind in _REFUND_KINDS or (transfer.kind == "correction" and _touches(transfer, "house_paid")):
        amounts["refunded_minor"] = -amounts.get("refund_payable_minor", 0)
    elif transfer.kind in {"transfer_sent", "transfer_back", "correction"}:
        amounts["supplier_paid_minor"] = -amounts.get("supplier_payable_minor", 0)
    rows.add("campaign_ledger", scope_id, **amounts)
    rows.put("campaign_ledger", scope_id, position=transfer.position, head_hash=transfer.hash)
