"""Executing one call exactly once per idempotency key, with scripted faults around it.

Owns Stripe's rules for keys: the answer is kept in the same transaction as the effect, 500s
included; other parameters are an error; a call in flight is a conflict; keys are forgotten after
24 hours of stack time. It cannot tell two clients apart that choose the same key.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable

from deploy.local.stripe_standin import faults, settings, shapes
from deploy.local.stripe_standin.core import Answer, Call, Reply, Standin
from deploy.local.stripe_standin.errors import StripeError, api_error
from deploy.local.stripe_standin.forms import Pairs
from deploy.local.stripe_standin.store import Facts, encode

log = logging.getLogger(__name__)

Handler = Callable[[Standin, Call], Answer]
UntilGone = Callable[[], Awaitable[None]]
Wire = tuple[int, str, bool]
"""Status, JSON text, and whether it is a replay."""


def digest_of(method: str, path: str, pairs: Pairs) -> bytes:
    """Equal for equal calls, whatever the sequence of their parameters."""
    text = json.dumps([method, path, sorted(pairs)])
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


class Executor:
    """Runs calls; knows which keys are in flight."""

    def __init__(self, standin: Standin) -> None:
        self.standin = standin
        self.in_flight: set[str] = set()
        self.hanging = 0

    async def run(self, call: Call, handler: Handler, until_gone: UntilGone) -> Wire:
        """Answer the call; ``until_gone`` returns when the client has hung up."""
        book = self.standin.faults
        metadata = call.params.tree.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        if book.rules:
            rule = book.take_gate(call.method, call.path, metadata)
            if rule is not None:
                return await self._refuse_at_gate(call, rule, until_gone)
        if call.key is None:
            wire, rule = await self._execute(call, handler, metadata, until_gone)
        elif call.key in self.in_flight:
            return await self._refuse(call, faults.key_in_use(call.key))
        else:
            self.in_flight.add(call.key)
            try:
                stored = self._stored(call)
                if stored is not None:
                    return await self._replay(call, stored)
                wire, rule = await self._execute(call, handler, metadata, until_gone)
            finally:
                self.in_flight.discard(call.key)
        if rule is not None and rule.action == "timeout_after":
            # The work is done and kept; only its answer is lost on the way.
            return await self._hang(rule, until_gone)
        return wire

    async def _execute(
        self, call: Call, handler: Handler, metadata: Facts, until_gone: UntilGone
    ) -> tuple[Wire, faults.Rule | None]:
        book = self.standin.faults
        rule = book.take_execute(call.method, call.path, metadata) if book.rules else None
        action = rule.action if rule is not None else ""
        if rule is not None and action == "delay":
            await self._wait(rule.seconds, until_gone)
        if call.method == "GET":
            status, text = self._attempt(call, handler, action)
            await self.standin.store.settled()
        else:
            status, text = await self.standin.store.transact(lambda: self._attempt(call, handler, action))
        return (status, text, False), rule

    def _attempt(self, call: Call, handler: Handler, action: str) -> tuple[int, str]:
        reply = self._handle(call, handler, action)
        text = encode(reply.body)
        if call.key is not None:
            self._keep(call, reply.status, text if reply.kept else None, replayed=False)
        return reply.status, text

    def _handle(self, call: Call, handler: Handler, action: str) -> Reply:
        standin = self.standin
        if action == "fail_500_before":
            return Reply(500, api_error().body())
        standin.current_call = call
        try:
            with standin.store.savepoint("handler"):
                answer = handler(standin, call)
                reply = answer if isinstance(answer, Reply) else Reply(200, answer)
                if reply.status == 200:
                    for path in call.expand:
                        shapes.expand(standin, reply.body, path)
        except StripeError as error:
            reply = Reply(error.status, error.body(), kept=error.kept)
        except Exception:
            log.exception("%s %s broke the stand-in", call.method, call.path)
            reply = Reply(500, api_error("The stand-in broke; see its log.").body(), kept=False)
        finally:
            standin.current_call = None
        return Reply(500, api_error().body()) if action == "fail_500_after" else reply

    # -- keys --------------------------------------------------------------------------------

    def _stored(self, call: Call) -> tuple[str, str, bytes, int, str] | None:
        row: tuple[str, str, bytes, int, str] | None = self.standin.store.db.execute(
            "SELECT method, path, digest, status, body FROM keyed_requests"
            " WHERE key = ? AND body IS NOT NULL AND created > ? ORDER BY seq DESC LIMIT 1",
            (call.key, self.standin.clock.now() - settings.IDEMPOTENCY_KEEP_SECONDS),
        ).fetchone()
        return row

    async def _replay(self, call: Call, stored: tuple[str, str, bytes, int, str]) -> Wire:
        method, path, digest, status, text = stored
        if (method, path) != (call.method, call.path):
            return await self._refuse(
                call,
                StripeError(
                    "Keys for idempotent requests can only be used for the same endpoint they were "
                    f"first used for ('{path}' vs '{call.path}'). Try using a key other than "
                    f"'{call.key}' if you meant to execute a different request.",
                    kind="idempotency_error",
                    kept=False,
                ),
            )
        if digest != call.digest:
            return await self._refuse(
                call,
                StripeError(
                    "Keys for idempotent requests can only be used with the same parameters they "
                    f"were first used with. Try using a key other than '{call.key}' if you meant to "
                    "execute a different request.",
                    kind="idempotency_error",
                    kept=False,
                ),
            )
        await self.standin.store.transact(lambda: self._keep(call, status, None, replayed=True))
        return status, text, True

    def _keep(self, call: Call, status: int, text: str | None, *, replayed: bool) -> None:
        self.standin.store.db.execute(
            "INSERT INTO keyed_requests"
            " (key, created, method, path, digest, status, replayed, request_id, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                call.key,
                self.standin.clock.now(),
                call.method,
                call.path,
                call.digest,
                status,
                int(replayed),
                call.request_id,
                text,
            ),
        )

    async def _refuse(self, call: Call, error: StripeError) -> Wire:
        call.retry_after_seconds = error.retry_after_seconds
        if call.key is not None:
            await self.standin.store.transact(lambda: self._keep(call, error.status, None, replayed=False))
        return error.status, encode(error.body()), False

    # -- faults ------------------------------------------------------------------------------

    async def _refuse_at_gate(self, call: Call, rule: faults.Rule, until_gone: UntilGone) -> Wire:
        if rule.action == "timeout_before":
            return await self._hang(rule, until_gone)
        return await self._refuse(call, faults.refusal(rule))

    async def _hang(self, rule: faults.Rule, until_gone: UntilGone) -> Wire:
        await self._wait(rule.seconds, until_gone)
        error = StripeError("The request timed out.", status=504, kind="api_error", kept=False)
        return error.status, encode(error.body()), False

    async def _wait(self, seconds: float, until_gone: UntilGone) -> None:
        if self.hanging >= settings.HANGING_CALLS_MAX:
            return
        self.hanging += 1
        try:
            await asyncio.wait_for(until_gone(), timeout=seconds)
        except TimeoutError:
            return
        finally:
            self.hanging -= 1


def prune_keys(standin: Standin, after: int) -> int:
    """Forget answers older than a day of stack time; returns the row number reached."""
    limit = standin.clock.now() - settings.IDEMPOTENCY_KEEP_SECONDS
    rows = standin.store.db.execute(
        "SELECT seq, created FROM keyed_requests WHERE seq > ? ORDER BY seq LIMIT ?", (after, settings.PRUNE_BATCH)
    ).fetchall()
    # Rows are appended by date, so the old ones come first.
    old = [seq for seq, created in rows if created <= limit]
    if not old:
        return after
    standin.store.db.execute(
        "UPDATE keyed_requests SET body = NULL WHERE seq > ? AND seq <= ? AND body IS NOT NULL", (after, old[-1])
    )
    return int(old[-1])
