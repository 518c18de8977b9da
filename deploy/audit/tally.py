"""Each stream's numbers and ids as the topic tells them, in a few numbers per stream.

First occurrences must come as 1, 2, 3 and on; a repeated record is allowed and counted nowhere. The ids of a stream are
kept as their count and exclusive-or, which equal the outbox's own unless an id is missing or foreign. Which one it is
takes a second reading of that stream alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from deploy.audit.findings import Finding, Findings
from deploy.audit.topics import Record

FORKS_KEPT_MAX = 10_000
"""Repeated records kept, to compare their ids with the outbox."""


@dataclass(slots=True)
class Published:
    """What an outbox says of a stream: how many events are marked as sent, their ids together, the highest number."""

    count: int
    ids: int
    last: int


@dataclass(slots=True)
class StreamTally:
    """What the topic holds of a stream. `broken`: its sequence is not whole, so nothing is folded from it further."""

    partition: int
    limit: int
    began_at: float
    last: int = 0
    count: int = 0
    ids: int = 0
    broken: bool = False


class Tally:
    """Every stream of the topics that are read."""

    def __init__(self, findings: Findings, published: Mapping[str, Published]) -> None:
        self.findings = findings
        self.published = published
        self.streams: dict[str, StreamTally] = {}
        self.repeated: list[tuple[str, int, UUID]] = []
        self.records = 0

    def take(self, record: Record) -> tuple[str, int] | None:
        """Note a record; its stream and number when it is the first with this number, in its place. None otherwise."""
        self.records += 1
        stream, seq = record.header("stream"), record.header("seq")
        service = record.topic.partition(".")[0]
        if stream != f"{service}:{record.key}" or not seq.isdigit():
            self._fault("a record of an events topic names no stream of its own", record, stream, {"seq": seq})
            return None
        tally = self.streams.get(stream)
        if tally is None:
            known = self.published.get(stream)
            tally = self.streams[stream] = StreamTally(record.partition, known.last if known else 0, record.written_at)
        if tally.partition != record.partition:
            self._fault("a stream lies in two partitions", record, stream, {"partitions": [tally.partition]})
            tally.broken = True
        return self._place(tally, stream, int(seq), record)

    def _place(self, tally: StreamTally, stream: str, number: int, record: Record) -> tuple[str, int] | None:
        if number <= tally.last:
            if len(self.repeated) < FORKS_KEPT_MAX and (identity := _identity(record)) is not None:
                self.repeated.append((stream, number, identity))
            return None
        if number != tally.last + 1:
            if not tally.broken:
                self._fault(
                    "a number of a stream is missing before this one", record, stream, {"expected": tally.last + 1}
                )
            tally.broken = True
            return None
        tally.last = number
        if number <= tally.limit:
            identity = _identity(record)
            tally.count += 1
            tally.ids ^= identity.int if identity is not None else 0
        return stream, number

    def _fault(self, what: str, record: Record, stream: str, facts: Mapping[str, object]) -> None:
        place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
        told = {"seq": record.header("seq"), "id": record.header("ce_id"), **facts, **place}
        self.findings.add("I11", Finding(what, record.key, stream, told))


def _identity(record: Record) -> UUID | None:
    try:
        return UUID(record.header("ce_id"))
    except ValueError:
        return None
