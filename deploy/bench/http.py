"""What the gateway costs beside an interface that does one statement: reading a campaign, accepting a join, a long list.

A gateway of its own on a database and a broker of its own: nobody decides behind it, so that the figures are its own. The
baseline is asked in turn with it, on the same machine in the same minute, and each ratio is the median of such pairs.
Both run one process; the client is one more and takes a part of the machine from both alike. What the time of a sign-in
tells about an account is measured on the same gateway (`sign_in.py`).
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

import contracts.catalogue  # noqa: F401 - fills the registry of messages
from contracts.campaigns import CampaignDrafted, CampaignOpened
from contracts.envelope import Actor, Envelope, Message, stream_name
from deploy.bench.http_baseline import TABLE
from deploy.bench.http_client import Connection, rate, request_bytes
from deploy.bench.sign_in import measure_sign_in
from deploy.contracts_files.generate import ROOT, example_path
from deploy.local.infra import Infra, start_infra
from deploy.local.ports import free_port
from services.gateway.handlers import fold
from services.gateway.store.projection import Rows, write
from services.kit.assertion import new_key_pair
from services.kit.create_topics import create_topics

HOST = "127.0.0.1"
PAIRS = 7
SECONDS_EACH = 2.0
CONNECTIONS = 8
COMMITMENTS = 100_000
PAGE = 200
PAGES = 300
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30
PERCENTILE_95 = 0.95

_COMMITMENTS = """
INSERT INTO read_1.commitment (id, campaign_id, participant_id, quantity, amount_minor, currency, terms_hash, reference,
    state, state_at, created_at, locked_at)
SELECT gen_random_uuid(), CAST(:campaign_id AS uuid), gen_random_uuid(), 1, 10000, 'usd', repeat('a', 64), 'R-' || number,
    'LOCKED', at, at, at
FROM (SELECT number, now() - number * interval '1 second' AS at FROM generate_series(1, :count) AS number) AS numbered
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """A prepared gateway: its port, the baseline's, the campaign, and two people's tokens."""

    port: int
    baseline_port: int
    campaign: CampaignOpened
    staff: str
    participant: str

    def get(self, path: str, token: str | None = None) -> bytes:
        """A read."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return request_bytes("GET", path, host=HOST, **headers)

    def join(self) -> bytes:
        """A join under a key of its own that waits for nothing."""
        body = {"quantity": 1, "terms_hash": self.campaign.terms_hash, "confirmation_token": "ctoken_measured"}
        path = f"/v1/campaigns/{self.campaign.campaign_id}/commitments"
        headers = {"Authorization": f"Bearer {self.participant}", "Idempotency_Key": uuid4().hex, "Prefer": "wait=0"}
        return request_bytes("POST", path, host=HOST, body=json.dumps(body).encode(), **headers)

    def insert(self) -> bytes:
        """The baseline's write, with a body of the same kind."""
        body = {"quantity": 1, "terms_hash": self.campaign.terms_hash, "confirmation_token": "ctoken_measured"}
        return request_bytes("POST", "/row", host=HOST, body=json.dumps(body).encode())


def bench_http() -> dict[str, Any]:
    """Measure, on parts that are thrown away."""
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(TemporaryDirectory(prefix="alpmera-bench-")))
        folder.chmod(0o755)
        infra = cleanup.enter_context(start_infra(folder, parts={"postgres", "kafka"}, durable=True))
        owner_url, app_url = _database(infra, cleanup)
        prefix = f"bench{secrets.token_hex(3)}."
        asyncio.run(create_topics(infra.kafka_bootstrap, prefix=prefix))
        campaign = asyncio.run(_fill(owner_url))
        environment = _environment(app_url, infra.kafka_bootstrap, prefix)
        port, baseline_port = free_port(), free_port()
        cleanup.enter_context(_server("services.gateway", environment, port))
        cleanup.enter_context(_server("deploy.bench.http_baseline", environment, baseline_port))
        return asyncio.run(_measure(port, baseline_port, campaign))


def _database(infra: Infra, cleanup: ExitStack) -> tuple[str, str]:
    name = f"bench_{uuid4().hex[:8]}"
    owner_url, app_url = infra.create_database(name)
    cleanup.callback(infra.drop_database, name)
    environment = os.environ | {
        "ALPMERA_GATEWAY_OWNER_DATABASE_URL": owner_url,
        "ALPMERA_MIGRATE_APP_ROLE": f"{name}_app",
    }
    command = [sys.executable, "-m", "services.kit.migrate", "gateway"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=START_SECONDS_MAX)
    return owner_url, app_url


def _environment(app_url: str, kafka: str, prefix: str) -> dict[str, str]:
    private, public = new_key_pair()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ALPMERA_")}
    return kept | {
        "ALPMERA_PROFILE": "local",
        "ALPMERA_DATABASE_URL": app_url,
        "ALPMERA_KAFKA": kafka,
        "ALPMERA_KAFKA_PREFIX": prefix,
        "ALPMERA_ASSERTION_PRIVATE_KEY": base64.b64encode(private).decode(),
        "ALPMERA_ASSERTION_PUBLIC_KEY": base64.b64encode(public).decode(),
        "ALPMERA_PEOPLE_KEY_GATEWAY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "ALPMERA_PEOPLE_KEY_NOTIFICATIONS": base64.b64encode(secrets.token_bytes(32)).decode(),
        "ALPMERA_STRIPE_WEBHOOK_SECRETS": "whsec_measured",
    }


