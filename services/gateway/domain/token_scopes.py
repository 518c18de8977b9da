"""What an access token may read: operations by scope, all of them reads that the policy allows its person too.

A token never writes, never reads personal data beside the commitments, and never makes another token, whatever its scopes.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

from services.gateway.domain.policy import POLICY

Scope = Literal["campaigns", "commitments"]
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
}
SCOPE_NAMES: tuple[Scope, ...] = get_args(Scope)

_PATHS = {
    operation: re.compile(re.sub(r"\{\w+\}", "[^/]+", POLICY[operation].path) + r"\Z")
    for operations in SCOPES.values()
    for operation in operations
}


def may_read(scopes: frozenset[str], method: str, path: str) -> bool:
    """Whether a token with these scopes may ask an address."""
    if method not in {"GET", "HEAD"}:
        return False
    return any(
        _PATHS[operation].match(path)
        for scope, operations in SCOPES.items()
        if scope in scopes
        for operation in operations
    )
