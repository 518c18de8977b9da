"""Payments at the Stripe stand-in, through the official SDK."""

import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
import stripe

from tests.integration.standin_support import RETURN_URL, Standin, running

ORIGIN = "http://localhost:5173"


@pytest.fixture(scope="module")
async def standin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Standin]:
    async with running(tmp_path_factory.mktemp("standin")) as started:
        yield started


async def test_a_confirmed_payment_succeeds_and_its_charge_carries_the_fee(standin: Standin) -> None:
    payer = await standin.sdk.customers.create_async({"metadata": {"subject": "s1"}})
    payment = await standin.pay(
        amount=10_050,
        customer=payer.id,
        metadata={"intent_id": "i1"},
        expand=["latest_charge.balance_transaction"],
    )
    assert payment.status == "succeeded"
    assert (payment.amount_received, payment.metadata["intent_id"], payment.customer) == (10_050, "i1", payer.id)
    charge = payment.latest_charge
    assert isinstance(charge, stripe.Charge)
    movement = charge.balance_transaction
    assert isinstance(movement, stripe.BalanceTransaction)
    assert (movement.amount, movement.fee, movement.net) == (10_050, 321, 9_729)
    assert (movement.status, movement.type, movement.source) == ("pending", "charge", charge.id)


@pytest.mark.parametrize(("amount", "fee"), [(50, 31), (51, 31), (52, 32), (1_000, 59), (99_999_999, 2_900_030)])
async def test_the_fee_is_rounded_half_up(standin: Standin, amount: int, fee: int) -> None:
    payment = await standin.pay(amount=amount, expand=["latest_charge.balance_transaction"])
    charge = payment.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert isinstance(charge.balance_transaction, stripe.BalanceTransaction)
    assert charge.balance_transaction.fee == fee


async def test_a_retrieved_payment_is_the_one_that_was_made(standin: Standin) -> None:
    payment = await standin.pay()
    again = await standin.sdk.payment_intents.retrieve_async(payment.id)
    assert again.to_dict() == payment.to_dict()


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
    ],
)
async def test_a_declined_card_is_a_402_that_carries_the_payment(
    standin: Standin, card: str, code: str, decline_code: str
) -> None:
    with pytest.raises(stripe.CardError) as refused:
        await standin.pay(card, metadata={"intent_id": "declined"}, expand=["latest_charge"])
    error = refused.value.json_body["error"]
    assert (refused.value.http_status, error["code"], error["decline_code"]) == (402, code, decline_code)
    payment = await standin.sdk.payment_intents.retrieve_async(error["payment_intent"]["id"])
    assert (payment.status, payment.metadata["intent_id"]) == ("requires_payment_method", "declined")
    assert payment.last_payment_error is not None
    assert payment.last_payment_error.decline_code == decline_code
    charge = await standin.sdk.charges.retrieve_async(error["charge"])
    assert (charge.status, charge.paid, charge.balance_transaction) == ("failed", False, None)


async def test_a_declined_payment_is_confirmed_with_another_token(standin: Standin) -> None:
    with pytest.raises(stripe.CardError) as refused:
        await standin.pay("pm_card_visa_chargeDeclined")
    intent = refused.value.json_body["error"]["payment_intent"]["id"]
    payment = await standin.sdk.payment_intents.confirm_async(intent, {"confirmation_token": await standin.token()})
    assert (payment.status, payment.last_payment_error) == ("succeeded", None)


async def test_a_confirmation_token_pays_once(standin: Standin) -> None:
    token = await standin.token()
    first = await standin.pay(confirmation_token=token)
    used = await standin.sdk.confirmation_tokens.retrieve_async(token)
    assert used.payment_intent == first.id
    with pytest.raises(stripe.InvalidRequestError, match="already been used"):
        await standin.pay(confirmation_token=token)


