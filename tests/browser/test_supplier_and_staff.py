"""The supplier and staff in a real browser: review, invitation, delivery, and a release that two people approve."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

from tests.browser.newcomers import invite_staff, let_the_proof_age
from tests.browser.site import Site
from tests.fixtures.world import World

TO_CLOSE = {"days": 10, "minutes": 2}
INSPECTION = {"days": 7, "minutes": 2}
DRAFT = {
    "Name of the product": "Heat-pump dryer, 8 kg",
    "Specification": "8 kg, condenser-free, energy class A+++",
    "Category": "appliances",
    "Amount": "649",
    "Where it was seen": "public list",
    "Seen on": "2026-11-01",
    "Target quantity": "3",
    "Capacity": "6",
    "Collective price per unit": "549.00",
    "Fee in percent": "3",
    "Delivery window in days": "21",
    "Delivery model": "One hand-over per participant at the community hall",
    "Delivery": "Delivery is included in the unit price.",
    "Refunds": "Every ending other than completion refunds the whole amount.",
    "Who answers for it": "olga",
    "Who stands in": "gus",
    "What can fail": "The supplier does not deliver.",
    "Who notices it, and how": "Operations, by the overdue update.",
    "What is done then": "Three roles determine the failure and every cent is refunded.",
}
"""A draft's fields by their names on the page."""


async def test_a_gatekeeper_opens_a_campaign_when_every_answer_is_yes(site: Site, world: World) -> None:
    campaign = await world.campaign(review=False)
    seen = await site.run("review", campaign=campaign["id"], title=campaign["title"])
    assert "defer or reject" in seen["ruledOut"]
    assert (await world.state(campaign, "ACTIVE"))["state"] == "ACTIVE"


async def test_a_draft_is_written_and_two_changes_of_it_meet_without_loss(site: Site, world: World) -> None:
    await world.supplier()
    title = f"Dryers {uuid4().hex[:8]}"
    close_at = await world.clock.now() + timedelta(days=10)
    seen = await site.run(
        "draft",
        title=title,
        supplier="Emerald Supply",
        fields=DRAFT | {"Close date": close_at.strftime("%Y-%m-%dT%H:%M")},
        others={"Title of the campaign": f"{title}, south", "Target quantity": "4"},
    )
    assert seen["missing"] >= 10
    assert (seen["beside"], seen["kept"]) == ("true", seen["tooLong"])
    for words in (title, "$549.00", "3% of the unit price", "3 units", DRAFT["Specification"], "$649.00, public list"):
        assert words in seen["preview"]
    changed, taken = seen["differing"]
    assert changed.splitlines()[0] == "Title of the campaign"
    assert "Yours, changed by you" in changed
    assert f"{title}, south" in changed
    assert taken.splitlines()[0] == "Target quantity"
    assert "Yours, as you read it" in taken
    stored = await (await world.person("olga")).get(f"/v1/campaigns/{seen['address'].rsplit('/', 1)[1]}")
    assert (stored["state"], stored["title"]) == ("IN_REVIEW", f"{title}, north")
    assert (stored["terms"]["target_units"], stored["terms"]["unit_price_minor"]) == (4, 54_900)


async def test_a_campaign_is_accepted_delivered_and_released_by_the_people_of_the_pages(
    site: Site, world: World
) -> None:
    campaign = await world.campaign()
    maya = await world.person("maya")
    mine = await world.join(maya, campaign, 1)
    (other,) = await world.participants(1)
    await world.join(other, campaign, 2)
    await world.invitation(campaign, "invited")
    await world.advance(**TO_CLOSE)
    invitation = await world.invitation(campaign, "open")

    accepted = await site.run("supplier_accepts", invitation=invitation["id"], hash=invitation["terms_hash"])
    assert "3 units at $549.00 each, $1,647.00 in all" in accepted["binding"]
    assert "$1,597.59" in accepted["binding"]
    await world.state(campaign, "FULFILLMENT")

    delivered = await site.run("supplier_delivers", campaign=campaign["id"], tracking="T-7")
    assert delivered["table"].count("Delivered") == 2
    await world.state(campaign, "INSPECTION")
    await world.advance(**INSPECTION)

    invitation_id, token = await invite_staff(world, "escrow_auditor")
    cleared, _ = await asyncio.gather(
        site.run(
            "two_auditors",
            campaign=campaign["id"],
            reason="Delivered, nothing reported.",
            mailbox=world.addresses.mailbox_url,
            invitation=token,
            email=f"{uuid4().hex}@alpmera.test",
        ),
        let_the_proof_age(world, invitation_id),
    )
    assert cleared["approvals"] == 0
    assert "This act needs a fresh confirmation" in cleared["refused"]
    assert len(cleared["conditions"]) == 9
    assert all(each.startswith("Met") for each in cleared["conditions"])
    assert "$1,647.00" in cleared["figures"]
    assert "$1,597.59" in cleared["figures"]
    await world.state(campaign, "COMPLETED")

    line = await site.run("money_line", commitment=mine["id"], name="maya")
    assert line["money"].startswith("$549.00 was released to the supplier")


async def test_a_supplier_declines_with_a_reason_and_everybody_is_refunded(site: Site, world: World) -> None:
    campaign = await world.campaign()
    maya = await world.person("maya")
    mine = await world.join(maya, campaign, 3)
    await world.invitation(campaign, "invited")
    await world.advance(**TO_CLOSE)
    invitation = await world.invitation(campaign, "open")
    seen = await site.run("supplier_declines", invitation=invitation["id"], reason="The line stands still.")
    assert seen["missing"] == "Give the reason."
    await world.state(campaign, "CLOSED")
    line = await site.run("money_line", commitment=mine["id"], name="maya")
    assert "the supplier declined" in line["money"]
