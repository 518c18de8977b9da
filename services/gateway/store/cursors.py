"""Opaque cursors: a list goes on after the last row seen, named by its moment and id."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.errors import Rejected

LIMIT_DEFAULT = 50
LIMIT_MAX = 200
PLACE_DIGITS_MAX = 18


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for: at most `limit` rows after a place."""

    limit: int = LIMIT_DEFAULT
    after_at: datetime | None = None
    after_id: UUID | None = None


def page(cursor: str | None, limit: int) -> Page:
    """The part of a list that a request asks for. Raises Rejected on a cursor that is not one of ours."""
    if cursor is None:
        return Page(limit)
    try:
        moment, _, identity = base64.urlsafe_b64decode(cursor.encode()).decode().partition("|")
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None:
            raise ValueError("a moment needs its zone")
        return Page(limit, at, UUID(identity))
    except (ValueError, binascii.Error) as error:
        raise Rejected("malformed_request", parameter="cursor") from error


def cursor_after(at: datetime, identity: UUID) -> str:
    """The cursor that names a row."""
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{identity}".encode()).decode()


def place(cursor: str | None) -> int | None:
    """The number after which a numbered list goes on, None for its beginning. Raises Rejected on a cursor that is not
    one of ours."""
    if cursor is None:
        return None
    try:
        found = base64.urlsafe_b64decode(cursor.encode()).decode()
        if not (found.isascii() and found.isdigit() and len(found) <= PLACE_DIGITS_MAX):
            raise ValueError("a place is a number")
        return int(found)
    except (ValueError, binascii.Error) as error:
        raise Rejected("malformed_request", parameter="cursor") from error


def cursor_at(number: int) -> str:
    """The cursor that names a place in a numbered list."""
    return base64.urlsafe_b64encode(str(number).encode()).decode()
