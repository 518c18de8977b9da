"""Ledger transfers as rows of the read model: one row per transfer, one column per account class.

A transfer names each account once, and its commitment accounts belong to the commitment it names, so that an amount per
class says all of its entries. Sums over any set of transfers are then plain sums of columns. Objects at the payment
processor are kept to find what settled a charge; they are shown to nobody.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from contracts.envelope import Envelope
from contracts.ledger import LedgerTransfer
from services.gateway.store.account_classes import ACCOUNT_CLASSES
from services.gateway.store.projection import Rows
from services.kit.telemetry import trace_id_of

_NAMESPACE = UUID("6f1d0c52-8a7e-5b34-9c21-3e5a7d9f1b60")


def transfer_id(scope: str, position: int) -> UUID:
    """A transfer's id in the read model: the same in every generation."""
    return uuid5(_NAMESPACE, f"{scope}:{position}")


def put_transfer(rows: Rows, envelope: Envelope, scope: str, transfer: LedgerTransfer) -> None:
    """Set the row of a transfer. Positive amounts are credits, as in the ledger."""
    amounts: dict[str, int] = {}
    object_id: str | None = None
    for entry in transfer.entries:
        name = entry.account.partition(":")[0]
        column = f"{name}_minor" if name in ACCOUNT_CLASSES else "other_minor"
        amounts[column] = amounts.get(column, 0) + entry.amount_minor
        object_id = object_id or entry.object_id
    columns: dict[str, Any] = {
        "scope_id": scope,
        "position": transfer.position,
        "kind": transfer.kind,
        "currency": transfer.currency,
        "at": transfer.event_at,
        "commitment_id": transfer.commitment_id,
        "plan_id": transfer.plan_id,
        "reverses": transfer.reverses,
        "reason": transfer.reason,
        "hash": transfer.hash,
        "previous_hash": transfer.previous_hash,
        "object_id": object_id,
        "trace_id": trace_id_of(envelope.traceparent),
        "amount_minor": sum(amount for amount in amounts.values() if amount > 0),
    }
    rows.put("ledger_transfer", transfer_id(scope, transfer.position), **columns, **amounts)
