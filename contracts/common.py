"""Message shapes that every service has: refusals, cases, and the request to send events again.

Each service registers its own classes of these shapes (so that the type names its owner); the kit finds them by type.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

from contracts.envelope import Command, Event

Text = Annotated[str, Field(min_length=1, max_length=4000)]
ShortText = Annotated[str, Field(min_length=1, max_length=200)]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 in lower-case hex."""

_WRITTEN_MOMENT = re.compile(r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$")


def _written(value: Any) -> Any:
    if isinstance(value, datetime) or (isinstance(value, str) and _WRITTEN_MOMENT.match(value)):
        return value
    raise ValueError("a moment is written as in RFC 3339, with its zone")


def _in_utc(value: datetime) -> datetime:
    try:
        value.astimezone(UTC)
    except OverflowError:
        raise ValueError("the moment lies outside the calendar") from None
    return value


Moment = Annotated[datetime, BeforeValidator(_written), AfterValidator(_in_utc)]
"""A moment in what people send: written out with its zone (RFC 3339), never a count of seconds that only looks right."""


class ScopedEvent(Event):
    """An event about one scope: `scope_id` is the message key, a campaign's id or `platform`."""

    scope_id: str

    @property
    def scope(self) -> str:
        """The message key."""
        return self.scope_id


class CommandRefusedShape(ScopedEvent):
    """A command was refused by a rule. Nothing was changed and no money moved.

    `code` is one of `contracts.errors.PROBLEMS`; `facts` are the figures behind it; `subject_id` is the object meant
    (a commitment, a plan, an invitation) when there is one.
    """

    command_id: UUID
    command_type: str
    code: str
    subject_id: str | None = None
    facts: dict[str, Any] = {}


class CaseOpenedShape(ScopedEvent):
    """An exception needs a person. `blocking` means: this campaign collects and releases nothing and takes no final
    step until the case is closed; decided refunds go on. `subject_id` names the object (a commitment, a stream)."""

    case_id: UUID
    case_kind: str
    severity: str
    subject_id: str
    blocking: bool
    facts: dict[str, Any] = {}


class CaseClosedShape(ScopedEvent):
    """A case is closed with its resolution, a stable word such as `resumed` or `settled`."""

    case_id: UUID
    case_kind: str
    resolution: str
    blocking: bool


class RepublishEventsShape(Command):
    """Send the events of one stream again, from `from_seq` to `to_seq` inclusive: a consumer has seen a gap."""

    stream: str
    from_seq: Annotated[int, Field(ge=1)]
    to_seq: Annotated[int, Field(ge=1)]
    requested_by: str

    @property
    def scope(self) -> str:
        """The message key: the scope inside the stream's name."""
        return self.stream.split(":", 1)[1]
