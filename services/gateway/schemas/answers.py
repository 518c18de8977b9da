"""The bodies of answers that every area shares: people, operations, problems.

They serve the interface description and the tests that compare real answers with it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.gateway.domain.roles import Role


class Answer(BaseModel):
    """An answer's body; nothing undescribed may appear in one."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MoneyView(Answer):
    """An amount in minor units with its ISO 4217 code."""

    amount: int
    currency: str


class AccountView(Answer):
    """The signed-in account."""

    subject_id: UUID
    role: Role
    supplier_id: UUID | None
    label: str | None


class SignedIn(Answer):
    """A new session; the token is shown once."""

    token: str
    csrf_token: str
    expires_at: datetime
    account: AccountView


class DevParticipantView(Answer):
    """A script's participant with a session."""

    external_id: str
    subject_id: UUID
    token: str


class DevParticipants(Answer):
    """Participants made or found."""

    participants: list[DevParticipantView]


class Me(Answer):
    """Who is signed in, and the token that writes under a cookie need."""

    account: AccountView
    csrf_token: str


class StripeView(Answer):
    """What a browser needs for the card form."""

    kind: Literal["stand-in", "stripe"]
    publishable_key: str
    api_base: str | None


class DemoLogin(Answer):
    """A demo login of the local profile."""

    email: str
    role: Role
    words: str


class ClientConfig(Answer):
    """What the site needs before anybody signs in."""

    profile: str
    test_money: bool
    simulated_time: bool
    stack_time: datetime
    clock_moving: bool
    stripe: StripeView
    demo_logins: list[DemoLogin]


class NextAction(Answer):
    """Where to send the browser."""

    type: Literal["redirect"]
    url: str


class ResourceView(Answer):
    """What an operation is about."""

    type: str
    id: UUID
    href: str | None


class FieldErrorView(Answer):
    """One field that does not fit."""

    pointer: str
    message: str
    code: str


class OperationProblem(Answer):
    """Why an act was refused: the problem without the names of a request."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    facts: dict[str, Any]
    errors: list[FieldErrorView]


class OperationView(Answer):
    """An accepted act and what became of it."""

    id: UUID
    kind: str
    state: Literal["running", "action_required", "done", "refused"]
    resource: ResourceView
    next_action: NextAction | None
    problem: OperationProblem | None
    received_at: datetime


class OperationList(Answer):
    """Operations."""

    data: list[OperationView]
    next_cursor: None = None


class ProblemView(BaseModel):
    """An error answer (RFC 9457) with a stable code and what to do next."""

    model_config = ConfigDict(extra="forbid")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    facts: dict[str, Any]
    errors: list[FieldErrorView]
    trace_id: str | None
    request_id: str
    resource: ResourceView | None = None
    operation_id: UUID | None = None


class WebhookReceived(Answer):
    """The event is stored, now or before."""

    received: bool


class Health(Answer):
    """The process answers."""

    status: Literal["ok"]


class Checks(Answer):
    """What was asked, and whether it answered."""

    database: bool
    migrations: bool
    broker: bool
    consumer: bool


class ReadyView(Answer):
    """Whether this gateway can work."""

    ready: bool
    checks: Checks


class VersionView(Answer):
    """Which version this is, and which generation of the read model answers."""

    version: str
    profile: str
    generation: int


class ProblemMeaning(Answer):
    """What a problem code means and what to do next."""

    code: str
    status: int
    title: str
    detail: str


class ProblemCatalogue(Answer):
    """Every problem code."""

    data: list[ProblemMeaning]
    next_cursor: None = None
