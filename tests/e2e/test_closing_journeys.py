"""Campaigns that end without completion: whatever the reason, every cent goes back and it is said why."""

from __future__ import annotations

from typing import Any

from tests.fixtures.world import Person, World


async def refunded(world: World, campaign: dict[str, Any], total_minor: int) -> dict[str, Any]:
    """Wait until every refund of a closed campaign is paid, and check it to the cent."""
    olga = await world.person("olga")
    found = await world.until(
        olga,
        f"/v1/campaigns/{campaign['id']}",
        lambda now: now["money"]["refunded"]["amount"] == total_minor and now["money"]["refund_owed"]["amount"] == 0,
    )
    assert found["money"]["held"]["amount"] == 0
    assert found["money"]["released"]["amount"] == 0
    assert found["money"]["fees"]["amount"] == 0
    return found


async def with_target_reached(world: World) -> tuple[dict[str, Any], Person, dict[str, Any]]:
    """A campaign whose target is reached by one participant."""
    campaign = await world.campaign()
    (person,) = await world.participants(1)
    commitment = await world.join(person, campaign, 3)
    await world.state(campaign, "TARGET_ACHIEVED")
    return campaign, person, commitment


async def test_a_target_not_reached_at_the_close_refunds_everybody(world: World) -> None:
    campaign = await world.campaign()
    (person,) = await world.participants(1)
    commitment = await world.join(person, campaign, 2)
    await world.advance(days=10, minutes=2)
    closed = await world.state(campaign, "CLOSED")
    assert closed["closed_reason"] == "target_not_reached"
    await refunded(world, campaign, 2 * 54900)
    mine = await person.get(f"/v1/commitments/{commitment['id']}")
    assert mine["state"] == "REFUNDED"
    assert mine["refund"]["state"] == "sent"


async def test_withdrawals_below_the_target_before_the_close_refund_everybody(world: World) -> None:
    campaign = await world.campaign()
    stays, leaves = await world.participants(2)
    await world.join(stays, campaign, 2)
    left = await world.join(leaves, campaign, 1)
    await world.state(campaign, "TARGET_ACHIEVED")
    await world.invitation(campaign, "invited")
    await leaves.post(f"/v1/commitments/{left['id']}/withdrawal", {}, expect=200)
    await world.advance(days=10, minutes=2)
    closed = await world.state(campaign, "CLOSED")
    assert closed["closed_reason"] == "target_not_reached"
    await refunded(world, campaign, 3 * 54900)
    await world.invitation(campaign, "withdrawn")


async def test_a_supplier_who_declines_closes_the_campaign_with_refunds(world: World) -> None:
    campaign, _, _ = await with_target_reached(world)
    await world.advance(days=10, minutes=2)
    invitation = await world.invitation(campaign, "open")
    _, supplier = await world.supplier()
    await supplier.post(f"/v1/invitations/{invitation['id']}/decline", {"reason": "No capacity."}, expect=200)
    closed = await world.state(campaign, "CLOSED")
    assert closed["closed_reason"] == "supplier_declined"
    await refunded(world, campaign, 3 * 54900)
    late = await supplier.post(
        f"/v1/invitations/{invitation['id']}/acceptance", {"terms_hash": invitation["terms_hash"]}
    )
    assert (late.status_code, late.json()["code"]) == (409, "invitation_not_open")


async def test_an_acceptance_window_that_passes_closes_the_campaign_with_refunds(world: World) -> None:
    campaign, _, _ = await with_target_reached(world)
    await world.advance(days=10, minutes=2)
    await world.invitation(campaign, "open")
    await world.advance(days=7, minutes=2)
    closed = await world.state(campaign, "CLOSED")
    assert closed["closed_reason"] == "acceptance_timeout"
    await refunded(world, campaign, 3 * 54900)


async def test_a_fulfillment_that_three_roles_find_failed_refunds_everybody(world: World) -> None:
    campaign, _, _ = await with_target_reached(world)
    await world.advance(days=10, minutes=2)
    invitation = await world.invitation(campaign, "open")
    _, supplier = await world.supplier()
    await supplier.post(
        f"/v1/invitations/{invitation['id']}/acceptance", {"terms_hash": invitation["terms_hash"]}, expect=200
    )
    await world.state(campaign, "FULFILLMENT")
    for name, role in (("olga", "operations"), ("ana", "escrow_auditor"), ("tess", "trust_reviewer")):
        person = await world.person(name)
        body = {"role": role, "reason": "Nothing was dispatched in four weeks."}
        await person.post(f"/v1/campaigns/{campaign['id']}/failure-sign-offs", body, expect=200)
    closed = await world.state(campaign, "CLOSED")
    assert closed["closed_reason"] == "fulfillment_failed"
    await refunded(world, campaign, 3 * 54900)
    ana = await world.person("ana")
    plan = await ana.post(
        f"/v1/campaigns/{campaign['id']}/clearing-plans", {"kind": "release", "reason": "After the close."}
    )
    assert plan.status_code == 409


async def test_a_refused_transfer_stays_an_open_case_until_it_is_mended_and_retried(world: World) -> None:
    campaign, _, commitment = await with_target_reached(world)
    await world.advance(days=10, minutes=2)
    invitation = await world.invitation(campaign, "open")
    _, supplier = await world.supplier()
    path = f"/v1/campaigns/{campaign['id']}"
    await supplier.post(
        f"/v1/invitations/{invitation['id']}/acceptance", {"terms_hash": invitation["terms_hash"]}, expect=200
    )
    await world.state(campaign, "FULFILLMENT")
    await supplier.post(
        f"{path}/deliveries", {"commitment_ids": [commitment["id"]], "evidence": "signed for"}, expect=200
    )
    await world.advance(days=7, minutes=2)
    account = await world.payout_account()
    ana, ben, olga = [await world.person(name) for name in ("ana", "ben", "olga")]
    await world.standin.post(f"/_standin/accounts/{account}/restrict", json={})
    try:
        plan = (
            await ana.post(f"{path}/clearing-plans", {"kind": "release", "reason": "Delivered."}, expect=201)
        ).json()
        await ben.post(f"/v1/clearing-plans/{plan['id']}/approval", {"plan_hash": plan["plan_hash"]}, expect=200)
        cases = await world.until(
            olga,
            "/v1/cases?state=open&limit=200",
            lambda found: any(each["scope"] == campaign["id"] for each in found["data"]),
        )
        mine = [each for each in cases["data"] if each["scope"] == campaign["id"]]
        assert [each["kind"] for each in mine] == ["transfer_refused"]
    finally:
        await world.standin.post(f"/_standin/accounts/{account}/unrestrict", json={})
    await ana.post(f"/v1/clearing-plans/{plan['id']}/transfer-retry", {})
    await world.state(campaign, "COMPLETED")
    await world.quiet()
    left = await olga.get("/v1/cases?state=open&limit=200")
    assert [each for each in left["data"] if each["scope"] == campaign["id"]] == []
