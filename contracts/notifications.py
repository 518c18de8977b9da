"""Commands to and events of the notifications service: what was told to whom, and when."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.envelope import Command, Event, register


@register
class SendAccountMail(Command):
    """A mail about an account, such as a code for signing in. Address and code travel sealed for notifications alone
    (compact JWE), in a body whose size tells nothing; after `valid_until` (wall time) the mail is not sent any more."""

    type: ClassVar[str] = "notifications.send_account_mail.v1"
    service: ClassVar[str] = "notifications"
    mail_id: UUID
    template: Literal["sign_in_code", "sign_up_code"]
    sealed: str
    valid_until: datetime

    @property
    def scope(self) -> str:
        """The message key: the mail's own random id, so that it tells of nobody."""
        return str(self.mail_id)


@register
class SendInvitationMail(Command):
    """A mail with an invitation to the platform. Address and token travel sealed, as in `SendAccountMail`; after
    `valid_until` (wall time), when the invitation is out of date, the mail is not sent any more."""

    type: ClassVar[str] = "notifications.send_invitation_mail.v1"
    service: ClassVar[str] = "notifications"
    mail_id: UUID
    sealed: str
    valid_until: datetime

    @property
    def scope(self) -> str:
        """The message key: the mail's own random id, so that it tells of nobody."""
        return str(self.mail_id)


@register
class MessageRecorded(Event):
    """A message to a person was rendered and stored. Its text stays in the service; the event carries no word of it."""

    type: ClassVar[str] = "notifications.message_recorded.v1"
    service: ClassVar[str] = "notifications"
    scope_id: str
    message_id: UUID
    participant_id: UUID
    template: str
    template_version: int
    cause_id: UUID
    channel: Literal["mail"]

    @property
    def scope(self) -> str:
        """The message key."""
        return self.scope_id


@register
class MessageDelivered(Event):
    """The outcome of delivering a message."""

    type: ClassVar[str] = "notifications.message_delivered.v1"
    service: ClassVar[str] = "notifications"
    scope_id: str
    message_id: UUID
    result: Literal["sent", "no_address", "bounced"]

    @property
    def scope(self) -> str:
        """The message key."""
        return self.scope_id
