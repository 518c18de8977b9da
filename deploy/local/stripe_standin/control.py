"""The stand-in's own address space, ``/_standin``: clock, faults, journal, and pushes for tests.

Owns everything that real Stripe does not have. The clock only grows and answers once all that was
due has happened. It cannot undo anything: a test that wants a fresh start uses a fresh directory.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from deploy.local.stripe_standin import balance, connect, disputes, files, payment_intents, refunds, settings
from deploy.local.stripe_standin.core import Standin
from deploy.local.stripe_standin.errors import invalid
from deploy.local.stripe_standin.execution import prune_keys
from deploy.local.stripe_standin.store import encode
from deploy.local.stripe_standin.webhooks import Courier

Json = dict[str, Any]
_LAST_ROW = 1 << 60


class Housekeeper:
    """Makes due things happen, in bounded steps."""

    def __init__(self, standin: Standin) -> None:
        self.standin = standin
        self._pruned = 0
        self._pruned_at = 0

    async def catch_up(self) -> None:
        """Settle every refund whose time has come; fold balances; forget old keys."""
        while self._overdue():
            await self.standin.store.transact(self._settle_due)
        now = self.standin.clock.now()
        if now - self._pruned_at < settings.IDEMPOTENCY_KEEP_SECONDS // 24:
            return
        self._pruned_at = now
        await self.standin.store.transact(lambda: balance.fold_past(self.standin))
        while await self.standin.store.transact(self._prune):
            continue

    def _prune(self) -> bool:
        before = self._pruned
        self._pruned = prune_keys(self.standin, before)
        return self._pruned > before

    def _settle_due(self) -> None:
        refunds.settle_due(self.standin, settings.DUE_BATCH)
        disputes.end_due(self.standin, settings.DUE_BATCH)

    def _overdue(self) -> bool:
        now = self.standin.clock.now()
        dues = self.standin.store.db.execute(
            "SELECT MIN(due_at) FROM dues UNION ALL SELECT MIN(due_at) FROM dispute_dues"
        )
        return any(due is not None and due <= now for (due,) in dues)

    def is_level(self) -> bool:
        """Nothing is overdue."""
        return not self._overdue()


class Control:
    """The handlers of ``/_standin``; bodies are JSON."""

    def __init__(self, standin: Standin, courier: Courier, housekeeper: Housekeeper) -> None:
        self.standin = standin
        self.courier = courier
        self.housekeeper = housekeeper
        self._simple: dict[tuple[str, str], Callable[[Json, Json], Awaitable[Any]]] = {
            ("GET", "clock"): self._get_clock,
            ("POST", "clock"): self._post_clock,
            ("GET", "next_due"): self._get_next_due,
            ("GET", "quiet"): self._get_quiet,
            ("GET", "faults"): self._get_faults,
            ("POST", "faults"): self._post_faults,
            ("DELETE", "faults"): self._delete_faults,
            ("GET", "journal"): self._get_journal,
            ("GET", "requests"): self._get_requests,
        }

    async def handle(self, method: str, steps: list[str], body: Json, query: Json) -> Any:
        """Answer a call; None when there is no such address."""
        if len(steps) == 1:
            simple = self._simple.get((method, steps[0]))
            return None if simple is None else await simple(body, query)
        if method == "POST" and len(steps) == 3:
            return await self._push(steps[0], steps[1], steps[2], body)
        return None

    async def _get_clock(self, body: Json, query: Json) -> Json:
        clock = self.standin.clock
        return {
            "offset_seconds": clock.offset_seconds,
            "version": clock.version,
            "stack_time": clock.now(),
        }

    async def _post_clock(self, body: Json, query: Json) -> Json:
        clock = self.standin.clock
        offset = body.get("offset_seconds")
        version = body.get("version", clock.version + 1)
        most = settings.CLOCK_OFFSET_MAX_SECONDS
        if isinstance(offset, bool) or not isinstance(offset, int | float) or not 0 <= offset <= most:
            raise invalid(f"offset_seconds must be a number from 0 to {most}.", param="offset_seconds")
        if isinstance(version, bool) or not isinstance(version, int):
            raise invalid("version must be a whole number.", param="version")
        refusal = clock.refusal(offset, version)
        if refusal is not None:
            error = invalid(f"The clock was not moved: {refusal}.")
            error.status = 409
            raise error
        clock.offset_seconds, clock.version = offset, version
        await self.standin.store.transact(self._write_clock)
        await self.housekeeper.catch_up()
        self.courier.wake()
        return await self._get_clock(body, query)

    def _write_clock(self) -> None:
        self.standin.store.set_meta("offset_seconds", repr(self.standin.clock.offset_seconds))
        self.standin.store.set_meta("clock_version", str(self.standin.clock.version))

    async def _get_next_due(self, body: Json, query: Json) -> Json:
        return {"next_due": self.standin.next_due()}

    async def _get_quiet(self, body: Json, query: Json) -> Json:
        undelivered = self.courier.undelivered()
        quiet = undelivered == 0 and self.housekeeper.is_level()
        return {"quiet": quiet, "undelivered_webhooks": undelivered}

    async def _get_faults(self, body: Json, query: Json) -> Json:
        return {"faults": [rule.shown() for rule in self.standin.faults.rules]}

    async def _post_faults(self, body: Json, query: Json) -> Json:
        return self.standin.faults.add(body).shown()

    async def _delete_faults(self, body: Json, query: Json) -> Json:
        return {"cleared": self.standin.faults.clear()}

    async def _get_journal(self, body: Json, query: Json) -> str:
        after, limit = _page(query)
        rows = self.standin.store.db.execute(
            "SELECT seq, kind, created, facts FROM journal WHERE seq > ? ORDER BY seq LIMIT ?",
            (after, limit),
        )
        lines = [
            f'{{"seq":{seq},"kind":"{kind}","at":{created},"object":{facts}}}\n' for seq, kind, created, facts in rows
        ]
        await self.standin.store.settled()
        return "".join(lines)

    async def _get_requests(self, body: Json, query: Json) -> str:
        after, limit = _page(query)
        rows = self.standin.store.db.execute(
            "SELECT seq, created, method, path, key, status, replayed, request_id"
            " FROM keyed_requests WHERE seq > ? ORDER BY seq LIMIT ?",
            (after, limit),
        )
        names = ("seq", "at", "method", "path", "key", "status", "replayed", "request_id")
        lines = [encode(dict(zip(names, row, strict=True))) + "\n" for row in rows]
        await self.standin.store.settled()
        return "".join(lines)

    async def _push(self, collection: str, object_id: str, verb: str, body: Json) -> Any:
        transact = self.standin.store.transact
        if (collection, verb) == ("refunds", "settle"):
            outcome = str(body.get("status"))
            if outcome not in ("succeeded", "failed"):
                raise invalid("status must be succeeded or failed.", param="status")
            answer = await transact(lambda: refunds.settle(self.standin, object_id, outcome))
        elif (collection, verb) == ("payment_intents", "complete_authentication"):
            outcome = str(body.get("outcome"))
            if outcome not in ("succeed", "fail"):
                raise invalid("outcome must be succeed or fail.", param="outcome")
            answer = await transact(lambda: self._authenticate(object_id, outcome == "succeed"))
        elif collection == "accounts" and verb in ("restrict", "unrestrict"):
            restricted = verb == "restrict"
            answer = await transact(lambda: connect.restrict_account(self.standin, object_id, restricted=restricted))
        elif (collection, verb) == ("charges", "dispute"):
            answer = await transact(lambda: self._dispute(object_id, body))
        elif collection == "disputes" and verb in disputes.CONTROLS:
            answer = await transact(lambda: disputes.decide(self.standin, object_id, verb))
        elif (collection, verb) == ("files", "digest"):
            answer = {"sha256": files.digest(self.standin, object_id)}
        elif (collection, verb) == ("events", "deliver"):
            answer = await transact(lambda: self._deliver(object_id))
        else:
            return None
        self.courier.wake()
        return answer

    def _authenticate(self, object_id: str, succeeded: bool) -> Json:
        payment = self.standin.find("payment_intent", object_id)
        payment_intents.finish_authentication(self.standin, payment, succeeded=succeeded)
        return self.standin.show("payment_intent", payment)

    def _dispute(self, charge_id: str, body: Json) -> Json:
        amount = body.get("amount")
        if amount is not None and (isinstance(amount, bool) or not isinstance(amount, int)):
            raise invalid("amount must be a whole number.", param="amount")
        made = disputes.open_dispute(
            self.standin,
            charge_id,
            inquiry=body.get("inquiry") is True,
            reason=str(body.get("reason", "fraudulent")),
            amount_minor=amount,
        )
        return self.standin.show("dispute", made)

    def _deliver(self, object_id: str) -> Json:
        self.standin.find("event", object_id)
        self.standin.queue_delivery(object_id)
        return {"queued": object_id}


def read_json(raw: bytes) -> Json:
    """A JSON object, or the empty one for an empty body."""
    if not raw:
        return {}
    try:
        value = json.loads(raw)
    except ValueError as error:
        raise invalid("The body is not JSON.") from error
    if not isinstance(value, dict):
        raise invalid("The body must be a JSON object.")
    return value


def _page(query: Json) -> tuple[int, int]:
    try:
        after, limit = int(query.get("after", 0)), int(query.get("limit", 1_000))
    except (TypeError, ValueError) as error:
        raise invalid("after and limit must be whole numbers.") from error
    return max(0, min(after, _LAST_ROW)), max(1, min(limit, settings.JOURNAL_PAGE_MAX))
