"""Compose a mail and hand it to the mail server: what every kind of mail shares.

The `Message-ID` is a function of the intent, so that a repeated delivery can be recognised as the same mail. What the
server says is kept as a code only, because its words may quote the address.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from uuid import UUID

import aiosmtplib

from services.kit.clock import wall_now
from services.kit.service import Answer
from services.notifications.settings import mail_settings

PERMANENT_FROM = 500
"""Answers of a mail server from this code on are final (RFC 5321)."""

SERVER_ANSWER_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class Words:
    """What a mail says; never shown in a log."""

    subject: str = field(repr=False)
    body_text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)


def compose(intent_id: UUID, email: str, words: Words) -> EmailMessage:
    """The mail as it goes over the wire. Raises ValueError for an address that is none."""
    settings = mail_settings()
    recipient = Address(addr_spec=email)
    sender = parseaddr(settings.mail_from)[1]
    message = EmailMessage()
    message["From"] = settings.mail_from
    message["To"] = str(recipient)
    message["Subject"] = words.subject
    message["Date"] = format_datetime(wall_now())
    message["Message-ID"] = f"<{intent_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(words.body_text)
    if words.html is not None:
        message.add_alternative(words.html, subtype="html")
    return message


async def hand_over(message: EmailMessage) -> Answer:
    """Hand a mail to the mail server. `done`: accepted; `refused`: never to be delivered; `retry`: later."""
    settings = mail_settings()
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


def _by_code(code: int) -> Answer:
    """What a mail server's refusal means. Its words may quote the address, so only the code is kept."""
    return Answer("refused" if code >= PERMANENT_FROM else "retry", {"server_answer": str(code)})
