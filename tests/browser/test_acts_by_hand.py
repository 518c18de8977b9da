"""An act on money by hand in a real browser: asked for, taken back, asked for again, approved by another person, read."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from tests.browser.newcomers import invite_staff, let_the_proof_age
from tests.browser.site import Site
from tests.fixtures.world import World


async def test_a_part_is_refunded_by_two_people_of_the_pages_and_the_participant_reads_why(
    site: Site, world: World
) -> None:
    campaign = await world.campaign()
    mine = await world.join(await world.person("maya"), campaign, 1)
    invitation_id, token = await invite_staff(world, "escrow_auditor")
    seen, _ = await asyncio.gather(
        site.run(
            "act_by_hand",
            campaign=campaign["id"],
            commitment=mine["id"],
            reference=mine["reference"],
            mailbox=world.addresses.mailbox_url,
            invitation=token,
            email=f"{uuid4().hex}@alpmera.test",
        ),
        let_the_proof_age(world, invitation_id),
    )
    for words in ("$549.00", "-$49.00", "$500.00"):
        assert words in seen["sums"]
        assert words in seen["figures"]
    assert "Partial refund by hand" in seen["done"]
    assert seen["money"].startswith("$49.00 was refunded to your card")
    assert "$500.00 is still held in escrow." in seen["money"]
    assert "Two different escrow auditors approved it." in seen["movements"]
