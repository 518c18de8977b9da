"""A real gateway for tests: its process parts, its database, the broker; the test plays the other services in messages.

Requests go over real HTTP to a free port. What the other services would tell is produced to their real topics, with
streams numbered without gaps, so that the gateway cannot tell the difference.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import socket
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import uvicorn
from aiokafka import AIOKafkaProducer
from fastapi.routing import APIRoute
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

import contracts.catalogue  # noqa: F401
from contracts.campaigns import CampaignDrafted, CampaignOpened, CampaignSubmitted
from contracts.envelope import Actor, Envelope, Message, parse, stream_name
from contracts.terms import Product, Terms
from services.gateway.__main__ import SERVER_OPTIONS
from services.gateway.app import ROUTERS, create_app
from services.gateway.auth import local_sign_in
from services.gateway.schemas.answers import ProblemView
from services.gateway.settings import GatewaySettings
from services.kit.assertion import new_key_pair
from services.kit.create_topics import create_topics
from tests.fixtures.infra import PARTS, Database
from tests.fixtures.plain_http import plain_client

WAIT_SECONDS = 20.0
WEBHOOK_SECRET = "whsec_newest"
OLDER_WEBHOOK_SECRET = "whsec_older"
STARTED = datetime(2026, 11, 21, tzinfo=UTC)


@dataclass(frozen=True)
class Sent:
    """One command that the gateway wrote to its outbox."""

    id: UUID
    topic: str
    headers: dict[str, str]
    message: Any


def base64_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


class Stage:
    """One running gateway with its database, and the test's voice on the other services' topics."""

    def __init__(self, settings: GatewaySettings, database: Database, url: str, producer: AIOKafkaProducer) -> None:
        self.settings = settings
        self.database = database
        self.url = url
        self.owner: AsyncEngine = create_async_engine(database.owner)
        self._producer = producer
        self._seqs: dict[str, int] = defaultdict(int)
        self._seen = 0
        self._clients: list[httpx.AsyncClient] = []

    # -- people -------------------------------------------------------------------------------------------------

    def client(self, token: str | None = None, **headers: str) -> httpx.AsyncClient:
        """An HTTP client; scripts carry their session as a bearer token."""
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        client = plain_client(
            base_url=self.url, headers=headers, timeout=40, event_hooks={"response": [check_description]}
        )
        self._clients.append(client)
        return client

    async def sign_in(self, email: str) -> httpx.AsyncClient:
        """A client signed in as a demo login."""
        answer = await self.client().post("/v1/dev/sign-in", json={"email": email})
        assert answer.status_code == 200, answer.text
        return self.client(answer.json()["token"])

    async def participant(self, external_id: str | None = None) -> tuple[httpx.AsyncClient, UUID]:
        """A client signed in as a new participant, and its subject id."""
        answer = await self.client().post(
            "/v1/dev/participants", json={"participants": [{"external_id": external_id or uuid4().hex}]}
        )
        assert answer.status_code == 200, answer.text
        (made,) = answer.json()["participants"]
        return self.client(made["token"]), UUID(made["subject_id"])

    # -- the other services -------------------------------------------------------------------------------------

    async def tell(self, event: Message, *, cause: UUID | None = None, time: datetime = STARTED, **fields: Any) -> UUID:
        """An event of another service, as its relay would send it."""
        source = fields.get("source") or event.service
        stream = stream_name(source, event.scope)
        self._seqs[stream] += 1
        envelope = Envelope(
            id=uuid4(),
            type=event.type,
            source=source,
            time=time,
            key=event.scope,
            stream=stream,
            seq=fields.get("seq") or self._seqs[stream],
            causation_id=cause,
            actor=Actor("system", "system"),
        )
        await self._send(f"{source}.events", envelope, fields.get("body") or event.model_dump_json().encode())
        return envelope.id

    async def reply(self, message: Message) -> None:
        """A reply for a waiting browser."""
        envelope = Envelope(id=uuid4(), type=message.type, source=message.service, time=STARTED, key=message.scope)
        await self._send("gateway.replies", envelope, message.model_dump_json().encode())

    async def _send(self, topic: str, envelope: Envelope, body: bytes) -> None:
        await self._producer.send_and_wait(
            self.settings.kafka_prefix + topic,
            value=body,
            key=envelope.key.encode(),
            headers=[(name, value.encode()) for name, value in envelope.to_headers().items()],
        )

    # -- what the gateway wrote ---------------------------------------------------------------------------------

    async def rows(self, query: str, **parameters: Any) -> list[Any]:
        """Read the gateway's database."""
        async with self.owner.connect() as connection:
            return list((await connection.execute(text(query), parameters)).all())

    async def execute(self, statement: str, **parameters: Any) -> None:
        """Change the gateway's database as its owner."""
        async with self.owner.begin() as connection:
            await connection.execute(text(statement), parameters)

    async def commands(self) -> list[Sent]:
        """The commands written since the last call."""
        rows = await self.rows(
            "SELECT id, message_id, topic, type, headers, payload FROM outbox WHERE id > :seen ORDER BY id",
            seen=self._seen,
        )
        found: list[Sent] = []
        for row in rows:
            self._seen = row.id
            found.append(Sent(row.message_id, row.topic, row.headers, parse(row.type, row.payload)))
        return found

    async def command(self, kind: type[Message]) -> Sent:
        """The next command of a class; waits until it is written."""
        for _ in range(int(WAIT_SECONDS / 0.02)):
            for sent in await self.commands():
                if isinstance(sent.message, kind):
                    return sent
            await asyncio.sleep(0.02)
        raise AssertionError(f"no {kind.__name__} was written")

    async def seen(self, client: httpx.AsyncClient, path: str, **fields: Any) -> dict[str, Any]:
        """Read until the answer shows these fields."""
        body: dict[str, Any] = {}
        for _ in range(int(WAIT_SECONDS / 0.05)):
            answer = await client.get(path)
            body = answer.json()
            if answer.status_code == 200 and all(body.get(name) == value for name, value in fields.items()):
                return body
            await asyncio.sleep(0.05)
        raise AssertionError(f"{path} never showed {fields}: {json.dumps(body)[:500]}")

    # -- a campaign ---------------------------------------------------------------------------------------------

    async def open_campaign(self, *, visibility: str = "members", **changes: Any) -> tuple[UUID, str]:
        """A campaign that people may join, told by the campaigns service and seen by the gateway."""
        campaign_id = uuid4()
        drafted = drafted_campaign(campaign_id, visibility=visibility, **changes)
        await self.tell(drafted)
        await self.tell(CampaignSubmitted(campaign_id=campaign_id, terms_hash=drafted.terms_hash))
        await self.tell(opened_campaign(drafted))
        staff = await self.sign_in("gus@alpmera.test")
        await self.seen(staff, f"/v1/campaigns/{campaign_id}", state="ACTIVE")
        return campaign_id, drafted.terms_hash

    async def close(self) -> None:
        """Close what was opened here."""
        for client in self._clients:
            await client.aclose()
        await self.owner.dispose()


