"""Ask notifications for a mail about an account. Address and secret are sealed for it, in a body whose size tells nothing.

The command is written in the caller's transaction. Whether the mail arrives is not known here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.envelope import SYSTEM
from contracts.errors import Rejected
from contracts.notifications import SendAccountMail, SendInvitationMail
from services.gateway.parts import Gateway
from services.gateway.store.operations import read_clock
from services.kit.outbox import Outgoing, enqueue_commands
from services.kit.people import seal

SEALED_BYTES = 640
"""Every sealed body is filled up to this size, so that it tells nothing of the address inside."""

Template = Literal["sign_in_code", "sign_up_code"]
INVITATION: Literal["member_invitation"] = "member_invitation"


async def mail_account(
    gateway: Gateway,
    connection: AsyncConnection,
    template: Template | Literal["member_invitation"],
    said: Mapping[str, Any],
    *,
    valid_until: datetime,
) -> None:
    """Have a mail sent to `said["email"]`; nobody gets one whose address is empty. Raises Rejected(clock_moving)."""
    clock = await read_clock(connection)
    if clock.paused:
        raise Rejected("clock_moving")
    room = SEALED_BYTES - len(json.dumps(dict(said)))
    key = gateway.settings.people_key_notifications.get_secret_value()
    sealed = seal({"notifications": key}, {**said, "padding": "." * max(0, room)})["notifications"]
    mail = (
        SendInvitationMail(mail_id=uuid4(), sealed=sealed, valid_until=valid_until)
        if template == INVITATION
        else SendAccountMail(mail_id=uuid4(), template=template, sealed=sealed, valid_until=valid_until)
    )
    outgoing = Outgoing(id=mail.mail_id, message=mail, actor=SYSTEM, received_at=clock.now, correlation_id=mail.mail_id)
    await enqueue_commands(connection, [outgoing], gateway.signing_key)
