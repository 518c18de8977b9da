"""What an access token may ask: operations by scope, for the roles whose policy allows all of them.

A participant's token only reads. A staff member's may also keep drafts, which nobody else sees before their review; no
token ever decides, moves money, reads personal data beside the commitments, or makes another token, whatever its scopes.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

from services.gateway.domain.policy import POLICY, may

Scope = Literal["campaigns", "commitments", "work", "audit", "drafts"]
SCOPES: dict[Scope, frozenset[str]] = {
    "campaigns": frozenset(
        {
            "campaigns_list",
            "campaigns_read",
            "campaigns_progress",
            "campaign_escrow",
            "campaign_escrow_transfers",
            "campaign_escrow_export",
        }
    ),
    "commitments": frozenset(
        {
            "commitments_list",
            "commitments_read",
            "my_money",
            "my_money_export",
            "operations_read",
            "operations_list",
        }
    ),
    "work": frozenset(
        {"staff_overview", "cases_list", "campaign_clearing_plans", "clearing_plans_read", "campaign_commitments"}
    ),
    "audit": frozenset({"audit_list", "audit_export"}),
    "drafts": frozenset({"draft_campaign", "revise_draft", "campaigns_read", "operations_read"}),
}
SCOPE_NAMES: tuple[Scope, ...] = get_args(Scope)

_PATHS = {
    operation: re.compile(re.sub(r"\{\w+\}", "[^/]+", POLICY[operation].path) + r"\Z")
    for operations in SCOPES.values()
    for operation in operations
}


def scopes_of(role: str) -> tuple[Scope, ...]:
    """The scopes that an account of this role may give to a token: those that hold nothing its role may not ask."""
    return tuple(scope for scope in SCOPE_NAMES if all(may(role, operation) for operation in SCOPES[scope]))


def may_ask(scopes: frozenset[str], method: str, path: str) -> bool:
    """Whether a token with these scopes may ask an address."""
    asked = "GET" if method == "HEAD" else method
    return any(
        POLICY[operation].method == asked and _PATHS[operation].match(path)
        for scope, operations in SCOPES.items()
        if scope in scopes
        for operation in operations
    )
