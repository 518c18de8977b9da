"""What the Stripe stand-in keeps: crashes, clock, journal, lists."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.integration.standin_support import RETURN_URL, WAIT_SECONDS, Standin, running


@pytest.fixture
async def standin(tmp_path: Path) -> AsyncIterator[Standin]:
    async with running(tmp_path) as started:
        yield started


def _wanted(number: int) -> Any:
    return {
        "amount": 1_000 + number,
        "currency": "usd",
        "confirm": True,
        "return_url": RETURN_URL,
        "payment_method": "pm_card_visa",
        "metadata": {"number": str(number)},
    }


async def _journal(standin: Standin) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    while True:
        after = lines[-1]["seq"] if lines else 0
        _, page = await standin.control("GET", f"journal?after={after}&limit=7")
        if not page:
            return lines
        lines += [json.loads(line) for line in page.splitlines()]


async def test_a_kill_at_any_moment_loses_nothing_that_was_answered(standin: Standin) -> None:
    answered: dict[int, stripe.PaymentIntent] = {}
    enough = asyncio.Event()

    async def pay(number: int) -> None:
        key: Any = {"idempotency_key": f"n{number}"}
        answered[number] = await standin.sdk.payment_intents.create_async(_wanted(number), key)
        if len(answered) % 200 >= 40:
            enough.set()

    for crash in range(3):
        tasks = [asyncio.create_task(pay(crash * 200 + place)) for place in range(200)]
        enough.clear()
        await asyncio.wait_for(enough.wait(), timeout=WAIT_SECONDS)
        await standin.kill()
        await asyncio.gather(*tasks, return_exceptions=True)
        await standin.start()
        for number, payment in answered.items():
            known = await standin.sdk.payment_intents.retrieve_async(payment.id)
            assert (known.status, known.amount) == ("succeeded", 1_000 + number)
        for number in range(crash * 200, crash * 200 + 200):
            before = answered.get(number)
            await pay(number)
            assert before is None or before.id == answered[number].id
    assert len({payment.id for payment in answered.values()}) == 600
    movements = [line for line in await _journal(standin) if line["kind"] == "balance_transaction"]
    assert len(movements) == 600
    balance = await standin.sdk.balance.retrieve_async()
    assert balance.pending[0].amount == sum(line["object"]["net"] for line in movements)


async def test_the_journal_holds_every_money_fact_in_sequence(standin: Standin) -> None:
    payment = await standin.pay("pm_card_pendingRefund", amount=1_000, metadata={"intent_id": "i1"})
    refund = await standin.sdk.refunds.create_async({"payment_intent": payment.id, "metadata": {"decision": "d1"}})
    await standin.control("POST", f"refunds/{refund.id}/settle", {"status": "succeeded"})
    await standin.control("POST", f"refunds/{refund.id}/settle", {"status": "failed"})
    await standin.sdk.topups.create_async({"amount": 500, "currency": "usd"})
    account = await standin.sdk.accounts.create_async(
        {"type": "custom", "capabilities": {"transfers": {"requested": True}}}
    )
    transfer = await standin.sdk.transfers.create_async(
        {"amount": 500, "currency": "usd", "destination": account.id, "transfer_group": "g"}
    )
    await standin.sdk.transfers.reversals.create_async(transfer.id)
    lines = await _journal(standin)
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    facts = [(line["kind"], line["object"].get("status") or line["object"]["amount"]) for line in lines]
    assert facts == [
        ("balance_transaction", 1_000),
        ("charge", "succeeded"),
        ("refund", "pending"),
        ("balance_transaction", -1_000),
        ("refund", "succeeded"),
        ("balance_transaction", 1_000),
        ("refund", "failed"),
        ("balance_transaction", 500),
        ("topup", "succeeded"),
        ("balance_transaction", -500),
        ("transfer", 500),
        ("balance_transaction", 500),
        ("transfer_reversal", 500),
    ]
    assert lines[1]["object"]["metadata"] == {"intent_id": "i1"}
    assert lines[2]["object"]["metadata"] == {"decision": "d1"}
    assert lines[10]["object"]["transfer_group"] == "g"


async def test_the_clock_only_grows_and_survives_a_crash(standin: Standin) -> None:
    assert (await standin.control("POST", "clock", {"offset_seconds": 5_000, "version": 3}))[0] == 200
    for refused in (
        {"offset_seconds": 4_999, "version": 4},
        {"offset_seconds": 6_000, "version": 2},
        {"offset_seconds": 6_000, "version": 3},
    ):
        assert (await standin.control("POST", "clock", refused))[0] == 409
    assert (await standin.control("POST", "clock", {"offset_seconds": 5_000, "version": 3}))[0] == 200
    await standin.kill()
    await standin.start()
    _, clock = await standin.control("GET", "clock")
    assert (clock["offset_seconds"], clock["version"]) == (5_000, 3)


async def test_objects_are_dated_in_stack_time(standin: Standin) -> None:
    first = await standin.pay()
    await standin.move_clock(86_400)
    second = await standin.pay()
    assert 86_400 <= second.created - first.created < 86_460


async def test_lists_are_complete_at_once_and_page_both_ways(standin: Standin) -> None:
    payer = await standin.sdk.customers.create_async({})
    mine = [(await standin.pay(customer=payer.id)).id for _ in range(7)]
    await standin.pay()
    listed = await standin.sdk.payment_intents.list_async({"customer": payer.id, "limit": 3})
    assert ([item.id for item in listed.data], listed.has_more) == (mine[:3:-1], True)
    everything = [item.id async for item in listed.auto_paging_iter()]
    assert everything == mine[::-1]
    newer = await standin.sdk.payment_intents.list_async({"customer": payer.id, "ending_before": mine[3], "limit": 2})
    assert ([item.id for item in newer.data], newer.has_more) == ([mine[5], mine[4]], True)
    last = await standin.sdk.payment_intents.list_async({"customer": payer.id, "starting_after": mine[1]})
    assert ([item.id for item in last.data], last.has_more) == ([mine[0]], False)


async def test_lists_filter_by_creation_time(standin: Standin) -> None:
    made: list[stripe.PaymentIntent] = []
    for _ in range(5):
        made.append(await standin.pay())
        await standin.move_clock(100)
    times = [payment.created for payment in made]

    async def found(**bounds: int) -> list[str]:
        listed = await standin.sdk.payment_intents.list_async({"created": bounds})
        return [item.id for item in listed.data]

    ids = [payment.id for payment in made]
    assert await found(gte=times[1], lte=times[3]) == [ids[3], ids[2], ids[1]]
    assert await found(gt=times[1], lt=times[3]) == [ids[2]]
    assert await found(gte=times[4] + 1) == []
    exact = await standin.sdk.payment_intents.list_async({"created": times[2]})
    assert [item.id for item in exact.data] == [ids[2]]
    moved = await standin.sdk.balance_transactions.list_async({"created": {"gte": times[3]}, "type": "charge"})
    assert len(moved.data) == 2


async def test_events_are_listed_by_their_types(standin: Standin) -> None:
    payment = await standin.pay()
    await standin.sdk.refunds.create_async({"payment_intent": payment.id})
    await standin.sdk.topups.create_async({"amount": 500, "currency": "usd"})
    for wanted, found in (
        ({"type": "topup.succeeded"}, ["topup.succeeded"]),
        ({"type": "refund.*"}, ["refund.created"]),
        (
            {"types": ["payment_intent.succeeded", "refund.created"]},
            ["refund.created", "payment_intent.succeeded"],
        ),
        ({"type": "charge.refunded"}, []),
    ):
        listed = await standin.sdk.events.list_async(wanted)  # type: ignore[arg-type]
        assert [event.type for event in listed.data] == found


async def test_a_second_process_cannot_use_the_same_directory(standin: Standin) -> None:
    second = Standin(standin.data_dir)
    try:
        with pytest.raises(AssertionError, match="ended while starting"):
            await second.start()
        assert second.process is not None
        assert second.process.exitcode == 1
    finally:
        await second.stop()
    assert (await standin.pay()).status == "succeeded"


async def test_a_refusal_leaves_nothing_behind(standin: Standin) -> None:
    token = await standin.token()
    with pytest.raises(stripe.InvalidRequestError):
        await standin.pay(confirmation_token=token, return_url=None)
    assert (await standin.sdk.payment_intents.list_async({})).data == []
    assert (await standin.sdk.confirmation_tokens.retrieve_async(token)).payment_intent is None
    assert (await standin.pay(confirmation_token=token)).status == "succeeded"
