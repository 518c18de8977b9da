"""Addresses over HTTP: kept sealed, judged for delivery, frozen for a commitment, shown to its person and its supplier alone.

One gateway for the whole file; the other services speak in messages.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from contracts.campaigns import CommitFunds, CommitmentSettled, FulfillmentStarted
from contracts.escrow import RefundDecided, RefundSent
from contracts.suppliers import SupplierInvited
from services.gateway.domain.delivery_region import in_delivery_region
from services.gateway.schemas.examples import BODY_EXAMPLES
from services.gateway.store.accounts import Account, NewAccount, insert_accounts, open_sessions
from services.gateway.store.addresses import ADDRESSES_MAX
from services.kit.clock import wall_now
from tests.integration.gateway_accounts import Browser, staff_token
from tests.integration.gateway_joining import Joining, both_commands
from tests.integration.gateway_support import Stage, make_stage

pytestmark = pytest.mark.asyncio

PATH = "/v1/me/addresses"
HOME = BODY_EXAMPLES["AddressBody"] | {"default": False}
POSTAL = ("recipient", "lines", "city", "region", "postal_code")


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage(erasure_rest_seconds=0) as made:
        yield made


@pytest_asyncio.fixture
async def joining(stage: Stage) -> Joining:
    """Somebody who may join a campaign that delivers to addresses."""
    client, participant_id = await stage.participant()
    made = Joining(stage, client, participant_id)
    made.campaign_id, made.terms_hash = await stage.open_campaign(delivers_to="participant_address")
    await stage.commands()
    return made


async def add(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json=HOME | changes)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def locked(joining: Joining, address_id: str) -> UUID:
    """A commitment with held funds that was made with an address."""
    sending = joining.send(address_id=address_id)
    sent = await joining.stage.command(CommitFunds)
    await joining.reserved(sent.message.commitment_id, cause=sent.id)
    await joining.held(sent.message.commitment_id)
    answer = await sending
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


async def supplier(stage: Stage, supplier_id: UUID) -> httpx.AsyncClient:
    """A client of a supplier's own account."""
    account = NewAccount(role="supplier", supplier_id=supplier_id)
    async with stage.owner.begin() as connection:
        await insert_accounts(connection, [account])
        known = Account(account.subject_id, "supplier", supplier_id, None, None)
        (opened,) = await open_sessions(connection, [known], now=wall_now())
    return stage.client(opened.token)


def postal(address: dict[str, Any]) -> dict[str, Any]:
    return {name: address[name] for name in POSTAL}


# -- one's own addresses ------------------------------------------------------------------------------------------


async def test_addresses_are_added_listed_changed_and_removed_with_one_default(stage: Stage) -> None:
    client, _ = await stage.participant()
    home = await add(client)
    work = await add(client, label="Work", postal_code="98402-1234", city="Tacoma")
    assert (home["default"], work["default"], work["in_delivery_region"]) == (True, False, True)
    read = await client.get(f"{PATH}/{work['id']}")
    assert read.json() == work
    changed = await client.put(
        f"{PATH}/{work['id']}",
        json=HOME | {"label": "Office", "default": True},
        headers={"If-Match": read.headers["etag"]},
    )
    assert (changed.status_code, changed.json()["label"]) == (200, "Office")
    listed = (await client.get(PATH)).json()["data"]
    assert [(each["label"], each["default"]) for each in listed] == [("Office", True), ("Home", False)]
    assert (await client.delete(f"{PATH}/{work['id']}")).status_code == 204
    (left,) = (await client.get(PATH)).json()["data"]
    assert (left["id"], left["default"]) == (home["id"], True)


async def test_a_change_is_not_written_over_a_version_that_was_not_read(stage: Stage) -> None:
    client, _ = await stage.participant()
    path = f"{PATH}/{(await add(client))['id']}"
    seen = (await client.get(path)).headers["etag"]
    missing = await client.put(path, json=HOME)
    assert (missing.status_code, missing.json()["code"]) == (428, "version_missing")
    first = await client.put(path, json=HOME | {"city": "Bellevue"}, headers={"If-Match": seen})
    late = await client.put(path, json=HOME | {"city": "Renton"}, headers={"If-Match": seen})
    assert (late.status_code, late.json()["code"]) == (412, "version_stale")
    assert late.headers["etag"] == first.headers["etag"] == (await client.get(path)).headers["etag"]
    assert (await client.get(path)).json()["city"] == "Bellevue"


