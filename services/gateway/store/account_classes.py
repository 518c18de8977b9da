"""The ledger's account classes as the read model names its columns: one column per class in each transfer's row.

The chart of accounts is the escrow service's; a test holds the two lists together. A class that comes later is summed
under `other_minor` until it has a column, so that a transfer still sums to zero here.
"""

from __future__ import annotations

ACCOUNT_CLASSES = (
    "psp_clearing",
    "psp_pending",
    "psp_available",
    "psp_reserved",
    "escrow",
    "refund_payable",
    "dispute_hold",
    "reserve",
    "supplier_payable",
    "suspense",
    "platform_fee",
    "psp_cost",
    "dispute_loss",
    "goodwill",
    "house_paid",
    "platform_float",
)
HELD_CLASSES = ("psp_clearing", "psp_pending", "psp_available", "psp_reserved")
"""What the payment processor keeps."""
OWED_CLASSES = ("escrow", "refund_payable", "dispute_hold", "reserve", "supplier_payable")
"""What is owed to people and suppliers; `suspense` is owed too where it is above zero."""

TRANSFER_COLUMNS = {
    "scope_id": "text",
    "position": "bigint",
    "kind": "text",
    "currency": "text",
    "at": "timestamptz",
    "commitment_id": "uuid",
    "plan_id": "uuid",
    "reverses": "bigint",
    "reason": "text",
    "hash": "text",
    "previous_hash": "text",
    "object_id": "text",
    "trace_id": "text",
    "amount_minor": "bigint",
    **{f"{name}_minor": "bigint" for name in ACCOUNT_CLASSES},
    "other_minor": "bigint",
}
