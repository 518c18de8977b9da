"""Webhooks: signed, sent to one address, repeated with backoff until they are taken.

Owns delivery. A delivery is a row written with the event, removed when the receiver answers 2xx,
so that a restart sends what was not taken, and may send one again. Signatures carry wall time. It
gives no sequence: like Stripe, it may deliver in any.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import hmac
import logging
from dataclasses import dataclass

import aiohttp

from deploy.local.stripe_standin import settings
from deploy.local.stripe_standin.core import Standin
from deploy.local.stripe_standin.stack_clock import wall_seconds
from deploy.local.stripe_standin.store import encode

log = logging.getLogger(__name__)
IDLE_SECONDS = 0.5


def signature_header(body: str, secrets: tuple[str, ...], *, timestamp: int) -> str:
    """``Stripe-Signature`` with one v1 for each secret in force."""
    signed = f"{timestamp}.{body}".encode()
    parts = [f"t={timestamp}"]
    parts += ["v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join(parts)


@dataclass(order=True, slots=True)
class Delivery:
    """One sending that waits for ``due`` (wall seconds); ``stack_due`` comes before it."""

    due: float
    seq: int
    event_id: str
    attempts: int = 0
    stack_due: int = 0


class Courier:
    """Sends pending deliveries, a bounded number at a time."""

    def __init__(self, standin: Standin) -> None:
        self.standin = standin
        self.queue: list[Delivery] = []
        self.waiting_for_stack: list[Delivery] = []
        self.taken: list[int] = []
        self.sending = 0
        self.loaded_seq = 0
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._pump_task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin sending; does nothing without an address."""
        if self.standin.settings.webhook_url is None:
            return
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=settings.WEBHOOK_CONCURRENCY),
            timeout=aiohttp.ClientTimeout(total=settings.WEBHOOK_TIMEOUT_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._pump_task = asyncio.create_task(self._pump())

    async def stop(self) -> None:
        """Stop sending; what is not taken stays in the database."""
        tasks = [*self._tasks, *([self._pump_task] if self._pump_task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.standin.store.apply(self._forget_taken)
        if self._session is not None:
            await self._session.close()

    def wake(self) -> None:
        """Something may have been queued, or the clock has moved."""
        self._wake.set()

    def undelivered(self) -> int:
        """Deliveries still to be tried, without those that wait for stack time."""
        if self.standin.settings.webhook_url is None:
            return 0
        count: int = self.standin.store.db.execute(
            "SELECT COUNT(*) FROM deliveries WHERE state = 'pending' AND stack_not_before <= ?",
            (self.standin.clock.now(),),
        ).fetchone()[0]
        return count

    async def _pump(self) -> None:
        while True:
            if self.taken:
                # Nobody waits for this: a crash before it is on disk sends the event once more.
                self.standin.store.apply(self._forget_taken)
            self._load()
            while self.queue and self.sending < settings.WEBHOOK_CONCURRENCY:
                if self.queue[0].due > wall_seconds():
                    break
                self._send_soon(heapq.heappop(self.queue))
                if not self.queue:
                    self._load()
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), timeout=self._pause())
            except TimeoutError:
                continue

    def _pause(self) -> float:
        if not self.queue or self.sending >= settings.WEBHOOK_CONCURRENCY:
            return IDLE_SECONDS
        return min(IDLE_SECONDS, max(0.0, self.queue[0].due - wall_seconds()))

    def _load(self) -> None:
        now = self.standin.clock.now()
        for delivery in [item for item in self.waiting_for_stack if item.stack_due <= now]:
            self.waiting_for_stack.remove(delivery)
            heapq.heappush(self.queue, delivery)
        room = settings.WEBHOOK_QUEUE_MAX - len(self.queue)
        if room <= 0:
            return
        rows = self.standin.store.db.execute(
            "SELECT seq, event_id, wall_not_before, stack_not_before FROM deliveries"
            " WHERE seq > ? AND state = 'pending' ORDER BY seq LIMIT ?",
            (self.loaded_seq, room),
        ).fetchall()
        for seq, event_id, wall_not_before, stack_not_before in rows:
            self.loaded_seq = seq
            delivery = Delivery(wall_not_before, seq, event_id, stack_due=stack_not_before)
            if stack_not_before > now:
                self.waiting_for_stack.append(delivery)
            else:
                heapq.heappush(self.queue, delivery)

    def _send_soon(self, delivery: Delivery) -> None:
        self.sending += 1
        task = asyncio.create_task(self._send(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, delivery: Delivery) -> None:
        try:
            # An event that is not yet on disk must not be told to anyone.
            await self.standin.store.settled()
            taken = await self._post(delivery)
            if taken:
                self.taken.append(delivery.seq)
            elif delivery.attempts >= settings.WEBHOOK_ATTEMPTS_MAX:
                log.warning("webhook %s was never taken; given up", delivery.event_id)
                await self.standin.store.transact(lambda: self._give_up(delivery))
            else:
                pause = settings.WEBHOOK_BACKOFF_FIRST_SECONDS * 2 ** (delivery.attempts - 1)
                delivery.due = wall_seconds() + min(pause, settings.WEBHOOK_BACKOFF_MAX_SECONDS)
                heapq.heappush(self.queue, delivery)
        finally:
            self.sending -= 1
            self._wake.set()

    async def _post(self, delivery: Delivery) -> bool:
        chosen = self.standin.settings
        facts = self.standin.store.get("event", delivery.event_id)
        if self._session is None or chosen.webhook_url is None or facts is None:
            return True
        delivery.attempts += 1
        body = encode(self.standin.show("event", facts))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (stand-in)",
            "Stripe-Signature": signature_header(body, chosen.webhook_secrets, timestamp=int(wall_seconds())),
        }
        try:
            async with self._session.post(
                chosen.webhook_url, data=body.encode(), headers=headers, allow_redirects=False
            ) as answer:
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    def _forget_taken(self) -> None:
        self.standin.store.db.executemany("DELETE FROM deliveries WHERE seq = ?", [(seq,) for seq in self.taken])
        self.taken.clear()

    def _give_up(self, delivery: Delivery) -> None:
        self.standin.store.db.execute("UPDATE deliveries SET state = 'given_up' WHERE seq = ?", (delivery.seq,))
