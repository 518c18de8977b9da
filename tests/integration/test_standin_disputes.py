"""Disputes at the Stripe stand-in: inquiries, funds taken and given back, evidence, refunds of what is disputed."""

from collections.abc import AsyncIterator
from hashlib import sha256
from io import BytesIO
from typing import Any

import pytest
import stripe

from tests.integration.standin_support import Standin, running

DAY = 86_400
CREATED, UPDATED, CLOSED = "charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed"
WITHDRAWN, REINSTATED = "charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"


@pytest.fixture(scope="module")
async def standin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Standin]:
    async with running(tmp_path_factory.mktemp("standin")) as started:
        yield started


async def _balance(standin: Standin) -> int:
    balance = await standin.sdk.balance.retrieve_async()
    return sum(part.amount for part in [*balance.available, *balance.pending])


async def _dispute(standin: Standin, payment: stripe.PaymentIntent) -> stripe.Dispute:
    [found] = (await standin.sdk.disputes.list_async({"payment_intent": payment.id})).data
    return found


async def _disputed(standin: Standin, card: str = "pm_card_createDispute") -> tuple[Any, stripe.Dispute]:
    payment = await standin.pay(card, amount=5_000)
    return payment, await _dispute(standin, payment)


async def _decide(standin: Standin, dispute: stripe.Dispute, verb: str) -> stripe.Dispute:
    status, body = await standin.control("POST", f"disputes/{dispute.id}/{verb}")
    assert status == 200, body
    return await standin.sdk.disputes.retrieve_async(dispute.id)


async def _uploaded(standin: Standin, content: bytes, *, key: str) -> stripe.File:
    file = BytesIO(content)
    file.name = "evidence.pdf"
    return await standin.sdk.files.create_async(
        {"purpose": "dispute_evidence", "file": file}, options={"idempotency_key": key}
    )


async def _told(standin: Standin, dispute: stripe.Dispute) -> list[str]:
    events = await standin.sdk.events.list_async({"limit": 100, "type": "charge.dispute.*"})
    bodies = [event.to_dict() for event in reversed(events.data)]
    return [body["type"] for body in bodies if body["data"]["object"]["id"] == dispute.id]


def _moved(dispute: stripe.Dispute) -> list[tuple[int, int, str]]:
    return [(each.amount, each.fee, each.reporting_category) for each in dispute.balance_transactions]


async def test_a_disputed_charge_loses_amount_and_fee_and_a_win_brings_the_amount_back(standin: Standin) -> None:
    before = await _balance(standin)
    _, dispute = await _disputed(standin)
    assert (dispute.status, dispute.reason, dispute.is_charge_refundable) == ("needs_response", "fraudulent", False)
    assert _moved(dispute) == [(-5_000, 1_500, "dispute")]
    assert await _balance(standin) == before - 175 - 1_500
    won = await _decide(standin, dispute, "win")
    assert (won.status, _moved(won)[1:]) == ("won", [(5_000, 0, "dispute_reversal")])
    assert await _balance(standin) == before + 5_000 - 175 - 1_500
    assert await _told(standin, dispute) == [CREATED, WITHDRAWN, CLOSED, REINSTATED]


async def test_an_inquiry_moves_no_money_until_it_escalates(standin: Standin) -> None:
    _, inquiry = await _disputed(standin, "pm_card_createDisputeInquiry")
    assert (inquiry.status, _moved(inquiry)) == ("warning_needs_response", [])
    escalated = await _decide(standin, inquiry, "escalate")
    assert (escalated.status, _moved(escalated)) == ("needs_response", [(-5_000, 1_500, "dispute")])
    assert await _told(standin, inquiry) == [CREATED, UPDATED, WITHDRAWN]


async def test_a_disputed_charge_is_not_refunded_and_a_won_one_is(standin: Standin) -> None:
    payment, dispute = await _disputed(standin)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await standin.sdk.refunds.create_async({"payment_intent": payment.id})
    assert refused.value.code == "charge_disputed"
    await _decide(standin, dispute, "win")
    assert (await standin.sdk.refunds.create_async({"payment_intent": payment.id})).status == "succeeded"


