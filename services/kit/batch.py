"""Apply a batch of received messages in one transaction: gates, inbox, handlers, events, commit.

A refusal is a result and never aborts the batch; only an unexpected exception does. Then the batch is halved until the
one message that fails by itself stands alone (`kit.poison` decides about it). Transient errors roll back and are tried
again with backoff, for ever: they are never parked. Redelivery is harmless by the gates and the inbox.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from contracts.audit_trail import ReadAuditShape
from contracts.envelope import Command, Envelope, Message, message_class, parse
from contracts.errors import Rejected
from services.kit import gate as gates
from services.kit import parking, telemetry
from services.kit.audit_trail import tell_records
from services.kit.case_events import apply_case_event, is_case_event
from services.kit.database import is_transient, retry_delay_seconds
from services.kit.failpoint import failpoint
from services.kit.gate import Gate
from services.kit.received import Received, UnverifiedError, Verifier
from services.kit.republish import REPUBLISH_SUFFIX, republish
from services.kit.service import Service
from services.kit.transaction import begin, finish_work, make_work
from services.kit.work import Early, Work

log = telemetry.logger("kit.batch")


@dataclass(slots=True)
class Parsed:
    """A received message. `concerns`: it needs more than its gate here, so its body was read; then `message` is None for
    an empty body, and `error` tells why one does not parse or is not trusted."""

    received: Received
    message: Message | None
    error: str | None = None
    concerns: bool = True

    @property
    def envelope(self) -> Envelope:
        """The message's headers."""
        return self.received.envelope


@dataclass(slots=True)
class Outcome:
    """What a transaction did, for waking others after the commit."""

    work: Work | None = None
    handled: list[tuple[Envelope, Message]] = field(default_factory=list)
    waiting_streams: set[str] = field(default_factory=set)