async def test_an_account_has_a_bounded_number_of_addresses(stage: Stage) -> None:
    client, _ = await stage.participant()
    for number in range(ADDRESSES_MAX):
        await add(client, label=f"Place {number}")
    answer = await client.post(PATH, json=HOME)
    assert (answer.status_code, answer.json()["code"]) == (409, "addresses_full")
    listed = (await client.get(PATH)).json()["data"]
    assert [each["default"] for each in listed].count(True) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("recipient", ""),
        ("recipient", "x" * 101),
        ("recipient", "Maya\u202eaynaM"),
        ("recipient", "\u05de\u05d9\u05d4"),
        ("recipient", "Ma\u200bya"),
        ("label", "x" * 41),
        ("label", "Home\n"),
        ("lines", []),
        ("lines", ["5314 22nd Avenue NW"] * 4),
        ("lines", ["5314\t22nd Avenue NW"]),
        ("lines", ["5314 22nd Avenue NW", " "]),
        ("city", "Sea\u0000ttle"),
        ("region", "Washington"),
        ("postal_code", "9810"),
        ("postal_code", "98107-12"),
        ("postal_code", "\u0669\u0668\u0661\u0660\u0667"),
        ("country", "CA"),
        ("default", "yes"),
    ],
)
async def test_a_line_that_no_label_can_carry_is_refused(stage: Stage, field: str, value: Any) -> None:
    client, subject_id = await stage.participant()
    answer = await client.post(PATH, json=HOME | {field: value})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert all(each["pointer"].startswith(f"/{field}") for each in answer.json()["errors"])
    assert await stage.rows("SELECT 1 FROM address WHERE subject_id = :id", id=subject_id) == []


async def test_what_is_kept_is_sealed_and_the_records_say_nothing_of_it(stage: Stage) -> None:
    client, subject_id = await stage.participant()
    path = f"{PATH}/{(await add(client, recipient='Canary Wren'))['id']}"
    await client.put(path, json=HOME | {"recipient": "Canary Wren Two"}, headers={"If-Match": "*"})
    await client.delete(path)
    await add(client, recipient="Canary Wren")
    kept = await stage.rows("SELECT * FROM address WHERE subject_id = :id", id=subject_id)
    records = await stage.rows("SELECT * FROM audit_entry WHERE actor_id = :id ORDER BY id", id=str(subject_id))
    assert [row.action for row in records] == ["address.added", "address.changed", "address.removed", "address.added"]
    assert {row.subject for row in records[:3]} == {path.rpartition("/")[2]}
    assert "Wren" not in f"{kept} {records}"


@pytest.mark.parametrize(
    ("postal_code", "inside"),
    [("98107", True), ("98004-5005", True), ("98201", True), ("98374", True), ("98110", False), ("98225", False)],
)
async def test_the_delivery_region_is_three_counties_by_postal_code(postal_code: str, inside: bool) -> None:
    assert in_delivery_region(country="US", region="WA", postal_code=postal_code) is inside
    assert not in_delivery_region(country="US", region="OR", postal_code=postal_code)


# -- joining --------------------------------------------------------------------------------------------------------


async def test_a_commitment_keeps_the_address_that_it_was_made_with(stage: Stage, joining: Joining) -> None:
    client = joining.client
    home = await add(client)
    commitment_id = await locked(joining, home["id"])
    path = f"/v1/commitments/{commitment_id}/delivery-address"
    frozen = (await client.get(path)).json()
    assert postal(frozen["address"]) == postal(HOME)
    assert (frozen["commitment_id"], "label" in frozen["address"]) == (str(commitment_id), False)
    await client.put(f"{PATH}/{home['id']}", json=HOME | {"city": "Tacoma"}, headers={"If-Match": "*"})
    assert (await client.get(path)).json() == frozen
    await client.delete(f"{PATH}/{home['id']}")
    assert (await client.get(path)).json() == frozen


async def test_a_join_carries_no_word_of_the_address_to_the_services(stage: Stage, joining: Joining) -> None:
    home = await add(joining.client, recipient="Canary Wren")
    sending = joining.send(wait=0, address_id=home["id"])
    commit, pay = await both_commands(stage)
    assert (await sending).status_code == 202
    assert "Wren" not in f"{commit} {pay}"
    assert home["id"] not in f"{commit.message} {pay.message}"


