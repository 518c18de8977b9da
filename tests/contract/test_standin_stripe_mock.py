"""Stripe's own description of its API judges the calls that we make and the stand-in's answers.

One tour through everything that Alpmera uses runs against the stand-in. Each request of the tour
is then sent to the official mock, which refuses unknown parameters, and each answer is compared
with the OpenAPI description that the mock carries.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import stripe

from deploy.local.stripe_standin.stripe_mock import openapi, stripe_mock_binary
from tests.integration.standin_support import Standin, eventually, free_port, running

pytestmark = pytest.mark.needs_go

# Fields that the SDK's version of the API has and the mock's description, being older, has not.
# Each line is (object, field).
NEWER_FIELDS: set[tuple[str, str]] = set()

CAMPAIGN = "campaign-1"


@dataclass
class Exchange:
    """One request of the tour and its answer."""

    method: str
    path: str
    query: str
    form: str
    status: int
    body: Any


class Recorder(stripe.AIOHTTPClient):
    """The SDK's HTTP client, keeping what passes through it."""

    def __init__(self) -> None:
        super().__init__()
        self.exchanges: list[Exchange] = []

    async def request_async(self, method: str, url: str, headers: Any, post_data: Any = None) -> Any:
        answer = await super().request_async(method, url, headers, post_data)
        content, status, _ = answer
        path, _, query = url.partition("://")[2].partition("/")[2].partition("?")
        form = post_data.decode() if isinstance(post_data, bytes) else post_data or ""
        exchange = Exchange(method.upper(), f"/{path}", query, form, status, json.loads(content))
        self.exchanges.append(exchange)
        return answer


async def _payments(standin: Standin, sdk: Any) -> None:
    payer = await sdk.customers.create_async({"metadata": {"subject": "s"}})
    await sdk.customers.retrieve_async(payer.id)
    token = await sdk.test_helpers.confirmation_tokens.create_async({"payment_method": "pm_card_visa"})
    await sdk.confirmation_tokens.retrieve_async(token.id)
    wanted: Any = {
        "amount": 2_500,
        "currency": "usd",
        "customer": payer.id,
        "confirm": True,
        "confirmation_token": token.id,
        "return_url": "https://localhost/back",
        "payment_method_types": ["card"],
        "transfer_group": CAMPAIGN,
        "metadata": {"intent_id": "i1"},
        "expand": ["latest_charge.balance_transaction"],
    }
    paid = await sdk.payment_intents.create_async(wanted)
    for card in ("pm_card_visa_chargeDeclined", "pm_card_authenticationRequired"):
        made = await sdk.test_helpers.confirmation_tokens.create_async({"payment_method": card})
        with contextlib.suppress(stripe.CardError):
            await sdk.payment_intents.create_async({**wanted, "confirmation_token": made.id, "expand": []})
    waiting, declined, _ = (await sdk.payment_intents.list_async({"customer": payer.id, "limit": 3})).data
    await sdk.payment_intents.list_async({"created": {"gte": 1_700_000_000}, "starting_after": waiting.id})
    await sdk.payment_intents.cancel_async(waiting.id, {"cancellation_reason": "abandoned"})
    again = await sdk.test_helpers.confirmation_tokens.create_async({"payment_method": "pm_card_visa"})
    await sdk.payment_intents.confirm_async(
        declined.id, {"confirmation_token": again.id, "return_url": "https://localhost/back"}
    )
    await sdk.payment_intents.retrieve_async(paid.id)
    await sdk.payment_methods.retrieve_async(paid.payment_method)
    await sdk.charges.retrieve_async(paid.latest_charge.id)
    await sdk.charges.list_async({"payment_intent": paid.id})
    await _refunds(standin, sdk, paid.id)


async def _refunds(standin: Standin, sdk: Any, paid: str) -> None:
    part = await sdk.refunds.create_async(
        {"payment_intent": paid, "amount": 100, "reason": "requested_by_customer", "metadata": {"decision": "d1"}}
    )
    await standin.control("POST", f"refunds/{part.id}/settle", {"status": "failed"})
    await sdk.refunds.retrieve_async(part.id)
    await sdk.refunds.create_async({"payment_intent": paid})
    await sdk.refunds.list_async({"payment_intent": paid, "limit": 100})
    with contextlib.suppress(stripe.InvalidRequestError):
        await sdk.refunds.create_async({"payment_intent": paid})


