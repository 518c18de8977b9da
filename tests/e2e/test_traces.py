"""One commit through the running platform, read back from the trace viewer: each step is a child of what caused it.

The join is the campaign's id, and the commitment's where the sender knew it. What it cannot show is a trace under load,
where only a share is kept.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import Any

import httpx
import pytest

from contracts.campaigns import CommitFunds, CommitmentLocked, CommitmentReserved
from contracts.escrow import FundsHeld, PaymentStarted, UsePaymentMethod
from contracts.telemetry import ALLOWED_ATTRIBUTES, CAMPAIGN_ID, COMMITMENT_ID, MESSAGING_CONSUMER_GROUP
from deploy.local.addresses import StackAddresses
from tests.fixtures.world import DEMO_PEOPLE, World

SPANS_WAIT_SECONDS = 40
IDLE_SECONDS = 2
TRIES_MAX = 3
TRACES_MAX = 200
JOIN_ROUTE = "POST /v1/campaigns/{campaign_id}/commitments"
LIBRARYS_OWN = re.compile(r"^(otel\.|telemetry\.sdk\.|service\.instance\.id$|error$)")
"""Tags that the tracing library adds to every span: its name, a random id of the process, the status and its class of
error. No service sets them."""

PERSONAL_OR_SECRET = re.compile(
    r"[\w.+-]+@[\w-]+\.\w+"  # an e-mail address
    r"|\b(?:ctoken|sk_test|sk_live|rk_|whsec|pk_test)_\w*"  # a key or a confirmation token
    r"|_secret_"
    r"|\beyJ[\w-]+\.[\w-]+"  # a signed token
    r"|\bBearer\b",
    re.IGNORECASE,
)

Span = dict[str, Any]


async def spans_of(addresses: StackAddresses, campaign_id: str) -> list[Span]:
    """Every span of every trace in which the campaign's id stands."""
    query = {"annotationQuery": f"{CAMPAIGN_ID}={campaign_id}", "limit": TRACES_MAX, "lookback": 3_600_000}
    async with httpx.AsyncClient(base_url=addresses.traces_url, timeout=30) as viewer:
        answer = await viewer.get("/api/v2/traces", params=query)
        assert answer.status_code == 200, answer.text
        return [span for trace in answer.json() for span in trace]


def named(spans: Iterable[Span], service: str, name: str, commitment_id: str | None = None) -> list[Span]:
    """The spans of a service with this name, about this commitment when one is given."""
    return [
        span
        for span in spans
        if (span["localEndpoint"]["serviceName"], span["name"]) == (service, name.lower())
        and (commitment_id is None or span["tags"].get(COMMITMENT_ID) == commitment_id)
    ]


def processed(message: type[Any]) -> str:
    """The name of the span in which a message is processed."""
    return f"process {message.type}"


async def traced_commit(world: World) -> tuple[dict[str, Any], str, list[Span]]:
    """A commit whose request was sampled, with its spans: once the last step of its journey is in the viewer."""
    campaign = await world.campaign()
    for _ in range(TRIES_MAX):
        await world.quiet()
        await asyncio.sleep(IDLE_SECONDS)
        (person,) = await world.participants(1)
        commitment = await world.join(person, campaign)
        assert commitment["state"] == "LOCKED"
        for _ in range(SPANS_WAIT_SECONDS):
            spans = await spans_of(world.addresses, campaign["id"])
            if named(spans, "gateway", processed(CommitmentLocked), commitment["id"]):
                return campaign, commitment["id"], await settled(world, campaign["id"])
            await asyncio.sleep(1)
    raise AssertionError("no commit on an idle stack left its last step in the viewer")


async def settled(world: World, campaign_id: str) -> list[Span]:
    """The spans once two readings, longer apart than the senders' pause, are alike."""
    before: list[Span] = []
    for _ in range(SPANS_WAIT_SECONDS):
        now = await spans_of(world.addresses, campaign_id)
        if len(now) == len(before):
            return now
        before = now
        await asyncio.sleep(IDLE_SECONDS)
    return before


@pytest.fixture
def addresses(stack: StackAddresses) -> StackAddresses:
    """The stack's addresses; these tests are about its viewer."""
    assert stack.traces_url, "the stack runs without its trace viewer"
    return stack


async def test_a_commit_reads_as_one_chain_of_causes_through_three_services(
    world: World, addresses: StackAddresses
) -> None:
    campaign, commitment_id, spans = await traced_commit(world)

    def only(service: str, name: str, commitment: str | None = commitment_id) -> Span:
        found = named(spans, service, name, commitment)
        assert len(found) == 1, (service, name, len(found))
        return found[0]

    commit = only("campaigns", processed(CommitFunds))
    (request,) = [span for span in named(spans, "gateway", JOIN_ROUTE) if span["id"] == commit.get("parentId")]
    token = only("escrow", processed(UsePaymentMethod))
    reserved = only("escrow", processed(CommitmentReserved))
    payment = only("escrow", "intent payment")
    held = only("campaigns", processed(FundsHeld))
    locked = only("gateway", processed(CommitmentLocked))
    edges = [
        (request, commit),
        (request, token),
        (commit, reserved),
        (payment, held),
        (held, locked),
        (commit, only("gateway", processed(CommitmentReserved))),
        (payment, only("gateway", processed(FundsHeld))),
        (payment, only("notifications", processed(FundsHeld))),
    ]
    for cause, effect in edges:
        assert effect["parentId"] == cause["id"], f"{effect['name']} is no child of {cause['name']}"
        assert effect["traceId"] == request["traceId"]
    # The payment begins with whichever comes second, the reservation or the token; on an idle stack the token is first.
    assert payment["parentId"] in {reserved["id"], token["id"]}
    assert only("gateway", processed(PaymentStarted))["parentId"] == payment["parentId"]
    assert (request["kind"], payment["kind"], commit["kind"]) == ("SERVER", "CLIENT", "CONSUMER")
    assert request["tags"][CAMPAIGN_ID] == campaign["id"]
    for service, span in (("campaigns", commit), ("escrow", reserved), ("gateway", locked)):
        assert span["tags"][CAMPAIGN_ID] == campaign["id"]
        assert span["tags"][MESSAGING_CONSUMER_GROUP].startswith(service)


async def test_spans_carry_declared_attributes_only_and_nothing_personal(
    world: World, addresses: StackAddresses
) -> None:
    campaign, _, spans = await traced_commit(world)
    seen = {(span["localEndpoint"]["serviceName"], key) for span in spans for key in span.get("tags", {})}
    undeclared = {
        (service, key) for service, key in seen if key not in ALLOWED_ATTRIBUTES and not LIBRARYS_OWN.match(key)
    }
    assert undeclared == set()
    people = [*DEMO_PEOPLE, *(address.split("@")[0] for address in DEMO_PEOPLE.values()), campaign["title"]]
    names = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in people), re.IGNORECASE)
    told = [
        str(text)
        for span in spans
        for text in (
            span["name"],
            *span.get("tags", {}).values(),
            *(each["value"] for each in span.get("annotations", ())),
        )
    ]
    assert told
    assert [text for text in told if PERSONAL_OR_SECRET.search(text) or names.search(text)] == []
