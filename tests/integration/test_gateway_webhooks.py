"""Stripe's webhooks: the raw body's signature within 300 seconds on either side, once per event id, nothing personal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from stripe import WebhookSignature

from contracts.escrow import ReceivePspEvent
from services.gateway.routes.stripe_webhook import verified_stamp
from services.kit.assertion import make_verifier
from services.kit.clock import wall_seconds
from services.kit.received import Received, read_record
from tests.integration.gateway_support import OLDER_WEBHOOK_SECRET, WEBHOOK_SECRET, Stage, make_stage
from tests.integration.webhook_fuzz import KINDS, Attempt, Known, attempts

pytestmark = pytest.mark.asyncio

PATH = "/v1/webhooks/stripe"


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        yield made


def event(campaign_id: str | None = None, **changes: Any) -> dict[str, Any]:
    """A payment intent's event as Stripe sends it, with what must not go further."""
    return {
        "id": f"evt_{uuid4().hex}",
        "object": "event",
        "type": "payment_intent.succeeded",
        "created": 1_700_000_000,
        "livemode": False,
        "data": {
            "object": {
                "id": "pi_1",
                "object": "payment_intent",
                "status": "succeeded",
                "amount": 109_800,
                "currency": "usd",
                "client_secret": "pi_1_secret_CANARY",
                "receipt_email": "canary@people.test",
                "shipping": {"name": "Canary"},
                "last_payment_error": {"code": "card_declined", "payment_method": {"billing_details": "CANARY"}},
                "metadata": {"campaign_id": campaign_id, "intent_id": str(uuid4())} if campaign_id else {},
            }
        },
    } | changes


def signed(raw: str, *, secret: str = WEBHOOK_SECRET, seconds: float = 0) -> str:
    return WebhookSignature.generate_signature_header(raw, secret, timestamp=int(wall_seconds() + seconds))


async def send(stage: Stage, raw: str, header: str | None) -> httpx.Response:
    headers = {"Content-Type": "application/json"} | ({"Stripe-Signature": header} if header is not None else {})
    return await stage.client().post(PATH, content=raw, headers=headers)


async def test_a_signed_event_goes_to_escrow_once_and_a_duplicate_does_nothing(stage: Stage) -> None:
    campaign_id = str(uuid4())
    raw = json.dumps(event(campaign_id))
    answers = await asyncio.gather(*[send(stage, raw, signed(raw)) for _ in range(10)])
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {"received": True})] * 10
    again = await send(stage, raw, signed(raw))
    assert again.status_code == 200
    written = [sent for sent in await stage.commands() if isinstance(sent.message, ReceivePspEvent)]
    (sent,) = written
    assert sent.topic == "escrow.psp"
    assert sent.message.scope_id == campaign_id
    assert sent.message.psp_event_type == "payment_intent.succeeded"
    kept = sent.message.body["data"]["object"]
    assert (kept["id"], kept["amount"], kept["metadata"]["campaign_id"]) == ("pi_1", 109_800, campaign_id)
    assert kept["last_payment_error"] == {"code": "card_declined"}
    stored = await stage.rows("SELECT count(*) AS count FROM psp_event WHERE id = :id", id=json.loads(raw)["id"])
    assert stored[0].count == 1


async def test_what_is_handed_on_is_signed_by_the_gateway_and_holds_no_secret_and_nothing_personal(
    stage: Stage,
) -> None:
    raw = json.dumps(event(str(uuid4())))
    await send(stage, raw, signed(raw))
    sent = await stage.command(ReceivePspEvent)
    rows = await stage.rows("SELECT key, payload FROM outbox WHERE message_id = :id", id=sent.id)
    assert "CANARY" not in rows[0].payload
    assert "canary" not in rows[0].payload
    headers = [(name, value.encode()) for name, value in sent.headers.items()]
    received = read_record(sent.topic, rows[0].key.encode(), headers, rows[0].payload.encode(), partition=0, offset=0)
    assert isinstance(received, Received)
    verified = make_verifier(stage.settings.public_key_pem())(received)
    assert (verified.actor.id, verified.received_at is not None) == ("system", True)


async def test_an_event_about_no_campaign_goes_to_the_platforms_scope(stage: Stage) -> None:
    for metadata in ({}, {"campaign_id": "not-an-id"}, None):
        body = event()
        body["data"]["object"]["metadata"] = metadata
        raw = json.dumps(body)
        assert (await send(stage, raw, signed(raw))).status_code == 200
        assert (await stage.command(ReceivePspEvent)).message.scope_id == "platform"


@pytest.mark.parametrize("secret", [WEBHOOK_SECRET, OLDER_WEBHOOK_SECRET])
async def test_both_live_secrets_are_accepted_while_one_is_replaced(stage: Stage, secret: str) -> None:
    raw = json.dumps(event())
    assert (await send(stage, raw, signed(raw, secret=secret))).status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(-290, 200), (290, 200), (-301, 400), (302, 400), (86_400, 400)])
async def test_a_stamp_is_believed_within_300_seconds_on_either_side(stage: Stage, seconds: int, status: int) -> None:
    raw = json.dumps(event())
    assert (await send(stage, raw, signed(raw, seconds=seconds))).status_code == status


@pytest.mark.parametrize(
    "header",
    [None, "", "nonsense", "t=,v1=", "t=1700000000", "v1=abc", "t=99999999999999999999,v1=00", "t=-1,v1=00"],
)
async def test_a_missing_or_broken_signature_is_refused(stage: Stage, header: str | None) -> None:
    answer = await send(stage, json.dumps(event()), header)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")


