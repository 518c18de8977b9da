"""Scripted faults of the Stripe stand-in."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import stripe

from tests.integration.standin_support import RETURN_URL, Standin, running


@pytest.fixture(scope="module")
async def started(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Standin]:
    async with running(tmp_path_factory.mktemp("standin")) as standin:
        yield standin


@pytest.fixture
async def standin(started: Standin) -> AsyncIterator[Standin]:
    yield started
    await started.control("DELETE", "faults")


async def _create(standin: Standin, key: str, *, intent: str = "i") -> stripe.PaymentIntent:
    wanted: Any = {
        "amount": 900,
        "currency": "usd",
        "confirm": True,
        "return_url": RETURN_URL,
        "payment_method": "pm_card_visa",
        "metadata": {"intent_id": intent},
    }
    return await standin.sdk.payment_intents.create_async(wanted, {"idempotency_key": key})


async def _made(standin: Standin, intent: str) -> int:
    journal = (await standin.control("GET", "journal?limit=10000"))[1]
    return sum(f'"intent_id":"{intent}"' in line for line in journal.splitlines())


@pytest.mark.parametrize(("action", "made"), [("timeout_before", 0), ("timeout_after", 1)])
async def test_a_call_can_hang_before_or_after_it_was_executed(standin: Standin, action: str, made: int) -> None:
    await standin.fault(match={"method": "POST", "path": "/v1/payment_intents"}, action=action)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(_create(standin, action, intent=action), timeout=0.7)
    assert await _made(standin, action) == made
    again = await _create(standin, action, intent=action)
    assert again.status == "succeeded"
    assert await _made(standin, action) == 1


async def test_a_hanging_call_ends_by_itself_in_its_time(standin: Standin) -> None:
    await standin.fault(match={"path": "/v1/payment_intents"}, action="timeout_before", seconds=0.4)
    begun = time.monotonic()
    with pytest.raises(stripe.APIError) as failed:
        await _create(standin, "short-hang")
    assert failed.value.http_status == 504
    assert time.monotonic() - begun >= 0.4
    assert (await _create(standin, "short-hang")).status == "succeeded"


async def test_reads_can_fail_too(standin: Standin) -> None:
    await standin.fault(match={"method": "GET", "path": "/v1/balance"}, action="fail_500_before", times=2)
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            await standin.sdk.balance.retrieve_async()
    assert (await standin.sdk.balance.retrieve_async()).object == "balance"


@pytest.mark.parametrize("code", ["rate_limit", "lock_timeout"])
async def test_a_rate_limit_is_not_remembered_by_the_key(standin: Standin, code: str) -> None:
    await standin.fault(match={"path": "/v1/payment_intents"}, action="rate_limit_429", times=3, code=code)
    for _ in range(3):
        with pytest.raises(stripe.RateLimitError) as limited:
            await _create(standin, f"limited-{code}")
        assert limited.value.json_body["error"]["code"] == code
        assert {name.lower(): value for name, value in limited.value.headers.items()}["retry-after"] == "1"
    assert (await _create(standin, f"limited-{code}")).status == "succeeded"


async def test_a_fault_can_strike_now_and_then(standin: Standin) -> None:
    await standin.fault(match={"path": "/v1/balance"}, action="fail_500_before", every=3, times=2)
    failed = []
    for call in range(1, 10):
        try:
            await standin.sdk.balance.retrieve_async()
        except stripe.APIError:
            failed.append(call)
    assert failed == [3, 6]


async def test_a_conflict_can_be_scripted(standin: Standin) -> None:
    await standin.fault(match={"path": "/v1/payment_intents"}, action="conflict_409")
    with pytest.raises(stripe.APIError) as conflict:
        await _create(standin, "conflict")
    assert conflict.value.http_status == 409
    assert conflict.value.json_body["error"]["code"] == "idempotency_key_in_use"
    assert (await _create(standin, "conflict")).status == "succeeded"


async def test_a_fault_may_be_meant_for_one_intent_only(standin: Standin) -> None:
    match = {"path": "/v1/payment_intents", "metadata": {"intent_id": "meant"}}
    await standin.fault(match=match, action="fail_500_before")
    assert (await _create(standin, "other", intent="other")).status == "succeeded"
    with pytest.raises(stripe.APIError):
        await _create(standin, "meant", intent="meant")


async def test_a_delayed_call_is_answered_late(standin: Standin) -> None:
    await standin.fault(match={"path": "/v1/payment_intents"}, action="delay", seconds=0.5)
    begun = time.monotonic()
    await _create(standin, "delayed")
    assert time.monotonic() - begun >= 0.5


async def test_faults_are_listed_and_cleared(standin: Standin) -> None:
    await standin.fault(match={"path": "/v1/refunds"}, action="fail_500_after", times=7)
    await standin.fault(webhook={"types": ["refund.failed"]}, action="withhold")
    _, listed = await standin.control("GET", "faults")
    assert [(fault["action"], fault["left"]) for fault in listed["faults"]] == [("fail_500_after", 7), ("withhold", 1)]
    assert (await standin.control("DELETE", "faults"))[1] == {"cleared": 2}
    assert (await standin.control("GET", "faults"))[1] == {"faults": []}


@pytest.mark.parametrize(
    "rule",
    [
        {"action": "explode"},
        {"match": "everything", "action": "delay"},
        {"match": {}, "action": "withhold"},
        {"webhook": {}, "action": "fail_500_before"},
        {"match": {}, "action": "delay", "seconds": -1},
        {"match": {}, "action": "delay", "times": "many"},
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused(standin: Standin, rule: dict[str, Any]) -> None:
    status, answer = await standin.control("POST", "faults", rule)
    assert (status, "error" in answer) == (400, True)


async def test_an_unknown_address_is_a_404_in_stripes_shape(standin: Standin) -> None:
    for path in ("/v1/payouts", "/v1/payment_intents/pi_1/capture", "/_standin/none", "/other"):
        async with standin.http.post(standin.url + path) as answer:
            assert (answer.status, (await answer.json())["error"]["type"]) == (404, "invalid_request_error")


async def test_a_body_that_is_too_large_is_refused(standin: Standin) -> None:
    async with standin.http.post(f"{standin.url}/v1/customers", data="description=" + "x" * 400_000) as answer:
        assert answer.status == 400


async def test_malformed_control_bodies_are_refused(standin: Standin) -> None:
    for body in (b"{", b"[]", b'{"offset_seconds": "far"}', b'{"offset_seconds": 1, "version": true}'):
        async with standin.http.post(f"{standin.url}/_standin/clock", data=body) as answer:
            assert answer.status == 400


def _nonsense(dice: random.Random) -> str:
    names = [
        "amount",
        "currency",
        "confirm",
        "metadata",
        "metadata[a]",
        "created[gte]",
        "limit",
        "expand[]",
        "customer",
    ]
    names += [
        "payment_method_data[card][number]",
        "capabilities[transfers]",
        "payment_intent",
        "destination",
        "a[[b",
        "]",
    ]
    values = [
        "",
        "-",
        "--5",
        "1e9",
        "9" * 40,
        "true",
        "usd",
        "pi_" + "z" * 23,
        "x" * 6_000,
        "%ff%fe",
        "٣",
        "\x00",
        "[]",
    ]
    return "&".join(f"{dice.choice(names)}={dice.choice(values)}" for _ in range(dice.randrange(1, 6)))


async def test_no_nonsense_breaks_it(standin: Standin) -> None:
    dice = random.Random(20_101_201)
    paths = ["payment_intents", "refunds", "transfers", "topups", "accounts", "customers", "events", "balance"]
    paths += ["balance_transactions", "charges", "confirmation_tokens", "test_helpers/confirmation_tokens"]
    paths += ["payment_intents/pi_1/confirm", "transfers/tr_ü/reversals", "events/%00", "charges/" + "0" * 9_000]
    for turn in range(400):
        method = dice.choice(["GET", "POST", "POST", "DELETE"])
        address = f"{standin.url}/v1/{dice.choice(paths)}"
        form = _nonsense(dice)
        sent = {"data": form} if method == "POST" else {}
        async with standin.http.request(method, address if sent else f"{address}?{form}", **sent) as answer:
            assert answer.status in {200, 400, 401, 402, 404}, f"{turn}: {method} {address} {form}"
    assert (await standin.sdk.balance.retrieve_async()).object == "balance"