async def check_description(answer: httpx.Response) -> None:
    """Every answer in every test is what the interface description says; nothing undescribed appears in one."""
    if answer.status_code in {201, 202}:
        where = answer.headers["location"]
        assert any("GET" in methods and regex.match(where) for regex, methods, _ in DESCRIBED), where
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    if (
        media_type not in {"application/json", "application/problem+json"}
        or answer.request.method == "HEAD"
        or answer.url.path == "/openapi.json"
    ):
        return
    await answer.aread()
    if media_type == "application/problem+json":
        problem = ProblemView.model_validate(answer.json())
        assert problem.status == answer.status_code
        assert problem.request_id == answer.headers["x-request-id"]
        return
    for regex, methods, responses in DESCRIBED:
        if answer.request.method in methods and regex.match(answer.url.path):
            assert answer.request.method != "GET" or ("etag" in answer.headers) == (304 in responses)
            model = responses.get(answer.status_code, {}).get("model")
            if model is not None:
                model.model_validate(answer.json())
            return
    raise AssertionError(f"{answer.request.method} {answer.url.path} is not described")


DESCRIBED = [
    (route.path_regex, route.methods, route.responses)
    for router in (*ROUTERS, local_sign_in.router)
    for route in router.routes
    if isinstance(route, APIRoute)
]


