"""Deliver a written mail over SMTP, outside any transaction, and post what the mail server said.

The mail carries a `Message-ID` derived from its intent, so that a delivery repeated after a crash can be recognised as
the same mail. SMTP offers no way to look a mail up; therefore `find_mail` knows nothing and the delivery is repeated: a
rare second copy of a true mail, never a missing one.
"""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Literal
from uuid import UUID

import aiosmtplib

from contracts.notifications import MessageDelivered
from services.kit.clock import wall_now
from services.kit.service import Answer, Intent
from services.kit.work import Work
from services.notifications.settings import MailSettings, mail_settings
from services.notifications.store.messages import settle_message
from services.notifications.store.vault import VaultError, take_out

DELIVERIES_IN_FLIGHT_MAX = 8
"""How many connections to the mail server are open at once; the executor claims no more intents than this."""

PERMANENT_FROM = 500
"""Answers of a mail server from this code on are final (RFC 5321)."""

MAIL_BOUNCED = "mail_bounced"
SERVER_ANSWER_CHARACTERS_MAX = 200


async def deliver_mail(intent: Intent) -> Answer:
    """Hand the mail to the mail server. `done`: accepted; `refused`: never to be delivered; `retry`: later."""
    settings = mail_settings()
    try:
        contact = take_out(settings.master_key_bytes(), UUID(intent.request["participant_id"]), intent.secret or "")
        message = _compose(intent, settings, contact["email"])
    except (VaultError, ValueError, KeyError) as error:
        return Answer("refused", {"server_answer": f"unusable address: {type(error).__name__}"})
    try:
        _, words = await aiosmtplib.send(
            message,
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.smtp_security == "starttls",
            timeout=settings.smtp_timeout_seconds,
        )
    except aiosmtplib.SMTPRecipientsRefused as refused:
        return _by_code(max(recipient.code for recipient in refused.recipients))
    except aiosmtplib.SMTPDataError as refused:
        return _by_code(refused.code)
    except (aiosmtplib.SMTPException, TimeoutError, OSError) as error:
        # Whatever else the server says (no connection, no sign-in, our own address refused) is no word about this mail:
        # it stays until the server or our settings are mended.
        return Answer("retry", {"server_answer": type(error).__name__})
    return Answer("done", {"server_answer": words[:SERVER_ANSWER_CHARACTERS_MAX]})


async def find_mail(intent: Intent) -> Answer | None:
    """Nothing: a mail server cannot be asked for a mail."""
    return None


async def post_delivery(work: Work, intent: Intent, answer: Answer) -> None:
    """Write the outcome and tell it; a no-op when it is written already. A bounce opens a case."""
    result: Literal["sent", "bounced"] = "sent" if answer.outcome == "done" else "bounced"
    message_id = UUID(intent.request["message_id"])
    said = answer.body.get("server_answer")
    if not await settle_message(work, message_id, result=result, server_answer=said):
        return
    work.publish(MessageDelivered(scope_id=intent.scope, message_id=message_id, result=result))
    if result == "bounced":
        work.open_case(
            MAIL_BOUNCED,
            scope=intent.scope,
            subject=str(message_id),
            severity="medium",
            facts={"server_answer": said},
        )


def _compose(intent: Intent, settings: MailSettings, email: str) -> EmailMessage:
    """The mail as it goes over the wire. Raises ValueError for an address that is none."""
    recipient = Address(addr_spec=email)
    sender = parseaddr(settings.mail_from)[1]
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = str(recipient)
    message["Subject"] = intent.request["subject"]
    message["Date"] = format_datetime(wall_now())
    message["Message-ID"] = f"<{intent.id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(intent.request["body_text"])
    if intent.request["html"] is not None:
        message.add_alternative(intent.request["html"], subtype="html")
    return message


def _by_code(code: int) -> Answer:
    """What a mail server's refusal means. Its words may quote the address, so only the code is kept."""
    return Answer("refused" if code >= PERMANENT_FROM else "retry", {"server_answer": str(code)})
