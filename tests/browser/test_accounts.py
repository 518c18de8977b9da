"""Coming in by an invitation in a real browser whose passkeys are a virtual authenticator's: mails are real ones."""

from __future__ import annotations

from uuid import uuid4

from tests.browser.site import Site
from tests.fixtures.world import World


async def test_somebody_is_invited_signs_up_and_signs_in_with_a_passkey(site: Site, world: World) -> None:
    title = f"Dryers for {uuid4().hex[:8]}"
    campaign = await world.campaign(title=title)
    email, mailbox = f"{uuid4().hex}@people.test", world.addresses.mailbox_url
    invited = await site.run("invite", title=title, mailbox=mailbox, email=email)
    site_address, _, token = invited["mailed"].partition("/sign-up#")
    assert site_address == site.base
    assert invited["shown"] == invited["mailed"]

    seen = await site.run("sign_up", mailbox=mailbox, invitation=token, email=email, campaign=campaign["id"])
    assert title in seen["opens"]
    assert len(set(seen["recovery"])) == 10
    assert len(seen["lines"]) == 2
    assert sum("This session" in line for line in seen["lines"]) == 1
    assert any("Passkey." in line for line in seen["lines"])
    assert any("E-mail and authenticator." in line for line in seen["lines"])
    assert seen["after"] == "Sign in"
