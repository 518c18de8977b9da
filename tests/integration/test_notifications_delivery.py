"""Delivery and contact data: a real mail server in this process, a real database."""

from __future__ import annotations

import base64
import os
from uuid import uuid4

import pytest

from contracts.gateway import PersonRecorded
from contracts.notifications import MessageDelivered
from services.kit.people import seal
from services.kit.received import Received, tombstone_envelope
from services.kit.service import Answer
from services.notifications.handlers import SERVICE
from services.notifications.settings import mail_settings
from tests.integration.notifications_support import (  # the fixtures are used by name
    Mailbox,
    MakeHarness,
    kinds,
    mail_environment_fixture,  # noqa: F401
    mailbox_fixture,  # noqa: F401
    make_desk,
    of_kind,
)


async def test_erasure_leaves_no_address_and_a_later_mail_has_none(harness: MakeHarness, mailbox: Mailbox) -> None:
    desk = await make_desk(harness)
    maya = uuid4()
    await desk.record(maya, "maya@demo.test")
    stored = (await desk.harness.rows("SELECT token FROM contact"))[0].token
    assert "maya" not in stored
    assert b"maya" not in base64.b64decode(stored)
    tombstone = Received("gateway.people", tombstone_envelope("gateway.people", str(maya), partition=0, offset=9), None)
    await desk.harness.deliver_received([tombstone])
    assert await desk.harness.rows("SELECT 1 FROM contact") == []
    delivered = of_kind(await desk.harness.deliver(desk.held(maya)), MessageDelivered)
    assert [each.result for each in delivered] == ["no_address"]


async def test_a_new_address_replaces_the_old_one(harness: MakeHarness, mailbox: Mailbox) -> None:
    desk = await make_desk(harness)
    maya = uuid4()
    await desk.record(maya, "old@demo.test")
    await desk.record(maya, "new@demo.test")
    await desk.harness.deliver(desk.held(maya))
    await desk.harness.execute()
    assert mailbox.recipients == ["new@demo.test"]
    await desk.record(maya, None)
    assert await desk.harness.rows("SELECT 1 FROM contact") == []


async def test_a_mail_that_the_server_refuses_for_good_is_a_bounce_with_a_case(
    harness: MakeHarness, mailbox: Mailbox
) -> None:
    desk = await make_desk(harness)
    for refuse in ({"refuse_recipient": "550 no such person"}, {"refuse_data": "554 not wanted"}):
        mailbox.refuse_recipient = refuse.get("refuse_recipient")
        mailbox.refuse_data = refuse.get("refuse_data")
        person = uuid4()
        await desk.record(person, "gone@demo.test")
        await desk.harness.deliver(desk.held(person))
        published = await desk.harness.execute()
        assert kinds(published) == ["MessageDelivered", "NotificationsCaseOpened"]
        assert of_kind(published, MessageDelivered)[0].result == "bounced"
    cases = await desk.harness.cases()
    assert [(case.kind, case.facts["server_answer"]) for case in cases] == [
        ("mail_bounced", "550"),
        ("mail_bounced", "554"),
    ]
    assert [row.result for row in await desk.messages()] == ["bounced", "bounced"]
    assert await desk.harness.intents(state=("answered",)) != []
    assert await desk.harness.rows("SELECT 1 FROM intent WHERE secret IS NOT NULL") == []


async def test_a_mail_that_the_server_refuses_for_now_is_sent_later(harness: MakeHarness, mailbox: Mailbox) -> None:
    desk = await make_desk(harness)
    maya = uuid4()
    await desk.record(maya, "maya@demo.test")
    await desk.harness.deliver(desk.held(maya))
    mailbox.refuse_recipient = "450 come back later"
    intent = (await desk.harness.intents("mail"))[0]
    assert (await SERVICE.purposes["mail"].call(intent)).outcome == "retry"
    mailbox.refuse_recipient = None
    assert [each.result for each in of_kind(await desk.harness.execute(), MessageDelivered)] == ["sent"]
    assert mailbox.mails[0]["Message-ID"].startswith(f"<{intent.id}@")


async def test_without_a_mail_server_the_mail_waits_and_nothing_is_concluded(
    harness: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALPMERA_SMTP_PORT", "1")
    mail_settings.cache_clear()
    desk = await make_desk(harness)
    maya = uuid4()
    await desk.record(maya, "maya@demo.test")
    await desk.harness.deliver(desk.held(maya))
    intent = (await desk.harness.intents("mail"))[0]
    assert (await SERVICE.purposes["mail"].call(intent)).outcome == "retry"
    assert [row.result for row in await desk.messages()] == ["pending"]


async def test_posting_an_outcome_twice_tells_it_once(harness: MakeHarness, mailbox: Mailbox) -> None:
    desk = await make_desk(harness)
    maya = uuid4()
    await desk.record(maya, "maya@demo.test")
    await desk.harness.deliver(desk.held(maya))
    intent = (await desk.harness.intents("mail"))[0]
    answer = Answer("done", {"server_answer": "250 OK"})
    assert kinds(await desk.harness.answer(intent, answer)) == ["MessageDelivered"]
    assert kinds(await desk.harness.answer(intent, answer)) == []


async def test_an_address_that_is_none_is_a_bounce(harness: MakeHarness, mailbox: Mailbox) -> None:
    desk = await make_desk(harness)
    person = uuid4()
    await desk.record(person, "no address\r\nBcc: theo@demo.test")
    await desk.harness.deliver(desk.held(person))
    assert of_kind(await desk.harness.execute(), MessageDelivered)[0].result == "bounced"
    assert mailbox.mails == []


async def test_a_record_that_cannot_be_opened_is_passed_over_with_a_case(
    harness: MakeHarness, mailbox: Mailbox
) -> None:
    desk = await make_desk(harness)
    other_key = base64.b64encode(os.urandom(32)).decode()
    maya = uuid4()
    sealed = seal({"notifications": other_key}, {"email": "maya@demo.test"})
    received = desk.harness.wrap(PersonRecorded(subject_id=maya, sealed=sealed))
    for _ in range(3):
        await desk.harness.deliver_received([received])
    assert [case.kind for case in await desk.harness.cases()] == ["poison"]
    await desk.record(maya, "maya@demo.test")
    await desk.harness.deliver(desk.held(maya))
    await desk.harness.execute()
    assert mailbox.recipients == ["maya@demo.test"]
