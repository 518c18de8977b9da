"""The demo world of a fresh local platform: one supplier and three open campaigns.

Owns the texts and the steps. Everything goes through the gateway as people would do it, so every
event, ledger line and mail of the demo is genuine. It acts only on a platform that has no campaign
but its own, and goes on where an interrupted run stopped. `ALPMERA_SEED=none` leaves it out. It
works with the stand-in only: a payout account at Stripe itself is for a person to make.
"""

import os
import time
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from deploy.local.addresses import StackAddresses
from deploy.local.errors import StackError

SEED_SWITCH = "ALPMERA_SEED"
REQUEST_TIMEOUT_SECONDS = 60
WAIT_SECONDS = 20
GAUGE_LOOKS_MAX, GAUGE_LOOK_SECONDS = 60, 0.5
CAMPAIGNS_LISTED_MAX = 100
# States of a campaign of ours that an interrupted run left behind; None: not there at all.
DRAFT, IN_REVIEW = "DRAFT", "IN_REVIEW"
UNFINISHED = (None, DRAFT, IN_REVIEW)
OPERATIONS, GATEKEEPER = "olga@alpmera.test", "gus@alpmera.test"
SUPPLIER = "dock@emeraldsupply.test"
PAYOUT_ACCOUNT = {"type": "express", "country": "US", "capabilities[transfers][requested]": "true"}

CAMPAIGNS: tuple[dict[str, Any], ...] = (
    {
        "title": "Espresso grinder with flat burrs",
        "specification": "58 mm steel burrs, stepless setting, 1.2 kg hopper, 120 V",
        "category": "kitchen",
        "target_units": 12,
        "capacity_units": 24,
        "unit_price_minor": 18_900,
        "reference_minor": 24_900,
        "days": 10,
        "hand_over": "One hand-over per participant at the Capitol Hill tool library",
        "what_fails": "A batch arrives with misaligned burrs.",
    },
    {
        "title": "Rain barrel, 200 litres, with stand",
        "specification": "Recycled polyethylene, brass tap, overflow, mosquito screen, stand of cedar",
        "category": "garden",
        "target_units": 20,
        "capacity_units": 40,
        "unit_price_minor": 8_400,
        "reference_minor": 11_900,
        "days": 21,
        "hand_over": "One hand-over per participant at the West Seattle community orchard",
        "what_fails": "The carrier cannot bring the pallets to the orchard.",
    },
    {
        "title": "Cargo bike kit for a rear rack",
        "specification": "Steel frame, 60 kg load, two side boards, fits 26 to 29 inch wheels",
        "category": "mobility",
        "target_units": 8,
        "capacity_units": 16,
        "unit_price_minor": 32_500,
        "reference_minor": 39_900,
        "days": 30,
        "hand_over": "One hand-over per participant at the Fremont bike workshop",
        "what_fails": "The supplier's paint line stands still for a week.",
    },
)
REVIEW = {
    "decision": "accept",
    "reason": "The specification is clear, the risks are stated, and the plan can be carried out.",
    "answers": {"doctrine_fit": True, "risks_stated": True, "operable": True, "precedent_safe": True},
    "constraints": [],
}


def seed_world(addresses: StackAddresses) -> int:
    """Make what is missing of the demo world; return how many campaigns were opened."""
    if os.environ.get(SEED_SWITCH) == "none" or addresses.stripe_kind != "stand-in":
        return 0
    try:
        with httpx.Client(base_url=addresses.gateway_url, timeout=REQUEST_TIMEOUT_SECONDS) as http:
            return _seed(http, addresses)
    except (httpx.HTTPError, KeyError, ValueError) as error:
        raise StackError(f"the demo world could not be made: {error!r}") from error


def _seed(http: httpx.Client, addresses: StackAddresses) -> int:
    operations = _sign_in(http, OPERATIONS)
    path = f"/v1/campaigns?limit={CAMPAIGNS_LISTED_MAX}"
    known = {each["title"]: each for each in _get(http, operations, path)["data"]}
    missing = [one for one in CAMPAIGNS if known.get(one["title"], {}).get("state") in UNFINISHED]
    if not missing or known.keys() - {one["title"] for one in CAMPAIGNS}:
        return 0
    gatekeeper = _sign_in(http, GATEKEEPER)
    supplier_id = _supplier(http, operations, addresses)
    now = datetime.fromisoformat(_get(http, operations, "/v1/client-config")["stack_time"])
    for facts in missing:
        made = known.get(facts["title"])
        if made is None:
            made = _post(http, operations, "/v1/campaigns", _draft(facts, supplier_id, now))
        address = f"/v1/campaigns/{made['id']}"
        if made["state"] == DRAFT:
            _post(http, operations, f"{address}/submission", {})
        _post(http, gatekeeper, f"{address}/review", REVIEW)
    _until_joining_goes_on(http, operations)
    return len(missing)


