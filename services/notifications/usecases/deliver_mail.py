"""Deliver a written mail over SMTP, outside any transaction, and post what the mail server said.

The mail carries a `Message-ID` derived from its intent, so that a delivery repeated after a crash can be recognised as
the same mail. SMTP offers no way to look a mail up; therefore `find_mail` knows nothing and the delivery is repeated: a
rare second copy of a true mail, never a missing one.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from contracts.notifications import MessageDelivered
from services.kit.service import Answer, Intent
from services.kit.work import Work
from services.notifications.settings import mail_settings
from services.notifications.store.messages import settle_message
from services.notifications.store.vault import VaultError, take_out
from services.notifications.usecases.hand_over_mail import Words, compose, hand_over

DELIVERIES_IN_FLIGHT_MAX = 8
"""How many connections to the mail server are open at once; the executor claims no more intents than this."""

MAIL_BOUNCED = "mail_bounced"


async def deliver_mail(intent: Intent) -> Answer:
    """Hand the mail to the mail server. `done`: accepted; `refused`: never to be delivered; `retry`: later."""
    settings = mail_settings()
    try:
        contact = take_out(settings.master_key_bytes(), UUID(intent.request["participant_id"]), intent.secret or "")
        words = Words(intent.request["subject"], intent.request["body_text"], intent.request["html"])
        message = compose(intent.id, contact["email"], words)
    except (VaultError, ValueError, KeyError) as error:
        return Answer("refused", {"server_answer": f"unusable address: {type(error).__name__}"})
    return await hand_over(message)


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
