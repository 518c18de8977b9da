"""Fold the escrow service's events into rows of the read model: payments, refunds, the ledger's sums, clearing plans."""

from __future__ import annotations

from typing import Any

from contracts import clearing, escrow
from contracts.envelope import Envelope
from contracts.ledger import LedgerTransfer
from services.gateway.store.projection import Rows

_OWED_CLASSES = frozenset({"escrow", "refund_payable", "dispute_hold", "reserve", "supplier_payable", "platform_fee"})


def fold_payment(rows: Rows, envelope: Envelope, event: Any) -> bool:
    """Fold an event about the payment or a refund of one commitment; False when it is about something else."""
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
        case escrow.RefundDecided():
            _refund(rows, envelope, event, "decided", decided_at=envelope.time, reason=event.reason)
        case escrow.RefundPending():
            _refund(rows, envelope, event, "pending")
        case escrow.RefundSent():
            _refund(rows, envelope, event, "sent", sent_at=envelope.time, reason=event.reason)
        case escrow.RefundFailed():
            _refund(rows, envelope, event, "failed")
        case _:
            return False
    return True


def fold_money(rows: Rows, envelope: Envelope, event: Any) -> bool:
    """Fold an event about a campaign's money or a clearing plan; False when it is about something else."""
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
        case clearing.ClearingPlanSubmitted():
            _plan(
                rows, event, "SUBMITTED",
                kind=event.plan_kind, plan_hash=event.plan_hash, maker_id=event.maker_id, reason=event.reason,
                supplier_id=event.supplier_id, gross_minor=event.gross_minor, reserve_minor=event.reserve_minor,
                fee_minor=event.fee_minor, net_minor=event.net_minor, currency=event.currency,
                line_count=event.line_count, submitted_at=envelope.time,
                conditions=[condition.model_dump(mode="json") for condition in event.conditions],
            )  # fmt: skip
        case clearing.ClearingPlanApproved():
            _plan(rows, event, "APPROVED", approver_id=event.approver_id)
        case clearing.ClearingPlanCleared():
            _plan(rows, event, "SENDING")
        case clearing.ClearingPlanStopped():
            _plan(rows, event, "STOPPED", refused_code=event.code)
        case clearing.TransferRefused():
            _plan(rows, event, "SENDING", refused_code=event.code)
            rows.add("clearing_plan", event.plan_id, refused_transfers=1)
        case clearing.FundsReleased():
            _plan(rows, event, "RELEASED", transfer_id=event.transfer_id, approver_id=None)
            for commitment_id in event.released_commitment_ids:
                rows.put(
                    "commitment_money",
                    commitment_id,
                    campaign_id=event.campaign_id,
                    released_at=envelope.time,
                    plan_id=event.plan_id,
                )
        case _:
            return False
    return True


def _payment(rows: Rows, event: Any, **columns: Any) -> None:
    rows.put("commitment_money", event.commitment_id, campaign_id=event.campaign_id, **columns)
    rows.touched_commitments.add(event.commitment_id)


def _refund(rows: Rows, envelope: Envelope, event: Any, state: str, **columns: Any) -> None:
    rows.put(
        "refund",
        event.decision_id,
        commitment_id=event.commitment_id,
        campaign_id=event.campaign_id,
        amount_minor=event.amount_minor,
        currency=event.currency,
        state=state,
        state_at=envelope.time,
        **columns,
    )
    rows.touched_commitments.add(event.commitment_id)


def _plan(rows: Rows, event: Any, state: str, **columns: Any) -> None:
    rows.put("clearing_plan", event.plan_id, campaign_id=event.campaign_id, state=state, **columns)
    rows.touched_campaigns.add(event.campaign_id)
    rows.touched_other.add(event.plan_id)


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
    elif transfer.kind in {"refund_sent", "refund_failed"}:
        amounts["refunded_minor"] = -amounts.get("refund_payable_minor", 0)
    elif transfer.kind in {"transfer_sent", "transfer_back"}:
        amounts["supplier_paid_minor"] = -amounts.get("supplier_payable_minor", 0)
    rows.add("campaign_ledger", scope_id, **amounts)
    rows.put("campaign_ledger", scope_id, position=transfer.position, head_hash=transfer.hash)
