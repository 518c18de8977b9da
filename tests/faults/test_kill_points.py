"""Each service is killed at every point of its handling, on the real database and broker, and starts again as if nothing
had been: the message has one effect, what is told is told in sequence, and nothing is parked or lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from contracts.campaigns import DraftCampaign
from tests.faults.nursery import Nursery
from tests.faults.parts import PRODUCT, TERMS
from tests.faults.rig import POLL_SECONDS, WAIT_SECONDS
from tests.faults.scenario import HANDLER_POINTS, Scenario
from tests.faults.scenarios import SCENARIOS, GatewayScenario

DECIDERS = ("campaigns", "escrow", "suppliers", "notifications")
RELAY_POINTS = frozenset({"K4", "K5"})
"""A projection tells nothing; the gateway's relay sends commands."""


TOLD = """
    SELECT message_id, type, type = 'escrow.float_gauged.v1'
        OR type = 'escrow.ledger_transfers_posted.v1' AND NOT EXISTS (
            SELECT FROM jsonb_array_elements(payload::jsonb -> 'transfers') AS transfer
            WHERE transfer ->> 'kind' NOT IN ('psp_settle', 'psp_sweep')
        ) AS by_reconciliation
    FROM outbox ORDER BY id
"""


async def killed_at(scenario: Scenario, number: int, failpoint: str) -> UUID:
    """Kill the service at a failpoint while it handles the numbered campaign's message, let it recover; the message."""
    rig = scenario.rig
    await rig.arm(f"{scenario.service}.{failpoint}=kill")
    message_id = await scenario.send(number)
    await rig.died()
    await rig.start()
    await rig.quiet()
    await scenario.assert_one_effect(number, message_id)
    return message_id


async def everything_comes_again(scenario: Scenario, handled: list[UUID]) -> None:
    """Lose the group's offsets: all that was ever sent comes again, to a service that has done it all."""
    rig = scenario.rig
    await scenario.settled()
    told = await rig.rows(TOLD)
    await rig.kill()
    await rig.rewind()
    await rig.start()
    await rig.quiet()
    again = await rig.rows(TOLD)
    assert again[: len(told)] == told
    # Reconciliation looks at all of Stripe's list when it starts, may find money that has become available, and measures the float.
    assert [row for row in again[len(told) :] if not row.by_reconciliation] == []
    for number, message_id in enumerate(handled):
        await scenario.assert_one_effect(number, message_id)


@pytest.mark.parametrize("service", DECIDERS)
async def test_a_service_killed_at_any_point_handles_its_message_once(
    service: str, nursery: Nursery, tmp_path: Path
) -> None:
    scenario = SCENARIOS[service](tmp_path, nursery)
    async with scenario.running() as rig:
        await scenario.prepare(len(HANDLER_POINTS))
        await rig.quiet()
        points = HANDLER_POINTS.values()
        handled = [await killed_at(scenario, number, failpoint) for number, failpoint in enumerate(points)]
        await everything_comes_again(scenario, handled)
        await rig.assert_told_in_sequence()


async def test_a_gateway_killed_at_any_point_projects_an_event_once(nursery: Nursery, tmp_path: Path) -> None:
    scenario = GatewayScenario(tmp_path, nursery)
    async with scenario.running() as rig:
        points = [failpoint for name, failpoint in HANDLER_POINTS.items() if name not in RELAY_POINTS]
        await scenario.prepare(len(points))
        await rig.quiet()
        handled = [await killed_at(scenario, number, failpoint) for number, failpoint in enumerate(points)]
        await everything_comes_again(scenario, handled)
        assert len(handled) == len(points)


async def test_a_gateway_killed_while_its_relay_sends_loses_no_command_and_makes_no_second(
    nursery: Nursery, tmp_path: Path
) -> None:
    scenario = GatewayScenario(tmp_path, nursery)
    async with scenario.running() as rig, httpx.AsyncClient(base_url=scenario.url, timeout=30) as http:
        await scenario.prepare(1)
        await rig.quiet()
        await listening(http)
        signed_in = (await http.post("/v1/dev/sign-in", json={"email": "olga@alpmera.test"})).json()
        keys = []
        for name in sorted(RELAY_POINTS):
            await rig.arm(f"gateway.{HANDLER_POINTS[name]}=kill")
            keys.append(uuid4().hex)
            assert await drafted(http, signed_in["token"], keys[-1]) in {202, None}
            await rig.died()
            await rig.start()
            await rig.quiet()
            await listening(http)
        # People press again when no answer came: the same key is the same act.
        assert [await drafted(http, signed_in["token"], key) for key in keys] == [202, 202]
        await rig.quiet()
        rows = await rig.rows("SELECT message_id FROM outbox WHERE type = :type", type=DraftCampaign.type)
        assert len(rows) == len(keys)
        sent = {headers["ce_id"] for headers in await rig.sent("campaigns.commands")}
        assert sent == {str(row.message_id) for row in rows}


async def listening(http: httpx.AsyncClient) -> None:
    """Wait until the gateway answers."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError):
            if (await http.get("/healthz")).status_code == 200:
                return
        await asyncio.sleep(POLL_SECONDS)
    raise AssertionError("the gateway does not answer")


async def drafted(http: httpx.AsyncClient, token: str, key: str) -> int | None:
    """Ask for a draft; the status of the answer, None when the gateway died before it gave one."""
    body = {
        "product": PRODUCT.model_dump(mode="json"),
        "terms": TERMS.model_dump(mode="json"),
        "supplier_ids": [],
        "visibility": "open",
        "readiness": None,
    }
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key, "Prefer": "wait=0"}
    try:
        return (await http.post("/v1/campaigns", json=body, headers=headers)).status_code
    except httpx.TransportError:
        return None
