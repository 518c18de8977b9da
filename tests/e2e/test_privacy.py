"""What a person gives the platform lies open nowhere, and after the erasure nothing of the person is left.

One person with addresses and a name that nobody else has joins, is told by mail, leaves, gets the money back, and is erased. Before
and after, everything the platform wrote is searched. The search itself is tried on words that must be found.
"""

from __future__ import annotations

import asyncio
from uuid import uuid4

import httpx

from deploy.audit.journal import StandinJournal
from deploy.audit.run import run_audit
from deploy.cli.audit import world_of
from tests.e2e.dumps import places
from tests.fixtures.world import ADDRESS, Person, World

ERASED_WITHIN_SECONDS = 60


async def mailed(world: World, email: str, count: int) -> None:
    """Wait until the mailbox, which stands outside, has this many mails for an address."""
    async with httpx.AsyncClient(base_url=world.addresses.mailbox_url, timeout=20) as mailbox:
        for _ in range(150):
            told = (await mailbox.get("/api/messages/")).text
            if told.count(email) >= count:
                return
            await asyncio.sleep(0.2)
    raise AssertionError("the mails did not come")


async def traced(world: World, trace_id: str, word: str) -> None:
    """Wait until a trace that was asked for stands in the viewer, with a word that it must hold."""
    async with httpx.AsyncClient(base_url=world.addresses.traces_url, timeout=20) as viewer:
        for _ in range(150):
            if word in (await viewer.get(f"/api/v2/trace/{trace_id}")).text:
                return
            await asyncio.sleep(0.2)
    raise AssertionError("the trace did not come")


async def member(world: World, email: str) -> tuple[Person, str]:
    """Somebody with an address, and the token of the session."""
    body = {"participants": [{"external_id": uuid4().hex, "email": email}]}
    (made,) = (await world.http.post("/v1/dev/participants", json=body)).json()["participants"]
    return Person(world.http, made["token"], made["subject_id"]), made["token"]


async def test_a_persons_address_and_secrets_lie_open_nowhere_and_erasure_leaves_nothing(world: World) -> None:
    name = f"wren{uuid4().hex[:12]}"
    email = f"{name}@canary.test"
    person, token = await member(world, email)
    csrf = (await person.get("/v1/me"))["csrf_token"]
    reader = (await person.post("/v1/access-tokens", {"scopes": ["commitments"]}, expect=201)).json()["secret"]
    feed = (await person.post("/v1/me/calendar", {}, expect=200)).json()["url"].rpartition("/")[2]
    await person.put("/v1/account/kind", {"kind": "group", "display_name": f"Friends of {name}"})
    home = ADDRESS | {"label": f"At {name}", "recipient": name, "lines": [f"{name} Street 1"]}
    await person.post("/v1/me/addresses", home, expect=201)
    campaign = await world.campaign(delivers_to="participant_address")
    # Of a busy platform's requests only a share leaves a trace; this one says that its own is wanted.
    trace_id = uuid4().hex
    commitment = await world.join(person, campaign, 1, trace_id=trace_id)
    await mailed(world, email, 1)
    calendar = await world.http.get(f"/v1/calendar/{feed}.ics")
    assert campaign["terms"]["title"] in calendar.text.replace("\r\n ", "").replace("\\", "")
    data = await person.get("/v1/me/data")
    assert (data["account"]["email"], data["account"]["display_name"]) == (email, f"Friends of {name}")
    assert [each["recipient"] for each in data["addresses"]] == [name]
    assert [each["address"]["recipient"] for each in data["delivery_addresses"]] == [name]
    assert [each["campaign_id"] for each in data["notices"]] == [campaign["id"]]
    await person.post(f"/v1/commitments/{commitment['id']}/issues", {"description": f"Ask {name}."})
    waiting = (await person.post("/v1/me/erasure", {}, expect=200)).json()
    assert [each["kind"] for each in waiting["waits_for"]] == ["funds"]
    await person.post(f"/v1/commitments/{commitment['id']}/withdrawal", {}, expect=200)
    await mailed(world, email, 2)
    await world.quiet()
    await traced(world, trace_id, campaign["id"])

    secrets = [token, reader, feed]
    found = await places(world.addresses, [name, *secrets, csrf, person.subject_id, campaign["id"]])
    # The search finds what is there: the random id in topics and tables, the campaign's id in traces and logs' neighbours.
    assert {"topic campaigns.events", "topic gateway.people", "table gateway.account"} <= found[person.subject_id]
    assert "traces" in found[campaign["id"]]
    # The person's own words about a fault and the session's token for forms are the gateway's; neither leaves its table.
    assert found[name] <= {"table gateway.issue_text"}
    assert {place for secret in secrets for place in found[secret]} == set()
    assert found[csrf] <= {"table gateway.session"}

    for _ in range(ERASED_WITHIN_SECONDS * 2):
        if (await person.read("/v1/me")).status_code == 401:
            break
        await asyncio.sleep(0.5)
    assert (await person.read("/v1/me")).status_code == 401
    await world.quiet()
    left = await places(world.addresses, [name, *secrets, csrf, person.subject_id])
    assert {place for word in (name, csrf, *secrets) for place in left[word]} == set()
    gone = {
        "table gateway.person_key",
        "table gateway.session",
        "table gateway.issue_text",
        "table gateway.address",
        "table gateway.commitment_address",
        "table notifications.contact",
    }
    assert left[person.subject_id].isdisjoint(gone)
    assert "table gateway.account" in left[person.subject_id]
    async with StandinJournal(world.addresses.stripe_url, world.addresses.stripe_key) as journal:
        report = await run_audit(world_of(world.addresses, journal))
    assert report.findings.clean, report.answer()