class BatchHandler:
    """Applies batches for one consumer. One instance per process and consumer; safe beside other processes."""

    def __init__(
        self,
        service: Service,
        engine: AsyncEngine,
        *,
        verifier: Verifier,
        after_commit: Callable[[], None],
        stopping: asyncio.Event,
    ) -> None:
        self.service = service
        self.engine = engine
        self.verifier = verifier
        self.after_commit = after_commit
        self.stopping = stopping
        self.waiting: set[str] = set()
        self._suspect = True

    async def apply(self, batch: Sequence[Received]) -> None:
        """Apply a batch; returns when each message is handled, skipped or parked, all committed."""
        failpoint(f"{self.service.name}.before_batch")
        if not batch:
            return
        if self._suspect:
            # After a crash the first batch holds the message that may have caused it: its tries are counted before
            # they are made, so that a message that kills the process is found out (three tries, then parked).
            await parking.apply_suspects(self, batch)
            self._suspect = False
        else:
            await self.apply_halving(batch)
        failpoint(f"{self.service.name}.after_commit")
        await self._drain_woken({item.envelope.key for item in batch})

    async def apply_halving(self, batch: Sequence[Received]) -> None:
        """Apply in one transaction; on an unexpected error halve, down to the message that fails alone."""
        attempt = 0
        while True:
            attempt += 1
            try:
                outcome = await self._apply_once(batch, from_parked=False)
            except Exception as error:
                if is_transient(error):
                    if self.stopping.is_set():
                        raise
                    log.warning("kit.batch.transient", consumer=self.service.consumer, error=type(error).__name__)
                    await asyncio.sleep(retry_delay_seconds(attempt))
                    continue
                if len(batch) == 1:
                    await parking.fail_alone(self, batch[0], error)
                    return
                middle = len(batch) // 2
                await self.apply_halving(batch[:middle])
                await self.apply_halving(batch[middle:])
                return
            self._committed(outcome)
            return

    async def apply_parked(self, batch: Sequence[Received]) -> None:
        """Apply parked messages of one stream, in sequence, ignoring why they were parked. Raises what a handler raises."""
        self._committed(await self._apply_once(batch, from_parked=True))

    def _committed(self, outcome: Outcome) -> None:
        self.waiting |= outcome.waiting_streams
        if outcome.work is not None and self.service.on_committed is not None:
            self.service.on_committed(outcome.work)
        self.after_commit()

    async def _drain_woken(self, scopes: set[str]) -> None:
        for stream in [stream for stream in self.waiting if stream.split(":", 1)[1] in scopes]:
            self.waiting.discard(stream)
            await parking.drain(self, stream)

    async def _apply_once(self, batch: Sequence[Received], *, from_parked: bool) -> Outcome:
        parsed = [self._parse(received) for received in batch]
        outcome = Outcome()
        with telemetry.batch_span(self.service, [item.envelope for item in parsed if item.concerns]) as spans:
            async with begin(self.engine, self.service) as connection:
                locked = await gates.lock(
                    connection, self.service.consumer, {e.stream for e in _envelopes(parsed) if e.stream}
                )
                failpoint(f"{self.service.name}.before_inbox")
                if not from_parked and self._pass_by(parsed, locked):
                    await gates.store(connection, self.service.consumer, locked.values())
                    return outcome
                if from_parked:
                    for gate in locked.values():
                        gate.reopen()
                fresh = await gates.admit_to_inbox(
                    connection,
                    self.service.consumer,
                    [item.envelope.id for item in parsed if item.envelope.stream is None],
                )
                work = await make_work(connection, self.service, self._scopes(parsed, locked))
                outcome.work = work
                if self.service.preload is not None:
                    known = [(item.envelope, item.message) for item in parsed if item.message is not None]
                    await self.service.preload(work, known)
                run = _Run(self, work, locked, fresh, outcome, from_parked=from_parked, spans=spans)
                for item in parsed:
                    await run.take(item)
                if self.service.handle_batch is not None and outcome.handled:
                    with spans.process_together(outcome.handled):
                        await self.service.handle_batch(work, outcome.handled)
                await finish_work(work, self.service)
                await gates.store(connection, self.service.consumer, locked.values())
        return outcome

    def _pass_by(self, parsed: Sequence[Parsed], locked: dict[str, Gate]) -> bool:
        """Pass a batch of which nothing concerns this consumer; False, with nothing changed, when it is not that easy."""
        last = {stream: gate.last_seq for stream, gate in locked.items()}
        for item in parsed:
            stream, seq = item.envelope.stream, item.envelope.seq
            if item.concerns or stream is None or seq != last[stream] + 1 or locked[stream].state != "open":
                return False
            last[stream] = seq
        for item in parsed:
            locked[str(item.envelope.stream)].advance(item.envelope)
        return True

    def _scopes(self, parsed: Sequence[Parsed], locked: dict[str, Gate]) -> set[str]:
        """The scopes whose heads are locked: of all that is handled, and of a number met before (it may be forked, and
        a case is opened about that)."""
        scopes: set[str] = set()
        last = {stream: gate.last_seq for stream, gate in locked.items()}
        for item in parsed:
            stream, seq = item.envelope.stream, item.envelope.seq
            if item.concerns or stream is None or seq is None or seq <= last[stream]:
                scopes.add(item.envelope.key)
            else:
                last[stream] = seq
        if self.service.scopes_of is not None:
            for item in parsed:
                if item.message is not None:
                    scopes.update(self.service.scopes_of(item.envelope, item.message))
        return scopes

    def _parse(self, received: Received) -> Parsed:
        envelope = received.envelope
        if received.body is None:
            return Parsed(received, None)
        if not self.service.concerns(envelope.type):
            if message_class(envelope.type) is None:
                telemetry.count_unknown(self.service.name, envelope.type)
            return Parsed(received, None, concerns=False)
        try:
            message = parse(envelope.type, received.body)
        except ValueError as error:
            return Parsed(received, None, error=f"does not parse: {type(error).__name__}")
        if isinstance(message, Command):
            try:
                envelope = self.verifier(received)
            except UnverifiedError as error:
                return Parsed(received, None, error=f"not trusted: {error}")
            received = received.with_envelope(envelope)
        return Parsed(received, message)


