"""Participants in a real browser: looking, joining, a declined card, the bank's question, leaving, refusals."""

from __future__ import annotations

from uuid import uuid4

from contracts.errors import PROBLEMS
from services.gateway.openapi import document
from tests.browser.site import Site
from tests.fixtures.world import Person, World

UNIT_PRICE = "$549.00"


async def _commitments(person: Person, campaign: dict[str, object]) -> list[dict[str, object]]:
    found = await person.get(f"/v1/commitments?campaign_id={campaign['id']}")
    return list(found["data"])


async def test_everybody_sees_what_their_role_may_see_and_can_read_it(site: Site, world: World) -> None:
    campaign = await world.campaign()
    seen = await site.run("look_around", campaign=campaign["id"])
    sections = seen["sections"]
    wanted = ["Target quantity", "Progress", "Escrow", "Timeline", "Terms", "What can go wrong", "Description"]
    assert [each for each in sections if each in wanted] == wanted
    assert "Where your funds stand" in sections
    assert "maya" in seen["account"]
    assert "You are signed in as: Participant" in seen["forbidden"]


async def test_the_reference_and_the_problems_pages_open_without_anything_from_elsewhere(site: Site) -> None:
    seen = await site.run("reference")
    assert seen["operations"] == sum(len(each) for each in document()["paths"].values())
    assert seen["codes"] == len(PROBLEMS)


async def test_a_participant_joins_and_reads_where_the_money_is_while_others_see_it_live(
    site: Site, world: World
) -> None:
    campaign = await world.campaign()
    seen = await site.run("join", campaign=campaign["id"], quantity=2)
    assert seen["before"] == "0 of 3 units held, 0 reserved"
    assert seen["after"].endswith("of 3 units held, 0 reserved") or seen["after"].endswith("2 reserved")
    assert seen["live"]
    assert "$1,098.00" in seen["review"]
    assert campaign["terms_hash"] in seen["review"]
    assert seen["kept"] == "2"
    assert seen["money"].startswith("$1,098.00 is held in escrow.")
    assert "$1,098.00 was taken from the card and is held in escrow" in seen["movement"]
    assert "Equal to the entries" in seen["escrow"]
    assert "$1,098.00" in seen["escrow"]
    assert seen["kind"] == "application/pdf"
    maya = await world.person("maya")
    assert [(each["state"], each["quantity"]) for each in await _commitments(maya, campaign)] == [("LOCKED", 2)]


async def test_a_commitment_shows_the_address_that_it_was_made_with_after_the_address_was_changed(
    site: Site, world: World
) -> None:
    campaign = await world.campaign(delivers_to="participant_address")
    seen = await site.run("join_to_address", campaign=campaign["id"], label=f"Boat {uuid4().hex[:6]}")
    assert seen["steps"] == [f"Step {number} of 4" for number in (1, 2, 3, 4)]
    assert "Outside the Seattle metropolitan area" in seen["outside"]
    assert "2143 N Northlake Way" in seen["review"]
    assert seen["kept"] is True
    assert seen["changed"] == seen["frozen"]
    assert "2143 N Northlake Way" in seen["frozen"]


async def test_a_reload_on_the_way_never_commits_twice(site: Site, world: World) -> None:
    campaign = await world.campaign()
    seen = await site.run("reload", campaign=campaign["id"])
    assert len(set(seen["keys"])) == 1
    assert seen["money"].startswith(f"{UNIT_PRICE} is held in escrow.")
    theo = await world.person("theo")
    mine = await _commitments(theo, campaign)
    assert [each["state"] for each in mine] == ["LOCKED"]
    assert seen["address"].endswith(str(mine[0]["id"]))


async def test_a_declined_card_is_explained_and_another_one_works(site: Site, world: World) -> None:
    campaign = await world.campaign()
    seen = await site.run("declined", campaign=campaign["id"])
    assert "does not have enough funds" in seen["words"]
    assert "Your units stay reserved until" in seen["words"]
    assert seen["moneyBefore"].startswith("No money was taken")
    assert seen["money"].startswith(f"{UNIT_PRICE} is held in escrow.")
    assert [each["state"] for each in await _commitments(await world.person("maya"), campaign)] == ["LOCKED"]


async def test_the_bank_asks_and_its_answer_decides(site: Site, world: World) -> None:
    campaign = await world.campaign()
    seen = await site.run("bank", campaign=campaign["id"])
    assert seen["confirmed"].startswith(f"{UNIT_PRICE} is held in escrow.")
    assert "payment_intent" not in seen["address"]
    assert "Nothing was charged" in seen["refused"]
    states = sorted(str(each["state"]) for each in await _commitments(await world.person("maya"), campaign))
    assert states == ["LOCKED", "PENDING_FUNDS"]


async def test_a_participant_leaves_after_being_asked_and_sees_the_refund(site: Site, world: World) -> None:
    campaign = await world.campaign()
    maya = await world.person("maya")
    commitment = await world.join(maya, campaign, 1)
    seen = await site.run("withdraw", commitment=commitment["id"])
    assert UNIT_PRICE in seen["question"]
    assert UNIT_PRICE in seen["money"]
    assert "you withdrew" in seen["money"]
    assert (await maya.get(f"/v1/commitments/{commitment['id']}"))["state"] == "WITHDRAWN"


async def test_a_refusal_is_told_in_words_with_its_facts_and_takes_no_money(site: Site, world: World) -> None:
    campaign = await world.campaign(capacity_units=3)
    (rival,) = await world.participants(1)
    body = {"quantity": 2, "terms_hash": campaign["terms_hash"], "confirmation_token": await world.token()}
    seen = await site.run(
        "refused",
        campaign=campaign["id"],
        quantity=3,
        rival={
            "url": f"{site.base}/v1/campaigns/{campaign['id']}/commitments",
            "headers": rival._headers | {"Content-Type": "application/json", "Idempotency-Key": uuid4().hex},
            "body": body,
        },
    )
    assert seen["tooFew"] == "Enter at least 1."
    assert "The remaining capacity is smaller than the units asked for" in seen["words"]
    assert "Units left: 1" in seen["words"]
    held = [each for each in await _commitments(await world.person("theo"), campaign) if each["state"] == "LOCKED"]
    assert held == []
