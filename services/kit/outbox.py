"""Writing commands to the outbox outside of a Work: the gateway's side. Commands carry no stream; they are signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.envelope import Actor, Envelope, Message
from contracts.topics import commands_topic
from services.kit.assertion import sign
from services.kit.buffers import OutboxRow
from services.kit.flush import insert_outbox
from services.kit.statements import Connection


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A command on its way: `id` is its operation; `received_at` is stack time; `topic` when it is not the usual one."""

    id: UUID
    message: Message
    actor: Actor
    received_at: datetime
    correlation_id: UUID
    traceparent: str | None = None
    session: str | None = None
    topic: str | None = None


def outbox_row(outgoing: Outgoing, key: Ed25519PrivateKey | None, *, source: str = "gateway") -> OutboxRow:
    """The outbox row of a command, signed when a key is given."""
    message = outgoing.message
    payload = message.model_dump_json()
    envelope = Envelope(
        id=outgoing.id,
        type=message.type,
        source=source,
        time=outgoing.received_at,
        key=message.scope,
        correlation_id=outgoing.correlation_id,
        received_at=outgoing.received_at,
        actor=outgoing.actor,
        traceparent=outgoing.traceparent,
    )
    headers = envelope.to_headers()
    if key is not None:
        headers["assertion"] = sign(key, envelope, payload.encode(), session=outgoing.session)
    return OutboxRow(
        message_id=outgoing.id,
        topic=outgoing.topic or commands_topic(message.service),
        key=message.scope,
        type=message.type,
        stream=None,
        seq=None,
        headers=headers,
        payload=payload,
    )


async def enqueue_commands(connection: Connection, outgoing: Sequence[Outgoing], key: Ed25519PrivateKey | None) -> None:
    """Write commands in the caller's transaction, in sequence; one NOTIFY for all."""
    if not outgoing:
        return
    await insert_outbox(connection, [outbox_row(item, key) for item in outgoing])