def _envelopes(parsed: Sequence[Parsed]) -> list[Envelope]:
    return [item.envelope for item in parsed]


class _Run:
    """The walk over one batch inside its transaction."""

    def __init__(
        self,
        owner: BatchHandler,
        work: Work,
        locked: dict[str, Gate],
        fresh: set[UUID],
        outcome: Outcome,
        *,
        from_parked: bool,
        spans: telemetry.BatchSpans,
    ) -> None:
        self.owner = owner
        self.service = owner.service
        self.work = work
        self.locked = locked
        self.fresh = fresh
        self.outcome = outcome
        self.from_parked = from_parked
        self.spans = spans

    async def take(self, item: Parsed) -> None:
        """Handle, skip or park one message by its gate or the inbox."""
        envelope = item.envelope
        if envelope.stream is None or envelope.seq is None:
            if envelope.id in self.fresh or self.from_parked:
                self.fresh.discard(envelope.id)
                await self._handle(item, None)
            return
        gate = self.locked[envelope.stream]
        verdict = gate.judge(envelope)
        if verdict == "handle":
            await self._handle(item, gate)
        elif verdict == "forked":
            gate.set_state("blocked")
            self.work.for_cause(envelope).open_case(
                "forked_stream", scope=envelope.key, subject=f"{self.service.consumer}/{envelope.stream}",
                severity="critical", blocking=True, facts={"seq": envelope.seq},
            )  # fmt: skip
        elif verdict == "skip":
            if self.from_parked:
                await parking.unpark(self.work, self.service.consumer, [envelope.id])
        else:
            await parking.park(self.work, self.service.consumer, item.received, reason=verdict)
            if verdict == "gap":
                gate.set_state("gap")
            self.outcome.waiting_streams.add(envelope.stream)

    async def _handle(self, item: Parsed, gate: Gate | None) -> None:
        envelope = item.envelope
        if not item.concerns:
            await self._pass(item, gate)
            return
        if item.error is not None:
            await parking.poison(self.work, self.service, item.received, gate, item.error)
            return
        try:
            await self._dispatch(item)
        except Early:
            if gate is None:
                await parking.poison(self.work, self.service, item.received, None, "a command cannot be early")
                return
            gate.set_state("early")
            if not self.from_parked:
                await parking.park(self.work, self.service.consumer, item.received, reason="early")
            self.outcome.waiting_streams.add(str(envelope.stream))
            return
        await self._pass(item, gate)

    async def _pass(self, item: Parsed, gate: Gate | None) -> None:
        if gate is not None:
            gate.advance(item.envelope)
        if self.from_parked:
            await parking.unpark(self.work, self.service.consumer, [item.envelope.id])

    async def _dispatch(self, item: Parsed) -> None:
        envelope, message = item.envelope, item.message
        work = self.work.for_cause(envelope)
        if message is None:
            if item.received.body is None and self.service.on_tombstone is not None:
                await self.service.on_tombstone(work, item.received.topic, envelope.key)
            return
        if envelope.type.endswith(REPUBLISH_SUFFIX):
            await republish(work, message)
            return
        if is_case_event(message):
            await apply_case_event(work, message)
        handler: Any = tell_records if isinstance(message, ReadAuditShape) else self.service.handlers.get(type(message))
        if handler is None:
            self.outcome.handled.append((envelope, message))
            return
        with self.spans.process(envelope, telemetry.commitment_of(message)) as traced:
            try:
                await handler(work.for_cause(traced), message)
            except Rejected as rejected:
                if not isinstance(message, Command):
                    raise
                work.refuse(rejected, subject_id=_subject(message))
        self.outcome.handled.append((envelope, message))


def _subject(message: Message) -> str | None:
    for name in ("commitment_id", "plan_id", "invitation_id", "issue_id"):
        value = getattr(message, name, None)
        if value is not None:
            return str(value)
    return None
