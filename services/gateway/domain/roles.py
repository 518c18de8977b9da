"""The roles of accounts. What each may ask is one table in `policy.py`."""

from __future__ import annotations

from typing import Literal

Role = Literal[
    "founder",
    "gatekeeper",
    "escrow_auditor",
    "risk_analyst",
    "operations",
    "trust_reviewer",
    "support_readonly",
    "supplier",
    "participant",
]

PARTICIPANT = "participant"
SUPPLIER = "supplier"
STAFF: frozenset[str] = frozenset(
    {
        "founder",
        "gatekeeper",
        "escrow_auditor",
        "risk_analyst",
        "operations",
        "trust_reviewer",
        "support_readonly",
    }
)
SIGNED_IN: frozenset[str] = STAFF | {PARTICIPANT, SUPPLIER}
