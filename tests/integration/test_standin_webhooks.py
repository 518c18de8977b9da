"""Webhooks of the Stripe stand-in, checked with the official SDK."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import stripe

from tests.integration.standin_support import (
    WEBHOOK_SECRET,
    Receiver,
    Standin,
    eventually,
    receiving,
    running,
)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as started:
        yield started


@pytest.fixture
async def standin(tmp_path: Path, receiver: Receiver) -> AsyncIterator[Standin]:
    async with running(tmp_path, "--webhook-url", receiver.url, "--webhook-secret", WEBHOOK_SECRET) as started:
        yield started


async def _is_quiet(standin: Standin) -> bool:
    _, answer = await standin.control("GET", "quiet")
    return bool(answer["quiet"]) and answer["undelivered_webhooks"] == 0


async def test_a_payment_is_told_with_a_good_signature(standin: Standin, receiver: Receiver) -> None:
    payment = await standin.pay(metadata={"intent_id": "i1"})
    [event] = await receiver.wait_for("payment_intent.succeeded")
    assert event.data.object["id"] == payment.id
    assert event.data.object["metadata"]["intent_id"] == "i1"
    body, header = receiver.taken[0]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, header, "whsec_other")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body.replace(b"1200", b"9200"), header, WEBHOOK_SECRET)
    await eventually(lambda: _is_quiet(standin))
    listed = await standin.sdk.events.retrieve_async(event.id)
    assert (listed.pending_webhooks, listed.type) == (0, event.type)


async def test_a_signature_carries_wall_time_when_the_clock_has_moved(standin: Standin, receiver: Receiver) -> None:
    await standin.move_clock(40 * 86_400)
    await standin.pay()
    [event] = await receiver.wait_for("payment_intent.succeeded")
    signed_at = int(receiver.taken[0][1].split(",")[0].removeprefix("t="))
    assert event.created - signed_at > 39 * 86_400


async def test_every_change_has_its_event(standin: Standin, receiver: Receiver) -> None:
    payment = await standin.pay("pm_card_pendingRefund")
    refund = await standin.sdk.refunds.create_async({"payment_intent": payment.id})
    await standin.control("POST", f"refunds/{refund.id}/settle", {"status": "succeeded"})
    await standin.control("POST", f"refunds/{refund.id}/settle", {"status": "failed"})
    with pytest.raises(stripe.CardError):
        await standin.pay("pm_card_visa_chargeDeclined")
    waiting = await standin.pay("pm_card_authenticationRequired")
    await standin.sdk.payment_intents.cancel_async(waiting.id)
    await standin.sdk.topups.create_async({"amount": 500, "currency": "usd"})
    account = await standin.sdk.accounts.create_async(
        {"type": "express", "capabilities": {"transfers": {"requested": True}}}
    )
    transfer = await standin.sdk.transfers.create_async({"amount": 500, "currency": "usd", "destination": account.id})
    await standin.sdk.transfers.reversals.create_async(transfer.id)
    await standin.control("POST", f"accounts/{account.id}/restrict")
    await eventually(lambda: _is_quiet(standin))
    assert sorted(event.type for event in receiver.events()) == [
        "account.updated",
        "payment_intent.canceled",
        "payment_intent.payment_failed",
        "payment_intent.requires_action",
        "payment_intent.succeeded",
        "refund.created",
        "refund.failed",
        "refund.updated",
        "refund.updated",
        "topup.succeeded",
        "transfer.created",
        "transfer.reversed",
    ]
    [failed] = [event for event in receiver.events() if event.type == "refund.failed"]
    assert failed.data.object["status"] == "failed"
    assert failed.data.previous_attributes is not None


async def test_a_refused_webhook_is_sent_again(standin: Standin, receiver: Receiver) -> None:
    receiver.refuse = 3
    await standin.pay()
    [event] = await receiver.wait_for("payment_intent.succeeded")
    assert event.type == "payment_intent.succeeded"
    assert receiver.refuse == 0
    await eventually(lambda: _is_quiet(standin))


async def test_a_receiver_that_is_away_keeps_the_stand_in_from_being_quiet(
    standin: Standin, receiver: Receiver
) -> None:
    receiver.refuse = 4
    await standin.pay()
    _, answer = await standin.control("GET", "quiet")
    assert answer == {"quiet": False, "undelivered_webhooks": 1}
    await receiver.wait_for("payment_intent.succeeded")
    await eventually(lambda: _is_quiet(standin))


async def test_only_subscribed_types_are_sent_but_all_are_listed(tmp_path: Path, receiver: Receiver) -> None:
    options = ("--webhook-url", receiver.url, "--webhook-secret", WEBHOOK_SECRET)
    async with running(tmp_path, *options, "--webhook-events", "refund.created") as standin:
        payment = await standin.pay()
        await standin.sdk.refunds.create_async({"payment_intent": payment.id})
        await receiver.wait_for("refund.created")
        await eventually(lambda: _is_quiet(standin))
        assert [event.type for event in receiver.events()] == ["refund.created"]
        listed = await standin.sdk.events.list_async({})
        assert [event.type for event in listed.data] == ["refund.created", "payment_intent.succeeded"]


async def test_two_secrets_sign_while_one_replaces_the_other(tmp_path: Path, receiver: Receiver) -> None:
    options = ("--webhook-url", receiver.url, "--webhook-secret", "whsec_old", "--webhook-secret", WEBHOOK_SECRET)
    async with running(tmp_path, *options) as standin:
        await standin.pay()
        await receiver.wait_for("payment_intent.succeeded")
    body, header = receiver.taken[0]
    for secret in ("whsec_old", WEBHOOK_SECRET):
        assert stripe.Webhook.construct_event(body, header, secret).type == "payment_intent.succeeded"


async def test_a_webhook_can_be_sent_several_times(standin: Standin, receiver: Receiver) -> None:
    await standin.fault(webhook={"types": ["payment_intent.succeeded"]}, action="duplicate", copies=5)
    await standin.pay()
    events = await receiver.wait_for("payment_intent.succeeded", 5)
    assert len({event.id for event in events}) == 1
    await eventually(lambda: _is_quiet(standin))
    assert len(receiver.taken) == 5


async def test_a_withheld_webhook_is_found_in_the_list_and_can_be_sent_by_hand(
    standin: Standin, receiver: Receiver
) -> None:
    await standin.fault(webhook={"types": ["payment_intent.succeeded"]}, action="withhold", times=1)
    lost = await standin.pay()
    told = await standin.pay()
    await receiver.wait_for("payment_intent.succeeded")
    await eventually(lambda: _is_quiet(standin))
    assert [event.data.object["id"] for event in receiver.events()] == [told.id]
    listed = await standin.sdk.events.list_async({"type": "payment_intent.succeeded"})
    assert [event.data.object["id"] for event in listed.data] == [told.id, lost.id]
    await standin.control("POST", f"events/{listed.data[1].id}/deliver")
    await receiver.wait_for("payment_intent.succeeded", 2)
    assert json.loads(receiver.taken[1][0])["data"]["object"]["id"] == lost.id


async def test_a_webhook_is_delayed_in_wall_time(standin: Standin, receiver: Receiver) -> None:
    await standin.fault(webhook={"types": []}, action="delay", seconds=1.0)
    late = await standin.pay()
    soon = await standin.pay()
    await receiver.wait_for("payment_intent.succeeded", 2)
    assert [event.data.object["id"] for event in receiver.events()] == [soon.id, late.id]


async def test_a_webhook_delayed_by_three_days_of_stack_time_does_not_disturb_the_quiet(
    standin: Standin, receiver: Receiver
) -> None:
    await standin.fault(webhook={"types": []}, action="delay", stack_seconds=3 * 86_400)
    payment = await standin.pay("pm_card_bypassPending")
    assert await _is_quiet(standin)
    _, due = await standin.control("GET", "next_due")
    assert due["next_due"] >= payment.created + 3 * 86_400
    assert receiver.taken == []
    await standin.move_clock(3 * 86_400 + 5)
    assert await receiver.wait_for("payment_intent.succeeded")


async def test_an_undelivered_webhook_survives_a_crash(tmp_path: Path, receiver: Receiver) -> None:
    receiver.refuse = 1_000
    options = ("--webhook-url", receiver.url, "--webhook-secret", WEBHOOK_SECRET)
    async with running(tmp_path, *options) as standin:
        payment = await standin.pay()
        await standin.kill()
        receiver.refuse = 0
        await standin.start()
        [event] = await receiver.wait_for("payment_intent.succeeded")
        assert event.data.object["id"] == payment.id


async def test_a_webhook_address_needs_a_secret(tmp_path: Path) -> None:
    standin = Standin(tmp_path, "--webhook-url", "http://127.0.0.1:9/hook")
    try:
        with pytest.raises(AssertionError, match="ended while starting"):
            await standin.start()
        assert standin.process is not None
        assert standin.process.exitcode == 2
    finally:
        await standin.stop()
