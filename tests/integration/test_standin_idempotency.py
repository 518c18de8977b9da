"""Idempotency keys at the Stripe stand-in."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import stripe

from tests.integration.standin_support import RETURN_URL, Standin, running

DAY = 86_400


@pytest.fixture(scope="module")
async def standin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Standin]:
    async with running(tmp_path_factory.mktemp("standin")) as started:
        yield started


def _wanted(**changes: Any) -> Any:
    return {
        "amount": 900,
        "currency": "usd",
        "confirm": True,
        "return_url": RETURN_URL,
        "payment_method": "pm_card_visa",
        **changes,
    }


async def _create(standin: Standin, key: str, **changes: Any) -> stripe.PaymentIntent:
    return await standin.sdk.payment_intents.create_async(_wanted(**changes), {"idempotency_key": key})


async def _count(standin: Standin) -> int:
    journal = (await standin.control("GET", "journal?limit=10000"))[1]
    return str(journal).count('"kind":"charge"')


async def test_the_same_call_twice_is_one_payment_and_says_that_it_is_a_replay(standin: Standin) -> None:
    before = await _count(standin)
    first = await _create(standin, "twice")
    second = await _create(standin, "twice")
    assert first.id == second.id
    assert first.last_response is not None
    assert second.last_response is not None
    assert "idempotent-replayed" not in first.last_response.headers
    assert second.last_response.headers["idempotent-replayed"] == "true"
    assert await _count(standin) == before + 1


async def test_a_replay_shows_the_first_answer_even_after_a_change(standin: Standin) -> None:
    first = await _create(standin, "old-answer", confirm=False, return_url=None)
    await standin.sdk.payment_intents.cancel_async(first.id)
    again = await _create(standin, "old-answer", confirm=False, return_url=None)
    assert (first.status, again.status) == ("requires_confirmation", "requires_confirmation")


async def test_the_same_key_with_other_parameters_is_an_error(standin: Standin) -> None:
    await _create(standin, "changed")
    with pytest.raises(stripe.IdempotencyError) as refused:
        await _create(standin, "changed", amount=901)
    assert refused.value.http_status == 400
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        await standin.sdk.topups.create_async({"amount": 1, "currency": "usd"}, {"idempotency_key": "changed"})


async def test_a_decline_is_remembered(standin: Standin) -> None:
    intents = set()
    for _ in range(2):
        with pytest.raises(stripe.CardError) as refused:
            await _create(standin, "declined", payment_method="pm_card_chargeDeclined")
        intents.add(refused.value.json_body["error"]["payment_intent"]["id"])
    assert len(intents) == 1


async def test_a_call_that_fails_validation_leaves_its_key_free(standin: Standin) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        await _create(standin, "corrected", currency="dollars")
    assert (await _create(standin, "corrected")).status == "succeeded"


@pytest.mark.parametrize(("action", "made"), [("fail_500_before", 0), ("fail_500_after", 1)])
async def test_a_500_is_remembered_for_its_key_for_a_day(standin: Standin, action: str, made: int) -> None:
    before = await _count(standin)
    await standin.fault(match={"method": "POST", "path": "/v1/payment_intents"}, action=action)
    for _ in range(3):
        with pytest.raises(stripe.APIError) as failed:
            await _create(standin, action)
        assert failed.value.http_status == 500
    assert await _count(standin) == before + made
    await standin.move_clock(DAY + 1)
    assert (await _create(standin, action)).status == "succeeded"


async def test_a_key_is_forgotten_after_a_day_of_stack_time(standin: Standin) -> None:
    first = await _create(standin, "a-day")
    await standin.move_clock(DAY - 10)
    assert (await _create(standin, "a-day")).id == first.id
    await standin.move_clock(20)
    assert (await _create(standin, "a-day")).id != first.id


async def test_a_key_in_flight_is_a_conflict_and_free_afterwards(standin: Standin) -> None:
    await standin.fault(match={"path": "/v1/payment_intents"}, action="delay", seconds=1.0)
    slow = asyncio.create_task(_create(standin, "in-flight"))
    await asyncio.sleep(0.3)
    with pytest.raises(stripe.APIError) as conflict:
        await _create(standin, "in-flight")
    assert conflict.value.http_status == 409
    assert conflict.value.json_body["error"]["code"] == "idempotency_key_in_use"
    first = await slow
    assert (await _create(standin, "in-flight")).id == first.id


async def test_many_at_once_with_one_key_make_one_payment(standin: Standin) -> None:
    before = await _count(standin)
    answers = await asyncio.gather(*(_create(standin, "crowd") for _ in range(24)), return_exceptions=True)
    made = {answer.id for answer in answers if isinstance(answer, stripe.PaymentIntent)}
    conflicts = [answer.http_status for answer in answers if isinstance(answer, stripe.StripeError)]
    assert len(made) == 1
    assert set(conflicts) <= {409}
    assert await _count(standin) == before + 1


async def test_every_keyed_request_is_listed_with_its_status(standin: Standin) -> None:
    await _create(standin, "listed")
    await _create(standin, "listed")
    with pytest.raises(stripe.IdempotencyError):
        await _create(standin, "listed", amount=77)
    requests = (await standin.control("GET", "requests?limit=10000"))[1]
    lines = [line for line in requests.splitlines() if '"key":"listed"' in line]
    assert ['"status":200' in line for line in lines] == [True, True, False]
    assert ['"replayed":1' in line for line in lines] == [False, True, False]
