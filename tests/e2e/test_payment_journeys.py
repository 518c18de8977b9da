"""What happens to one participant's money: declines, 3-D Secure, withdrawals, late money, refunds that do not go smoothly."""

from __future__ import annotations

from typing import Any

import httpx

from tests.fixtures.world import Person, World


async def escrow_of(world: World, campaign: dict[str, Any]) -> dict[str, Any]:
    """The campaign's money figures as staff reads them."""
    return dict((await (await world.person("olga")).get(f"/v1/campaigns/{campaign['id']}"))["money"])


async def paid_back(world: World, person: Person, commitment_id: str) -> dict[str, Any]:
    """Wait until the commitment's refund is paid."""
    return await world.until(
        person,
        f"/v1/commitments/{commitment_id}",
        lambda found: found["refund"] is not None and found["refund"]["state"] == "sent",
    )


async def authenticate(world: World, address: str, outcome: str) -> None:
    """Do what the bank's page does."""
    intent = next(part for part in httpx.URL(address).path.split("/") if part.startswith("pi_"))
    answer = await world.standin.post(
        f"/_standin/payment_intents/{intent}/complete_authentication", json={"outcome": outcome}
    )
    assert answer.status_code == 200, answer.text


async def waiting_for_the_bank(world: World) -> tuple[dict[str, Any], Person, str, str]:
    """A campaign with one commitment that the bank asks to confirm: (campaign, person, commitment id, address)."""
    campaign = await world.campaign()
    (person,) = await world.participants(1)
    asked = await world.join(person, campaign, 1, method="pm_card_authenticationRequired", expect=202)
    assert asked["state"] == "action_required"
    return campaign, person, asked["resource"]["id"], asked["next_action"]["url"]


async def test_a_locked_commitment_is_withdrawn_and_refunded_in_full(world: World) -> None:
    campaign = await world.campaign()
    (person,) = await world.participants(1)
    mine = await world.join(person, campaign, 2)
    left = (await person.post(f"/v1/commitments/{mine['id']}/withdrawal", {}, expect=200)).json()
    assert left["state"] == "WITHDRAWN"
    await paid_back(world, person, mine["id"])
    money = await escrow_of(world, campaign)
    assert (money["held"]["amount"], money["refunded"]["amount"]) == (0, 2 * 54900)
    again = await person.post(f"/v1/commitments/{mine['id']}/withdrawal", {})
    assert (again.status_code, again.json()["code"]) == (409, "commitment_not_withdrawable")


async def test_a_declined_card_takes_nothing_and_another_card_succeeds_in_the_same_reservation(world: World) -> None:
    campaign = await world.campaign()
    (person,) = await world.participants(1)
    declined = await world.join(person, campaign, 1, method="pm_card_visa_chargeDeclined", expect=402)
    assert declined["code"] == "payment_declined"
    commitment_id = declined["resource"]["id"]
    assert (await escrow_of(world, campaign))["held"]["amount"] == 0
    paid = await person.post(
        f"/v1/commitments/{commitment_id}/payment", {"confirmation_token": await world.token()}, expect=200
    )
    assert paid.json()["state"] == "LOCKED"
    assert (await escrow_of(world, campaign))["held"]["amount"] == 54900


async def test_a_declined_card_that_nobody_replaces_frees_its_units_after_the_reservation(world: World) -> None:
    campaign = await world.campaign()
    (person,) = await world.participants(1)
    declined = await world.join(person, campaign, 6, method="pm_card_visa_chargeDeclined", expect=402)
    await world.advance(minutes=17)
    ended = await world.until(
        person, f"/v1/commitments/{declined['resource']['id']}", lambda found: found["state"] == "FUNDS_FAILED"
    )
    assert ended["refund"] is None
    (other,) = await world.participants(1)
    await world.join(other, campaign, 6)


async def test_a_confirmed_3d_secure_payment_is_held(world: World) -> None:
    campaign, person, commitment_id, address = await waiting_for_the_bank(world)
    await authenticate(world, address, "succeed")
    await world.until(person, f"/v1/commitments/{commitment_id}", lambda found: found["state"] == "LOCKED")
    assert (await escrow_of(world, campaign))["held"]["amount"] == 54900


