"""A campaign's page: who sees it, live progress, its ends, the money shown from the ledger, cases."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from contracts.campaigns import (
    AcceptanceRequested,
    CampaignClosed,
    CommitmentLocked,
    CommitmentReserved,
    JoiningEnded,
    TargetReached,
)
from contracts.escrow import CampaignSettled, FundsHeld, LedgerTransfersPosted, RefundDecided, RefundSent
from contracts.housekeeping import (
    CampaignsCaseClosed,
    CampaignsCaseOpened,
)
from contracts.ledger import LedgerEntry, LedgerTransfer
from contracts.suppliers import AcceptanceWindowOpened, SupplierInvited, SupplierRegistered
from services.gateway.auth.local_sign_in import DEMO_SUPPLIER_ID
from tests.integration.gateway_support import (
    STARTED,
    Stage,
    key,
    make_stage,
)

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        yield made


async def join(
    stage: Stage, campaign_id: UUID, *, participant_id: UUID | None = None, units: int = 2
) -> dict[str, Any]:
    """A commitment whose funds are held, told by the services."""
    names = {"campaign_id": campaign_id, "commitment_id": uuid4(), "participant_id": participant_id or uuid4()}
    figures = {"quantity": units, "amount_minor": 54_900 * units, "currency": "usd"}
    await stage.tell(
        CommitmentReserved(
            **names, **figures, terms_hash="0" * 64, reference="R-1", reserved_until=STARTED, reserved_units=units,
            held_units=0,
        )
    )  # fmt: skip
    await stage.tell(
        FundsHeld(**names, amount_minor=54_900 * units, currency="usd", intent_id=uuid4(), payment_intent_id="pi")
    )
    await stage.tell(CommitmentLocked(**names, **figures, held_units=units, reserved_units=0, held_commitments=1))
    return names


async def test_who_sees_a_campaign_depends_on_its_visibility_and_on_who_asks(stage: Stage) -> None:
    supplier = await stage.sign_in("dock@emeraldsupply.test")
    member, member_id = await stage.participant()
    outsider, _ = await stage.participant()
    anonymous = stage.client()
    opened = {name: (await stage.open_campaign(visibility=name))[0] for name in ("open", "members", "private")}
    await stage.tell(
        SupplierInvited(
            campaign_id=opened["members"], invitation_id=uuid4(), supplier_id=DEMO_SUPPLIER_ID, units_so_far=40,
            terms_hash="0" * 64,
        )
    )  # fmt: skip
    await join(stage, opened["private"], participant_id=member_id)
    await stage.seen(supplier, f"/v1/campaigns/{opened['members']}", visibility="members")
    await stage.seen(member, f"/v1/campaigns/{opened['private']}", visibility="private")

    async def statuses(client: Any) -> dict[str, int]:
        return {
            name: (await client.get(f"/v1/campaigns/{campaign_id}")).status_code for name, campaign_id in opened.items()
        }

    assert await statuses(anonymous) == {"open": 200, "members": 404, "private": 404}
    assert await statuses(outsider) == {"open": 200, "members": 200, "private": 404}
    assert await statuses(member) == {"open": 200, "members": 200, "private": 200}
    assert await statuses(supplier) == {"open": 200, "members": 200, "private": 404}
    unseen = await outsider.post(
        f"/v1/campaigns/{opened['private']}/commitments",
        json={"quantity": 1, "terms_hash": "0" * 64, "confirmation_token": "ctoken_ok"},
        headers=key(),
    )
    assert unseen.json()["code"] == "not_found"
    listed = (await anonymous.get("/v1/campaigns", params={"limit": 200})).json()["data"]
    assert {each["visibility"] for each in listed} == {"open"}


async def test_the_list_goes_on_where_it_ended_and_shows_each_campaign_once(stage: Stage) -> None:
    gus = await stage.sign_in("gus@alpmera.test")
    for _ in range(3):
        await stage.open_campaign()
    found: list[str] = []
    cursor: str | None = None
    for _ in range(100):
        parameters = {"limit": 2, "state": "ACTIVE"} | ({"cursor": cursor} if cursor else {})
        part = (await gus.get("/v1/campaigns", params=parameters)).json()
        found += [each["id"] for each in part["data"]]
        cursor = part["next_cursor"]
        if cursor is None:
            break
    whole = (await gus.get("/v1/campaigns", params={"limit": 200, "state": "ACTIVE"})).json()["data"]
    assert found == [each["id"] for each in whole]
    assert len(found) == len(set(found)) >= 3


async def test_progress_is_streamed_at_once_then_on_every_change(stage: Stage) -> None:
    client, _ = await stage.participant()
    campaign_id, _ = await stage.open_campaign()
    path = f"/v1/campaigns/{campaign_id}/events"
    async with client.stream("GET", path) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        events = _events(stream.aiter_lines())
        first = await asyncio.wait_for(anext(events), 10)
        assert (first["event"], first["data"]["held_units"]) == ("progress", 0)
        await join(stage, campaign_id)
        latest = first
        while latest["data"]["held_units"] == 0:
            latest = await asyncio.wait_for(anext(events), 10)
        assert (latest["data"]["held_units"], latest["data"]["reserved_units"]) == (2, 0)
        assert int(latest["id"]) > int(first["id"])
    async with client.stream("GET", path, headers={"Last-Event-ID": latest["id"]}) as stream:
        events = _events(stream.aiter_lines())
        nothing_new = asyncio.create_task(anext(events))
        done, _ = await asyncio.wait({nothing_new}, timeout=0.7)
        assert not done
        await stage.tell(TargetReached(campaign_id=campaign_id, held_units=40, target_units=40))
        newer = await asyncio.wait_for(nothing_new, 10)
        assert newer["data"]["state"] == "TARGET_ACHIEVED"
    assert (await client.get(f"/v1/campaigns/{uuid4()}/events")).status_code == 404


async def test_the_money_shown_is_the_ledgers(stage: Stage) -> None:
    client, participant_id = await stage.participant()
    campaign_id, _ = await stage.open_campaign()
    names = await join(stage, campaign_id, participant_id=participant_id)
    escrow, payable = f"escrow:{names['commitment_id']}", f"refund_payable:{names['commitment_id']}"
    steps = [
        ("lock", [("psp_clearing", -109_800), (escrow, 109_800)]),
        ("refund_decided", [(escrow, -109_800), (payable, 109_800)]),
        ("refund_sent", [(payable, -109_800), ("psp_clearing", 109_800)]),
    ]
    path = f"/v1/campaigns/{campaign_id}"
    shown: list[tuple[int, int, int]] = []
    for position, (kind, entries) in enumerate(steps, start=1):
        await stage.tell(transfers(campaign_id, position, kind, entries))
        for _ in range(200):
            money = (await client.get(path)).json()["money"]
            figures = tuple(money[name]["amount"] for name in ("held", "refund_owed", "refunded"))
            if figures not in [(0, 0, 0), *shown]:
                break
            await asyncio.sleep(0.02)
        shown.append(figures)
    assert shown == [(109_800, 0, 0), (0, 109_800, 0), (0, 0, 109_800)]


async def test_a_closed_campaign_refunds_everybody_and_says_how_far_it_is(stage: Stage) -> None:
    client, participant_id = await stage.participant()
    campaign_id, _ = await stage.open_campaign()
    names = await join(stage, campaign_id, participant_id=participant_id)
    await stage.tell(JoiningEnded(campaign_id=campaign_id, cause="close_date", held_units=2, reserved_units=0))
    path = f"/v1/campaigns/{campaign_id}"
    ended = await stage.seen(client, path, joining=False)
    assert ended["state_explained"].startswith("Joining has ended")
    await stage.tell(
        CampaignClosed(
            campaign_id=campaign_id, reason="target_not_reached", from_state="ACTIVE", held_units=2,
            held_commitments=1,
        )
    )  # fmt: skip
    closed = await stage.seen(client, path, state="CLOSED")
    assert closed["state_words"] == "Campaign closed: the target quantity was not reached"
    own = await stage.seen(client, f"/v1/commitments/{names['commitment_id']}", state="REFUNDED")
    assert own["state_words"] == "Refund on its way"

    decision = {"decision_id": uuid4(), "reason": "target_not_reached", "amount_minor": 109_800, "currency": "usd"}
    await stage.tell(RefundDecided(**names, **decision))
    none, amount = {"amount": 0, "currency": "USD"}, {"amount": 109_800, "currency": "USD"}
    told = {"refunds_waiting": 0, "expected_by": None}
    owed = {"refunds_owed": 1, "refunds_paid": 0, "paid_lately": 0, "owed": amount, "paid": none}
    await stage.seen(client, path, settlement=told | owed)
    await stage.tell(RefundSent(**names, **decision, refund_id="re_1"))
    await stage.tell(CampaignSettled(campaign_id=campaign_id, refunded_minor=109_800, currency="usd"))
    all_paid = {"refunds_owed": 0, "refunds_paid": 1, "paid_lately": 0, "owed": none, "paid": amount}
    await stage.seen(client, path, settlement=told | all_paid)
    paid = await stage.seen(client, f"/v1/commitments/{names['commitment_id']}", state_words="Refunded")
    assert "because the target quantity was not reached" in paid["money_now"]


async def test_the_acceptance_window_and_the_supplier_are_shown(stage: Stage) -> None:
    client, _ = await stage.participant()
    campaign_id, terms_hash = await stage.open_campaign()
    await stage.tell(
        SupplierRegistered(
            supplier_id=DEMO_SUPPLIER_ID, display_name="Emerald Supply", payout_account_id="acct_1", tier="provisional"
        )
    )
    names = {"campaign_id": campaign_id, "invitation_id": uuid4(), "supplier_id": DEMO_SUPPLIER_ID}
    await stage.tell(SupplierInvited(**names, units_so_far=40, terms_hash=terms_hash))
    await stage.tell(
        AcceptanceRequested(
            campaign_id=campaign_id, final_units=42, commitments=20, unit_price_minor=54_900, currency="usd",
            terms_hash=terms_hash,
        )
    )  # fmt: skip
    await stage.tell(
        AcceptanceWindowOpened(
            **names, final_units=42, unit_price_minor=54_900, currency="usd", terms_hash=terms_hash,
            opens_at=STARTED, closes_at=STARTED + timedelta(days=7),
        )
    )  # fmt: skip
    path = f"/v1/campaigns/{campaign_id}"
    window = {"opens_at": "2026-11-21T00:00:00Z", "closes_at": "2026-11-28T00:00:00Z", "final_units": 42}
    page = await stage.seen(client, path, state="PENDING_ACCEPTANCE", acceptance=window)
    assert page["supplier"] == {"id": str(DEMO_SUPPLIER_ID), "name": "Emerald Supply"}
    assert page["state_explained"].startswith("The supplier decides on the exact terms until 28 November 2026")


async def test_a_blocking_case_is_shown_to_everybody_and_its_facts_to_staff(stage: Stage) -> None:
    client, _ = await stage.participant()
    olga = await stage.sign_in("olga@alpmera.test")
    campaign_id, _ = await stage.open_campaign()
    case_id = uuid4()
    await stage.tell(
        CampaignsCaseOpened(
            scope_id=str(campaign_id), case_id=case_id, case_kind="poison", severity="critical",
            subject_id=str(campaign_id), blocking=True, facts={"seq": 3},
        )
    )  # fmt: skip
    path = f"/v1/campaigns/{campaign_id}"
    page = await stage.seen(client, path, frozen=True)
    assert page["staff"] is None
    staff = (await olga.get(path)).json()["staff"]
    assert [(case["kind"], case["facts"]) for case in staff["cases"]] == [("poison", {"seq": 3})]
    listed = (await olga.get("/v1/cases", params={"state": "open"})).json()["data"]
    assert str(case_id) in [case["id"] for case in listed]
    await stage.tell(
        CampaignsCaseClosed(
            scope_id=str(campaign_id), case_id=case_id, case_kind="poison", resolution="resumed", blocking=True
        )
    )
    await stage.seen(client, path, frozen=False)


def transfers(campaign_id: UUID, position: int, kind: str, entries: list[tuple[str, int]]) -> LedgerTransfersPosted:
    """One ledger transfer as escrow tells it."""
    return LedgerTransfersPosted(
        scope_id=str(campaign_id),
        transfers=(
            LedgerTransfer(
                scope=str(campaign_id), currency="usd", position=position, kind=kind, cause=f"{kind}:{uuid4()}",
                commitment_id=None, reason=None, event_at=STARTED, relied_on=(), previous_hash="0" * 64,
                hash="1" * 64,
                entries=tuple(
                    LedgerEntry(account=account, amount_minor=amount, balance_minor=0, version=position)
                    for account, amount in entries
                ),
            ),
        ),
    )  # fmt: skip


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, Any]]:
    event: dict[str, Any] = {}
    async for line in lines:
        name, _, value = line.partition(": ")
        if not line and event:
            yield event
            event = {}
        elif name in {"id", "event"}:
            event[name] = value
        elif name == "data":
            event["data"] = json.loads(value)
