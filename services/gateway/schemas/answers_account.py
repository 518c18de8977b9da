"""The bodies of answers about accounts: invitations, sign-up, sign-in, sessions, passkeys."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from services.gateway.domain.proofs import Proof
from services.gateway.domain.roles import Role
from services.gateway.schemas.answers import AccountView, Answer


class MemberInvitationView(Answer):
    """An invitation as its issuer sees it; `bound` means that one e-mail address alone can use it."""

    id: UUID
    state: Literal["open", "used", "revoked", "expired"]
    role: Role
    supplier_id: UUID | None
    campaign_id: UUID | None
    bound: bool
    note: str | None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class MemberInvitationIssued(MemberInvitationView):
    """A new invitation; its token is shown once and stored hashed."""

    token: str


class MemberInvitationList(Answer):
    """Invitations, the newest first. `left` is how many more this person may issue; null without a limit."""

    data: list[MemberInvitationView]
    next_cursor: str | None
    left: int | None


class MemberInvitationPreview(Answer):
    """What an invitation opens, for whoever holds its link."""

    role: Role
    campaign_id: UUID | None
    campaign_title: str | None
    bound: bool
    expires_at: datetime


class MemberInvitationRedeemed(Answer):
    """The campaign that a signed-in person can see and join now."""

    campaign_id: UUID


class CodeAsked(Answer):
    """A code was asked for. The answer is the same whether the address is known or not."""

    challenge: str
    expires_in_seconds: int


class SignedInByCookie(Answer):
    """A new session; its token is in the cookie alone. `campaign_id` is what the invitation opened."""

    account: AccountView
    csrf_token: str
    expires_at: datetime
    campaign_id: UUID | None


class SessionView(Answer):
    """One place where somebody is signed in. `client` names browser and system coarsely."""

    id: UUID
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    proof: Proof
    client: str | None
    current: bool


class SessionList(Answer):
    """The sessions that live."""

    data: list[SessionView]
    next_cursor: None = None


class PasskeyView(Answer):
    """A passkey as its owner sees it."""

    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None


class SecurityView(Answer):
    """How somebody can sign in. `must_prove_more`: this session does nothing else before; `may_change`: it may add and
    remove ways of signing in now; `factor_needed_to_commit`: the first commitment waits for a second factor."""

    passkeys: list[PasskeyView]
    authenticator: bool
    recovery_codes_left: int
    proof: Proof
    must_prove_more: bool
    may_change: bool
    factor_needed_to_commit: bool


class PasskeyOptions(Answer):
    """A challenge: `options` is what WebAuthn in the browser takes."""

    challenge_id: UUID
    options: dict[str, Any]


class AuthenticatorBegun(Answer):
    """The secret of a new authenticator, shown once."""

    secret: str
    uri: str


class RecoveryCodes(Answer):
    """New recovery codes, shown once."""

    codes: list[str]
