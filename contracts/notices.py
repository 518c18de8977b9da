"""Reading what was told to a person, for that person: asked of the notifications service, which alone keeps the texts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.envelope import Command, Reply, register

NOTICES_MAX = 500
"""Notices in one answer."""


class Notice(BaseModel):
    """One message as it was sent: its subject line names campaigns and amounts, never a person."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message_id: UUID
    campaign_id: UUID
    template: str
    subject: str
    recorded_at: datetime
    result: str


@register
class TellNotices(Command):
    """Tell a person's newest notices. Only that person may ask."""

    type: ClassVar[str] = "notifications.tell_notices.v1"
    service: ClassVar[str] = "notifications"
    participant_id: UUID
    limit: Annotated[int, Field(ge=1, le=NOTICES_MAX)]

    @property
    def scope(self) -> str:
        """The message key: the person's id."""
        return str(self.participant_id)


@register
class NoticesTold(Reply):
    """The answer to the question `question_id`."""

    type: ClassVar[str] = "notifications.notices_told.v1"
    service: ClassVar[str] = "notifications"
    question_id: UUID
    participant_id: UUID
    notices: tuple[Notice, ...]
    more: bool

    @property
    def scope(self) -> str:
        """The message key."""
        return str(self.participant_id)
