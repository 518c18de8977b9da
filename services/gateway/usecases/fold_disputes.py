"""Fold the escrow service's events about disputes into rows of the read model."""

from __future__ import annotations

from typing import Any

from contracts import disputes
from contracts.envelope import Envelope
from services.gateway.store.projection import Rows

OPEN = "open"


def fold_dispute(rows: Rows, envelope: Envelope, event: Any) -> bool:
    """Fold an event about a dispute; False when it is about something else."""
    match event:
        case disputes.DisputeOpened():
            _dispute(
                rows, envelope, event,
                state=OPEN, charged_back=False, status=event.status, reason=event.reason,
                amount_minor=event.amount_minor, currency=event.currency, evidence_due_by=event.evidence_due_by,
                opened_at=envelope.time,
            )  # fmt: skip
        case disputes.DisputeMoved():
            _dispute(rows, envelope, event, status=event.status, evidence_due_by=event.evidence_due_by)
        case disputes.DisputeEnded():
            _dispute(rows, envelope, event, state=event.outcome, charged_back=event.charged_back)
            for decision_id in event.settled_decision_ids:
                rows.put("refund", decision_id, state="charged_back", state_at=envelope.time)
        case disputes.DisputeFundsWithdrawn() | disputes.DisputeFundsReinstated():
            _dispute(rows, envelope, event)
        case _:
            return False
    return True


def _dispute(rows: Rows, envelope: Envelope, event: Any, **columns: Any) -> None:
    rows.put(
        "dispute",
        event.dispute_id,
        commitment_id=event.commitment_id,
        campaign_id=event.campaign_id,
        state_at=envelope.time,
        **columns,
    )
    rows.touched_commitments.add(event.commitment_id)
