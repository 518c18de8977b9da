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
        httpx.AsyncClient(base_url=addresses.gateway_url, timeout=60) as http,
        httpx.AsyncClient(
            base_url=addresses.stripe_url, headers={"Authorization": f"Bearer {addresses.stripe_key}"}, timeout=60
        ) as standin,
    ):
        campaign = await _open_campaign(http, standin, (await clock.now() + timedelta(days=5)).isoformat())
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


async def _open_campaign(http: httpx.AsyncClient, standin: httpx.AsyncClient, close_at: str) -> dict[str, Any]:
    """A campaign wide enough for the measurement, through the same acts as any other."""

    async def act(email: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        signed = (await http.post("/v1/dev/sign-in", json={"email": email})).json()
        headers = {"Authorization": f"Bearer {signed['token']}", "Idempotency-Key": uuid4().hex, "Prefer": "wait=20"}
        answer = await http.post(path, json=body, headers=headers)
        answer.raise_for_status()
        return dict(answer.json())

    account = await standin.post(
        "/v1/accounts", data={"type": "express", "country": "US", "capabilities[transfers][requested]": "true"}
    )
    supplier = await act(
        "olga@alpmera.test",
        "/v1/suppliers",
        {"display_name": "Measured Supply", "payout_account_id": account.json()["id"], "tier": "provisional"},
    )
    terms = {
        "title": "Measured workbench",
        "target_units": 100_000,
        "capacity_units": 200_000,
        "unit_price_minor": 10_000,
        "currency": "usd",
        "min_units": 1,
        "max_units": None,
        "close_at": close_at,
        "fee_basis_points": 300,
        "delivery_window_days": 21,
        "delivery_model": "One hand-over point",
        "delivery_terms": "Delivery is included in the unit price.",
        "refund_terms": "Every ending other than completion refunds the whole amount.",
    }
    price = {"amount_minor": 12_000, "currency": "usd", "source": "public list", "seen_on": "2026-11-01"}
    draft = {
        "product": {
            "name": terms["title"],
            "specification": "Beech, 1.5 m",
            "category": "tools",
            "reference_prices": [price],
        },
        "terms": terms,
        "supplier_ids": [supplier["id"]],
        "visibility": "open",
        "readiness": {
            "owner": "olga",
            "backup": "gus",
            "what_fails": "The measurement.",
            "who_notices": "Whoever reads it.",
            "what_then": "It is repeated.",
        },
    }
    campaign = await act("olga@alpmera.test", "/v1/campaigns", draft)
    await act("olga@alpmera.test", f"/v1/campaigns/{campaign['id']}/submission", {})
    answers = {"doctrine_fit": True, "risks_stated": True, "operable": True, "precedent_safe": True}
    return await act(
        "gus@alpmera.test",
        f"/v1/campaigns/{campaign['id']}/review",
        {"decision": "accept", "reason": "A measurement.", "answers": answers, "constraints": []},
    )
