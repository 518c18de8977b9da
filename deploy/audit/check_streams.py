"""I4 and I11: outboxes, topics, gates and inboxes tell the same.

An id is looked for by count and exclusive-or per stream first; only a stream that differs is read again, to name what is
missing. The bounds are wall time: a message that waits longer than a minute is not on its way, it is stuck.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from deploy.audit.findings import Finding, Findings
from deploy.audit.levels import inbox_topics, unread
from deploy.audit.snapshot import (
    SEQUENCE,
    Snapshot,
    event_producers,
    followers,
    heads,
    rows,
    stream,
    value,
)
from deploy.audit.tally import Published, Tally
from deploy.audit.topics import TopicSource

STUCK_SECONDS = 60
"""How long a message may wait to be sent or passed (wall time)."""
EARLY_SECONDS = 360
"""How long an event may wait for its subject without a case: five minutes, and one to open it."""
STREAMS_NAMED_MAX = 100
"""Streams read again to name what is missing; further ones are counted."""
IDS_AT_ONCE = 2_000

_PUBLISHED = """
    SELECT stream, count(*) AS count, max(seq) AS last,
        bit_xor(CAST('x' || replace(CAST(message_id AS text), '-', '') AS bit(128)))::text AS ids
    FROM outbox
    WHERE stream IS NOT NULL AND published_at IS NOT NULL
    GROUP BY stream
"""
_STUCK = """
    SELECT key, message_id::text AS id, topic, created_at
    FROM outbox
    WHERE published_at IS NULL AND created_at < clock_timestamp() - make_interval(secs => :seconds)
    ORDER BY id
    LIMIT 100
"""
_NEXT = """
    SELECT wanted.stream, outbox.message_id::text AS id, outbox.seq
    FROM unnest(CAST(:streams AS text[]), CAST(:seqs AS bigint[])) AS wanted (stream, seq)
    JOIN outbox ON outbox.stream = wanted.stream AND outbox.seq = wanted.seq
    WHERE outbox.published_at < clock_timestamp() - make_interval(secs => :seconds)
"""
_GATES = """
    SELECT g.stream, g.last_seq, g.state,
        g.state_since < clock_timestamp() - make_interval(secs => :seconds) AS is_old,
        EXISTS (SELECT FROM cases c WHERE c.closed_at IS NULL AND c.subject = g.consumer || '/' || g.stream) AS has_case
    FROM gate g
    WHERE g.consumer = :consumer AND g.stream LIKE :like
"""


async def published(snapshot: Snapshot) -> dict[str, Published]:
    """What each outbox says that it has sent, by stream."""
    found: dict[str, Published] = {}
    for producer in event_producers():
        for row in await rows(snapshot.of(producer), _PUBLISHED):
            found[row["stream"]] = Published(row["count"], int(row["ids"], 2), row["last"])
    return found


async def check_outboxes(snapshot: Snapshot, findings: Findings) -> None:
    """I4: nothing waits in an outbox past the bound."""
    for service in SEQUENCE:
        for row in await rows(snapshot.of(service), _STUCK, seconds=STUCK_SECONDS):
            told = {"service": service, "topic": row["topic"], "since": row["created_at"]}
            findings.add("I4", Finding("a message is not sent", row["key"], row["id"], told))


async def check_gates(snapshot: Snapshot, findings: Findings, *, quiet: bool) -> None:
    """I4: no gate stands below what was published, unless it is blocked or waits, and a case says so. On a quiet
    platform none stands above it either; on a busy one the follower's moment may be the later one."""
    for producer in event_producers():
        tops = await heads(snapshot, producer)
        for follower in followers(producer):
            known = {
                row["stream"]: row
                for row in await rows(
                    snapshot.of(follower),
                    _GATES,
                    consumer=snapshot.consumer(follower),
                    like=f"{producer}:%",
                    seconds=EARLY_SECONDS,
                )
            }
            behind = {name: known.get(name) for name, top in tops.items() if _last(known.get(name)) < top}
            late = [name for name, gate in behind.items() if not _is_told(gate)]
            await _report_late(snapshot, findings, producer, follower, {name: _last(known.get(name)) for name in late})
            for name in known.keys() - tops.keys():
                told = {"follower": follower, "passed": known[name]["last_seq"]}
                if quiet and known[name]["last_seq"]:
                    findings.add("I4", Finding("a gate has passed events nobody told", _scope(name), name, told))


async def _report_late(
    snapshot: Snapshot, findings: Findings, producer: str, follower: str, late: Mapping[str, int]
) -> None:
    names = list(late)
    for start in range(0, len(names), IDS_AT_ONCE):
        part = names[start : start + IDS_AT_ONCE]
        found = await rows(
            snapshot.of(producer),
            _NEXT,
            streams=part,
            seqs=[late[name] + 1 for name in part],
            seconds=STUCK_SECONDS,
        )
        for row in found:
            told = {"follower": follower, "passed": row["seq"] - 1, "next_event": row["id"]}
            what = "a gate stands below its stream's published events, without a case"
            findings.add("I4", Finding(what, _scope(row["stream"]), row["stream"], told))


