"""An operation: one accepted act with its idempotency key, and what became of it.

The outcome is never stored: it is read from the read model whenever somebody asks, so that a repeat of a request
answers the present and not the past.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal
from uuid import UUID, uuid5

from contracts.envelope import EVENT_NAMESPACE, derived_id

OutcomeState = Literal["running", "action_required", "done", "refused"]

WAIT_SECONDS_MAX = 20
WAIT_SECONDS_PAYMENT = 10
WAIT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of act: the resource it is about, the status of its success, how long to wait for it when nobody says,
    and how many commands it writes."""

    resource_type: str
    status: int
    wait_seconds: int = WAIT_SECONDS
    commands: int = 1


KINDS: dict[str, Kind] = {
    "draft_campaign": Kind("campaign", 201),
    "revise_draft": Kind("campaign", 200),
    "submit_campaign": Kind("campaign", 200),
    "review_campaign": Kind("campaign", 200),
    "sign_off_failure": Kind("campaign", 200),
    "commit_funds": Kind("commitment", 201, WAIT_SECONDS_PAYMENT, commands=2),
    "pay_commitment": Kind("commitment", 200, WAIT_SECONDS_PAYMENT),
    "withdraw_commitment": Kind("commitment", 200),
    "report_issue": Kind("issue", 201),
    "decide_issue": Kind("issue", 200),
    "register_supplier": Kind("supplier", 201),
    "accept_invitation": Kind("invitation", 200),
    "decline_invitation": Kind("invitation", 200),
    "record_dispatch": Kind("campaign", 200),
    "record_delivery": Kind("campaign", 200),
    "submit_clearing_plan": Kind("clearing_plan", 201),
    "approve_clearing_plan": Kind("clearing_plan", 200),
    "take_plan_back": Kind("clearing_plan", 200),
    "retry_plan_transfer": Kind("clearing_plan", 200),
    "prepare_evidence": Kind("dispute", 200),
    "submit_evidence": Kind("dispute", 200),
    "resolve_case": Kind("case", 200),
    "top_up_float": Kind("top_up", 201),
    "set_alert_rule": Kind("alert_rule", 201),
    "remove_alert_rule": Kind("alert_rule", 200),
}

_ADDRESSES = {
    "campaign": "/v1/campaigns/{}",
    "commitment": "/v1/commitments/{}",
    "clearing_plan": "/v1/clearing-plans/{}",
    "dispute": "/v1/disputes/{}",
}


@dataclass(frozen=True)
class Operation:
    """One accepted act. `attempt` counts the cards tried for a commitment; `baseline` is a count taken at acceptance
    that the outcome is compared with."""

    id: UUID
    actor_id: UUID
    kind: str
    resource_id: UUID
    campaign_id: UUID | None
    attempt: int
    baseline: int
    received_at: datetime

    @cached_property
    def command_ids(self) -> list[UUID]:
        """The ids of the commands this act wrote."""
        return [command_id(self.id, ordinal) for ordinal in range(KINDS[self.kind].commands)]

    @cached_property
    def watched_ids(self) -> list[UUID]:
        """The ids whose change may end this operation: its own, its resource's, its commands'."""
        return [self.id, self.resource_id, *self.command_ids]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an operation, as the read model shows it now."""

    state: OutcomeState
    code: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    redirect_url: str | None = field(default=None, repr=False)
    row: Mapping[str, Any] | None = None


RUNNING = Outcome("running")


def operation_id(actor_id: UUID, key: str) -> UUID:
    """The id of the act an actor names by a key: a repeat has the same id, whichever gateway it reaches."""
    return uuid5(EVENT_NAMESPACE, f"operation:{actor_id}:{key}")


def command_id(operation: UUID, ordinal: int) -> UUID:
    """The id of an operation's n-th command."""
    return derived_id(operation, f"command:{ordinal}")


def resource_id(operation: UUID) -> UUID:
    """The id of what an operation creates: a commitment's id is a function of its actor and key."""
    return derived_id(operation, "resource")


def address(resource_type: str, identity: UUID) -> str | None:
    """Where a resource can be read, when it has an address of its own."""
    pattern = _ADDRESSES.get(resource_type)
    return pattern.format(identity) if pattern else None
