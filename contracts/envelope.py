"""The envelope: what travels as headers beside every message body.

Owns the header names, their parsing and the base classes of all messages. The class of a message is chosen by the
`ce_type` header alone, never by the shape of its body: two commands with equal fields must not be confused. It cannot
catch a producer that writes a wrong `ce_type`; the contract tests do that.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

PAYLOAD_BYTES_MAX = 512 * 1024
"""Largest body of one message; the outbox holds the same bound as a CHECK, so that no row is unsendable."""

PLATFORM_SCOPE = "platform"
"""The scope (and message key) of facts that belong to no campaign."""

EVENT_NAMESPACE = uuid.UUID("8d7b0c52-6c8e-5b52-9a37-5cf0c1f6a001")
"""Namespace of derived message ids: an id is a function of its cause, so a repeated handling repeats the id."""

Kind = Literal["event", "command", "reply"]


class Message(BaseModel):
    """A message body. Frozen; unknown fields are refused when producing and ignored when consuming (`parse`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: ClassVar[str] = ""
    kind: ClassVar[Kind] = "event"
    service: ClassVar[str] = ""
    """Producer for an event or a reply, receiver for a command."""

    @property
    def scope(self) -> str:
        """The message key: the campaign's id, or another entity's id, or `platform`."""
        return str(getattr(self, "campaign_id", None) or PLATFORM_SCOPE)


class Event(Message):
    """Something that happened. Past tense, told by its owner on the owner's stream of its scope, never changed."""

    kind: ClassVar[Kind] = "event"


class Command(Message):
    """A request to one service. Imperative. It may be refused; the refusal is an event."""

    kind: ClassVar[Kind] = "command"


class Reply(Message):
    """What only a waiting browser needs, such as a 3-D Secure address. Kept one day; carries no stream."""

    kind: ClassVar[Kind] = "reply"


_REGISTRY: dict[str, type[Message]] = {}

M = TypeVar("M", bound=Message)


def register(cls: type[M]) -> type[M]:
    """Class decorator: make a message class known by its type. Raises ValueError on a second class for one type."""
    if not cls.type or not cls.service:
        raise ValueError(f"{cls.__name__} has no type or no service")
    if cls.type in _REGISTRY and _REGISTRY[cls.type] is not cls:
        raise ValueError(f"two classes for {cls.type}")
    _REGISTRY[cls.type] = cls
    return cls


def message_class(message_type: str) -> type[Message] | None:
    """The class of a `ce_type`, or None when this code does not know it (a newer producer)."""
    return _REGISTRY.get(message_type)


def known_messages() -> Mapping[str, type[Message]]:
    """Every registered class by its type; complete once `contracts.catalogue` is imported."""
    return dict(_REGISTRY)


def parse(message_type: str, body: bytes | str) -> Message | None:
    """Parse a body by its type; None for an unknown type. Unknown fields are dropped, so that a newer producer may add
    optional ones. Raises ValueError (pydantic's ValidationError) on a body that does not fit."""
    cls = _REGISTRY.get(message_type)
    if cls is None:
        return None
    return cls.model_validate_json(body, extra="ignore")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a random subject id and the role used. Never a name or an address."""

    id: str
    role: str


SYSTEM = Actor(id="system", role="system")


@dataclass(frozen=True, slots=True)
class Envelope:
    """The headers of one message.

    `stream` and `seq` stand on events only: `seq` runs 1, 2, 3 … without gaps per stream. `received_at` is the moment
    (stack time) at which the gateway accepted the act that started the chain; whether an act was in time is decided by
    it. `assertion` is the gateway's signature over a command (see the gateway's README).
    """

    id: uuid.UUID
    type: str
    source: str
    time: datetime
    key: str
    stream: str | None = None
    seq: int | None = None
    causation_id: uuid.UUID | None = None
    correlation_id: uuid.UUID | None = None
    received_at: datetime | None = None
    actor: Actor = SYSTEM
    traceparent: str | None = None
    assertion: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    def to_headers(self) -> dict[str, str]:
        """The Kafka headers of this envelope, in CloudEvents' binary mode plus our own."""
        headers = {
            "ce_specversion": "1.0",
            "ce_id": str(self.id),
            "ce_type": self.type,
            "ce_source": self.source,
            "ce_time": self.time.astimezone(UTC).isoformat(),
            "content-type": "application/json",
            "actor_id": self.actor.id,
            "actor_role": self.actor.role,
        }
        optional = {
            "stream": self.stream,
            "seq": self.seq,
            "causation_id": self.causation_id,
            "correlation_id": self.correlation_id,
            "received_at": self.received_at.astimezone(UTC).isoformat() if self.received_at else None,
            "traceparent": self.traceparent,
            "assertion": self.assertion,
        }
        headers.update({name: str(value) for name, value in optional.items() if value is not None})
        return headers

    @classmethod
    def from_headers(cls, headers: Iterable[tuple[str, bytes]] | Mapping[str, str], key: str) -> Envelope:
        """Read an envelope. Raises ValueError when a needed header is missing or malformed."""
        if isinstance(headers, Mapping):
            values = dict(headers)
        else:
            try:
                values = {name: raw.decode() for name, raw in headers}
            except UnicodeDecodeError as error:
                raise ValueError("a header is not UTF-8") from error
        try:
            seq = values.get("seq")
            return cls(
                id=uuid.UUID(values["ce_id"]),
                type=values["ce_type"],
                source=values["ce_source"],
                time=datetime.fromisoformat(values["ce_time"]),
                key=key,
                stream=values.get("stream"),
                seq=int(seq) if seq is not None else None,
                causation_id=_uuid_or_none(values.get("causation_id")),
                correlation_id=_uuid_or_none(values.get("correlation_id")),
                received_at=datetime.fromisoformat(values["received_at"]) if "received_at" in values else None,
                actor=Actor(id=values.get("actor_id", "system"), role=values.get("actor_role", "system")),
                traceparent=values.get("traceparent"),
                assertion=values.get("assertion"),
            )
        except KeyError as error:
            raise ValueError(f"header {error} is missing") from error


def _uuid_or_none(value: str | None) -> uuid.UUID | None:
    return uuid.UUID(value) if value else None


def derived_id(cause: uuid.UUID, ordinal: int | str) -> uuid.UUID:
    """The id of the `ordinal`-th message (or thing) caused by `cause`: uuid5, so a repeated handling repeats it."""
    return uuid.uuid5(EVENT_NAMESPACE, f"{cause}:{ordinal}")


def stream_name(service: str, scope: str) -> str:
    """The name of one producing service's stream about one scope."""
    return f"{service}:{scope}"


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and no spaces, UTF-8: the form that is hashed and signed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode()
