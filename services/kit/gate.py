"""The gate and the inbox: what makes redelivery harmless.

A gate is one row per (consumer, stream): the last number passed. `last + 1` is handled, `≤ last` skipped, beyond parked.
It is checked on headers before any body is read, for every type, handled or not. Commands and Stripe's events carry no
number and go through the inbox by their id.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.envelope import Envelope
from services.kit.database import sql

Verdict = Literal["handle", "skip", "gap", "behind", "forked"]


@dataclass(slots=True)
class Gate:
    """One locked gate row."""

    stream: str
    last_seq: int
    last_event_id: UUID | None
    state: str
    changed: bool = False

    def judge(self, envelope: Envelope) -> Verdict:
        """What to do with a message of this stream. The same number with another id is a forked producer."""
        seq = envelope.seq or 0
        if seq <= self.last_seq:
            if seq == self.last_seq and self.last_event_id not in (None, envelope.id) and self.state != "blocked":
                return "forked"
            return "skip"
        if self.state in ("blocked", "resuming", "early"):
            return "behind"
        if seq > self.last_seq + 1:
            return "gap"
        return "handle"

    def advance(self, envelope: Envelope) -> None:
        """Pass the message."""
        self.last_seq = envelope.seq or self.last_seq
        self.last_event_id = envelope.id
        self.changed = True

    def set_state(self, state: str) -> None:
        """Change the gate's state."""
        if self.state != state:
            self.state = state
            self.changed = True

    def reopen(self) -> None:
        """Begin to handle what is parked; a blocked gate stays blocked until an operator resumes it."""
        if self.state != "blocked":
            self.set_state("open")


_SELECT = sql(
    "SELECT stream, last_seq, last_event_id, state FROM gate "
    "WHERE consumer = :consumer AND stream = ANY(CAST(:streams AS text[])) ORDER BY stream FOR UPDATE"
)


async def lock(connection: AsyncConnection, consumer: str, streams: Iterable[str]) -> dict[str, Gate]:
    """Lock the gates of these streams, sorted; missing ones are made."""
    wanted = sorted(streams)
    if not wanted:
        return {}
    parameters = {"consumer": consumer, "streams": wanted}
    rows = (await connection.execute(_SELECT, parameters)).all()
    if len(rows) < len(wanted):
        await connection.execute(
            sql(
                "INSERT INTO gate (consumer, stream) SELECT :consumer, stream "
                "FROM unnest(CAST(:streams AS text[])) AS stream ORDER BY stream ON CONFLICT DO NOTHING"
            ),
            parameters,
        )
        rows = (await connection.execute(_SELECT, parameters)).all()
    return {row.stream: Gate(row.stream, row.last_seq, row.last_event_id, row.state) for row in rows}


async def store(connection: AsyncConnection, consumer: str, gates: Iterable[Gate]) -> None:
    """Write the gates that changed, in one statement."""
    changed = sorted((gate for gate in gates if gate.changed), key=lambda gate: gate.stream)
    if not changed:
        return
    await connection.execute(
        sql(
            """
            UPDATE gate SET
                last_seq = rows.last_seq, last_event_id = rows.last_event_id,
                state_since = CASE WHEN gate.state = rows.state THEN gate.state_since ELSE clock_timestamp() END,
                republish_asked_at = CASE WHEN rows.state = 'gap' THEN gate.republish_asked_at END,
                state = rows.state
            FROM unnest(
                CAST(:streams AS text[]), CAST(:seqs AS bigint[]), CAST(:ids AS uuid[]), CAST(:states AS text[])
            ) AS rows (stream, last_seq, last_event_id, state)
            WHERE gate.consumer = :consumer AND gate.stream = rows.stream
            """
        ),
        {
            "consumer": consumer,
            "streams": [gate.stream for gate in changed],
            "seqs": [gate.last_seq for gate in changed],
            "ids": [gate.last_event_id for gate in changed],
            "states": [gate.state for gate in changed],
        },
    )


async def admit_to_inbox(connection: AsyncConnection, consumer: str, ids: Sequence[UUID]) -> set[UUID]:
    """Record message ids; returns those that were not handled before."""
    if not ids:
        return set()
    rows = await connection.execute(
        sql(
            "INSERT INTO inbox (consumer, message_id) SELECT :consumer, id "
            "FROM unnest(CAST(:ids AS uuid[])) AS id ORDER BY id ON CONFLICT DO NOTHING RETURNING message_id"
        ),
        {"consumer": consumer, "ids": list(dict.fromkeys(ids))},
    )
    return {row.message_id for row in rows}
