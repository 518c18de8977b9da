"""The bodies of what people's own programs use: access tokens and the calendar's address."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from services.gateway.domain.token_scopes import Scope
from services.gateway.schemas.answers import Answer
from services.gateway.schemas.bodies import Body


class AccessTokenBody(Body):
    """What the token may ask: `scopes_offered` of the list of tokens names what your role may give."""

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
    """The person's live tokens, and which scopes a new one may have."""

    data: list[AccessTokenView]
    next_cursor: None
    scopes_offered: list[Scope]


class CalendarView(Answer):
    """Whether there is a calendar, and since when. `url` is shown once, when it is made or renewed."""

    made_at: datetime | None
    url: str | None
