"""Putting the services' audit records together: one list, the newest first, gone on with by an opaque cursor.

Each service numbers its own records; the cursor remembers per service how far it was read. The list follows the records'
moments between services and each service's own numbers within one, so that every record appears exactly once.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from contracts.audit_trail import AuditRecord
from contracts.errors import Rejected
from contracts.topics import SERVICES


@dataclass(frozen=True, slots=True)
class Told:
    """What one service told: records, the newest first, and whether there are older ones."""

    records: Sequence[AuditRecord] = ()
    more: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """How far each service was read: the number of the last record shown; `ended` services have nothing older."""

    before: Mapping[str, int] = field(default_factory=dict)
    ended: frozenset[str] = frozenset()


def merge(told: Mapping[str, Told], position: Position, limit: int) -> tuple[list[tuple[str, AuditRecord]], Position]:
    """The next `limit` records of all services, and the position after them."""
    taken = dict.fromkeys(told, 0)
    merged: list[tuple[str, AuditRecord]] = []
    while len(merged) < limit:
        heads = [(each.records[taken[name]], name) for name, each in told.items() if taken[name] < len(each.records)]
        # A service whose records ran out may have older ones that belong here: the page ends before them.
        if not heads or any(each.more and taken[name] == len(each.records) for name, each in told.items()):
            break
        record, name = max(heads, key=lambda head: (head[0].at, head[1]))
        merged.append((name, record))
        taken[name] += 1
    before = dict(position.before)
    for name, count in taken.items():
        if count:
            before[name] = told[name].records[count - 1].id
    ended = {name for name, each in told.items() if taken[name] == len(each.records) and not each.more}
    return merged, Position(before, position.ended | ended)


def cursor_of(position: Position, services: Sequence[str]) -> str | None:
    """The cursor of a position; None when every service was read to its end."""
    if position.ended.issuperset(services):
        return None
    body = {name: 0 if name in position.ended else position.before.get(name) for name in services}
    return base64.urlsafe_b64encode(json.dumps(body, separators=(",", ":")).encode()).decode()


def position_of(cursor: str | None) -> Position:
    """The position that a cursor names. Raises Rejected(malformed_request) for one that is not ours."""
    if cursor is None:
        return Position()
    try:
        body = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        numbers = {str(name): body[name] for name in body}
    except (ValueError, TypeError, binascii.Error) as error:
        raise Rejected("malformed_request", parameter="cursor") from error
    fits = all(name in SERVICES and (number is None or _is_number(number)) for name, number in numbers.items())
    if not fits:
        raise Rejected("malformed_request", parameter="cursor")
    return Position(
        {name: number for name, number in numbers.items() if number},
        frozenset(name for name, number in numbers.items() if number == 0),
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62
