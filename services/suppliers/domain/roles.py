"""Who may do what here, by the role the gateway signed into the command.

That a person's account belongs to a supplier is the gateway's to know: it puts the supplier's id into the command, and
the rules compare that id with the invitation's. A wrong binding in the gateway cannot be seen from here.
"""

from __future__ import annotations

from contracts.envelope import Actor
from contracts.errors import Rejected

SUPPLIER_ROLES = frozenset({"supplier"})
"""Answers to an invitation, dispatch and delivery come from the supplier's own account, never from staff."""

PARTICIPANT_ROLES = frozenset({"participant"})
"""A fault is reported by the participant who received the product."""

REGISTRAR_ROLES = frozenset({"operations", "gatekeeper"})
"""A supplier and its verified payout account are recorded by staff."""

ISSUE_DECIDER_ROLES = frozenset({"operations", "trust_reviewer"})
"""A reported fault is decided by staff who are not on the supplier's side."""


def require_role(actor: Actor, allowed: frozenset[str]) -> None:
    """Refuse (`not_allowed`) an actor whose role is not among the allowed ones."""
    if actor.role not in allowed:
        raise Rejected("not_allowed", role=actor.role)
