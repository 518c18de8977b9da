"""Work: one open transaction in which a whole batch of messages is applied.

A use case gets the Work and a message, decides, changes rows and publishes events; the edge (kit.batch, kit.deadlines,
kit.intents) opens the transaction, holds the locks, and commits once. Nothing here calls the outside. What it cannot
catch: a use case that changes rows before it refuses; that is the convention "decide first, change afterwards".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from contracts.common import CaseClosedShape, CaseOpenedShape, CommandRefusedShape
from contracts.envelope import (
    EVENT_NAMESPACE,
    Actor,
    Envelope,
    Event,
    Message,
    Reply,
    derived_id,
    message_class,
    stream_name,
)
from contracts.errors import Rejected
from contracts.topics import events_topic
from services.kit import telemetry
from services.kit.buffers import Buffers, DeadlineRow, IntentRow, OutboxRow
from services.kit.database import sql

DEADLINE_GRACE_SECONDS = 60
"""A deadline acts this long after it is due, so that what was received in time has arrived (protocol, races)."""


class Early(Exception):  # noqa: N818 - a result of handling, not an error of the program
    """The message speaks of something not known here yet. Raise it before any change."""


def intent_id(purpose: str, object_id: str, ordinal: int) -> UUID:
    """The id of an intent, a function of what it is for; also its idempotency key at the other side."""
    return uuid5(EVENT_NAMESPACE, f"intent:{purpose}:{object_id}:{ordinal}")


def case_id(service: str, kind: str, subject: str, nth: int = 1) -> UUID:
    """The id of the nth case of a kind about a subject."""
    return uuid5(EVENT_NAMESPACE, f"case:{service}:{kind}:{subject}:{nth}")


class Work:
    """One transaction over the scopes in `heads` (scope → last seq of the own stream, locked)."""

    def __init__(
        self,
        *,
        service: str,
        connection: AsyncConnection,
        session: AsyncSession,
        now: datetime,
        heads: dict[str, int],
        frozen: set[str],
    ) -> None:
        self.service = service
        self.connection = connection
        self.session = session
        self.now = now
        self.cache: dict[Any, Any] = {}
        self.buffers = Buffers()
        self._heads = heads
        self.touched_heads: set[str] = set()
        self._frozen = frozen
        self._cause: Envelope | None = None
        self._ordinals: dict[UUID, int] = {}

    # -- the message in hand ------------------------------------------------------------------------------------

    @property
    def cause(self) -> Envelope:
        """The envelope of the message in hand. Raises RuntimeError outside of a message."""
        if self._cause is None:
            raise RuntimeError("no message is in hand")
        return self._cause

    def for_cause(self, envelope: Envelope) -> Work:
        """Take a message in hand: derived ids and headers follow from it."""
        self._cause = envelope
        return self

    @property
    def actor(self) -> Actor:
        """Who acts: the actor of the message in hand."""
        return self.cause.actor

    @property
    def received_at(self) -> datetime:
        """When the gateway accepted the act (stack time); for what nobody sent, now. Decides "was it in time"."""
        return self.cause.received_at or self.now

    def is_frozen(self, scope: str) -> bool:
        """Whether a blocking case of any service is open for the scope."""
        return scope in self._frozen

    def set_frozen(self, scope: str, *, frozen: bool) -> None:
        """Used by the kit when a case event is applied in this very transaction."""
        (self._frozen.add if frozen else self._frozen.discard)(scope)

    # -- what a use case may do ---------------------------------------------------------------------------------

    def publish(self, event: Event, *, label: str | None = None) -> UUID:
        """Tell an event on the own stream of its scope, in this transaction. Returns its id.

        `label` replaces the running number in the id, for events whose place among the others may vary.
        Raises KeyError when the scope's head is not locked: name it in the service's `scopes_of`.
        """
        scope = event.scope
        if scope not in self._heads:
            raise KeyError(f"the head of scope {scope} is not locked in this transaction")
        seq = self._heads[scope] + 1
        self._heads[scope] = seq
        self.touched_heads.add(scope)
        return self._append(event, events_topic(self.service), scope, stream_name(self.service, scope), seq, label)

    def reply(self, reply: Reply) -> UUID:
        """Tell a waiting browser something that no event may carry."""
        return self._append(reply, "gateway.replies", reply.scope, None, None)

    def send(self, message: Message, topic: str) -> UUID:
        """Send a message without a stream to a topic (requests between the kits)."""
        return self._append(message, topic, message.scope, None, None)

    def refuse(self, rejected: Rejected, *, subject_id: str | None = None) -> UUID:
        """Publish the refusal of the command in hand."""
        cls = message_class(f"{self.service}.command_refused.v1")
        if cls is None or not issubclass(cls, CommandRefusedShape):
            raise RuntimeError(f"{self.service} has no refusal message")
        return self.publish(
            cls(
                scope_id=self.cause.key,
                command_id=self.cause.id,
                command_type=self.cause.type,
                code=rejected.code,
                subject_id=subject_id,
                facts={name: _plain(value) for name, value in rejected.facts.items()},
            )
        )

    def schedule(
        self,
        kind: str,
        *,
        scope: str,
        subject: str,
        due_at: datetime,
        payload: dict[str, Any] | None = None,
        grace_seconds: int = DEADLINE_GRACE_SECONDS,
    ) -> None:
        """Set the deadline of this kind for the subject; a later call moves it. It acts `grace_seconds` after `due_at`."""
        cause = self._cause
        self.buffers.unscheduled.discard((kind, subject))
        self.buffers.deadlines[(kind, subject)] = DeadlineRow(
            kind=kind,
            scope=scope,
            subject=subject,
            due_at=due_at,
            payload=payload or {},
            traceparent=cause.traceparent if cause else None,
            correlation_id=(cause.correlation_id or cause.id) if cause else None,
            grace_seconds=grace_seconds,
        )

    def unschedule(self, kind: str, *, subject: str) -> None:
        """Drop the deadline of this kind for the subject; none is fine too."""
        self.buffers.deadlines.pop((kind, subject), None)
        self.buffers.unscheduled.add((kind, subject))

    def intend(
        self,
        purpose: str,
        *,
        object_id: str,
        ordinal: int,
        scope: str,
        request: dict[str, Any],
        secret: str | None = None,
    ) -> UUID:
        """Record an intent: a call to the outside that an executor makes after the commit. Repeating it is a no-op."""
        identity = intent_id(purpose, object_id, ordinal)
        if identity not in self.buffers.intents:
            self.buffers.intents[identity] = IntentRow(
                identity, purpose, object_id, ordinal, scope, request, secret, self.cause
            )
        return identity

    def open_case(
        self,
        kind: str,
        *,
        scope: str,
        subject: str,
        severity: str = "high",
        blocking: bool = False,
        facts: dict[str, Any] | None = None,
    ) -> None:
        """Open a case (an exception that needs a person); while one of this kind and subject is open, a no-op.

        The row and the event are written by the edge at the end of the transaction.
        """
        if blocking:
            self.set_frozen(scope, frozen=True)
        self.buffers.cases.setdefault(
            (kind, subject),
            {
                "kind": kind,
                "scope": scope,
                "subject": subject,
                "severity": severity,
                "blocking": blocking,
                "facts": {name: _plain(value) for name, value in (facts or {}).items()},
                "cause": self._cause,
            },
        )

    async def close_case(self, kind: str, *, subject: str, resolution: str) -> bool:
        """Close the open case of this kind and subject with a resolution; False when none is open."""
        opened_here = self.buffers.cases.pop((kind, subject), None)
        row = (
            await self.connection.execute(
                sql(
                    "UPDATE cases SET closed_at = :now, resolution = :resolution "
                    "WHERE kind = :kind AND subject = :subject AND closed_at IS NULL "
                    "RETURNING case_id, scope, blocking"
                ),
                {"now": self.now, "resolution": resolution, "kind": kind, "subject": subject},
            )
        ).one_or_none()
        if row is None:
            if opened_here is not None and opened_here["blocking"]:
                await self._thaw(opened_here["scope"])
            return opened_here is not None
        if row.blocking:
            await self.connection.execute(
                sql("DELETE FROM frozen_scope WHERE case_id = :case_id"), {"case_id": row.case_id}
            )
            await self._thaw(row.scope)
        self._publish_case_closed(row.case_id, row.scope, kind, resolution, blocking=row.blocking)
        self.audit(
            "case.closed",
            scope=row.scope,
            subject=subject,
            before={"case": "open"},
            after={"case": "closed", "case_id": str(row.case_id), "kind": kind, "resolution": resolution},
        )
        return True

    def audit(
        self,
        action: str,
        *,
        scope: str,
        subject: str,
        before: dict[str, Any] | None,
        after: dict[str, Any] | None,
        reason: str | None = None,
    ) -> None:
        """Write an audit row in this transaction: who, what, before, after, why. Ids and states only.

        Without a `reason` the message that caused the change is the reason.
        """
        cause = self.cause
        self.buffers.audits.append(
            {
                "at": self.now,
                "actor_id": cause.actor.id,
                "actor_role": cause.actor.role,
                "action": action,
                "scope": scope,
                "subject": subject,
                "before": before,
                "after": after,
                "reason": reason or cause.type,
                "cause_id": cause.id,
                "trace_id": telemetry.trace_id_of(cause.traceparent),
            }
        )

    def head(self, scope: str) -> int:
        """The last number of the own stream of a locked scope."""
        return self._heads[scope]

    # -- inside -------------------------------------------------------------------------------------------------

    async def _thaw(self, scope: str) -> None:
        """A blocking case is over: the scope stays frozen while another one, recorded or opened here, still holds it."""
        recorded = (
            await self.connection.execute(
                sql("SELECT EXISTS (SELECT FROM frozen_scope WHERE scope = :scope)"), {"scope": scope}
            )
        ).scalar_one()
        opened_here = any(case["blocking"] and case["scope"] == scope for case in self.buffers.cases.values())
        self.set_frozen(scope, frozen=bool(recorded) or opened_here)

    def publish_case_opened(self, identity: UUID, case: Mapping[str, Any]) -> None:
        """Tell that a case was opened; the edge calls it for the cases that were really new."""
        cls = message_class(f"{self.service}.case_opened.v1")
        if cls is not None and issubclass(cls, CaseOpenedShape):
            self.publish(
                cls(
                    scope_id=case["scope"],
                    case_id=identity,
                    case_kind=case["kind"],
                    severity=case["severity"],
                    subject_id=case["subject"],
                    blocking=case["blocking"],
                    facts=case["facts"],
                ),
                label=f"case-opened:{identity}",
            )

    def _publish_case_closed(self, identity: UUID, scope: str, kind: str, resolution: str, *, blocking: bool) -> None:
        cls = message_class(f"{self.service}.case_closed.v1")
        if cls is not None and issubclass(cls, CaseClosedShape):
            self.publish(
                cls(scope_id=scope, case_id=identity, case_kind=kind, resolution=resolution, blocking=blocking),
                label=f"case-closed:{identity}",
            )

    def _append(
        self, message: Message, topic: str, key: str, stream: str | None, seq: int | None, label: str | None = None
    ) -> UUID:
        cause = self.cause
        if label is None:
            ordinal = self._ordinals.get(cause.id, 0) + 1
            self._ordinals[cause.id] = ordinal
            label = str(ordinal)
        identity = derived_id(cause.id, f"{self.service}:{label}")
        envelope = Envelope(
            id=identity,
            type=message.type,
            source=self.service,
            time=self.now,
            key=key,
            stream=stream,
            seq=seq,
            causation_id=cause.id,
            correlation_id=cause.correlation_id or cause.id,
            received_at=cause.received_at,
            actor=cause.actor,
            traceparent=cause.traceparent,
        )
        self.buffers.outbox.append(
            OutboxRow(
                message_id=identity,
                topic=topic,
                key=key,
                type=message.type,
                stream=stream,
                seq=seq,
                headers=envelope.to_headers(),
                payload=message.model_dump_json(),
            )
        )
        return identity


def _plain(value: Any) -> Any:
    """A JSON value: ids and moments become text."""
    if isinstance(value, (str, int, float, bool, type(None), list, dict)):
        return value
    return str(value)