async def test_a_whole_refund_closes_an_inquiry(standin: Standin) -> None:
    payment, inquiry = await _disputed(standin, "pm_card_createDisputeInquiry")
    await standin.sdk.refunds.create_async({"payment_intent": payment.id, "amount": 1_000})
    assert (await _dispute(standin, payment)).status == "warning_needs_response"
    await standin.sdk.refunds.create_async({"payment_intent": payment.id})
    assert (await _dispute(standin, payment)).status == "warning_closed"
    assert (await _told(standin, inquiry))[-1] == CLOSED


async def test_a_pending_refund_fails_when_its_charge_is_disputed(standin: Standin) -> None:
    payment = await standin.pay("pm_card_pendingRefund", amount=5_000)
    refund = await standin.sdk.refunds.create_async({"payment_intent": payment.id})
    await standin.control("POST", f"charges/{payment.latest_charge}/dispute")
    failed = await standin.sdk.refunds.retrieve_async(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "charge_for_pending_refund_disputed")


async def test_a_file_is_taken_once_per_key_and_only_a_known_one_goes_along_with_evidence(standin: Standin) -> None:
    content = b"%PDF-1.4\r\n\x80\r\n--x" + bytes(range(256))
    first, second = [await _uploaded(standin, content, key="one") for _ in range(2)]
    assert first.id == second.id
    assert (first.size, first.purpose, first.filename) == (len(content), "dispute_evidence", "evidence.pdf")
    digest = await standin.control("POST", f"files/{first.id}/digest")
    assert digest == (200, {"sha256": sha256(content).hexdigest()})
    with pytest.raises(stripe.InvalidRequestError, match="not a PDF"):
        await _uploaded(standin, b"GIF89a", key="another")
    _, dispute = await _disputed(standin)
    with pytest.raises(stripe.InvalidRequestError, match="No such file"):
        await standin.sdk.disputes.update_async(dispute.id, {"evidence": {"uncategorized_file": "file_1"}})


@pytest.mark.parametrize(("words", "status"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
async def test_evidence_is_staged_sent_once_and_decides_in_stripes_words(
    standin: Standin, words: str, status: str
) -> None:
    _, dispute = await _disputed(standin)
    staged = await standin.sdk.disputes.update_async(
        dispute.id, {"evidence": {"product_description": "Pans"}, "submit": False}
    )
    assert (staged.status, staged.evidence_details.has_evidence) == ("needs_response", True)
    sent = await standin.sdk.disputes.update_async(
        dispute.id, {"evidence": {"uncategorized_text": words}, "submit": True}
    )
    assert (sent.status, sent.evidence_details.submission_count) == (status, 1)
    assert sent.evidence.product_description == "Pans"
    with pytest.raises(stripe.InvalidRequestError, match="does not take evidence"):
        await standin.sdk.disputes.update_async(dispute.id, {"evidence": {"uncategorized_text": "more"}})


async def test_a_dispute_that_is_accepted_or_not_answered_in_time_is_lost(standin: Standin) -> None:
    _, accepted = await _disputed(standin)
    assert (await standin.sdk.disputes.close_async(accepted.id)).status == "lost"
    _, silent = await _disputed(standin)
    _, asked = await _disputed(standin, "pm_card_createDisputeInquiry")
    await standin.move_clock(9 * DAY + 1)
    assert (await standin.sdk.disputes.retrieve_async(silent.id)).status == "lost"
    assert (await standin.sdk.disputes.retrieve_async(asked.id)).status == "warning_closed"


async def test_a_bank_may_take_a_won_dispute_up_again(standin: Standin) -> None:
    _, dispute = await _disputed(standin)
    await _decide(standin, dispute, "win")
    again = await _decide(standin, dispute, "reopen")
    assert (again.status, _moved(again)[2:]) == ("under_review", [(-5_000, 0, "dispute")])
    assert (await _decide(standin, dispute, "lose")).status == "lost"
    status, answer = await standin.control("POST", f"disputes/{dispute.id}/escalate")
    assert (status, answer["error"]["param"]) == (400, "status")
