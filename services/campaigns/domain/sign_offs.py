"""Three sign-offs that a fulfillment failed: three roles, three people.

Owns who may sign off when. That a role is truly the person's is for the gateway and the verified envelope to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from contracts.errors import Rejected
from contracts.terms import SIGN_OFF_ROLES, SignOffRole

SIGN_OFF_STATES: frozenset[str] = frozenset({"FULFILLMENT", "INSPECTION"})


def refusal_of_sign_off(
    given: Mapping[str, str], *, state: str, role: str, actor_role: str, person_id: str
) -> Rejected | None:
    """Why a sign-off is refused, or None. `given` maps the roles that have signed off to the person of each."""
    if role not in SIGN_OFF_ROLES or actor_role != role:
        return Rejected("not_allowed")
    if state not in SIGN_OFF_STATES:
        return Rejected("campaign_state_conflict", state=state)
    if role in given:
        return Rejected("sign_off_repeated", role=role)
    if person_id in given.values():
        return Rejected("sign_off_same_person")
    return None


def missing_roles(given: Mapping[str, str]) -> tuple[SignOffRole, ...]:
    """The roles that have not signed off, in a fixed sequence."""
    return tuple(cast(SignOffRole, role) for role in SIGN_OFF_ROLES if role not in given)