async def check_ids(snapshot: Snapshot, findings: Findings, tally: Tally, source: TopicSource) -> None:
    """I4: each id that an outbox has sent lies in its topic, and no other."""
    differing = [
        name
        for name, told in tally.published.items()
        if (held := tally.streams.get(name)) is None or (held.count, held.ids) != (told.count, told.ids)
    ]
    for name in differing[STREAMS_NAMED_MAX:]:
        findings.add("I4", Finding("a stream's ids differ between outbox and topic", _scope(name), name))
    named = differing[:STREAMS_NAMED_MAX]
    if named:
        await _name_missing(snapshot, findings, tally, source, named)
    for name, held in tally.streams.items():
        # A stream that began after the snapshot is not known to it.
        if name not in tally.published and held.last > 0 and held.began_at < snapshot.taken_at:
            service = name.partition(":")[0]
            known = await value(snapshot.of(service), "SELECT count(*) FROM outbox WHERE stream = :name", name=name)
            if not known:
                findings.add("I4", Finding("a topic holds a stream that no outbox knows", _scope(name), name))


async def _name_missing(
    snapshot: Snapshot, findings: Findings, tally: Tally, source: TopicSource, names: Sequence[str]
) -> None:
    wanted = set(names)
    held: dict[str, set[str]] = {name: set() for name in names}
    topics = sorted({f"{name.partition(':')[0]}.events" for name in names})
    async for record in source.read(topics):
        name = record.header("stream")
        seq = record.header("seq")
        if name in wanted and seq.isdigit() and int(seq) <= tally.published[name].last:
            held[name].add(record.header("ce_id"))
    for name in names:
        connection = snapshot.of(name.partition(":")[0])
        query = "SELECT message_id::text AS id, seq FROM outbox WHERE stream = :name AND published_at IS NOT NULL"
        sent = {row["id"]: row["seq"] for row in await rows(connection, query, name=name)}
        for identity, seq in sent.items():
            if identity not in held[name]:
                findings.add(
                    "I4", Finding("an event was sent and is not in its topic", _scope(name), identity, {"seq": seq})
                )
        for identity in held[name] - sent.keys():
            query = "SELECT count(*) FROM outbox WHERE message_id = CAST(:id AS uuid)"
            if not _is_uuid(identity) or not await value(connection, query, id=identity):
                findings.add("I4", Finding("a topic holds an event that no outbox knows", _scope(name), identity))


async def check_forks(snapshot: Snapshot, findings: Findings, tally: Tally) -> None:
    """I11: a number that comes again comes with its own id."""
    by_service: dict[str, list[tuple[str, int, UUID]]] = {}
    for each in tally.repeated:
        by_service.setdefault(each[0].partition(":")[0], []).append(each)
    for service, repeated in by_service.items():
        for start in range(0, len(repeated), IDS_AT_ONCE):
            part = repeated[start : start + IDS_AT_ONCE]
            found = await rows(
                snapshot.of(service),
                "SELECT told.stream, told.seq, told.id::text AS id FROM unnest(CAST(:streams AS text[]), "
                "CAST(:seqs AS bigint[]), CAST(:ids AS uuid[])) AS told (stream, seq, id) "
                "JOIN outbox ON outbox.stream = told.stream AND outbox.seq = told.seq AND outbox.message_id <> told.id",
                streams=[each[0] for each in part],
                seqs=[each[1] for each in part],
                ids=[each[2] for each in part],
            )
            for row in found:
                told = {"seq": row["seq"], "id": row["id"]}
                findings.add("I11", Finding("one number, two events", _scope(row["stream"]), row["stream"], told))


async def check_commands(snapshot: Snapshot, findings: Findings) -> None:
    """I4, quiet: each message without a number that was sent is in its receiver's inbox, or parked there."""
    for receiver in SEQUENCE:
        if await unread(snapshot, receiver):
            await _name_unread(snapshot, findings, receiver, inbox_topics(receiver))


async def _name_unread(snapshot: Snapshot, findings: Findings, receiver: str, topics: Sequence[str]) -> None:
    query = """
        SELECT wanted.id::text AS id FROM unnest(CAST(:ids AS uuid[])) AS wanted (id)
        WHERE NOT EXISTS (SELECT FROM inbox WHERE inbox.message_id = wanted.id AND inbox.consumer = :consumer)
            AND NOT EXISTS (SELECT FROM parked WHERE parked.message_id = wanted.id AND parked.consumer = :consumer)
    """
    consumer = snapshot.consumer(receiver)
    for sender in SEQUENCE:
        sent = (
            "SELECT message_id FROM outbox WHERE topic = ANY (CAST(:topics AS text[])) AND stream IS NULL ORDER BY id"
        )
        part: list[Any] = []
        async for row in stream(snapshot.of(sender), sent, topics=list(topics)):
            part.append(row.message_id)
            if len(part) >= IDS_AT_ONCE and sender != receiver:
                await _report_unread(snapshot, findings, (sender, receiver), query, part, consumer)
                part = []
        await _report_unread(snapshot, findings, (sender, receiver), query, part, consumer)


async def _report_unread(
    snapshot: Snapshot, findings: Findings, way: tuple[str, str], query: str, ids: Sequence[UUID], consumer: str
) -> None:
    for row in await rows(snapshot.of(way[1]), query, ids=list(ids), consumer=consumer):
        told = {"from": way[0], "to": way[1]}
        findings.add("I4", Finding("a message was sent and never received", "", row["id"], told))


def _last(gate: Any) -> int:
    return 0 if gate is None else int(gate["last_seq"])


def _is_told(gate: Any) -> bool:
    """A gate that stands still for a reason that is told, or that waits within its bound."""
    if gate is None or gate["state"] == "open":
        return False
    return bool(gate["has_case"]) or (gate["state"] in ("early", "gap", "resuming") and not gate["is_old"])


def _scope(name: str) -> str:
    return name.partition(":")[2]


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
