"""How long a participant waits from the click to held funds, on an idle stack, and what of it is the bare minimum.

The baseline of the same run is an accepted act that waits for nothing (one HTTP request, one transaction). It measures
one commitment at a time; what many at once reach is the replay's figure.
"""

from __future__ import annotations

import statistics
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx

from deploy.bench.campaign import clients, open_campaign
from deploy.clock.walk import StackClock
from deploy.local.addresses import StackAddresses
from services.kit.clock import monotonic_seconds

COMMITS = 60
WARM_UP = 10
PERCENTILE_95 = 0.95


async def bench_commit(addresses: StackAddresses, *, commits: int = COMMITS) -> dict[str, Any]:
    """Median and 95th percentile in milliseconds of commit → held (201), and of the baseline (202)."""
    async with (
        StackClock(addresses) as clock,
        clients(addresses) as (http, standin),
    ):
        campaign = await open_campaign(http, standin, (await clock.now() + timedelta(days=5)).isoformat())
        answer = await http.post("/v1/dev/participants", json={"participants": [{"external_id": uuid4().hex}]})
        headers = {"Authorization": f"Bearer {answer.json()['participants'][0]['token']}"}
        held, accepted = [], []
        for number in range(commits + WARM_UP):
            took = await _commit(http, standin, campaign, headers, wait=20, expect=201)
            bare = await _commit(http, standin, campaign, headers, wait=0, expect=202)
            await clock.probe.wait(30)
            if number >= WARM_UP:
                held.append(took)
                accepted.append(bare)
    return {
        "commit_to_held_p50_milliseconds": round(statistics.median(held), 1),
        "commit_to_held_p95_milliseconds": round(sorted(held)[int(len(held) * PERCENTILE_95)], 1),
        "baseline_commit_accepted_p50_milliseconds": round(statistics.median(accepted), 1),
        "commits": len(held),
    }


async def _commit(
    http: httpx.AsyncClient,
    standin: httpx.AsyncClient,
    campaign: dict[str, Any],
    headers: dict[str, str],
    *,
    wait: int,
    expect: int,
) -> float:
    token = await standin.post("/v1/test_helpers/confirmation_tokens", data={"payment_method": "pm_card_visa"})
    body = {"quantity": 1, "terms_hash": campaign["terms_hash"], "confirmation_token": token.json()["id"]}
    begun = monotonic_seconds()
    answer = await http.post(
        f"/v1/campaigns/{campaign['id']}/commitments",
        json=body,
        headers=headers | {"Idempotency-Key": uuid4().hex, "Prefer": f"wait={wait}"},
    )
    took = (monotonic_seconds() - begun) * 1000
    if answer.status_code != expect:
        raise RuntimeError(f"a commit answered {answer.status_code}: {answer.text[:300]}")
    return took