async def test_a_payment_without_confirmation_waits_for_one(standin: Standin) -> None:
    payment = await standin.sdk.payment_intents.create_async({"amount": 500, "currency": "usd"})
    assert payment.status == "requires_payment_method"
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        await standin.sdk.payment_intents.confirm_async(payment.id, {"return_url": RETURN_URL})
    named = await standin.sdk.payment_intents.confirm_async(
        payment.id, {"payment_method": "pm_card_visa", "return_url": RETURN_URL}
    )
    assert named.status == "succeeded"


async def test_a_payment_is_cancelled_once_and_then_not_confirmed(standin: Standin) -> None:
    payment = await standin.sdk.payment_intents.create_async({"amount": 500, "currency": "usd"})
    cancelled = await standin.sdk.payment_intents.cancel_async(payment.id, {"cancellation_reason": "abandoned"})
    assert (cancelled.status, cancelled.cancellation_reason) == ("canceled", "abandoned")
    assert cancelled.canceled_at is not None
    for again in (
        standin.sdk.payment_intents.cancel_async(payment.id),
        standin.sdk.payment_intents.confirm_async(
            payment.id, {"payment_method": "pm_card_visa", "return_url": RETURN_URL}
        ),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await again
        assert refused.value.code == "payment_intent_unexpected_state"


async def test_cancelling_a_succeeded_payment_is_refused_with_the_payment(standin: Standin) -> None:
    payment = await standin.pay()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await standin.sdk.payment_intents.cancel_async(payment.id)
    error = refused.value.json_body["error"]
    assert error["code"] == "payment_intent_unexpected_state"
    assert (error["payment_intent"]["id"], error["payment_intent"]["status"]) == (payment.id, "succeeded")


@pytest.mark.parametrize(("outcome", "status"), [("succeed", "succeeded"), ("fail", "failed")])
async def test_the_authentication_page_leads_back_with_its_outcome(standin: Standin, outcome: str, status: str) -> None:
    payment = await standin.pay("pm_card_threeDSecure2Required", return_url=f"{RETURN_URL}?a=1")
    assert payment.status == "requires_action"
    assert payment.next_action is not None
    assert payment.next_action.redirect_to_url is not None
    page = payment.next_action.redirect_to_url.url or ""
    async with aiohttp.ClientSession() as browser:
        async with browser.get(page) as answer:
            text = await answer.text()
        assert re.search(r"12\.00 USD", text)
        assert "Complete authentication" in text
        async with browser.post(page, data={"outcome": outcome}, allow_redirects=False) as answer:
            location = answer.headers["Location"]
    assert answer.status == 303
    assert location.startswith(f"{RETURN_URL}?a=1&payment_intent={payment.id}&")
    assert location.endswith(f"redirect_status={status}")
    after = await standin.sdk.payment_intents.retrieve_async(payment.id)
    assert after.status == ("succeeded" if outcome == "succeed" else "requires_payment_method")
    if outcome == "fail":
        assert after.last_payment_error is not None
        assert after.last_payment_error.code == "payment_intent_authentication_failure"


async def test_an_authentication_page_needs_its_own_key(standin: Standin) -> None:
    payment = await standin.pay("pm_card_authenticationRequired")
    page = f"{standin.url}/authenticate/{payment.id}/guessed"
    async with aiohttp.ClientSession() as browser, browser.get(page) as answer:
        assert answer.status == 404


async def test_an_authentication_after_the_cancellation_takes_no_money(standin: Standin) -> None:
    payment = await standin.pay("pm_card_authenticationRequired")
    await standin.sdk.payment_intents.cancel_async(payment.id)
    _, after = await standin.control(
        "POST", f"payment_intents/{payment.id}/complete_authentication", {"outcome": "succeed"}
    )
    assert (after["status"], after["amount_received"]) == ("canceled", 0)


async def test_a_test_may_finish_the_authentication_itself(standin: Standin) -> None:
    payment = await standin.pay("pm_card_threeDSecureRequired")
    status, after = await standin.control(
        "POST", f"payment_intents/{payment.id}/complete_authentication", {"outcome": "succeed"}
    )
    assert (status, after["status"], after["next_action"]) == (200, "succeeded", None)


async def test_an_authenticated_card_can_still_be_declined(standin: Standin) -> None:
    payment = await standin.pay("pm_card_threeDSecureRequiredChargeDeclined")
    _, after = await standin.control(
        "POST", f"payment_intents/{payment.id}/complete_authentication", {"outcome": "succeed"}
    )
    assert (after["status"], after["last_payment_error"]["code"]) == ("requires_payment_method", "card_declined")


@pytest.mark.parametrize(
    ("wrong", "code", "param"),
    [
        ({"amount": 49}, "amount_too_small", "amount"),
        ({"amount": 0}, "parameter_invalid_integer", "amount"),
        ({"amount": "12.5"}, "parameter_invalid_integer", "amount"),
        ({"amount": 100_000_000}, "amount_too_large", "amount"),
        ({"currency": None}, "parameter_missing", "currency"),
        ({"customer": "cus_none"}, "resource_missing", "customer"),
        ({"confirmation_token": "ctoken_none"}, "resource_missing", "confirmation_token"),
        ({"amonut": 5}, "parameter_unknown", "amonut"),
        ({"metadata": {"long": "x" * 501}}, None, "metadata"),
        ({"return_url": None}, None, "return_url"),
    ],
)
async def test_a_wrong_parameter_is_named(
    standin: Standin, wrong: dict[str, object], code: str | None, param: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await standin.pay(**wrong)
    assert (refused.value.http_status, refused.value.code, refused.value.param) == (400, code, param)


async def test_an_unknown_payment_is_a_404(standin: Standin) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await standin.sdk.payment_intents.retrieve_async("pi_unknown")
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")


async def test_a_wrong_key_is_a_401(standin: Standin) -> None:
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer sk_test_wrong"}) as http:
        for path in ("/v1/balance", "/_standin/journal", "/_standin/clock"):
            async with http.get(standin.url + path) as answer:
                assert answer.status == 401
                assert "sk_test_wrong" not in await answer.text()


async def test_the_card_form_sends_a_number_with_the_publishable_key_alone(standin: Standin) -> None:
    form = {
        "key": "pk_test_standin",
        "payment_method_data[type]": "card",
        "payment_method_data[card][number]": "4242 4242 4242 4242",
        "payment_method_data[card][exp_month]": "12",
        "payment_method_data[card][exp_year]": "40",
        "payment_method_data[card][cvc]": "123",
    }
    async with aiohttp.ClientSession(headers={"Origin": ORIGIN}) as browser:
        async with browser.post(f"{standin.url}/v1/confirmation_tokens", data=form) as answer:
            token = await answer.json()
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        async with browser.options(f"{standin.url}/v1/confirmation_tokens") as preflight:
            assert preflight.status == 204
        async with browser.get(f"{standin.url}/v1/balance", headers={"Authorization": "Bearer pk_test_standin"}) as no:
            assert no.status == 401
    assert token["payment_method_preview"]["card"]["last4"] == "4242"
    assert "4242424242424242" not in str(token)
    paid = await standin.pay(confirmation_token=token["id"])
    assert paid.status == "succeeded"


@pytest.mark.parametrize(
    ("number", "code"),
    [("4242424242424241", "incorrect_number"), ("4111111111111111", "card_declined"), ("42", "incorrect_number")],
)
async def test_a_number_that_is_no_test_card_is_refused_in_the_form(standin: Standin, number: str, code: str) -> None:
    form = {"payment_method_data[type]": "card", "payment_method_data[card][number]": number}
    async with standin.http.post(f"{standin.url}/v1/confirmation_tokens", data=form) as answer:
        error = (await answer.json())["error"]
    assert (answer.status, error["type"], error["code"]) == (402, "card_error", code)


async def test_a_foreign_page_is_not_let_in(standin: Standin) -> None:
    headers = {"Origin": "https://elsewhere.example"}
    form = f"{standin.url}/v1/confirmation_tokens"
    async with aiohttp.ClientSession(headers=headers) as browser, browser.options(form) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers
