"""Fold refunds into rows of the read model. Paid is what the payment processor, or two people with proof, say is paid."""

from __future__ import annotations

from typing import Any

from contracts import escrow
from contracts.envelope import Envelope
from services.gateway.store.projection import Rows


def fold_refund(rows: Rows, envelope: Envelope, event: Any) -> bool:
    """Fold an event about a refund of one commitment; False when it is about something else."""
    match event:
        case escrow.RefundDecided():
            _refund(rows, envelope, event, "decided", decided_at=envelope.time, reason=_refund_reason(event))
        case escrow.RefundPending():
            _refund(rows, envelope, event, "pending")
        case escrow.RefundSent():
            _refund(rows, envelope, event, "sent", sent_at=envelope.time, reason=_refund_reason(event))
        case escrow.RefundFailed():
            _refund(rows, envelope, event, "failed")
            rows.add("refund", event.decision_id, failures=1)
        case escrow.RefundPaidOutside():
            _refund(rows, envelope, event, "paid_outside", sent_at=envelope.time, reason=_refund_reason(event))
        case escrow.RefundOwedAgain():
            _refund(rows, envelope, event, "failed")
        case _:
            return False
    return True


def _refund_reason(event: escrow.RefundDecided | escrow.RefundSent | escrow.RefundPaidOutside) -> str:
    return "goodwill" if event.goodwill else event.reason


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
