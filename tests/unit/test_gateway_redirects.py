"""Addresses that a waiting browser is sent to: pages only, whoever named them."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from contracts.escrow import PaymentActionAddress
from services.gateway.usecases.redirects import Redirects


def told(redirects: Redirects, url: str) -> str | None:
    commitment_id: UUID = uuid4()
    redirects.remember(
        PaymentActionAddress(campaign_id=uuid4(), commitment_id=commitment_id, participant_id=uuid4(), redirect_url=url)
    )
    return redirects.url_of(commitment_id)


@pytest.mark.parametrize("url", ["https://hooks.stripe.com/redirect/1", "http://127.0.0.1:4242/3ds"])
def test_the_address_of_a_page_is_handed_on(url: str) -> None:
    assert told(Redirects(), url) == url


@pytest.mark.parametrize(
    "url", ["java" + "script:alert(1)", "data:text/html,x", "JavaScript:x", "//elsewhere.example", " https://a.example"]
)
def test_an_address_of_another_protocol_is_not_handed_to_a_browser(url: str) -> None:
    waiting: list[object] = []
    redirects = Redirects()
    redirects.on_arrival = lambda ids: waiting.extend(ids)
    assert told(redirects, url) is None
    assert waiting == []