async def test_an_abandoned_3d_secure_payment_ends_with_its_reservation_and_takes_nothing(world: World) -> None:
    campaign, person, commitment_id, _ = await waiting_for_the_bank(world)
    await world.advance(minutes=17)
    await world.until(person, f"/v1/commitments/{commitment_id}", lambda found: found["state"] == "FUNDS_FAILED")
    money = await escrow_of(world, campaign)
    assert all(figure["amount"] == 0 for figure in money.values())


async def test_a_3d_secure_payment_that_succeeds_at_the_very_end_is_held_not_cancelled(world: World) -> None:
    """The bank's word arrives by no webhook; escrow learns it when it tries to cancel."""
    campaign, person, commitment_id, address = await waiting_for_the_bank(world)
    fault = {"webhook": {"types": ["payment_intent.succeeded"]}, "action": "withhold", "times": 1}
    assert (await world.standin.post("/_standin/faults", json=fault)).status_code == 200
    try:
        await authenticate(world, address, "succeed")
        await world.advance(minutes=17)
        await world.until(person, f"/v1/commitments/{commitment_id}", lambda found: found["state"] == "LOCKED")
    finally:
        await world.standin.delete("/_standin/faults")
    assert (await escrow_of(world, campaign))["held"]["amount"] == 54900


async def test_leaving_while_funds_are_pending_cancels_the_payment(world: World) -> None:
    campaign, person, commitment_id, address = await waiting_for_the_bank(world)
    left = (await person.post(f"/v1/commitments/{commitment_id}/withdrawal", {}, expect=200)).json()
    assert left["state"] == "WITHDRAWN"
    await world.quiet()
    money = await escrow_of(world, campaign)
    assert all(figure["amount"] == 0 for figure in money.values())


async def test_money_that_arrives_for_an_ended_reservation_goes_straight_back(world: World) -> None:
    """The bank confirms while the participant is leaving: the cancel comes too late, so the payment is refunded."""
    campaign, person, commitment_id, address = await waiting_for_the_bank(world)
    fault = {"match": {"method": "POST", "path": "/v1/payment_intents"}, "action": "delay", "seconds": 2, "times": 1}
    assert (await world.standin.post("/_standin/faults", json=fault)).status_code == 200
    try:
        await person.post(f"/v1/commitments/{commitment_id}/withdrawal", {}, expect=200)
        await authenticate(world, address, "succeed")
        await paid_back(world, person, commitment_id)
    finally:
        await world.standin.delete("/_standin/faults")
    money = await escrow_of(world, campaign)
    assert (money["held"]["amount"], money["refunded"]["amount"]) == (0, 54900)
    assert (await person.get(f"/v1/commitments/{commitment_id}"))["state"] == "WITHDRAWN"


async def test_a_refund_that_waits_stays_owed_until_it_is_paid(world: World) -> None:
    campaign = await world.campaign()
    (person,) = await world.participants(1)
    mine = await world.join(person, campaign, 1, method="pm_card_refundPending")
    await person.post(f"/v1/commitments/{mine['id']}/withdrawal", {}, expect=200)
    await world.until(
        person, f"/v1/commitments/{mine['id']}", lambda found: found["refund"] and found["refund"]["state"] == "pending"
    )
    assert (await escrow_of(world, campaign))["refund_owed"]["amount"] == 54900
    await world.advance(days=3)
    await paid_back(world, person, mine["id"])
    assert (await escrow_of(world, campaign))["refund_owed"]["amount"] == 0


async def test_a_refund_that_fails_is_owed_again_with_an_open_case_or_is_paid_by_a_new_attempt(world: World) -> None:
    campaign = await world.campaign()
    (person,) = await world.participants(1)
    mine = await world.join(person, campaign, 1, method="pm_card_refundFail")
    await person.post(f"/v1/commitments/{mine['id']}/withdrawal", {}, expect=200)
    await world.advance(days=5)
    await world.quiet()
    money = await escrow_of(world, campaign)
    owed, paid = money["refund_owed"]["amount"], money["refunded"]["amount"]
    assert owed + paid == 54900
    olga = await world.person("olga")
    cases = [
        each
        for each in (await olga.get("/v1/cases?state=open&limit=200"))["data"]
        if each["scope"] == campaign["id"] and each["kind"] == "refund_failed"
    ]
    assert bool(cases) == (owed > 0)
