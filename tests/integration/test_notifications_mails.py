"""What is told, to whom, in which words: through the real batch handling on a real database."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from contracts.escrow import RefundPaidOutside
from contracts.notifications import MessageDelivered, MessageRecorded
from contracts.proofs.checkpoint import body_hash
from contracts.transparency import PlatformCheckpointSigned
from deploy.contracts_files.proof_vectors import made_up_checkpoint, made_up_platform, made_up_transfers
from services.notifications.handlers import SERVICE
from services.notifications.usecases import render_mail
from tests.integration.notifications_support import (  # the fixtures are used by name
    Desk,
    Mailbox,
    MakeHarness,
    kinds,
    mail_environment_fixture,  # noqa: F401
    mailbox_fixture,  # noqa: F401
    make_desk,
    of_kind,
)


async def test_the_three_mails_go_out_with_what_happened_to_the_money(harness: MakeHarness, mailbox: Mailbox) -> None:
    desk = await make_desk(harness)
    maya = uuid4()
    await desk.record(maya, "maya@demo.test")
    held = desk.held(maya)
    for event in (held, desk.released(held), desk.refunded(maya)):
        assert kinds(await desk.harness.deliver(event)) == ["MessageRecorded"]
        delivered = of_kind(await desk.harness.execute(), MessageDelivered)
        assert [each.result for each in delivered] == ["sent"]
    assert [mail["Subject"] for mail in mailbox.mails] == [
        "Funds held: Cast-iron stoves",
        "Funds released: Cast-iron stoves",
        "Refund sent: Cast-iron stoves",
    ]
    assert mailbox.recipients == ["maya@demo.test"] * 3
    for mail, row in zip(mailbox.mails, await desk.messages(), strict=True):
        plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
        assert plain is not None
        assert html is not None
        assert plain.get_content().replace("\r\n", "\n") == row.body_text
        assert "$549.00 USD" in html.get_content()
        assert "TEST MONEY" in row.body_text
        assert (mail["Subject"], row.result, row.template_version) == (row.subject, "sent", 2)
        assert (mail["To"], mail["Auto-Submitted"]) == ("maya@demo.test", "auto-generated")


async def test_a_money_mail_prints_the_head_of_the_public_file_as_it_was_told_last(
    harness: MakeHarness, mailbox: Mailbox
) -> None:
    desk = await make_desk(harness)
    maya = uuid4()
    await desk.record(maya, "maya@demo.test")
    await desk.harness.deliver(desk.held(maya))
    for line in made_up_platform([made_up_checkpoint(made_up_transfers(2), number=1, previous_hash="0" * 64)] * 2):
        await desk.harness.deliver(PlatformCheckpointSigned(checkpoint=line, hash=body_hash(line.body)))
    await desk.harness.deliver(desk.held(maya))
    before, after = await desk.messages()
    assert "public record" not in before.body_text
    assert f"stood at number 2, {body_hash(line.body)[:16]}, when" in after.body_text
    await desk.harness.execute()
    bodies = [mail.get_body(("html",)) for mail in mailbox.mails]
    assert sum(body_hash(line.body)[:16] in each.get_content() for each in bodies if each is not None) == 1


async def test_a_message_is_stored_as_sent_and_its_event_carries_no_word_of_it(
    harness: MakeHarness, mailbox: Mailbox
) -> None:
    desk = await make_desk(harness, title="Zebra stoves")
    maya = uuid4()
    await desk.record(maya, "maya@demo.test")
    cause = desk.harness.wrap(desk.held(maya))
    recorded = of_kind(await desk.harness.deliver_received([cause]), MessageRecorded)[0]
    await desk.harness.execute()
    row = (await desk.messages())[0]
    assert (recorded.message_id, recorded.cause_id, recorded.participant_id) == (
        row.message_id,
        cause.envelope.id,
        maya,
    )
    assert (row.template, row.template_version, row.channel, row.cause_type) == (
        "funds_held",
        2,
        "mail",
        "escrow.funds_held.v1",
    )
    assert "Zebra" in row.subject
    assert "queued as 7" in row.server_answer
    for word in ("Zebra", "maya@demo.test"):
        leaks = await desk.harness.rows(
            "SELECT 1 FROM outbox WHERE payload LIKE :word OR headers::text LIKE :word", word=f"%{word}%"
        )
        assert leaks == []


async def test_people_without_an_address_are_told_nothing_but_it_is_recorded(
    harness: MakeHarness, mailbox: Mailbox
) -> None:
    desk = await make_desk(harness)
    nobody = uuid4()
    await desk.record(nobody, None)
    published = await desk.harness.deliver(desk.held(nobody), desk.held(uuid4()))
    assert kinds(published) == ["MessageRecorded", "MessageDelivered"] * 2
    assert {each.result for each in of_kind(published, MessageDelivered)} == {"no_address"}
    assert await desk.harness.intents() == []
    assert mailbox.mails == []
    assert [row.result for row in await desk.messages()] == ["no_address"] * 2


async def test_an_event_is_told_to_a_person_once(harness: MakeHarness, mailbox: Mailbox) -> None:
    desk = await make_desk(harness)
    maya = uuid4()
    await desk.record(maya, "maya@demo.test")
    cause = desk.harness.wrap(desk.held(maya))
    await desk.harness.deliver_received([cause, cause])
    assert await desk.harness.deliver_received([cause]) == []
    await desk.harness.execute()
    assert len(mailbox.mails) == 1
    again = (
        "INSERT INTO message SELECT gen_random_uuid(), cause_id, cause_type, campaign_id, participant_id, channel, "
        "template, template_version, subject, body_text, result, event_at, recorded_at, settled_at FROM message"
    )
    with pytest.raises(IntegrityError, match="cause_id"):
        async with desk.harness.owner.begin() as connection:
            await connection.execute(text(again))


async def test_a_refund_paid_outside_is_told_in_one_mail_that_says_where_to_look(
    harness: MakeHarness, mailbox: Mailbox
) -> None:
    desk, maya = await make_desk(harness), uuid4()
    await desk.record(maya, "maya@demo.test")
    told = {name: value for name, value in desk.refunded(maya).model_dump().items() if name != "refund_id"}
    cause = desk.harness.wrap(RefundPaidOutside(**told, plan_id=uuid4()))
    await desk.harness.deliver_received([cause, cause])
    await desk.harness.execute()
    (mail,) = mailbox.mails
    assert mail["Subject"] == "Refund paid another way: Cast-iron stoves"
    (row,) = await desk.messages()
    assert (row.template, row.cause_type, row.result) == ("refund_paid_outside", RefundPaidOutside.type, "sent")
    for words in ("$549.00 USD", "the target quantity was not reached", "not appear on the statement of your card"):
        assert words in row.body_text


async def test_a_release_is_told_once_to_each_participant_with_their_sum(
    harness: MakeHarness, mailbox: Mailbox
) -> None:
    desk = await make_desk(harness)
    maya, theo = uuid4(), uuid4()
    await desk.record(maya, "maya@demo.test")
    held = [desk.held(maya), desk.held(theo), desk.held(maya, amount_minor=100)]
    await desk.harness.deliver(*held)
    published = await desk.harness.deliver(desk.released(*held))
    assert [each.participant_id for each in of_kind(published, MessageRecorded)] == [maya, theo]
    mine = next(row for row in await desk.messages() if row.template == "funds_released" and row.participant_id == maya)
    assert "$550.00 USD" in mine.body_text
    assert "your 2 commitments" in mine.body_text
    assert "Emerald Supply" in mine.body_text


async def test_an_event_about_a_campaign_not_known_here_yet_waits(harness: MakeHarness, mailbox: Mailbox) -> None:
    desk = Desk(await harness(SERVICE))
    assert await desk.harness.deliver(desk.held(uuid4()), desk.held(uuid4())) == []
    assert [row.reason for row in await desk.harness.rows("SELECT reason FROM parked ORDER BY seq")] == [
        "early",
        "behind",
    ]
    await desk.harness.deliver(desk.opened())
    await desk.harness.sweeper.step()
    assert len(await desk.messages()) == 2
    assert await desk.harness.rows("SELECT 1 FROM parked") == []


async def test_a_release_to_a_supplier_not_known_here_yet_waits(harness: MakeHarness, mailbox: Mailbox) -> None:
    desk = Desk(await harness(SERVICE))
    held = desk.held(uuid4())
    await desk.harness.deliver(desk.opened(), held)
    await desk.harness.deliver(desk.released(held))
    assert [row.reason for row in await desk.harness.rows("SELECT reason FROM parked")] == ["early"]


async def test_a_mail_with_a_forbidden_word_is_withheld_and_one_case_opens(
    harness: MakeHarness, mailbox: Mailbox
) -> None:
    desk = await make_desk(harness, title="The best deal on stoves")
    maya = uuid4()
    await desk.record(maya, "maya@demo.test")
    published = await desk.harness.deliver(desk.held(maya), desk.held(uuid4()))
    assert kinds(published) == ["MessageRecorded", "MessageRecorded", "NotificationsCaseOpened"]
    assert await desk.harness.intents() == []
    cases = await desk.harness.cases()
    assert [(case.kind, case.facts["terms"]) for case in cases] == [("mail_words", ["deal"])]
    assert [row.result for row in await desk.messages()] == ["withheld", "withheld"]


async def test_a_product_keeps_the_name_its_maker_gave_it(harness: MakeHarness, mailbox: Mailbox) -> None:
    desk = await make_desk(harness, title="JUMBO SHOPPER 3", product="JUMBO SHOPPER 3")
    published = await desk.harness.deliver(desk.held(uuid4()))
    assert kinds(published) == ["MessageRecorded", "MessageDelivered"]


async def test_a_fact_without_words_stops_the_mail_and_opens_a_case(harness: MakeHarness, mailbox: Mailbox) -> None:
    desk = await make_desk(harness)
    published = await desk.harness.deliver(desk.held(uuid4(), currency="jpy"), desk.held(uuid4()))
    assert kinds(published) == ["MessageRecorded", "MessageDelivered", "NotificationsCaseOpened"]
    assert [case.kind for case in await desk.harness.cases()] == ["mail_incomplete"]
    assert len(await desk.messages()) == 1


async def test_a_missing_variable_stops_the_mail_and_opens_a_case(
    harness: MakeHarness, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    for part in ("subject", "txt", "html"):
        (folder / f"funds_held.v2.{part}.j2").write_text("Held: {{ colour }}")
    monkeypatch.setattr(render_mail, "TEMPLATES_FOLDER", folder)
    for cached in (render_mail._environment, render_mail._template):
        cached.cache_clear()
    desk = await make_desk(harness)
    try:
        await desk.harness.deliver(desk.held(uuid4()))
    finally:
        for cached in (render_mail._environment, render_mail._template):
            cached.cache_clear()
    case = (await desk.harness.cases())[0]
    assert (case.kind, case.blocking) == ("mail_incomplete", False)
    assert "colour" in case.facts["error"]
    assert await desk.messages() == []
