"""How many commitments per second a replay makes, beside what the door alone accepts from the same client.

The replay is the whole verb on a stack of its own: drafting, demand, every campaign settled, money that adds up. The
baseline of the same run, measured before it on the same stack, is the rate of acts that are only accepted (202: one
request, one transaction, nobody waits for funds), by the replay's own client with as many requests under way. The
rest of the platform works on those acts meanwhile, so the baseline is the door's rate on a busy machine.
"""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from deploy.bench.campaign import clients, open_campaign
from deploy.bench.demand_file import write_demand
from deploy.bench.own_stack import own_stack
from deploy.clock.walk import StackClock
from deploy.local.addresses import StackAddresses
from deploy.replay.client import Client
from services.kit.clock import monotonic_seconds

BASELINE_ACTS = 400
QUIET_SECONDS_MAX = 120
REPLAY_SECONDS_MAX = 3 * 3_600
ACCEPTED = 202


def bench_replay(file: Path | None = None, *, limit: int | None = None) -> dict[str, Any]:
    """Rates per second of a replay and of its baseline. Without a file a made-up one is used. Raises StackError, and
    RuntimeError when the baseline's acts are refused."""
    with own_stack() as stack:
        stack.up()
        accepted = asyncio.run(_accepted_per_second(stack.addresses()))
        path = file.resolve() if file is not None else stack.folder / "made-up-demand.csv"
        if file is None:
            write_demand(path)
        limits = [] if limit is None else ["--limit", str(limit)]
        report = json.loads(
            stack.run("replay", str(path), "--json", *limits, seconds_max=REPLAY_SECONDS_MAX, heard=True)
        )
    return {
        "replay_commitments_per_second": report["commitments_per_second"],
        "replay_within_slots_commitments_per_second": report["commitments_per_second_within_slots"],
        "baseline_accepted_commitments_per_second": round(accepted, 1),
        "replay_commitments": report["commitments_made"],
        "replay_campaigns": report["campaigns_launched"],
        "replay_seconds": report["seconds"],
        "replay_file": "made up" if file is None else "given",
    }


async def _accepted_per_second(addresses: StackAddresses) -> float:
    async with (
        StackClock(addresses) as clock,
        Client(addresses) as client,
        clients(addresses) as (http, standin),
    ):
        campaign = await open_campaign(http, standin, (await clock.now() + timedelta(days=5)).isoformat())
        answer = await client.call("/v1/dev/participants", {"participants": [{"external_id": uuid4().hex}]})
        token = answer["participants"][0]["token"]
        cards = [(await client.confirmation_token()).decode() for _ in range(BASELINE_ACTS)]

        async def act(card: str) -> int:
            body = {"quantity": 1, "terms_hash": campaign["terms_hash"], "confirmation_token": card}
            async with client.places:
                answer = await client.post(
                    f"/v1/campaigns/{campaign['id']}/commitments",
                    json.dumps(body).encode(),
                    token=token,
                    key=uuid4().hex,
                    wait_seconds=0,
                )
            return answer.status

        began = monotonic_seconds()
        statuses = await asyncio.gather(*map(act, cards))
        seconds = monotonic_seconds() - began
        if set(statuses) != {ACCEPTED}:
            raise RuntimeError(f"the baseline's acts answered {sorted(set(statuses))}")
        await clock.probe.wait(QUIET_SECONDS_MAX)
        return BASELINE_ACTS / seconds
