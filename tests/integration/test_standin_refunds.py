"""Refunds at the Stripe stand-in: bounds, pending, failing, and what they do to the balance."""

from collections.abc import AsyncIterator

import pytest
import stripe

from tests.integration.standin_support import Standin, running

DAY = 86_400


@pytest.fixture(scope="module")
async def standin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Standin]:
    async with running(tmp_path_factory.mktemp("standin")) as started:
        yield started


async def _balance(standin: Standin) -> int:
    balance = await standin.sdk.balance.retrieve_async()
    return sum(part.amount for part in [*balance.available, *balance.pending])


async def test_a_refund_returns_the_whole_amount_and_never_the_fee(standin: Standin) -> None:
    before = await _balance(standin)
    payment = await standin.pay(amount=5_000)
    refund = await standin.sdk.refunds.create_async(
        {"payment_intent": payment.id, "metadata": {"intent_id": "r1"}, "expand": ["balance_transaction"]}
    )
    assert (refund.amount, refund.status, refund.metadata.to_dict()) == (5_000, "succeeded", {"intent_id": "r1"})
    movement = refund.balance_transaction
    assert isinstance(movement, stripe.BalanceTransaction)
    assert (movement.amount, movement.fee, movement.net, movement.type) == (-5_000, 0, -5_000, "refund")
    assert await _balance(standin) == before - 175


async def test_partial_refunds_never_exceed_the_charge(standin: Standin) -> None:
    payment = await standin.pay(amount=1_000)
    first = await standin.sdk.refunds.create_async({"payment_intent": payment.id, "amount": 400})
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        await standin.sdk.refunds.create_async({"payment_intent": payment.id, "amount": 601})
    second = await standin.sdk.refunds.create_async({"charge": str(payment.latest_charge), "amount": 600})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await standin.sdk.refunds.create_async({"payment_intent": payment.id})
    assert refused.value.code == "charge_already_refunded"
    charge = await standin.sdk.charges.retrieve_async(str(payment.latest_charge))
    assert (charge.amount_refunded, charge.refunded) == (1_000, True)
    listed = await standin.sdk.refunds.list_async({"payment_intent": payment.id})
    assert [refund.id for refund in listed.data] == [second.id, first.id]


async def test_a_payment_without_money_is_not_refunded(standin: Standin) -> None:
    payment = await standin.sdk.payment_intents.create_async({"amount": 500, "currency": "usd"})
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        await standin.sdk.refunds.create_async({"payment_intent": payment.id})


async def test_a_pending_refund_succeeds_when_its_time_has_come(standin: Standin) -> None:
    payment = await standin.pay("pm_card_pendingRefund")
    refund = await standin.sdk.refunds.create_async({"payment_intent": payment.id})
    assert (refund.status, refund.balance_transaction) == ("pending", None)
    _, due = await standin.control("GET", "next_due")
    assert due["next_due"] <= refund.created + DAY
    await standin.move_clock(DAY - 60)
    assert (await standin.sdk.refunds.retrieve_async(refund.id)).status == "pending"
    await standin.move_clock(120)
    after = await standin.sdk.refunds.retrieve_async(refund.id)
    assert after.status == "succeeded"
    assert after.balance_transaction is not None


async def test_a_refund_that_succeeded_can_fail_later_and_the_money_comes_back(standin: Standin) -> None:
    payment = await standin.pay("pm_card_refundFail", amount=2_000)
    before = await _balance(standin)
    refund = await standin.sdk.refunds.create_async({"payment_intent": payment.id})
    assert refund.status == "succeeded"
    assert await _balance(standin) == before - 2_000
    await standin.move_clock(DAY + 60)
    failed = await standin.sdk.refunds.retrieve_async(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert await _balance(standin) == before
    back = await standin.sdk.balance_transactions.retrieve_async(str(failed.failure_balance_transaction))
    assert (back.amount, back.type, back.source) == (2_000, "refund_failure", refund.id)
    charge = await standin.sdk.charges.retrieve_async(str(payment.latest_charge))
    assert (charge.amount_refunded, charge.refunded) == (0, False)


async def test_a_pending_refund_that_fails_never_moved_money(standin: Standin) -> None:
    payment = await standin.pay("pm_card_refundPendingFail")
    before = await _balance(standin)
    refund = await standin.sdk.refunds.create_async({"payment_intent": payment.id})
    assert refund.status == "pending"
    await standin.move_clock(DAY + 60)
    failed = await standin.sdk.refunds.retrieve_async(refund.id)
    assert (failed.status, failed.balance_transaction) == ("failed", None)
    assert await _balance(standin) == before
    again = await standin.sdk.refunds.create_async({"payment_intent": payment.id})
    assert again.id != refund.id


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
async def test_a_test_may_settle_a_refund_and_twice_changes_nothing(standin: Standin, outcome: str) -> None:
    payment = await standin.pay("pm_card_refundPending")
    refund = await standin.sdk.refunds.create_async({"payment_intent": payment.id})
    for _ in range(2):
        status, settled = await standin.control("POST", f"refunds/{refund.id}/settle", {"status": outcome})
        assert (status, settled["status"]) == (200, outcome)
    await standin.move_clock(DAY + 60)
    assert (await standin.sdk.refunds.retrieve_async(refund.id)).status == outcome
    moved = await standin.sdk.balance_transactions.list_async({"source": refund.id})
    assert len(moved.data) == (1 if outcome == "succeeded" else 0)


async def test_a_failed_refund_stays_failed(standin: Standin) -> None:
    payment = await standin.pay("pm_card_refundPending")
    refund = await standin.sdk.refunds.create_async({"payment_intent": payment.id})
    await standin.control("POST", f"refunds/{refund.id}/settle", {"status": "failed"})
    status, answer = await standin.control("POST", f"refunds/{refund.id}/settle", {"status": "succeeded"})
    assert (status, answer["error"]["param"]) == (400, "status")


async def test_refunding_pending_money_leaves_the_available_balance_alone(standin: Standin) -> None:
    async def available() -> int:
        return sum(part.amount for part in (await standin.sdk.balance.retrieve_async()).available)

    before = await available()
    payment = await standin.pay(amount=3_000)
    await standin.sdk.refunds.create_async({"payment_intent": payment.id})
    assert await available() == before
