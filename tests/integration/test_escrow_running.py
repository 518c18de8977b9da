"""The running service over the real broker: its first top-up, a commitment from topic to topic, the loop behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest_asyncio
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr
from sqlalchemy import text

from contracts.envelope import PLATFORM_SCOPE
from services.escrow.calls.client import StripeCalls
from services.escrow.handlers import make_service
from services.escrow.reconciler import Reconciler
from services.kit.create_topics import create_topics
from services.kit.runtime import Runtime
from tests.fixtures.infra import PARTS
from tests.integration.escrow_support import FLOAT_MINOR, Stage, escrow_settings_for
from tests.integration.standin_support import running

WAIT_SECONDS_MAX = 30


@pytest_asyncio.fixture
async def stage(harness: Any, tmp_path: Path) -> AsyncIterator[tuple[Stage, Runtime, str]]:
    prefix = f"e{uuid4().hex[:8]}."
    await create_topics(PARTS.infra.kafka_bootstrap, prefix=prefix)
    async with running(tmp_path) as standin:
        box: dict[str, Any] = {}
        stripe = StripeCalls(lambda: box["settings"])
        service = make_service(stripe)
        made = await harness(service)
        box["settings"] = escrow_settings_for(
            standin.url,
            database_url=SecretStr(made.database.app),
            kafka=PARTS.infra.kafka_bootstrap,
            kafka_prefix=prefix,
            reconcile_seconds=1,
        )
        runtime = Runtime(service, box["settings"], made.engine)
        await runtime.start()
        try:
            yield Stage(made, standin, stripe, Reconciler(stripe)), runtime, prefix
        finally:
            await runtime.stop()
            await stripe.close()


async def until(stage: Stage, query: str, **parameters: Any) -> Any:
    """Wait until a query of one number gives something above zero."""
    for _ in range(WAIT_SECONDS_MAX * 10):
        async with stage.engine.connect() as connection:
            found = (await connection.execute(text(query), parameters)).scalar()
        if found:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"did not happen in time: {query}")


async def test_a_commitment_goes_from_topic_to_topic_and_settles(stage: tuple[Stage, Runtime, str]) -> None:
    made, _, prefix = stage
    await until(made, "SELECT -SUM(balance_minor) FROM ledger_account WHERE class = 'psp_available'")
    assert await made.balance("platform_float", PLATFORM_SCOPE) == FLOAT_MINOR
    await until(made, "SELECT COUNT(*) FROM float_gauge WHERE admits")
    await made.open()
    join = made.join()
    messages = [
        made.harness.wrap(await made.method(join), actor=join.person),
        made.harness.wrap(await made.reserved(join)),
    ]
    producer = AIOKafkaProducer(bootstrap_servers=PARTS.infra.kafka_bootstrap)
    await producer.start()
    try:
        for received in messages:
            headers = [(name, value.encode()) for name, value in received.envelope.to_headers().items()]
            await producer.send_and_wait(
                prefix + received.topic, received.body, key=received.envelope.key.encode(), headers=headers
            )
    finally:
        await producer.stop()
    await until(
        made,
        "SELECT COUNT(*) FROM outbox WHERE type = 'escrow.funds_held.v1' AND published_at IS NOT NULL AND key = :key",
        key=made.scope,
    )
    await until(made, "SELECT -SUM(balance_minor) FROM ledger_account WHERE class = 'psp_pending'")
    await until(made, "SELECT 1 - COUNT(*) FROM clearing_object")
    assert await made.balance(f"escrow:{join.commitment_id}") == join.amount_minor
    assert await made.case_kinds() == []
    await made.assert_sound()
