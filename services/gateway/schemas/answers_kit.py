"""The bodies of what a participant takes along: access tokens and the calendar's address."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from services.gateway.domain.token_scopes import Scope
from services.gateway.schemas.answers import Answer
from services.gateway.schemas.bodies import Body


class AccessTokenBody(Body):
    """What the token may read."""

    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=10)]


class AccessTokenView(Answer):
    """A token as it is listed: its beginning, never the whole."""

    id: UUID
    scopes: list[Scope]
    hint: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class NewAccessTokenView(AccessTokenView):
    """A new token. `secret` is shown this once: send it as `Authorization: Bearer`."""

    secret: str


class AccessTokenList(Answer):
    """The person's live tokens."""

    data: list[AccessTokenView]
    next_cursor: None


class CalendarView(Answer):
    """Whether there is a calendar, and since when. `url` is shown once, when it is made or renewed."""

    made_at: datetime | None
    url: str | None
