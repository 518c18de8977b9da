"""Send a mail about an account: a code, or an invitation. Address and secret came sealed for this service.

Neither is ever in a row: the words wait in the intent's secret, encrypted, and are gone with its answer. A mail whose
code is out of date is not sent. A sealed body without an address is for nobody: the gateway asks for such a mail when it
does not know an address, so that its work tells nobody which addresses it knows.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts.notifications import SendAccountMail, SendInvitationMail
from services.kit.clock import wall_now
from services.kit.people import unseal
from services.kit.service import Answer, Intent
from services.kit.work import Work
from services.notifications.settings import mail_settings
from services.notifications.store.account_mails import insert_account_mail, settle_account_mail
from services.notifications.store.vault import VaultError, lock_away, take_out
from services.notifications.usecases.guard_words import forbidden_terms
from services.notifications.usecases.hand_over_mail import Words, compose, hand_over
from services.notifications.usecases.render_mail import render

ACCOUNT_MAIL_PURPOSE = "account_mail"
INVITATION = "member_invitation"
VERSIONS: dict[str, int] = {"sign_in_code": 1, "sign_up_code": 1, INVITATION: 1}
NOT_SAID = frozenset({"email", "padding"})
TOO_LATE = "out of date"


async def send_account_mail(work: Work, command: SendAccountMail | SendInvitationMail) -> None:
    """Write the mail and have it delivered, unless it is for nobody or out of date. Raises ValueError for a template
    that holds a word Alpmera does not use: our own fault."""
    settings = mail_settings()
    said = unseal(settings.people_key_notifications.get_secret_value(), command.sealed)
    if not said.get("email"):
        return
    template = command.template if isinstance(command, SendAccountMail) else INVITATION
    version = VERSIONS[template]
    late = wall_now() >= command.valid_until
    new = await insert_account_mail(
        work, command.mail_id, template=template, version=version, result="expired" if late else "pending"
    )
    if late or not new:
        return
    facts = {name: value for name, value in said.items() if name not in NOT_SAID}
    if "until" in facts:
        facts["until"] = datetime.fromisoformat(facts["until"])
    rendered = render(f"{template}.v{version}", facts, with_html=True)
    if forbidden_terms(rendered, proper_names=()):
        raise ValueError(f"the template {template} holds a forbidden word")
    words = {"subject": rendered.subject, "body_text": rendered.body_text, "html": rendered.html}
    work.intend(
        ACCOUNT_MAIL_PURPOSE,
        object_id=str(command.mail_id),
        ordinal=1,
        scope=command.scope,
        request={"mail_id": str(command.mail_id), "valid_until": command.valid_until.isoformat()},
        secret=lock_away(settings.master_key_bytes(), command.mail_id, {"email": said["email"], **words}),
    )


async def deliver_account_mail(intent: Intent) -> Answer:
    """Hand the mail to the mail server, while its code is good."""
    if wall_now() >= datetime.fromisoformat(intent.request["valid_until"]):
        return Answer("refused", {"server_answer": TOO_LATE})
    try:
        said = take_out(mail_settings().master_key_bytes(), UUID(intent.request["mail_id"]), intent.secret or "")
        message = compose(intent.id, said["email"], Words(said["subject"], said["body_text"], said["html"]))
    except (VaultError, ValueError, KeyError) as error:
        return Answer("refused", {"server_answer": f"unusable address: {type(error).__name__}"})
    return await hand_over(message)


async def post_account_mail(work: Work, intent: Intent, answer: Answer) -> None:
    """Keep what became of the mail. A bounce opens no case: anybody may mistype an address."""
    said = answer.body.get("server_answer")
    result: Literal["sent", "bounced", "expired"] = "sent" if answer.outcome == "done" else "bounced"
    if said == TOO_LATE:
        result = "expired"
    await settle_account_mail(work, UUID(intent.request["mail_id"]), result=result, server_answer=said)
