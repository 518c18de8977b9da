"""The bodies of what people's own programs use: access tokens and the calendar's address."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from contracts.alerts import AlertTerms
from services.gateway.domain.token_scopes import Scope
from services.gateway.schemas.answers import Answer
from services.gateway.schemas.bodies import Body


class AccessTokenBody(Body):
    """What the token may ask: `scopes_offered` of the list of tokens names what your role may give."""

    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=10)]


class AlertRuleBody(Body):
    """What to be told of: by `kind`, with the fields that it needs."""

    rule: AlertTerms


class AlertRuleView(Answer):
    """An alert rule and what became of it. `fired_at` is when it last came true; a rule about refunds goes on waiting."""

    id: UUID
    rule: AlertTerms
    campaign_title: str | None
    state: Literal["waiting", "fired", "ended", "removed"]
    words: str
    set_at: datetime
    firings: int
    fired_at: datetime | None


class AlertRuleList(Answer):
    """The person's alert rules."""

    data: list[AlertRuleView]
    next_cursor: None


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
