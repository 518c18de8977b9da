"""The gateway's own audit records: what people did here that no command to another service tells.

They are written in the transaction of the act and sealed by the kit like every service's. Ids and states only; what a
person typed, a name or an address never goes in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.envelope import PLATFORM_SCOPE
from services.kit import telemetry
from services.kit.database import sql

_INSERT = sql(
    """
    INSERT INTO audit_entry (
        at, actor_id, actor_role, action, scope, subject, before, after, reason, cause_id, trace_id
    )
    VALUES (
        stack_now(), :actor_id, :actor_role, :action, :scope, :subject, CAST(:before AS jsonb), CAST(:after AS jsonb),
        :reason, :cause_id, :trace_id
    )
    """
)


class Acting(Protocol):
    """Who acted: a signed-in identity, or the account that a proof has just named."""

    @property
    def subject_id(self) -> UUID:
        """The account's random id."""

    @property
    def role(self) -> str:
        """The role it acted in."""


@dataclass(frozen=True, slots=True)
class OwnRecord:
    """One act. `reason` says why in a stable word or a person's own; without one the act itself is the reason."""

    action: str
    scope: str
    subject: str
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    reason: str | None = None
    cause_id: UUID | None = None


async def record(
    connection: AsyncConnection, told: OwnRecord, *, identity: Acting | None, traceparent: str | None = None
) -> None:
    """Write one record in the caller's transaction; without an identity the platform itself acted."""
    await connection.execute(_INSERT, _row(told, identity, traceparent))


async def record_all(connection: AsyncConnection, told: Sequence[OwnRecord]) -> None:
    """Write records of the platform's own acts, in one round trip."""
    if told:
        await connection.execute(_INSERT, [_row(each, None, None) for each in told])


def _row(told: OwnRecord, identity: Acting | None, traceparent: str | None) -> dict[str, Any]:
    return {
        "actor_id": str(identity.subject_id) if identity is not None else "system",
        "actor_role": identity.role if identity is not None else "system",
        "action": told.action,
        "scope": told.scope,
        "subject": told.subject,
        "before": None if told.before is None else json.dumps(dict(told.before), default=str),
        "after": None if told.after is None else json.dumps(dict(told.after), default=str),
        "reason": told.reason or told.action,
        "cause_id": told.cause_id or uuid4(),
        "trace_id": telemetry.trace_id_of(traceparent),
    }


async def record_account_act(
    connection: AsyncConnection,
    acting: Acting,
    action: str,
    *,
    subject: UUID,
    traceparent: str | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """Write one record of what somebody did to an account, a session or a way of signing in. `subject` is the id of what
    was changed; names, addresses, tokens and programs never go in."""
    told = OwnRecord(action, PLATFORM_SCOPE, str(subject), before, after, reason)
    await record(connection, told, identity=acting, traceparent=traceparent)