async def _disputes(standin: Standin, sdk: Any) -> None:
    for card in ("pm_card_createDispute", "pm_card_createDisputeInquiry", "pm_card_createDispute"):
        await standin.pay(card)
    accepted, inquiry, answered = (await sdk.disputes.list_async({"limit": 3})).data
    evidence = {"product_description": "Pans", "uncategorized_text": "winning_evidence"}
    await sdk.disputes.update_async(answered.id, {"evidence": evidence, "submit": False, "metadata": {"case": "c"}})
    await sdk.disputes.update_async(answered.id, {"evidence": evidence, "submit": True})
    await sdk.disputes.retrieve_async(answered.id)
    await sdk.disputes.close_async(accepted.id)
    await standin.control("POST", f"disputes/{inquiry.id}/escalate")
    await sdk.disputes.list_async({"charge": inquiry.charge, "created": {"gte": 1_700_000_000}})
    with contextlib.suppress(stripe.InvalidRequestError):
        await sdk.refunds.create_async({"charge": inquiry.charge})


async def _transfers(standin: Standin, sdk: Any) -> None:
    account = await sdk.accounts.create_async(
        {
            "type": "custom",
            "country": "US",
            "email": "supplier@example.com",
            "capabilities": {"transfers": {"requested": True}},
            "metadata": {"supplier": "s"},
        }
    )
    topup = await sdk.topups.create_async({"amount": 90_000, "currency": "usd", "metadata": {"intent_id": "t1"}})
    await sdk.topups.retrieve_async(topup.id)
    await sdk.topups.list_async({"limit": 10})
    transfer = await sdk.transfers.create_async(
        {
            "amount": 1_000,
            "currency": "usd",
            "destination": account.id,
            "transfer_group": CAMPAIGN,
            "metadata": {"plan": "p1"},
        }
    )
    back = await sdk.transfers.reversals.create_async(transfer.id, {"amount": 10, "metadata": {"why": "test"}})
    await sdk.transfers.reversals.retrieve_async(transfer.id, back.id)
    await sdk.transfers.reversals.list_async(transfer.id, {"limit": 10})
    await sdk.transfers.retrieve_async(transfer.id)
    await sdk.transfers.list_async({"transfer_group": CAMPAIGN})
    await standin.control("POST", f"accounts/{account.id}/restrict")
    await sdk.accounts.retrieve_async(account.id)


async def _reading(standin: Standin, sdk: Any) -> None:
    await sdk.balance.retrieve_async()
    listed = await sdk.balance_transactions.list_async({"created": {"gte": 1_700_000_000}, "limit": 100})
    await sdk.balance_transactions.retrieve_async(listed.data[0].id)
    await sdk.balance_transactions.list_async({"source": listed.data[0].source})
    events = await sdk.events.list_async({"limit": 100, "created": {"gte": 1_700_000_000}})
    await sdk.events.retrieve_async(events.data[0].id)
    await sdk.events.list_async({"types": ["payment_intent.succeeded", "refund.failed"], "limit": 5})
    with contextlib.suppress(stripe.InvalidRequestError):
        await sdk.payment_intents.retrieve_async("pi_unknown")


@pytest.fixture(scope="module")
async def tour(tmp_path_factory: pytest.TempPathFactory) -> list[Exchange]:
    recorder = Recorder()
    async with running(tmp_path_factory.mktemp("standin")) as standin:
        sdk = stripe.StripeClient(
            "sk_test_standin", base_addresses={"api": standin.url}, http_client=recorder, max_network_retries=0
        ).v1
        for part in (_payments, _disputes, _transfers, _reading):
            await part(standin, sdk)
    await recorder.close_async()
    return recorder.exchanges


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    return openapi()


@pytest.fixture(scope="module")
async def mock_url() -> AsyncIterator[str]:
    binary = stripe_mock_binary()
    assert binary is not None
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        binary, "-http-addr", f"127.0.0.1:{port}", stdout=asyncio.subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    headers = {"Authorization": "Bearer sk_test_123"}

    async def answers() -> bool:
        with contextlib.suppress(aiohttp.ClientError):
            async with aiohttp.ClientSession(headers=headers) as http, http.get(f"{url}/v1/balance") as answer:
                return answer.status == 200
        return False

    try:
        await eventually(answers)
        yield url
    finally:
        process.terminate()
        await process.wait()


async def _judge(http: aiohttp.ClientSession, url: str, exchange: Exchange) -> str | None:
    query = f"?{exchange.query}" if exchange.query else ""
    form = {"data": exchange.form} if exchange.method == "POST" else {}
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
    async with http.request(exchange.method, f"{url}{exchange.path}{query}", headers=headers, **form) as answer:
        if answer.status == 200:
            return None
        return f"{exchange.method} {exchange.path} {exchange.form}: {(await answer.json())['error']['message']}"


async def test_the_official_mock_takes_every_request_that_we_send(tour: list[Exchange], mock_url: str) -> None:
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer sk_test_123"}) as http:
        judged = [await _judge(http, mock_url, exchange) for exchange in tour]
        complaints = [complaint for complaint in judged if complaint]
        assert not complaints, "\n".join(complaints)
        wrong = Exchange("POST", "/v1/refunds", "", "payment_intent=pi_1&amuont=5", 0, {})
        assert "amuont" in (await _judge(http, mock_url, wrong) or "")


