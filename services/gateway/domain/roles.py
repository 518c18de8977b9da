"""Who may do what: the acts of the interface and the roles that may perform them.

One table, so that it can be read in one sitting and tested exhaustively. It decides by role only; whether the object is
theirs is decided in the query that reads it, and the services decide again by their own rules. It cannot see that one
person holds two accounts.
"""

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
SIGN_OFF: frozenset[str] = frozenset({"operations", "escrow_auditor", "trust_reviewer"})

ALLOWED: dict[str, frozenset[str]] = {
    "draft_campaign": frozenset({"operations"}),
    "submit_campaign": frozenset({"operations"}),
    "review_campaign": frozenset({"gatekeeper"}),
    "commit_funds": frozenset({PARTICIPANT}),
    "pay_commitment": frozenset({PARTICIPANT}),
    "withdraw_commitment": frozenset({PARTICIPANT}),
    "report_issue": frozenset({PARTICIPANT}),
    "list_own_commitments": frozenset({PARTICIPANT}),
    "register_supplier": frozenset({"operations", "gatekeeper"}),
    "list_invitations": STAFF | {SUPPLIER},
    "accept_invitation": frozenset({SUPPLIER}),
    "decline_invitation": frozenset({SUPPLIER}),
    "record_dispatch": frozenset({SUPPLIER}),
    "record_delivery": frozenset({SUPPLIER}),
    "decide_issue": frozenset({"operations", "trust_reviewer"}),
    "submit_clearing_plan": frozenset({"escrow_auditor"}),
    "approve_clearing_plan": frozenset({"escrow_auditor"}),
    "retry_plan_transfer": frozenset({"escrow_auditor"}),
    "sign_off_failure": SIGN_OFF,
    "top_up_float": frozenset({"escrow_auditor", "operations"}),
    "read_staff_pages": STAFF,
    "read_campaign_commitments": STAFF | {SUPPLIER},
    "read_own_operations": SIGNED_IN,
    "invite_members": frozenset({"founder", "gatekeeper", "operations", PARTICIPANT}),
    "redeem_member_invitation": frozenset({PARTICIPANT}),
}
"""Act → the roles that may perform it."""


def may(role: str, act: str) -> bool:
    """Whether a role may perform an act. Raises KeyError for an act that is not in the table."""
    return role in ALLOWED[act]
