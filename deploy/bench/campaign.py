"""The campaign on which a figure is measured, opened by the same acts as any other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx

from deploy.local.addresses import StackAddresses

CALL_SECONDS_MAX = 60


@asynccontextmanager
async def clients(addresses: StackAddresses) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """A client of the gateway and one of the payment stand-in."""
    async with (
        httpx.AsyncClient(base_url=addresses.gateway_url, timeout=CALL_SECONDS_MAX) as http,
        httpx.AsyncClient(
            base_url=addresses.stripe_url,
            headers={"Authorization": f"Bearer {addresses.stripe_key}"},
            timeout=CALL_SECONDS_MAX,
        ) as standin,
    ):
        yield http, standin


async def open_campaign(http: httpx.AsyncClient, standin: httpx.AsyncClient, close_at: str) -> dict[str, Any]:
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
