"""Mails about accounts: delivered over a real mail server, and nothing of them left behind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from contracts.language import find_violations
from contracts.notifications import SendAccountMail, SendInvitationMail
from services.kit.clock import wall_now
from services.kit.people import seal
from services.notifications.handlers import SERVICE
from tests.integration.notifications_support import (  # the fixtures are used by name
    PEOPLE_KEY,
    Mailbox,
    MakeHarness,
    mail_environment_fixture,  # noqa: F401
    mailbox_fixture,  # noqa: F401
)

CODE = "48159263"
SAID: dict[str, dict[str, Any]] = {
    "sign_in_code": {"code": CODE, "minutes": 10},
    "sign_up_code": {"code": CODE, "minutes": 10},
    "member_invitation": {"token": f"token-{CODE}", "until": "2026-12-05T00:00:00+00:00"},
}


def asked(
    email: str | None = "maya@demo.test", *, minutes: int = 10, template: str = "sign_in_code"
) -> SendAccountMail | SendInvitationMail:
    sealed = seal({"notifications": PEOPLE_KEY}, SAID[template] | {"email": email, "padding": ""})
    until = wall_now() + timedelta(minutes=minutes)
    if template == "member_invitation":
        return SendInvitationMail(mail_id=uuid4(), sealed=sealed["notifications"], valid_until=until)
    return SendAccountMail(mail_id=uuid4(), template=template, sealed=sealed["notifications"], valid_until=until)  # type: ignore[arg-type]


@pytest.mark.parametrize("template", ["sign_in_code", "sign_up_code", "member_invitation"])
async def test_a_secret_is_delivered_and_neither_it_nor_the_address_is_kept(
    harness: MakeHarness, mailbox: Mailbox, template: str
) -> None:
    made = await harness(SERVICE)
    assert await made.deliver(asked(template=template)) == []
    waiting = await made.rows("SELECT secret FROM intent")
    assert CODE not in waiting[0].secret
    await made.execute()
    assert mailbox.recipients == ["maya@demo.test"]
    body = mailbox.mails[0].get_body(("plain",))
    assert body is not None
    assert CODE in body.get_content()
    assert find_violations(body.get_content()) == []
    for table in ("account_mail", "intent", "outbox", "inbox", "message"):
        kept = await made.rows(f"SELECT row::text AS words FROM {table} AS row")
        assert not any(CODE in row.words or "maya" in row.words for row in kept), table
    assert await made.rows("SELECT 1 FROM intent WHERE secret IS NOT NULL") == []
    assert [row.result for row in await made.rows("SELECT result FROM account_mail")] == ["sent"]


async def test_a_mail_for_nobody_is_not_sent(harness: MakeHarness, mailbox: Mailbox) -> None:
    made = await harness(SERVICE)
    await made.deliver(asked(None))
    await made.execute()
    assert mailbox.mails == []
    assert await made.rows("SELECT 1 FROM account_mail") == []


async def test_a_code_that_is_out_of_date_is_not_sent(harness: MakeHarness, mailbox: Mailbox) -> None:
    made = await harness(SERVICE)
    await made.deliver(asked(minutes=0))
    await made.execute()
    assert mailbox.mails == []
    assert [row.result for row in await made.rows("SELECT result FROM account_mail")] == ["expired"]


async def test_a_mail_asked_for_twice_is_sent_once(harness: MakeHarness, mailbox: Mailbox) -> None:
    made = await harness(SERVICE)
    command = asked()
    await made.deliver(command)
    await made.deliver(command)
    await made.execute()
    assert len(mailbox.mails) == 1


async def test_an_address_that_bounces_is_noted_without_a_case(harness: MakeHarness, mailbox: Mailbox) -> None:
    made = await harness(SERVICE)
    mailbox.refuse_recipient = "550 no such person maya@demo.test"
    await made.deliver(asked())
    await made.execute()
    rows = await made.rows("SELECT result, server_answer FROM account_mail")
    assert [(row.result, row.server_answer) for row in rows] == [("bounced", "550")]
    assert await made.cases() == []
