"""Fold what the pages about movements of money need beside the sums: each ledger transfer, and the trace of each step.

It reads events that other folds read too, and leaves them to these.
"""

from __future__ import annotations

from typing import Any

from contracts import escrow
from contracts.envelope import Envelope
from services.gateway.store.ledger_rows import put_transfer
from services.gateway.store.projection import Rows
from services.kit.telemetry import trace_id_of


def fold_movements(rows: Rows, envelope: Envelope, event: Any) -> bool:
    """Keep an event's transfers, or the trace of one commitment's step. Always False: another fold reads it as well."""
    match event:
        case escrow.LedgerTransfersPosted():
            for transfer in event.transfers:
                put_transfer(rows, envelope, event.scope_id, transfer)
        case escrow.FundsHeld():
            rows.put("commitment_money", event.commitment_id, held_trace_id=trace_id_of(envelope.traceparent))
        case escrow.RefundDecided():
            rows.put("refund", event.decision_id, decided_trace_id=trace_id_of(envelope.traceparent))
        case escrow.RefundSent():
            rows.put("refund", event.decision_id, sent_trace_id=trace_id_of(envelope.traceparent))
    return False