def drafted_campaign(campaign_id: UUID, *, visibility: str = "members", **changes: Any) -> CampaignDrafted:
    """A draft with complete terms."""
    terms = campaign_terms(**changes)
    return CampaignDrafted(
        campaign_id=campaign_id,
        author_id=str(uuid4()),
        product=Product(name="Heat-pump dryer", specification="8 kg, A+++", category="appliances"),
        terms=terms,
        terms_hash=terms.hash(),
        supplier_ids=(uuid4(),),
        visibility=visibility,  # type: ignore[arg-type]
    )


def opened_campaign(drafted: CampaignDrafted) -> CampaignOpened:
    """The opening of a draft."""
    return CampaignOpened(
        campaign_id=drafted.campaign_id,
        product=drafted.product,
        terms=drafted.terms,
        terms_hash=drafted.terms_hash,
        supplier_ids=drafted.supplier_ids,
        visibility=drafted.visibility,
        opened_at=STARTED,
    )


def campaign_terms(**changes: Any) -> Terms:
    """Terms of a campaign that closes in two weeks."""
    values: dict[str, Any] = {
        "title": "Dryers for Ballard",
        "target_units": 40,
        "capacity_units": 80,
        "unit_price_minor": 54_900,
        "currency": "usd",
        "min_units": 1,
        "max_units": None,
        "close_at": STARTED + timedelta(days=14),
        "fee_basis_points": 300,
        "delivery_window_days": 21,
        "delivery_model": "to the door",
        "delivery_terms": "Delivered to each address within the window.",
        "refund_terms": "Full refund unless the campaign completes.",
    }
    return Terms(**(values | changes))


def gateway_settings(database: Database, prefix: str, **changes: Any) -> GatewaySettings:
    """Settings of a gateway on the test's own parts."""
    private, public = new_key_pair()
    values: dict[str, Any] = {
        "profile": "test",
        "database_url": database.app,
        "kafka": PARTS.infra.kafka_bootstrap,
        "kafka_prefix": prefix,
        "assertion_private_key": base64.b64encode(private).decode(),
        "assertion_public_key": base64.b64encode(public).decode(),
        "people_key_gateway": base64_key(),
        "people_key_notifications": base64_key(),
        "stripe_webhook_secrets": f"{WEBHOOK_SECRET}, {OLDER_WEBHOOK_SECRET}",
        "stripe_browser_base": "http://localhost:4242",
        "instance": f"gateway-{prefix.strip('.')}-{secrets.token_hex(3)}",
    }
    return GatewaySettings(**(values | changes))


@asynccontextmanager
async def serving(settings: GatewaySettings) -> AsyncIterator[str]:
    """A gateway that serves these settings on a free port; its address."""
    # Named as TCP, because only then the event loop sends small answers at once.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(settings), timeout_graceful_shutdown=5, **SERVER_OPTIONS)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.02)
        if running.done():
            await running
            raise AssertionError("the gateway ended while it started")
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def make_stage(**changes: Any) -> AsyncIterator[Stage]:
    """A running gateway on a fresh database, with topics of its own."""
    database = await PARTS.database("gateway")
    prefix = f"gw{secrets.token_hex(4)}."
    await create_topics(PARTS.infra.kafka_bootstrap, prefix=prefix)
    producer = AIOKafkaProducer(bootstrap_servers=PARTS.infra.kafka_bootstrap, acks="all")
    await producer.start()
    settings = gateway_settings(database, prefix, **changes)
    try:
        async with serving(settings) as url:
            stage = Stage(settings, database, url, producer)
            try:
                yield stage
            finally:
                await stage.close()
    finally:
        await producer.stop()


def key() -> dict[str, str]:
    """The headers of an act of its own, whose outcome is waited for."""
    return {"Idempotency-Key": uuid4().hex, "Prefer": "wait=15"}
