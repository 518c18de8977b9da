"""Streams as the topic tells them: sequence, repeats, ids."""

from __future__ import annotations

from uuid import UUID

from deploy.audit.findings import Findings
from deploy.audit.tally import Published, Tally
from deploy.audit.topics import Record

STREAM = "escrow:one"


def record(seq: int, *, identity: int | None = None, partition: int = 0, stream: str = STREAM) -> Record:
    headers = {
        "stream": stream.encode(),
        "seq": str(seq).encode(),
        "ce_id": str(UUID(int=identity or seq)).encode(),
    }
    return Record("escrow.events", partition, seq, stream.partition(":")[2], headers, b"{}")


def tally(*, last: int = 3) -> Tally:
    return Tally(Findings(), {STREAM: Published(last, 0, last)})


def faults(made: Tally) -> list[str]:
    return [each.what for each in made.findings.entries["I11"].examples]


def test_numbers_in_sequence_are_first_occurrences_and_their_ids_are_counted() -> None:
    made = tally(last=2)
    assert [made.take(record(seq)) for seq in (1, 2, 3)] == [(STREAM, 1), (STREAM, 2), (STREAM, 3)]
    held = made.streams[STREAM]
    assert (held.count, held.ids, held.last) == (2, 1 ^ 2, 3)
    assert faults(made) == []


def test_repeated_numbers_are_no_fault_and_are_kept_for_comparison() -> None:
    made = tally()
    for seq in (1, 2, 1, 2, 3):
        made.take(record(seq))
    assert faults(made) == []
    assert made.repeated == [(STREAM, 1, UUID(int=1)), (STREAM, 2, UUID(int=2))]


def test_a_missing_number_is_told_once_and_nothing_is_folded_until_it_comes() -> None:
    made = tally()
    assert [made.take(record(seq)) for seq in (1, 3, 4)] == [(STREAM, 1), None, None]
    assert faults(made) == ["a number of a stream is missing before this one"]
    assert made.take(record(2)) == (STREAM, 2)


def test_a_stream_that_begins_late_or_lies_in_two_partitions_is_told() -> None:
    late, split = tally(), tally()
    late.take(record(2))
    split.take(record(1))
    split.take(record(2, partition=1))
    assert faults(late) == ["a number of a stream is missing before this one"]
    assert faults(split) == ["a stream lies in two partitions"]


def test_a_record_of_another_services_stream_is_told() -> None:
    made = tally()
    assert made.take(record(1, stream="campaigns:one")) is None
    assert faults(made) == ["a record of an events topic names no stream of its own"]
