"""The bodies of requests about accounts: invitations, sign-up, sign-in, sessions, passkeys. Exact fields only."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, StringConstraints

from services.gateway.domain.inviting import VALID_DAYS, VALID_DAYS_MAX
from services.gateway.domain.roles import Role
from services.gateway.schemas.bodies import Body, Email
from services.gateway.schemas.bodies_addresses import ChosenKind

InvitationToken = Annotated[str, Field(min_length=20, max_length=100, pattern=r"^[A-Za-z0-9_-]+$", repr=False)]
Note = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]


class MemberInvitationBody(Body):
    """An invitation for one person. With `email` only that address can use it; `note` tells its issuer whom it is
    for and is shown to nobody else."""

    role: Role = "participant"
    supplier_id: UUID | None = None
    campaign_id: UUID | None = None
    email: Email | None = Field(default=None, repr=False)
    note: Note | None = Field(default=None, repr=False)
    valid_days: Annotated[int, Field(ge=1, le=VALID_DAYS_MAX)] = VALID_DAYS


class InvitationTokenBody(Body):
    """The secret part of an invitation's link."""

    token: InvitationToken


class SignInCodeBody(Body):
    """The address that a code goes to."""

    email: Email = Field(repr=False)


class SignUpCodeBody(ChosenKind):
    """An invitation's token, the address that is to become the account's, and what kind of account a participant's is to
    be."""

    token: InvitationToken
    email: Email = Field(repr=False)


class CodeAnswerBody(Body):
    """The code from the mail; spaces in it do not count."""

    challenge: Annotated[str, Field(min_length=20, max_length=100, repr=False)]
    code: Annotated[str, Field(min_length=1, max_length=20, repr=False)]


class OneTimeCodeBody(Body):
    """A code of an authenticator, or a recovery code; spaces and hyphens do not count."""

    code: Annotated[str, Field(min_length=1, max_length=40, repr=False)]


class PasskeyNameBody(Body):
    """How a passkey is called."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]


class PasskeyProofBody(Body):
    """A browser's answer to a challenge: the credential as WebAuthn's `toJSON()` gives it."""

    challenge_id: UUID
    credential: dict[str, Any] = Field(repr=False)


class PasskeyBody(PasskeyProofBody):
    """A new passkey with a name."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]
