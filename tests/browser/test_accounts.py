"""Coming in by an invitation in a real browser whose passkeys are a virtual authenticator's: mails are real ones."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit
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
    scanned = urlsplit(seen["scanned"])
    assert (scanned.scheme, scanned.netloc) == ("otpauth", "totp")
    assert parse_qs(scanned.query)["secret"] == [seen["shown"]]
    _check_own_data(seen["own"], email=email, title=title)
    _check_kit(seen["taken"], title=title)


def _check_own_data(own: dict[str, Any], *, email: str, title: str) -> None:
    assert (own["json"]["name"], own["html"]["name"]) == ("alpmera-my-data.json", "alpmera-my-data.html")
    kept = json.loads(own["json"]["text"])
    assert kept["account"]["email"] == email
    assert [each["campaign_title"] for each in kept["commitments"]] == [title]
    assert email in own["html"]["text"]
    assert title in own["html"]["text"]
    assert "It waits until this is settled:" in own["erasure"]
    assert f"{title}: Funds for this commitment are held" in own["erasure"]


def _check_kit(taken: dict[str, Any], *, title: str) -> None:
    assert taken["answers"] == [200, 401]
    assert taken["renewed"] == [404, 200]
    assert taken["calendar"].startswith("BEGIN:VCALENDAR")
    assert title in taken["calendar"]
    assert not taken["shownAgain"]
