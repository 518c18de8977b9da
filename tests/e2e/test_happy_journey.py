"""The happy journey through the gateway: from a draft to funds released, two people approving."""

from __future__ import annotations

from tests.fixtures.world import World


async def test_a_campaign_goes_from_draft_to_completed_and_the_supplier_is_paid(world: World) -> None:
    campaign = await world.campaign()
    assert campaign["state"] == "ACTIVE"
    first, second = await world.participants(2)
    mine = await world.join(first, campaign, 1)
    theirs = await world.join(second, campaign, 2)
    assert mine["state"] == theirs["state"] == "LOCKED"
    reached = await world.state(campaign, "TARGET_ACHIEVED")
    assert reached["money"]["held"] == {"amount": 3 * 54900, "currency": "USD"}

    await world.invitation(campaign, "invited")
    await world.advance(days=10, minutes=2)
    await world.state(campaign, "PENDING_ACCEPTANCE")
    invitation = await world.invitation(campaign, "open")
    supplier_id, supplier = await world.supplier()
    wrong = await supplier.post(f"/v1/invitations/{invitation['id']}/acceptance", {"terms_hash": "0" * 64})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "terms_hash_stale")
    await supplier.post(
        f"/v1/invitations/{invitation['id']}/acceptance", {"terms_hash": invitation["terms_hash"]}, expect=200
    )
    await world.state(campaign, "FULFILLMENT")

    ids = [mine["id"], theirs["id"]]
    path = f"/v1/campaigns/{campaign['id']}"
    await supplier.post(f"{path}/dispatches", {"commitment_ids": ids, "tracking": "T-1"}, expect=200)
    await supplier.post(f"{path}/deliveries", {"commitment_ids": ids, "evidence": "signed for"}, expect=200)
    await world.state(campaign, "INSPECTION")
    await world.advance(days=7, minutes=2)

    ana, ben = await world.person("ana"), await world.person("ben")
    plan = (
        await ana.post(f"{path}/clearing-plans", {"kind": "release", "reason": "All delivered."}, expect=201)
    ).json()
    assert all(condition["met"] for condition in plan["conditions"] if condition["name"] != "two_approvers")
    own = await ana.post(f"/v1/clearing-plans/{plan['id']}/approval", {"plan_hash": plan["plan_hash"]})
    assert (own.status_code, own.json()["code"]) == (403, "approver_is_maker")
    await ben.post(f"/v1/clearing-plans/{plan['id']}/approval", {"plan_hash": plan["plan_hash"]}, expect=200)
    done = await world.state(campaign, "COMPLETED")
    fee = 3 * 54900 * 300 // 10_000
    assert done["money"]["fees"]["amount"] == fee
    assert done["money"]["released"]["amount"] == 3 * 54900 - fee
    assert done["money"]["held"]["amount"] == 0
    assert (await first.get(f"/v1/commitments/{mine['id']}"))["state"] == "RELEASED"
