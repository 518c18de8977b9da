"""A message as it came from the broker: headers read, body untouched; and the check of a command's signature."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from contracts.envelope import EVENT_NAMESPACE, Envelope


class UnverifiedError(Exception):
    """A command without a good signature of the gateway."""


@dataclass(frozen=True, slots=True)
class Received:
    """One message: `body` is None for a tombstone."""

    topic: str
    envelope: Envelope
    body: bytes | None

    def with_envelope(self, envelope: Envelope) -> Received:
        """The same message with verified headers."""
        return replace(self, envelope=envelope)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A record whose headers are not ours: nothing can be said about it but where it lies."""

    topic: str
    key: str
    partition: int
    offset: int
    headers: tuple[tuple[str, bytes], ...]
    body: bytes | None
    error: str

    @property
    def id(self) -> UUID:
        """An id from its place, so that a second reading is recognised."""
        return uuid5(EVENT_NAMESPACE, f"{self.topic}/{self.partition}/{self.offset}")


Verifier = Callable[[Received], Envelope]
"""Checks a command; returns the envelope with the verified actor. Raises UnverifiedError."""


def read_record(
    topic: str,
    key: bytes | None,
    headers: Iterable[tuple[str, bytes]],
    body: bytes | None,
    *,
    partition: int,
    offset: int,
) -> Received | Unreadable:
    """Read a broker's record; one that is not ours becomes Unreadable instead of an exception."""
    headers = tuple(headers)
    text_key = (key or b"").decode(errors="replace")
    try:
        envelope = Envelope.from_headers(headers, key=text_key)
    except ValueError as error:
        if body is None and text_key:
            # A tombstone of a compacted topic carries no headers; its place is its id.
            return Received(topic, tombstone_envelope(topic, text_key, partition, offset), None)
        return Unreadable(topic, text_key, partition, offset, headers, body, str(error))
    return Received(topic, envelope, body)


def tombstone_envelope(topic: str, key: str, partition: int, offset: int) -> Envelope:
    """Headers for a record that has none: an erasure on a compacted topic."""
    from_place = uuid5(EVENT_NAMESPACE, f"{topic}/{partition}/{offset}")
    return Envelope(id=from_place, type="tombstone", source=topic, time=EPOCH, key=key)


EPOCH = Envelope.from_headers(
    {
        "ce_id": "00000000-0000-0000-0000-000000000000",
        "ce_type": "epoch",
        "ce_source": "kit",
        "ce_time": "1970-01-01T00:00:00+00:00",
    },
    key="",
).time