async def test_an_altered_body_or_another_secret_is_refused_and_nothing_is_stored(stage: Stage) -> None:
    await stage.commands()
    before = await stage.rows("SELECT count(*) AS count FROM psp_event")
    raw = json.dumps(event())
    altered = raw.replace("109800", "109801")
    assert (await send(stage, altered, signed(raw))).status_code == 400
    assert (await send(stage, raw, signed(raw, secret="whsec_other"))).status_code == 400
    assert (await send(stage, raw, signed(raw).replace("v1=", "v0="))).status_code == 400
    assert await stage.commands() == []
    assert await stage.rows("SELECT count(*) AS count FROM psp_event") == before


@pytest.mark.parametrize("raw", ["[]", "{}", '{"id": 1}', '"text"', '{"id": "evt_1", "type": "x", "data": {}}', "{"])
async def test_a_signed_body_that_is_no_event_is_malformed(stage: Stage, raw: str) -> None:
    answer = await send(stage, raw, signed(raw))
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")


async def test_webhooks_are_taken_while_the_clock_is_moved(stage: Stage) -> None:
    await stage.execute("UPDATE stack_clock SET paused = true")
    try:
        raw = json.dumps(event())
        assert (await send(stage, raw, signed(raw))).status_code == 200
    finally:
        await stage.execute("UPDATE stack_clock SET paused = false")


async def test_no_secret_means_no_believed_signature() -> None:
    raw = json.dumps(event()).encode()
    assert verified_stamp(raw, signed(raw.decode()), ()) is None


# -- ten thousand that must have no effect -------------------------------------------------------------------------------

AT_ONCE_MAX = 16
KNOWN_EVENTS = 8
ALWAYS_MOVING = ("relay_lease",)
"""Tables that a gateway writes by itself: the lease of its relay is renewed every second."""


async def known(stage: Stage) -> Known:
    """Some events that were accepted, written and sent, and one that nobody has sent."""
    accepted = []
    for _ in range(KNOWN_EVENTS):
        raw = json.dumps(event(str(uuid4())))
        header = signed(raw)
        assert (await send(stage, raw, header)).status_code == 200
        accepted.append((raw.encode(), header))
    for _ in range(500):
        (row,) = await stage.rows("SELECT count(*) AS waiting FROM outbox WHERE published_at IS NULL")
        if row.waiting == 0:
            break
        await asyncio.sleep(0.02)
    return Known(accepted, json.dumps(event(str(uuid4()))).encode(), WEBHOOK_SECRET, OLDER_WEBHOOK_SECRET)


async def everything(stage: Stage) -> dict[str, Any]:
    """The content of every table as a digest, and where each topic of the gateway ends."""
    tables = await stage.rows(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables "
        "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename <> ALL (CAST(:moving AS text[])) "
        "ORDER BY 1",
        moving=list(ALWAYS_MOVING),
    )
    found: dict[str, Any] = {}
    for table in tables:
        (row,) = await stage.rows(
            f"SELECT count(*) AS rows, md5(string_agg(t::text, ',' ORDER BY t::text)) AS digest FROM {table.name} t"
        )
        found[table.name] = (row.rows, row.digest)
    admin = AIOKafkaAdminClient(bootstrap_servers=stage.settings.kafka)
    reader = AIOKafkaConsumer(bootstrap_servers=stage.settings.kafka)
    await admin.start()
    await reader.start()
    try:
        names = sorted(name for name in await admin.list_topics() if name.startswith(stage.settings.kafka_prefix))
        places = [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in await admin.describe_topics(names)
            for partition in topic["partitions"]
        ]
        found |= dict((await reader.end_offsets(places)).items())
    finally:
        await reader.stop()
        await admin.close()
    return found


async def try_all(stage: Stage, tried: list[Attempt]) -> dict[str, int]:
    """Send them, several at once; every answer is a right one for its kind, and a refusal has a stable code."""
    answered = dict.fromkeys(KINDS, 0)
    room = asyncio.Semaphore(AT_ONCE_MAX)
    client = stage.client()

    async def one(attempt: Attempt) -> None:
        async with room:
            answer = await client.post(PATH, content=attempt.body, headers=attempt.headers)
        assert answer.status_code in attempt.statuses, (attempt, answer.status_code, answer.text)
        code = {200: None, 400: "malformed_request", 413: "payload_too_large"}[answer.status_code]
        assert answer.json().get("code") == code
        answered[attempt.name] += 1

    await asyncio.gather(*(one(attempt) for attempt in tried))
    return answered


@pytest.mark.parametrize(
    ("count", "seed"), [(208, 1), pytest.param(10_000, None, marks=[pytest.mark.full, pytest.mark.timeout(600)])]
)
async def test_fuzzed_webhooks_have_no_effect(stage: Stage, count: int, seed: int | None) -> None:
    of_before = await known(stage)
    before = await everything(stage)
    chosen = seed if seed is not None else uuid4().int & 0xFFFF_FFFF
    answered = await try_all(stage, attempts(of_before, seed=chosen, count=count))
    assert (chosen, sum(answered.values()), min(answered.values()) > 0) == (chosen, count, True)
    assert await everything(stage) == before
    assert (await send(stage, of_before.fresh.decode(), signed(of_before.fresh.decode()))).status_code == 200
    assert await everything(stage) != before
