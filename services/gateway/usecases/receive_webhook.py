"""Keep a verified webhook and hand it to escrow: once per event id, many at a time.

Only what escrow reads of an object is handed on: no client secret, no address, no card. A duplicate changes nothing and
is answered like the first. Whether an event means anything is escrow's question.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.envelope import EVENT_NAMESPACE, PLATFORM_SCOPE, SYSTEM
from contracts.escrow import ReceivePspEvent
from services.gateway.store.operations import NewPspEvent, insert_psp_events, read_clock
from services.gateway.usecases.coalesce import Coalescer
from services.kit.clock import wall_now
from services.kit.outbox import Outgoing, enqueue_commands
from services.kit.statements import Direct, Driver

PSP_TOPIC = "escrow.psp"
EVENTS_PER_TRANSACTION_MAX = 200
EVENTS_QUEUED_MAX = 2_000

_KEPT_EVENT = ("id", "object", "type", "created", "api_version", "account", "livemode")
_KEPT_OBJECT = frozenset(
    {
        "id", "object", "status", "amount", "amount_received", "amount_refunded", "amount_reversed", "amount_capturable",
        "currency", "created", "latest_charge", "payment_intent", "charge", "refund", "transfer", "transfer_group",
        "destination", "source", "source_transaction", "reason", "failure_code", "failure_reason",
        "failure_balance_transaction", "balance_transaction", "cancellation_reason", "disputed", "refunded", "reversed",
        "livemode", "metadata", "type", "net", "fee", "available_on", "available",
    }
)  # fmt: skip
_KEPT_ERROR = ("type", "code", "decline_code")
_KEPT_REVERSAL = ("id", "amount", "currency", "balance_transaction", "created", "metadata")


@dataclass(frozen=True, slots=True)
class PspEvent:
    """A verified event. `body` is what is handed on."""

    id: str
    type: str
    scope: str
    signed_at: datetime
    body: Mapping[str, Any] = field(repr=False)
    traceparent: str | None = None


def psp_event(raw: Mapping[str, Any], *, signed_at: datetime, traceparent: str | None) -> PspEvent:
    """Read a verified event. Raises ValueError when it is not one."""
    identity, event_type, data = raw.get("id"), raw.get("type"), raw.get("data")
    if not isinstance(identity, str) or not isinstance(event_type, str) or not isinstance(data, Mapping):
        raise ValueError("not an event")
    thing = data.get("object")
    if not isinstance(thing, Mapping):
        raise ValueError("an event without an object")
    kept = {name: raw[name] for name in _KEPT_EVENT if name in raw}
    body = kept | {"data": {"object": _kept_object(thing)}}
    _check_characters(body)
    return PspEvent(
        id=identity[:255],
        type=event_type[:255],
        scope=_scope(thing),
        signed_at=signed_at,
        body=body,
        traceparent=traceparent,
    )


def is_of_this_account(raw: Mapping[str, Any], *, is_live: bool) -> bool:
    """Whether an event speaks of the platform's own account, in the mode whose keys are used. A supplier's connected
    account has objects of its own, and test money is no money."""
    return not raw.get("account") and raw.get("livemode", is_live) is is_live


def _check_characters(body: Mapping[str, Any]) -> None:
    """Raises ValueError for what no database keeps as text: a NUL, or half of a character."""
    written = json.dumps(body, ensure_ascii=False)
    if "\\u0000" in written:
        raise ValueError("an event with a NUL")
    written.encode()


class WebhookWriter:
    """Stores verified events. One per process."""

    def __init__(self, direct: Direct, key: Ed25519PrivateKey, *, kick: Callable[[], None]) -> None:
        self._direct = direct
        self._key = key
        self._kick = kick
        self._coalescer: Coalescer[PspEvent, bool] = Coalescer(
            self._store, batch_max=EVENTS_PER_TRANSACTION_MAX, queue_max=EVENTS_QUEUED_MAX
        )

    async def receive(self, event: PspEvent) -> bool:
        """Store one event; False when it was stored before."""
        return await self._coalescer.submit(event)

    async def drain(self) -> None:
        """Wait for events that are being stored."""
        await self._coalescer.drain()

    async def _store(self, events: Sequence[PspEvent]) -> Sequence[bool | Exception]:
        by_id = {event.id: event for event in events}
        async with self._direct.transaction() as connection:
            stored = await insert_psp_events(
                connection,
                [NewPspEvent(event.id, event.type, event.scope, event.signed_at) for event in by_id.values()],
                now=wall_now(),
            )
            await self._enqueue(connection, [event for event in by_id.values() if event.id in stored])
        self._kick()
        answers: list[bool | Exception] = []
        for event in events:
            answers.append(event.id in stored)
            stored.discard(event.id)
        return answers

    async def _enqueue(self, connection: Driver, events: Sequence[PspEvent]) -> None:
        clock = await read_clock(connection)
        outgoing: list[Outgoing] = []
        for event in events:
            identity: UUID = uuid5(EVENT_NAMESPACE, f"psp:{event.id}")
            outgoing.append(
                Outgoing(
                    id=identity,
                    message=ReceivePspEvent(
                        scope_id=event.scope,
                        psp_event_id=event.id,
                        psp_event_type=event.type,
                        body=dict(event.body),
                    ),
                    actor=SYSTEM,
                    received_at=clock.now,
                    correlation_id=identity,
                    traceparent=event.traceparent,
                    topic=PSP_TOPIC,
                )
            )
        await enqueue_commands(connection, outgoing, self._key)


def _scope(thing: Mapping[str, Any]) -> str:
    metadata = thing.get("metadata")
    campaign = metadata.get("campaign_id") if isinstance(metadata, Mapping) else None
    try:
        return str(UUID(str(campaign))) if campaign else PLATFORM_SCOPE
    except ValueError:
        return PLATFORM_SCOPE


def _kept_object(thing: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in thing.items() if name in _KEPT_OBJECT}
    error = thing.get("last_payment_error")
    if isinstance(error, Mapping):
        kept["last_payment_error"] = {name: error[name] for name in _KEPT_ERROR if name in error}
    reversals = thing.get("reversals")
    if isinstance(reversals, Mapping) and isinstance(reversals.get("data"), list):
        kept["reversals"] = {
            "data": [
                {name: item[name] for name in _KEPT_REVERSAL if name in item}
                for item in reversals["data"]
                if isinstance(item, Mapping)
            ]
        }
    return kept
