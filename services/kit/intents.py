"""The executor of intents: recorded calls to the outside, made outside any transaction, answered exactly once.

recorded → attempted (journaled before the call) → answered and posted. After a crash a recorded intent is called; an
attempted one is called again with the same key while it is young, otherwise it is looked for first. Nothing is concluded
about a missing object before `conclude_after_seconds` since the last attempt. Each purpose has a pace: what may not be
called yet is not claimed, and when the other side asks to wait, the whole purpose waits.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from opentelemetry.trace import SpanKind
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from contracts import telemetry as names
from contracts.envelope import SYSTEM, Envelope, derived_id
from services.kit import intent_store as store
from services.kit import telemetry
from services.kit.clock import wall_now
from services.kit.database import is_transient, retry_delay_seconds, sql
from services.kit.failpoint import failpoint
from services.kit.pace import PAUSE_SECONDS_MAX, Pace
from services.kit.service import Answer, Intent, Service
from services.kit.transaction import begin, finish_work, make_work

SAME_KEY_HOURS_MAX = 23
"""Stripe prunes idempotency keys after 24 h; before that the same key is safe, afterwards the object is looked for."""
CONCLUDE_AFTER_SECONDS = 300
LEASE_SECONDS = 120
CALL_TIMEOUT_SECONDS = 90
IDLE_POLL_SECONDS = 0.5
POST_ROWS_MAX = 200
BACKOFF_SECONDS_MAX = 60.0
REFUSED_CLAIM_DELAY_SECONDS = 30
PACED_PLACES_QUARTERS = 3
"""A paced purpose has at most three quarters of the places: thousands of refunds that hang hold up no payment."""
GATHER_SECONDS = 0.02
GATHER_IN_FLIGHT_MIN = 4
"""With so many calls under way, answers are gathered for a moment before they are posted, and room before more is claimed:
a transaction for each would cost more than the calls. A single call's answer never waits."""

log = telemetry.logger("kit.intents")


