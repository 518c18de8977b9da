"""Write a mail: render it, read it with the guard, keep it as it is, and have it delivered when there is an address.

Nothing here invents a fact: the mail cites the event it tells as its cause. One event is told to one person once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.notifications import MessageDelivered, MessageRecorded
from services.kit.work import Work
from services.notifications.domain.mails import CHANNEL, Mail, message_id
from services.notifications.store.facts import facts
from services.notifications.store.messages import MessageRow, Result, add_message
from services.notifications.usecases.guard_words import forbidden_terms
from services.notifications.usecases.render_mail import IncompleteMailError, Rendered, render_mail

MAIL_PURPOSE = "mail"
INCOMPLETE_MAIL = "mail_incomplete"
FORBIDDEN_WORDS = "mail_words"
TERMS_SHOWN_MAX = 10


@dataclass(frozen=True, slots=True)
class Cited:
    """The event that a mail tells, and when it happened."""

    id: UUID
    type: str
    time: datetime


def write_mail(work: Work, mail: Mail, *, cites: Cited | None = None) -> None:
    """Tell the event in hand, or the one that is cited, to the mail's person. A mail that cannot be written in full, or holds a forbidden word, is
    not sent; one case per campaign and template tells so."""
    known = facts(work)
    cited = cites or Cited(work.cause.id, work.cause.type, work.cause.time)
    identity = message_id(cited.id, mail.participant_id)
    if identity in known.told:
        return
    known.told.add(identity)
    token = known.contacts.get(mail.participant_id)
    try:
        rendered = render_mail(mail, with_html=token is not None)
    except IncompleteMailError as incomplete:
        _open_case(work, INCOMPLETE_MAIL, mail, {"error": str(incomplete)[:200]})
        return
    terms = forbidden_terms(rendered, proper_names=mail.proper_names)
    if terms:
        _open_case(work, FORBIDDEN_WORDS, mail, {"terms": sorted(set(terms))[:TERMS_SHOWN_MAX]})
        _keep(work, mail, rendered, cited, "withheld")
    elif token is None:
        _keep(work, mail, rendered, cited, "no_address")
        work.publish(MessageDelivered(scope_id=str(mail.campaign_id), message_id=identity, result="no_address"))
    else:
        _keep(work, mail, rendered, cited, "pending")
        _intend(work, mail, rendered, identity, token)


def _keep(work: Work, mail: Mail, rendered: Rendered, cause: Cited, result: Result) -> None:
    identity = message_id(cause.id, mail.participant_id)
    add_message(
        work,
        MessageRow(
            message_id=identity,
            cause_id=cause.id,
            cause_type=cause.type,
            campaign_id=mail.campaign_id,
            participant_id=mail.participant_id,
            template=mail.template,
            template_version=mail.version,
            subject=rendered.subject,
            body_text=rendered.body_text,
            result=result,
            event_at=cause.time,
        ),
    )
    work.publish(
        MessageRecorded(
            scope_id=str(mail.campaign_id),
            message_id=identity,
            participant_id=mail.participant_id,
            template=mail.template,
            template_version=mail.version,
            cause_id=cause.id,
            channel=CHANNEL,
        )
    )


def _intend(work: Work, mail: Mail, rendered: Rendered, identity: UUID, token: str) -> None:
    """Record the delivery. The address travels as the vault's token, which only this service opens, and is gone from
    the intent once it is answered."""
    work.intend(
        MAIL_PURPOSE,
        object_id=str(identity),
        ordinal=1,
        scope=str(mail.campaign_id),
        request={
            "message_id": str(identity),
            "participant_id": str(mail.participant_id),
            "subject": rendered.subject,
            "body_text": rendered.body_text,
            "html": rendered.html,
        },
        secret=token,
    )


def _open_case(work: Work, kind: str, mail: Mail, why: dict[str, object]) -> None:
    work.open_case(
        kind,
        scope=str(mail.campaign_id),
        subject=f"{mail.template}.v{mail.version}/{mail.campaign_id}",
        facts={"template": mail.template, "template_version": mail.version, **why},
    )