@pytest.mark.parametrize(
    ("whose", "status", "code"),
    [
        (None, 422, "address_required"),
        ("nobody", 404, "address_unknown"),
        ("somebody else", 404, "address_unknown"),
        ("far away", 422, "address_out_of_region"),
    ],
)
async def test_a_join_without_an_address_to_deliver_to_is_refused_and_writes_nothing(
    stage: Stage, joining: Joining, whose: str | None, status: int, code: str
) -> None:
    other, _ = await stage.participant()
    named = {
        "nobody": {"address_id": str(uuid4())},
        "somebody else": {"address_id": (await add(other))["id"]},
        "far away": {"address_id": (await add(joining.client, region="OR", postal_code="97209"))["id"]},
    }
    await stage.commands()
    answer = await joining.send(**named.get(str(whose), {}))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await stage.commands() == []
    mine = {"id": joining.participant_id}
    assert await stage.rows("SELECT 1 FROM operation WHERE actor_id = :id", **mine) == []
    assert await stage.rows("SELECT 1 FROM commitment_address WHERE subject_id = :id", **mine) == []


async def test_a_campaign_with_a_hand_over_point_keeps_no_address(stage: Stage, joining: Joining) -> None:
    home = await add(joining.client)
    joining.campaign_id, joining.terms_hash = await stage.open_campaign()
    refused = await joining.send(address_id=home["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "address_not_needed")
    await stage.commands()
    commitment_id = await joining.locked()
    frozen = (await joining.client.get(f"/v1/commitments/{commitment_id}/delivery-address")).json()
    assert frozen == {"commitment_id": str(commitment_id), "frozen_at": None, "address": None}


async def test_a_repeated_join_is_the_first_one_whatever_became_of_its_address(stage: Stage, joining: Joining) -> None:
    home, key = await add(joining.client), uuid4().hex
    first = await joining.send(key, wait=0, address_id=home["id"])
    await joining.client.delete(f"{PATH}/{home['id']}")
    again = await joining.send(key, wait=0, address_id=home["id"])
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    other = await joining.send(key, wait=0, address_id=str(uuid4()))
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    rows = await stage.rows("SELECT 1 FROM commitment_address WHERE subject_id = :id", id=joining.participant_id)
    assert len(rows) == 1


async def test_of_joins_stored_together_only_the_one_without_an_address_is_refused(
    stage: Stage, joining: Joining
) -> None:
    home = await add(joining.client)
    wanted = [home["id"], str(uuid4())] * 4
    answers = await asyncio.gather(*(joining.send(wait=0, address_id=each) for each in wanted))
    assert [answer.status_code for answer in answers] == [202, 404] * 4


# -- who sees it -----------------------------------------------------------------------------------------------------


async def test_the_supplier_sees_addresses_of_its_own_campaign_while_it_fulfils_it(
    stage: Stage, joining: Joining
) -> None:
    commitment_id = await locked(joining, (await add(joining.client))["id"])
    own_id = uuid4()
    own, other = await supplier(stage, own_id), await supplier(stage, uuid4())
    path = f"/v1/campaigns/{joining.campaign_id}/delivery-addresses"
    invited = {"campaign_id": joining.campaign_id, "invitation_id": uuid4(), "supplier_id": own_id}
    await stage.tell(SupplierInvited(**invited, units_so_far=2, terms_hash=joining.terms_hash))
    await stage.seen(own, path, data=[])
    await stage.tell(FulfillmentStarted(**invited))
    await stage.seen(own, f"/v1/campaigns/{joining.campaign_id}", state="FULFILLMENT")
    (shown,) = (await own.get(path)).json()["data"]
    assert (shown["commitment_id"], shown["reference"], shown["quantity"]) == (str(commitment_id), "R-7K2M", 2)
    assert postal(shown["address"]) == postal(HOME)
    assert "label" not in shown["address"]
    staff = await stage.sign_in("olga@alpmera.test")
    answers = [(await each.get(path)).status_code for each in (other, joining.client, staff, stage.client())]
    assert answers == [404, 403, 403, 401]
    ids = {"campaign_id": joining.campaign_id, "commitment_id": commitment_id, "participant_id": joining.participant_id}
    await stage.tell(CommitmentSettled(**ids, state="REFUNDED"))
    await stage.seen(own, path, data=[])


# -- kinds of accounts ------------------------------------------------------------------------------------------------


async def test_an_account_is_a_persons_until_its_person_chooses_another_kind(stage: Stage) -> None:
    client, subject_id = await stage.participant()
    path = "/v1/account/kind"
    assert (await client.get(path)).json() == {"kind": "person", "display_name": None, "may_change": True}
    group = {"kind": "group", "display_name": "Canary choir"}
    assert (await client.put(path, json=group)).json() == group | {"may_change": True}
    assert (await client.get(path)).json() == group | {"may_change": True}
    for body in ({"kind": "group"}, {"kind": "person", "display_name": "x"}, {"kind": "family"}):
        assert (await client.put(path, json=body)).status_code == 422
    records = await stage.rows("SELECT * FROM audit_entry WHERE actor_id = :id", id=str(subject_id))
    assert [(row.before, row.after) for row in records] == [({"kind": "person"}, {"kind": "group"})]
    kept = await stage.rows("SELECT * FROM account WHERE subject_id = :id", id=subject_id)
    assert "choir" not in f"{records} {kept} {(await client.get('/v1/me')).text}"


async def test_the_kind_stays_while_a_commitment_is_open_and_the_name_does_not(stage: Stage, joining: Joining) -> None:
    client, path = joining.client, "/v1/account/kind"
    await client.put(path, json={"kind": "group", "display_name": "Knitters"})
    home = await add(client)
    # Accepted, and not shown by the read model yet.
    await joining.send(wait=0, address_id=home["id"])
    assert (await client.get(path)).json()["may_change"] is False
    fixed = await client.put(path, json={"kind": "organisation", "display_name": "Knitters"})
    assert (fixed.status_code, fixed.json()["code"]) == (409, "account_kind_fixed")
    renamed = await client.put(path, json={"kind": "group", "display_name": "Knitters of Ballard"})
    assert renamed.json()["display_name"] == "Knitters of Ballard"


async def test_a_kind_is_chosen_at_sign_up(stage: Stage) -> None:
    founder = await staff_token(stage, "founder")
    token = (await founder.post("/v1/member-invitations", json={"role": "participant"})).json()["token"]
    browser = Browser(stage)
    given = {"token": token, "email": f"{uuid4().hex}@people.test", "kind": "organisation", "display_name": "Choir"}
    assert (await browser.code_from_mail("/v1/sign-up/code", given)).status_code == 200
    kind = (await browser.get("/v1/account/kind")).json()
    assert kind == {"kind": "organisation", "display_name": "Choir", "may_change": True}


# -- one's own data; last, because the tombstone is no message that a later test could read -------------------------


async def test_addresses_and_copies_are_in_ones_file_and_go_with_the_erasure(stage: Stage, joining: Joining) -> None:
    client, subject_id = joining.client, joining.participant_id
    await client.put("/v1/account/kind", json={"kind": "group", "display_name": "Ballard knitters"})
    home = await add(client)
    commitment_id = await locked(joining, home["id"])
    asked = {"section": ["account", "addresses", "delivery_addresses"]}
    data = (await client.get("/v1/me/data", params=asked)).json()
    assert (data["account"]["kind"], data["account"]["display_name"]) == ("group", "Ballard knitters")
    assert [each["id"] for each in data["addresses"]] == [home["id"]]
    assert [each["commitment_id"] for each in data["delivery_addresses"]] == [str(commitment_id)]
    page = await client.get("/v1/me/data", params=asked | {"format": "html"})
    assert HOME["lines"][0] in page.text
    ids = {"campaign_id": joining.campaign_id, "commitment_id": commitment_id, "participant_id": subject_id}
    decision = {"decision_id": uuid4(), "amount_minor": 109_800, "currency": "usd", "reason": "delay_exit"}
    await stage.tell(RefundDecided(**ids, **decision))
    await stage.tell(CommitmentSettled(**ids, state="REFUNDED"))
    await stage.tell(RefundSent(**ids, **decision, refund_id="re_1"))
    await client.post("/v1/me/erasure")
    for _ in range(200):
        (row,) = await stage.rows(
            "SELECT erased_at, display_name_sealed FROM account WHERE subject_id = :id", id=subject_id
        )
        if row.erased_at is not None:
            break
        await asyncio.sleep(0.05)
    assert (row.erased_at is not None, row.display_name_sealed) == (True, None)
    for table in ("address", "commitment_address", "person_key"):
        assert await stage.rows(f"SELECT 1 FROM {table} WHERE subject_id = :id", id=subject_id) == []
