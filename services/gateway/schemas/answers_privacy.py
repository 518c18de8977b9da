"""The bodies of answers about a person's own data and its erasure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from services.gateway.schemas.answers import Answer
from services.gateway.schemas.answers_commitments import CommitmentView, IssueView


class OwnAccountView(Answer):
    """An account with its address, as only its person sees it."""

    subject_id: UUID
    role: str
    supplier_id: UUID | None
    label: str | None
    email: str | None
    created_at: datetime


class OwnSessionView(Answer):
    """A session: when it began, was last used, and ends or ended."""

    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    client: str | None


class OwnPasskeyView(Answer):
    """A passkey, by the name that its person gave it."""

    name: str
    created_at: datetime
    last_used_at: datetime | None


class OwnInvitationView(Answer):
    """An invitation that the person issued."""

    campaign_id: UUID | None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class OwnAccessTokenView(Answer):
    """An access token of the person's."""

    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class OwnActView(Answer):
    """Something the person asked for."""

    kind: str
    resource_type: str
    resource_id: UUID
    campaign_id: UUID | None
    received_at: datetime


class ConsentView(Answer):
    """One exact version of a campaign's terms, agreed to by joining."""

    campaign_id: UUID
    campaign_title: str
    terms_hash: str
    agreed_at: datetime


class NoticeView(Answer):
    """A mail that was sent, or was to be."""

    message_id: UUID
    campaign_id: UUID
    template: str
    subject: str
    recorded_at: datetime
    result: str


class CompletenessView(Answer):
    """Whether a part of the file is complete, and how many rows of it the file can hold."""

    complete: bool
    rows_max: int


class OwnDataView(Answer):
    """Everything kept of one person; null stands for a part that was not asked for. `completeness` says of each part that
    was, by its name, whether a bound cut something off."""

    made_at: datetime
    completeness: dict[str, CompletenessView]
    account: OwnAccountView | None
    commitments: list[CommitmentView] | None
    consents: list[ConsentView] | None
    issues: list[IssueView] | None
    acts: list[OwnActView] | None
    sessions: list[OwnSessionView] | None
    passkeys: list[OwnPasskeyView] | None
    invitations: list[OwnInvitationView] | None
    access_tokens: list[OwnAccessTokenView] | None
    notices: list[NoticeView] | None


class ErasureWaitView(Answer):
    """A commitment that erasure waits for, and why."""

    kind: Literal["funds", "issue", "case", "refund"]
    words: str
    commitment_id: UUID
    campaign_id: UUID
    campaign_title: str


class ErasureView(Answer):
    """Where the erasure of a person stands. `not_before` is the earliest moment; it waits as long as anything is open."""

    state: Literal["not_requested", "waiting"]
    requested_at: datetime | None
    not_before: datetime | None
    waits_for: list[ErasureWaitView]
