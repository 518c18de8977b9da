"""Accounts, transfers, reversals, top-ups and the balance at the Stripe stand-in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import stripe

from tests.integration.standin_support import Standin, running


@pytest.fixture
async def standin(tmp_path: Path) -> AsyncIterator[Standin]:
    async with running(tmp_path) as started:
        yield started


async def _account(standin: Standin) -> stripe.Account:
    return await standin.sdk.accounts.create_async(
        {
            "type": "custom",
            "country": "US",
            "capabilities": {"transfers": {"requested": True}},
            "metadata": {"supplier": "s1"},
        }
    )


async def test_a_transfer_takes_available_money_only(standin: Standin) -> None:
    account = await _account(standin)
    await standin.pay(amount=10_000)
    wanted = {"amount": 5_000, "currency": "usd", "destination": account.id, "transfer_group": "campaign-1"}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await standin.sdk.transfers.create_async(wanted)
    assert refused.value.code == "balance_insufficient"
    await standin.move_clock(3 * 86_400)
    transfer = await standin.sdk.transfers.create_async({**wanted, "metadata": {"plan": "p1"}})
    assert (transfer.amount, transfer.destination, transfer.metadata.to_dict()) == (5_000, account.id, {"plan": "p1"})
    movement = await standin.sdk.balance_transactions.retrieve_async(str(transfer.balance_transaction))
    assert (movement.net, movement.type, movement.status) == (-5_000, "transfer", "available")
    found = await standin.sdk.transfers.list_async({"transfer_group": "campaign-1"})
    assert [item.id for item in found.data] == [transfer.id]
    assert (await standin.sdk.transfers.list_async({"transfer_group": "campaign-2"})).data == []


async def test_a_topup_is_available_at_once(standin: Standin) -> None:
    topup = await standin.sdk.topups.create_async({"amount": 70_000, "currency": "usd", "metadata": {"why": "float"}})
    assert topup.status == "succeeded"
    assert (await standin.sdk.topups.retrieve_async(topup.id)).metadata.to_dict() == {"why": "float"}
    assert [item.id for item in (await standin.sdk.topups.list_async({"limit": 5})).data] == [topup.id]
    balance = await standin.sdk.balance.retrieve_async()
    assert (balance.available[0].amount, balance.pending[0].amount) == (70_000, 0)


async def test_a_transfer_is_reversed_up_to_its_amount(standin: Standin) -> None:
    await standin.sdk.topups.create_async({"amount": 1_000, "currency": "usd"})
    account = await _account(standin)
    transfer = await standin.sdk.transfers.create_async({"amount": 1_000, "currency": "usd", "destination": account.id})
    part = await standin.sdk.transfers.reversals.create_async(transfer.id, {"amount": 300, "metadata": {"why": "x"}})
    rest = await standin.sdk.transfers.reversals.create_async(transfer.id)
    assert (part.amount, rest.amount) == (300, 700)
    with pytest.raises(stripe.InvalidRequestError, match="greater than the unreversed"):
        await standin.sdk.transfers.reversals.create_async(transfer.id, {"amount": 1})
    after = await standin.sdk.transfers.retrieve_async(transfer.id)
    assert (after.reversed, after.amount_reversed) == (True, 1_000)
    assert [item.id for item in after.reversals.data] == [rest.id, part.id]
    listed = await standin.sdk.transfers.reversals.list_async(transfer.id)
    assert [item.amount for item in listed.data] == [700, 300]
    assert (await standin.sdk.transfers.reversals.retrieve_async(transfer.id, part.id)).metadata.to_dict() == {
        "why": "x"
    }
    moved = await standin.sdk.balance_transactions.list_async({"source": part.id})
    assert [(item.net, item.type) for item in moved.data] == [(300, "transfer_refund")]


async def test_a_restricted_account_refuses_transfers_until_it_is_freed(standin: Standin) -> None:
    await standin.sdk.topups.create_async({"amount": 1_000, "currency": "usd"})
    account = await _account(standin)
    wanted = {"amount": 100, "currency": "usd", "destination": account.id}
    await standin.control("POST", f"accounts/{account.id}/restrict")
    restricted = await standin.sdk.accounts.retrieve_async(account.id)
    assert restricted.capabilities is not None
    assert restricted.capabilities.transfers == "inactive"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await standin.sdk.transfers.create_async(wanted)
    assert refused.value.code == "insufficient_capabilities_for_transfer"
    await standin.control("POST", f"accounts/{account.id}/unrestrict")
    assert (await standin.sdk.transfers.create_async(wanted)).amount == 100


async def test_a_transfer_to_nobody_is_refused(standin: Standin) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await standin.sdk.transfers.create_async({"amount": 100, "currency": "usd", "destination": "acct_x"})
    assert (refused.value.code, refused.value.param) == ("resource_missing", "destination")


async def test_the_balance_is_the_sum_of_its_transactions(standin: Standin) -> None:
    await standin.sdk.topups.create_async({"amount": 20_000, "currency": "usd"})
    account = await _account(standin)
    for amount in (1_000, 2_345, 9_999):
        payment = await standin.pay(amount=amount)
    await standin.sdk.refunds.create_async({"payment_intent": payment.id, "amount": 99})
    await standin.pay("pm_card_bypassPending", amount=4_000)
    await standin.sdk.transfers.create_async({"amount": 777, "currency": "usd", "destination": account.id})
    for _ in range(2):
        sums = {"available": 0, "pending": 0}
        async for item in (await standin.sdk.balance_transactions.list_async({"limit": 2})).auto_paging_iter():
            sums[item.status] += item.net
        balance = await standin.sdk.balance.retrieve_async()
        assert (balance.available[0].amount, balance.pending[0].amount) == (sums["available"], sums["pending"])
        await standin.move_clock(4 * 86_400)
    assert sums["pending"] == 0


async def test_money_becomes_available_at_the_announced_moment(standin: Standin) -> None:
    payment = await standin.pay(amount=5_000, expand=["latest_charge.balance_transaction"])
    assert isinstance(payment.latest_charge, stripe.Charge)
    movement = payment.latest_charge.balance_transaction
    assert isinstance(movement, stripe.BalanceTransaction)
    assert movement.available_on >= movement.created + 2 * 86_400
    _, due = await standin.control("GET", "next_due")
    assert due["next_due"] == movement.available_on
    _, clock = await standin.control("GET", "clock")
    await standin.move_clock(due["next_due"] - clock["stack_time"])
    assert (await standin.sdk.balance_transactions.retrieve_async(movement.id)).status == "available"
    _, due = await standin.control("GET", "next_due")
    assert due["next_due"] is None
