"""Invitations to the platform: who issues them, who uses them, and what they open. Over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from contracts.notifications import SendInvitationMail
from contracts.suppliers import SupplierRegistered
from services.gateway.domain.inviting import INVITES, may_invite
from services.gateway.domain.policy import POLICY
from services.gateway.domain.roles import SIGNED_IN, STAFF
from services.kit.people import unseal
from tests.integration.gateway_support import Stage, make_stage

pytestmark = pytest.mark.asyncio

PATH = "/v1/member-invitations"


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage(participant_invitations_max=2) as made:
        yield made


async def issue(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json=fields)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def redeem(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post(f"{PATH}/redemption", json={"token": token})


async def test_a_private_campaign_is_seen_and_joined_by_whoever_used_an_invitation_to_it(stage: Stage) -> None:
    campaign_id, terms_hash = await stage.open_campaign(visibility="private")
    member, _ = await stage.participant()
    body = {"quantity": 1, "terms_hash": terms_hash, "confirmation_token": "ctoken_ok"}
    path, join = f"/v1/campaigns/{campaign_id}", f"/v1/campaigns/{campaign_id}/commitments"
    headers = {"Prefer": "wait=0"}

    assert (await member.get(path)).json()["code"] == "not_found"
    refused = await member.post(join, json=body, headers=headers | {"Idempotency-Key": uuid4().hex})
    assert refused.json()["code"] == "not_found"

    issued = await issue(await stage.sign_in("gus@alpmera.test"), campaign_id=str(campaign_id))
    assert (await redeem(member, issued["token"])).json() == {"campaign_id": str(campaign_id)}
    assert (await member.get(path)).json()["id"] == str(campaign_id)
    assert str(campaign_id) in {each["id"] for each in (await member.get("/v1/campaigns")).json()["data"]}
    accepted = await member.post(join, json=body, headers=headers | {"Idempotency-Key": uuid4().hex})
    assert accepted.status_code == 202


async def test_an_invitation_is_used_once_and_by_one_person(stage: Stage) -> None:
    campaign_id, _ = await stage.open_campaign(visibility="private")
    issued = await issue(await stage.sign_in("olga@alpmera.test"), campaign_id=str(campaign_id))
    people = [(await stage.participant())[0] for _ in range(5)]
    results = await asyncio.gather(*(redeem(person, issued["token"]) for person in people))
    assert sorted(answer.status_code for answer in results) == [200, 404, 404, 404, 404]
    winner = people[[answer.status_code for answer in results].index(200)]
    assert (await redeem(winner, issued["token"])).status_code == 200
    admitted = await stage.rows(
        "SELECT count(*) AS count FROM campaign_admission WHERE campaign_id = :id", id=campaign_id
    )
    assert admitted[0].count == 1


async def test_a_revoked_or_expired_or_unknown_invitation_answers_alike(stage: Stage) -> None:
    campaign_id, _ = await stage.open_campaign(visibility="private")
    staff = await stage.sign_in("gus@alpmera.test")
    member, _ = await stage.participant()
    revoked, expired = [await issue(staff, campaign_id=str(campaign_id)) for _ in range(2)]
    assert (await staff.post(f"{PATH}/{revoked['id']}/revocation")).json()["state"] == "revoked"
    await stage.execute(
        "UPDATE member_invitation SET created_at = created_at - interval '30 days', "
        "expires_at = expires_at - interval '30 days' WHERE id = :id",
        id=expired["id"],
    )
    for token in (revoked["token"], expired["token"], "n" * 43):
        for path in ("redemption", "preview"):
            answer = await member.post(f"{PATH}/{path}", json={"token": token})
            assert (answer.status_code, answer.json()["code"]) == (404, "member_invitation_unusable")
    states = {each["id"]: each["state"] for each in (await staff.get(PATH)).json()["data"]}
    assert (states[revoked["id"]], states[expired["id"]]) == ("revoked", "expired")


async def test_revoking_a_used_invitation_takes_the_admission_back(stage: Stage) -> None:
    campaign_id, _ = await stage.open_campaign(visibility="private")
    staff = await stage.sign_in("gus@alpmera.test")
    member, _ = await stage.participant()
    issued = await issue(staff, campaign_id=str(campaign_id))
    await redeem(member, issued["token"])
    assert (await member.get(f"/v1/campaigns/{campaign_id}")).status_code == 200
    for _ in range(2):
        answer = await staff.post(f"{PATH}/{issued['id']}/revocation")
        assert (answer.status_code, answer.json()["state"]) == (200, "revoked")
    assert (await member.get(f"/v1/campaigns/{campaign_id}")).status_code == 404
    assert (await redeem(member, issued["token"])).status_code == 404


async def test_a_bound_invitation_is_for_one_address_alone(stage: Stage) -> None:
    campaign_id, _ = await stage.open_campaign(visibility="private")
    issued = await issue(
        await stage.sign_in("gus@alpmera.test"), campaign_id=str(campaign_id), email="Maya@demo.test ", note="Maya"
    )
    assert (issued["bound"], issued["note"]) == (True, "Maya")
    other, _ = await stage.participant()
    assert (await redeem(other, issued["token"])).status_code == 404
    assert (await redeem(await stage.sign_in("maya@demo.test"), issued["token"])).status_code == 200


async def test_staffs_invitation_for_one_address_goes_there_by_mail_and_a_participants_never_does(stage: Stage) -> None:
    await stage.commands()
    made = await issue(await stage.sign_in("gus@alpmera.test"), email="ruth@people.test")
    sent = (await stage.command(SendInvitationMail)).message
    said = unseal(stage.settings.people_key_notifications.get_secret_value(), sent.sealed)
    assert (said["email"], said["token"]) == ("ruth@people.test", made["token"])
    assert datetime.fromisoformat(said["until"]) == datetime.fromisoformat(made["expires_at"])
    assert made["token"] not in sent.model_dump_json()

    member, _ = await stage.participant()
    await issue(member, email="ruth@people.test")
    await issue(await stage.sign_in("gus@alpmera.test"))
    assert [each for each in await stage.commands() if isinstance(each.message, SendInvitationMail)] == []


async def test_a_link_tells_what_it_opens_and_stays_unused(stage: Stage) -> None:
    campaign_id, _ = await stage.open_campaign(visibility="private", title="Kilns for Ballard")
    issued = await issue(await stage.sign_in("gus@alpmera.test"), campaign_id=str(campaign_id))
    for _ in range(2):
        answer = await stage.client().post(f"{PATH}/preview", json={"token": issued["token"]})
        assert answer.json()["campaign_title"] == "Kilns for Ballard"


async def test_neither_token_nor_note_nor_address_is_stored_plain(stage: Stage) -> None:
    staff = await stage.sign_in("gus@alpmera.test")
    address, note = f"{uuid4().hex}@people.test", uuid4().hex
    issued = await issue(staff, email=address, note=note)
    for secret in (issued["token"], address, note):
        for table in ("member_invitation", "outbox"):
            found = await stage.rows(
                f"SELECT count(*) AS count FROM {table} AS row WHERE row::text LIKE :secret", secret=f"%{secret}%"
            )
            assert found[0].count == 0
    assert len(issued["token"]) == 43


async def test_a_participant_invites_a_limited_number_and_none_to_a_private_campaign(stage: Stage) -> None:
    private_id, _ = await stage.open_campaign(visibility="private")
    members_id, _ = await stage.open_campaign()
    member, _ = await stage.participant()
    staff = await stage.sign_in("gus@alpmera.test")
    opening = await issue(staff, campaign_id=str(private_id))

    unseen = await member.post(PATH, json={"campaign_id": str(private_id)})
    assert (unseen.status_code, unseen.json()["code"]) == (404, "not_found")
    await redeem(member, opening["token"])
    seen = await member.post(PATH, json={"campaign_id": str(private_id)})
    assert (seen.status_code, seen.json()["code"]) == (403, "not_allowed")

    answers = await asyncio.gather(*(member.post(PATH, json={"campaign_id": str(members_id)}) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 409, 409]
    listed = (await member.get(PATH)).json()
    assert (len(listed["data"]), listed["left"]) == (2, 0)
    await member.post(f"{PATH}/{listed['data'][0]['id']}/revocation")
    assert (await member.get(PATH)).json()["left"] == 1


async def test_a_participant_sees_and_revokes_its_own_invitations_alone(stage: Stage) -> None:
    maker, _ = await stage.participant()
    other, _ = await stage.participant()
    issued = await issue(maker)
    assert (await other.get(PATH)).json()["data"] == []
    assert (await other.post(f"{PATH}/{issued['id']}/revocation")).status_code == 404
    staff = await stage.sign_in("olga@alpmera.test")
    assert issued["id"] in {each["id"] for each in (await staff.get(PATH)).json()["data"]}


async def test_an_invitation_into_a_role_follows_the_table_of_inviters(stage: Stage) -> None:
    supplier_id = uuid4()
    await stage.tell(
        SupplierRegistered(supplier_id=supplier_id, display_name="Kiln", payout_account_id="acct_1", tier="proven")
    )
    gatekeeper = await stage.sign_in("gus@alpmera.test")
    for _ in range(100):
        answer = await gatekeeper.post(PATH, json={"role": "supplier", "supplier_id": str(supplier_id)})
        if answer.status_code == 201:
            break
        await asyncio.sleep(0.05)
    assert answer.status_code == 201
    unknown = await gatekeeper.post(PATH, json={"role": "supplier", "supplier_id": str(uuid4())})
    assert unknown.json()["code"] == "supplier_unknown"
    for body in ({"role": "supplier"}, {"supplier_id": str(supplier_id)}):
        assert (await gatekeeper.post(PATH, json=body)).json()["code"] == "validation_failed"
    member, _ = await stage.participant()
    for client in (gatekeeper, member):
        assert (await client.post(PATH, json={"role": "escrow_auditor"})).json()["code"] == "not_allowed"
    auditor = await stage.sign_in("ana@alpmera.test")
    assert (await auditor.post(PATH, json={})).json()["code"] == "not_allowed"


async def test_only_a_founder_invites_staff_and_only_inviters_may_act() -> None:
    assert {role for role in SIGNED_IN if any(may_invite(role, staff) for staff in STAFF)} == {"founder"}
    assert POLICY["member_invitations_issue"].roles == frozenset(INVITES)


async def test_lists_go_on_by_cursor(stage: Stage) -> None:
    staff = await stage.sign_in("gus@alpmera.test")
    made = [(await issue(staff))["id"] for _ in range(3)]
    first = (await staff.get(PATH, params={"limit": 2})).json()
    rest = (await staff.get(PATH, params={"limit": 1, "cursor": first["next_cursor"]})).json()
    assert [each["id"] for each in first["data"] + rest["data"]] == made[::-1]