def _until_joining_goes_on(http: httpx.Client, operations: dict[str, str]) -> None:
    """A fresh platform lets nobody in before its float was topped up and measured, seconds after its start."""
    for _ in range(GAUGE_LOOKS_MAX):
        if any(gauge["admits"] for gauge in _get(http, operations, "/v1/staff/money")["gauges"]):
            return
        time.sleep(GAUGE_LOOK_SECONDS)
    raise StackError("the float of the demo world has no room for a payment")


def _supplier(http: httpx.Client, operations: dict[str, str], addresses: StackAddresses) -> str:
    """Return the demo supplier's id, registering it with a payout account when it is not yet."""
    supplier_id = str(_get(http, _sign_in(http, SUPPLIER), "/v1/me")["account"]["supplier_id"])
    if supplier_id not in {each["id"] for each in _get(http, operations, "/v1/suppliers")["data"]}:
        account = httpx.post(
            f"{addresses.stripe_url}/v1/accounts",
            data=PAYOUT_ACCOUNT,
            headers={"Authorization": f"Bearer {addresses.stripe_key}"},
            timeout=REQUEST_TIMEOUT_SECONDS,
        )
        body = {
            "supplier_id": supplier_id,
            "display_name": "Emerald Supply",
            "payout_account_id": account.raise_for_status().json()["id"],
            "tier": "provisional",
        }
        _post(http, operations, "/v1/suppliers", body)
    return supplier_id


def _draft(facts: dict[str, Any], supplier_id: str, now: datetime) -> dict[str, Any]:
    return {
        "product": {
            "name": facts["title"],
            "specification": facts["specification"],
            "category": facts["category"],
            "sku": None,
            "reference_prices": [
                {
                    "amount_minor": facts["reference_minor"],
                    "currency": "usd",
                    "source": "public list of the maker",
                    "seen_on": (now - timedelta(days=7)).date().isoformat(),
                }
            ],
        },
        "terms": {
            "title": facts["title"],
            "target_units": facts["target_units"],
            "capacity_units": facts["capacity_units"],
            "unit_price_minor": facts["unit_price_minor"],
            "currency": "usd",
            "min_units": 1,
            "max_units": None,
            "close_at": (now + timedelta(days=facts["days"])).isoformat(),
            "fee_basis_points": 300,
            "delivery_window_days": 21,
            "delivery_model": facts["hand_over"],
            "delivery_terms": "Delivery to the place of hand-over is included in the unit price.",
            "refund_terms": "Every ending other than completion refunds the whole amount.",
        },
        "supplier_ids": [supplier_id],
        "visibility": "open",
        "readiness": {
            "owner": "olga",
            "backup": "gus",
            "what_fails": facts["what_fails"],
            "who_notices": "Operations, by the update that is due each week.",
            "what_then": "Participants are told the same day; without a cure every cent is refunded.",
        },
    }


def _sign_in(http: httpx.Client, email: str) -> dict[str, str]:
    answer = _checked(http.post("/v1/dev/sign-in", json={"email": email}))
    return {"Authorization": f"Bearer {answer['token']}"}


def _get(http: httpx.Client, person: dict[str, str], path: str) -> dict[str, Any]:
    return _checked(http.get(path, headers=person))


def _post(http: httpx.Client, person: dict[str, str], path: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = person | {"Idempotency-Key": uuid4().hex, "Prefer": f"wait={WAIT_SECONDS}"}
    return _checked(http.post(path, json=body, headers=headers))


def _checked(answer: httpx.Response) -> dict[str, Any]:
    if answer.status_code not in (200, 201):
        asked = f"{answer.request.method} {answer.request.url.path}"
        raise StackError(
            f"the demo world could not be made: {asked} answered {answer.status_code}: {answer.text[:300]}"
        )
    found: dict[str, Any] = answer.json()
    return found