class Executor:
    """Executes the intents of one service; safe beside another instance (leases)."""

    def __init__(
        self,
        service: Service,
        engine: AsyncEngine,
        *,
        instance: str,
        after_commit: Callable[[], None],
        conclude_after_seconds: float = CONCLUDE_AFTER_SECONDS,
    ) -> None:
        self.service = service
        self.engine = engine
        self.instance = instance
        self.after_commit = after_commit
        self.conclude_after_seconds = conclude_after_seconds
        self._kick = asyncio.Event()
        self._in_flight: dict[asyncio.Task[None], str] = {}
        self._paces: dict[str, Pace] = {}
        self._answers: asyncio.Queue[tuple[Intent, Answer]] = asyncio.Queue(maxsize=1000)

    def kick(self) -> None:
        """An intent may have been recorded."""
        self._kick.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Claim, call and post until told to stop; what is in flight is waited for within the call's bound."""
        if not self.service.purposes:
            return
        # An instance that bore this name before and died holds leases nobody will use.
        await store.release_leases(self.engine, self.instance)
        poster = asyncio.create_task(self._post_loop(stopping))
        attempt = 0
        try:
            while not stopping.is_set():
                if poster.done():
                    await poster
                try:
                    started = await self.step()
                    attempt = 0
                except Exception as error:
                    if not is_transient(error):
                        raise
                    attempt += 1
                    await asyncio.sleep(retry_delay_seconds(attempt))
                    continue
                if not started:
                    await self._sleep()
                await self._gather()
            if self._in_flight:
                await asyncio.wait(self._in_flight, timeout=CALL_TIMEOUT_SECONDS)
        finally:
            poster.cancel()
            await asyncio.gather(poster, return_exceptions=True)
            await self._post(self._gathered())

    async def step(self) -> int:
        """Claim what there is room for and start the calls; returns how many were started."""
        self._kick.clear()
        room = self.service.intents_in_flight_max - len(self._in_flight)
        if room <= 0:
            await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED, timeout=IDLE_POLL_SECONDS)
            return 1
        claimed = await self._claim(room)
        for intent in claimed:
            self._pace(intent.purpose).take()
            task = asyncio.create_task(self._execute(intent))
            self._in_flight[task] = intent.purpose
            task.add_done_callback(self._done)
        return len(claimed)

    async def idle(self) -> None:
        """Wait until everything claimed is called and posted (for tests that drive steps by hand)."""
        while self._in_flight or not self._answers.empty():
            if self._in_flight:
                await asyncio.wait(self._in_flight)
            await self._post(self._gathered())

    def _done(self, task: asyncio.Task[None]) -> None:
        self._in_flight.pop(task, None)
        self._kick.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("kit.intent.task", service=self.service.name, error=repr(task.exception())[:500])

    def _pace(self, purpose: str) -> Pace:
        found = self._paces.get(purpose)
        if found is None:
            rate = self.service.purposes[purpose].calls_per_second
            found = self._paces[purpose] = Pace(rate() if rate is not None else None)
        return found

    def _lane(self, purpose: str, room: int) -> int:
        """How many intents of a purpose may be claimed now."""
        if self.service.purposes[purpose].calls_per_second is not None:
            places = max(1, self.service.intents_in_flight_max * PACED_PLACES_QUARTERS // 4)
            room = min(room, places - list(self._in_flight.values()).count(purpose))
        return max(0, min(room, self._pace(purpose).room()))

    async def _claim(self, room: int) -> list[Intent]:
        lanes = {name: lane for name in self.service.purposes if (lane := self._lane(name, room)) > 0}
        if not lanes:
            return []
        chosen = [self.service.purposes[name] for name in lanes]
        parameters = {
            "purposes": list(lanes),
            "lanes": list(lanes.values()),
            "paced": [purpose.calls_per_second is not None for purpose in chosen],
            "frozen_too": [purpose.runs_while_frozen for purpose in chosen],
            "rows_max": room,
            "holder": self.instance,
            "lease": LEASE_SECONDS,
        }
        try:
            return await store.claim(self.engine, self.service, parameters)
        except DBAPIError as error:
            if is_transient(error):
                raise
            # The database refuses an attempt (a rule of the ledger): take them one by one, so that one refused intent
            # does not hold the others.
            log.warning("kit.intent.claim_refused", service=self.service.name, error=type(error.orig).__name__)
            return await self._claim_singly(parameters)

    async def _claim_singly(self, parameters: dict[str, Any]) -> list[Intent]:
        claimed: list[Intent] = []
        for identity in await store.claimable(self.engine, parameters):
            try:
                claimed += await store.claim(self.engine, self.service, parameters | {"rows_max": 1}, only=identity)
            except DBAPIError as error:
                if is_transient(error):
                    raise
                await store.delay(self.engine, identity, REFUSED_CLAIM_DELAY_SECONDS)
        return claimed

    async def _execute(self, intent: Intent) -> None:
        purpose = self.service.purposes[intent.purpose]
        failpoint(f"{self.service.name}.intent.{intent.purpose}.before_call")
        attributes = telemetry.scope_attributes(intent.scope, telemetry.commitment_of(intent.request)) | {
            names.INTENT_ID: str(intent.id),
            names.INTENT_PURPOSE: intent.purpose,
        }
        answer: Answer
        try:
            if telemetry.is_sampled(intent.traceparent):
                with telemetry.span(
                    f"intent {intent.purpose}",
                    parent=intent.traceparent,
                    kind=SpanKind.CLIENT,
                    attributes=attributes,
                ) as made:
                    # What the answer brings about is a child of the call.
                    intent = replace(intent, traceparent=telemetry.traceparent_of(made) or intent.traceparent)
                    answer = await asyncio.wait_for(self._ask(intent, purpose), timeout=CALL_TIMEOUT_SECONDS)
            else:
                answer = await asyncio.wait_for(self._ask(intent, purpose), timeout=CALL_TIMEOUT_SECONDS)
        except (TimeoutError, OSError) as error:
            answer = Answer("unknown", {"error": type(error).__name__})
        except Exception as error:
            log.error("kit.intent.bug", purpose=intent.purpose, error=f"{type(error).__name__}: {error}"[:500])
            answer = Answer("unknown", {"error": type(error).__name__})
        failpoint(f"{self.service.name}.intent.{intent.purpose}.after_call")
        await self._answers.put((intent, answer))

    async def _ask(self, intent: Intent, purpose: Any) -> Answer:
        if intent.attempts <= 1 or await self._key_is_young(intent):
            answer: Answer = await purpose.call(intent)
            if answer.outcome == "retry" and answer.retry_after_seconds:
                # Asked of this call, meant for all like it: none of them is claimed meanwhile.
                self._pace(intent.purpose).pause(answer.retry_after_seconds)
            if answer.outcome != "stored_error":
                return answer
        found: Answer | None = await purpose.find(intent)
        if found is not None:
            return found
        quiet_for = wall_now() - (await store.prior_attempt(self.engine, intent.id) or wall_now())
        if intent.attempts > 1 and quiet_for < timedelta(seconds=self.conclude_after_seconds):
            return Answer("retry", retry_after_seconds=min(self.conclude_after_seconds, 30))
        return Answer("stored_error")

    async def _key_is_young(self, intent: Intent) -> bool:
        stack_age, wall_age = await store.ages(self.engine, intent.id)
        return max(stack_age, wall_age) < timedelta(hours=SAME_KEY_HOURS_MAX)

    async def _post_loop(self, stopping: asyncio.Event) -> None:
        while True:
            first = await self._answers.get()
            await self._gather()
            await self._post([first, *self._gathered()])

    async def _gather(self) -> None:
        if len(self._in_flight) >= GATHER_IN_FLIGHT_MIN:
            await asyncio.sleep(GATHER_SECONDS)

    def _gathered(self) -> list[tuple[Intent, Answer]]:
        gathered: list[tuple[Intent, Answer]] = []
        while not self._answers.empty() and len(gathered) < POST_ROWS_MAX:
            gathered.append(self._answers.get_nowait())
        return gathered

    async def _post(self, answers: Sequence[tuple[Intent, Answer]]) -> None:
        """Post answers in one transaction; an unexpected error is halved down to the one that fails alone."""
        if not answers:
            return
        for attempt in range(1, 1_000_000):
            try:
                await self._post_once(answers)
            except Exception as error:
                if is_transient(error):
                    await asyncio.sleep(retry_delay_seconds(attempt))
                    continue
                if len(answers) == 1:
                    log.error("kit.intent.post", error=f"{type(error).__name__}: {error}"[:500])
                    await store.stop(self.engine, self.service, answers[0][0], f"post: {type(error).__name__}")
                    return
                middle = len(answers) // 2
                await self._post(answers[:middle])
                await self._post(answers[middle:])
            return

    async def _post_once(self, answers: Sequence[tuple[Intent, Answer]]) -> None:
        async with begin(self.engine, self.service) as connection:
            work = await make_work(connection, self.service, {intent.scope for intent, _ in answers})
            open_now = await store.lock_open(connection, [intent.id for intent, _ in answers])
            answered: list[tuple[Intent, Answer]] = []
            if self.service.preload_answers is not None:
                await self.service.preload_answers(work, answers)
            for intent, answer in answers:
                work.for_cause(answer_envelope(self.service, intent, work.now))
                if answer.outcome in ("done", "refused"):
                    await self.service.purposes[intent.purpose].post(work, intent, answer)
                    answered.append((intent, answer))
                elif intent.id in open_now:
                    await self._go_on(work, intent, answer)
            await connection.execute(
                sql(
                    "UPDATE intent SET state = 'answered', answer = rows.answer::jsonb, answered_at = :now, "
                    "secret = NULL, lease_until = NULL "
                    "FROM unnest(CAST(:ids AS uuid[]), CAST(:answers AS text[])) AS rows (id, answer) "
                    "WHERE intent.id = rows.id AND intent.state <> 'answered'"
                ),
                {
                    "now": work.now,
                    "ids": [intent.id for intent, _ in answered],
                    "answers": [json.dumps({"outcome": a.outcome, **a.body}, default=str) for _, a in answered],
                },
            )
            await finish_work(work, self.service)
            failpoint(f"{self.service.name}.intent.before_commit")
        failpoint(f"{self.service.name}.intent.after_commit")
        self.after_commit()

    async def _go_on(self, work: Any, intent: Intent, answer: Answer) -> None:
        """No final answer: try again later, start over with a new ordinal, or stop and open a case."""
        if answer.outcome == "mismatch":
            await store.mark_stopped(work.connection, intent.id, "mismatch")
            work.open_case(
                "intent_mismatch",
                scope=intent.scope,
                subject=str(intent.id),
                severity="critical",
                facts={"purpose": intent.purpose, "object_id": intent.object_id},
            )
            return
        if answer.outcome == "stored_error":
            await store.start_over(work, intent)
            return
        delay = answer.retry_after_seconds
        if delay is None:
            delay = min(BACKOFF_SECONDS_MAX, 0.25 * 2 ** min(intent.attempts, 10))
        await store.put_back(work.connection, intent.id, min(delay, PAUSE_SECONDS_MAX))

    async def _sleep(self) -> None:
        waits = [wait for pace in self._paces.values() if (wait := pace.seconds_until_room()) > 0]
        try:
            await asyncio.wait_for(self._kick.wait(), timeout=min([IDLE_POLL_SECONDS, *waits]))
        except TimeoutError:
            return


def answer_envelope(service: Service, intent: Intent, now: Any) -> Envelope:
    """The cause of what an answer brings about: derived from the intent, so that a second posting repeats the ids."""
    return Envelope(
        id=derived_id(intent.id, "answer"),
        type=f"{service.name}.intent.{intent.purpose}",
        source=service.name,
        time=now,
        key=intent.scope,
        correlation_id=intent.correlation_id,
        received_at=intent.received_at,
        actor=SYSTEM,
        traceparent=intent.traceparent,
    )
