"""Who may invite whom, for how long, and how many. The platform is private: nobody comes in without an invitation.

It decides by role and count only; whether the inviter sees the campaign that an invitation opens is decided where the
campaign is read.
"""

from __future__ import annotations

from services.gateway.domain.roles import PARTICIPANT, SIGNED_IN, SUPPLIER

VALID_DAYS = 14
VALID_DAYS_MAX = 60

INVITES: dict[str, frozenset[str]] = {
    "founder": SIGNED_IN,
    "gatekeeper": frozenset({PARTICIPANT, SUPPLIER}),
    "operations": frozenset({PARTICIPANT, SUPPLIER}),
    PARTICIPANT: frozenset({PARTICIPANT}),
}
"""Role → the roles it may invite. A role that is not here invites nobody."""


def may_invite(inviter_role: str, role: str) -> bool:
    """Whether somebody in `inviter_role` may invite somebody into `role`."""
    return role in INVITES.get(inviter_role, frozenset())


def sees_all_invitations(role: str) -> bool:
    """Whether a role sees and revokes everybody's invitations; a participant does so with its own only."""
    return role in INVITES and role != PARTICIPANT


def may_have_it_mailed(role: str) -> bool:
    """Whether an invitation of this role for one address goes there by mail. A participant hands the link on: nobody may
    have mails sent to strangers by taking invitations back and making new ones."""
    return sees_all_invitations(role)


def may_open_private(role: str) -> bool:
    """Whether an invitation of this role may open a private campaign."""
    return sees_all_invitations(role)