class Judge:
    """Compares values with schemas of the OpenAPI description."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.description = description
        self.schemas: dict[str, Any] = description["components"]["schemas"]
        self.paths = [
            (re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), operations)
            for path, operations in description["paths"].items()
        ]

    def answer_schema(self, exchange: Exchange) -> Any:
        """What the description says about this exchange's answer."""
        fitting = [operations for pattern, operations in self.paths if pattern.fullmatch(exchange.path)]
        responses = fitting[0][exchange.method.lower()]["responses"]
        response = responses.get(str(exchange.status), responses["default"])
        return response["content"]["application/json"]["schema"]

    def complaints(self, schema: Any, value: Any, where: str) -> Iterator[str]:
        """Everything in ``value`` that ``schema`` does not allow."""
        schema = self._resolved(schema)
        if value is None:
            if not schema.get("nullable"):
                yield f"{where}: null is not allowed"
            return
        if "anyOf" in schema:
            tried = [list(self.complaints(choice, value, where)) for choice in schema["anyOf"]]
            yield from min(tried, key=len)
            return
        yield from self._plain(schema, value, where)

    def _resolved(self, schema: Any) -> Any:
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].rpartition("/")[2]]
        return schema

    def _plain(self, schema: Any, value: Any, where: str) -> Iterator[str]:
        kinds: dict[str, Any] = {
            "string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict,
        }  # fmt: skip
        kind = schema.get("type")
        if kind is not None and (not isinstance(value, kinds[kind]) or (isinstance(value, bool) and kind != "boolean")):
            yield f"{where}: {value!r} is no {kind}"
        elif "enum" in schema and value not in schema["enum"]:
            yield f"{where}: {value!r} is not among {schema['enum']}"
        elif isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
            yield f"{where}: longer than {schema['maxLength']}"
        elif isinstance(value, list):
            for place, item in enumerate(value):
                yield from self.complaints(schema["items"], item, f"{where}[{place}]")
        elif isinstance(value, dict):
            yield from self._object(schema, value, where)

    def _object(self, schema: Any, value: dict[str, Any], where: str) -> Iterator[str]:
        properties = schema.get("properties", {})
        for name in schema.get("required", []):
            if name not in value:
                yield f"{where}.{name}: missing"
        for name, item in value.items():
            if name in properties:
                yield from self.complaints(properties[name], item, f"{where}.{name}")
            elif isinstance(schema.get("additionalProperties"), dict):
                yield from self.complaints(schema["additionalProperties"], item, f"{where}.{name}")
            elif properties and (value.get("object", ""), name) not in NEWER_FIELDS:
                yield f"{where}.{name}: not in the description"


def test_every_answer_of_the_stand_in_fits_the_description(tour: list[Exchange], description: dict[str, Any]) -> None:
    judge = Judge(description)
    complaints = [
        complaint
        for exchange in tour
        for complaint in judge.complaints(
            judge.answer_schema(exchange), exchange.body, f"{exchange.method} {exchange.path} {exchange.status}"
        )
    ]
    assert not complaints, "\n".join(sorted(set(complaints)))
    assert {200, 400, 402, 404} <= {exchange.status for exchange in tour}


def test_every_object_inside_an_event_fits_the_description(tour: list[Exchange], description: dict[str, Any]) -> None:
    judge = Judge(description)
    [events] = [
        exchange.body["data"] for exchange in tour if exchange.path == "/v1/events" and "limit=100" in exchange.query
    ]
    complaints = [
        complaint
        for event in events
        for complaint in judge.complaints(
            judge.schemas[event["data"]["object"]["object"]], event["data"]["object"], event["type"]
        )
    ]
    assert not complaints, "\n".join(sorted(set(complaints)))
    assert len({event["type"] for event in events}) >= 14


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"amount": "12"}, "is no integer"),
        ({"status": "paid"}, "is not among"),
        ({"object": None}, "null is not allowed"),
        ({"surprise": 1}, "not in the description"),
        ({"metadata": {"number": 5}}, "is no string"),
    ],
)
def test_the_comparison_finds_what_does_not_fit(
    description: dict[str, Any], change: dict[str, Any], complaint: str
) -> None:
    good = {"object": "payment_intent", "id": "pi_1", "created": 1, "livemode": False, "status": "succeeded"}
    judge = Judge(description)
    assert list(judge.complaints(judge.schemas["payment_intent"], good, "good")) == []
    [found] = judge.complaints(judge.schemas["payment_intent"], {**good, **change}, "bad")
    assert complaint in found