@contextmanager
def _server(module: str, environment: dict[str, str], port: int) -> Iterator[None]:
    """A process that serves on a port; it is asked to stop at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=environment | {"ALPMERA_HTTP_PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS_MAX)


async def _fill(owner_url: str) -> CampaignOpened:
    """One open campaign with many commitments in the read model, as its events would have left it."""
    opened = CampaignOpened.model_validate_json((ROOT / example_path(CampaignOpened.type)).read_text())
    opened = opened.model_copy(update={"visibility": "open"})
    told = {name: getattr(opened, name) for name in CampaignDrafted.model_fields if name != "author_id"}
    drafted = CampaignDrafted(author_id=str(uuid4()), **told)
    engine = create_async_engine(owner_url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SET LOCAL search_path TO read_1, public"))
            rows = Rows()
            for seq, event in enumerate((drafted, opened), 1):
                fold(rows, _envelope(event, seq), event)
            await write(connection, rows)
            await _fill_commitments(connection, opened)
        async with engine.connect() as connection:
            autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await autocommit.execute(text("VACUUM ANALYZE read_1.commitment"))
    finally:
        await engine.dispose()
    return opened


async def _fill_commitments(connection: AsyncConnection, opened: CampaignOpened) -> None:
    await connection.execute(text(_COMMITMENTS), {"campaign_id": str(opened.campaign_id), "count": COMMITMENTS})
    await connection.execute(text(TABLE.replace("baseline_act", "public.baseline_act")))
    await connection.execute(text("GRANT SELECT, INSERT ON public.baseline_act TO PUBLIC"))


def _envelope(event: Message, seq: int) -> Envelope:
    return Envelope(
        id=uuid4(), type=event.type, source="campaigns", time=datetime(2026, 11, 21, tzinfo=UTC), key=event.scope,
        stream=stream_name("campaigns", event.scope), seq=seq, actor=Actor("system", "system"),
    )  # fmt: skip


async def _measure(port: int, baseline_port: int, campaign: CampaignOpened) -> dict[str, Any]:
    await _ready(port, "/readyz")
    await _ready(baseline_port, f"/row/{campaign.campaign_id}")
    signed = await _post(port, "/v1/dev/sign-in", {"email": "olga@alpmera.test"})
    people = await _post(port, "/v1/dev/participants", {"participants": [{"external_id": uuid4().hex}]})
    measured = Measured(port, baseline_port, campaign, signed["token"], people["participants"][0]["token"])
    page = measured.get(f"/v1/campaigns/{campaign.campaign_id}")
    row = measured.get(f"/row/{campaign.campaign_id}")
    get = await _pairs(measured, lambda: page, lambda: row, expect=200)
    accept = await _pairs(measured, measured.join, measured.insert, expect=202)
    listed = await _list_pages(measured)
    sign_in = await measure_sign_in(port)
    return sign_in | {
        "http_get_ratio": round(statistics.median(ours / bare for ours, bare in get), 2),
        "http_get_per_second": round(statistics.median(ours for ours, _ in get)),
        "baseline_http_get_per_second": round(statistics.median(bare for _, bare in get)),
        "http_accept_ratio": round(statistics.median(ours / bare for ours, bare in accept), 2),
        "http_accept_per_second": round(statistics.median(ours for ours, _ in accept)),
        "baseline_http_insert_per_second": round(statistics.median(bare for _, bare in accept)),
        "http_list_p95_milliseconds": round(sorted(listed)[int(len(listed) * PERCENTILE_95)] * 1000, 1),
        "http_list_p50_milliseconds": round(statistics.median(listed) * 1000, 1),
        "http_list_commitments": COMMITMENTS,
    }


async def _pairs(
    measured: Measured, ours: Callable[[], bytes], bare: Callable[[], bytes], *, expect: int
) -> list[tuple[float, float]]:
    """Rates of the gateway and of the baseline, measured in turn; the first pair only warms up."""
    found = []
    for _ in range(PAIRS + 1):
        pair = [
            await rate(port, make, expect=expect, seconds=SECONDS_EACH, connections=CONNECTIONS)
            for port, make in ((measured.port, ours), (measured.baseline_port, bare))
        ]
        found.append((pair[0], pair[1]))
    return found[1:]


async def _list_pages(measured: Measured) -> list[float]:
    """Seconds of each page of a long list, read from its beginning by cursors."""
    connection, seconds = Connection(measured.port), []
    path = f"/v1/campaigns/{measured.campaign.campaign_id}/commitments?limit={PAGE}"
    cursor = ""
    try:
        for _ in range(PAGES):
            answer = await connection.ask(measured.get(path + cursor, measured.staff))
            body = json.loads(answer.body)
            if answer.status != 200 or len(body["data"]) != PAGE:
                raise RuntimeError(f"a list answered {answer.status}: {answer.body[:300]!r}")
            seconds.append(answer.seconds)
            cursor = f"&cursor={body['next_cursor']}"
    finally:
        await connection.close()
    return seconds


async def _post(port: int, path: str, body: dict[str, Any]) -> dict[str, Any]:
    connection = Connection(port)
    answer = await connection.ask(request_bytes("POST", path, host=HOST, body=json.dumps(body).encode()))
    await connection.close()
    return dict(json.loads(answer.body))


async def _ready(port: int, path: str) -> None:
    """Wait until a server answers well. Raises TimeoutError."""
    async with asyncio.timeout(START_SECONDS_MAX):
        while True:
            connection = Connection(port)
            try:
                if (await connection.ask(request_bytes("GET", path, host=HOST))).status == 200:
                    return
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.1)
            finally:
                await connection.close()
            await asyncio.sleep(0.1)
