"""Suppliers and clearing over HTTP: invitations answered by their own supplier, deliveries, faults, two people's plans."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio

from contracts.campaigns import CommitmentLocked, CommitmentReserved, InspectionStarted
from contracts.clearing import (
    ApproveClearingPlan,
    ClearingPlanApproved,
    ClearingPlanSubmitted,
    FundsReleased,
    RetryPlanTransfer,
    SubmitClearingPlan,
    TransferRefused,
)
from contracts.escrow import FloatToppedUp, TopUpFloat
from contracts.housekeeping import EscrowCommandRefused, SuppliersCommandRefused
from contracts.ledger import ReleaseCondition
from contracts.suppliers import (
    AcceptanceWindowOpened,
    AcceptInvitation,
    CampaignAccepted,
    CommitmentsDelivered,
    CommitmentsDispatched,
    DecideIssue,
    DeclineInvitation,
    FulfillmentAccepted,
    InvitationDeclined,
    IssueDecided,
    IssueReported,
    RecordDelivery,
    RecordDispatch,
    RegisterSupplier,
    ReportIssue,
    SupplierInvited,
    SupplierRegistered,
)
from services.gateway.auth.local_sign_in import DEMO_SUPPLIER_ID
from tests.integration.gateway_support import STARTED, Stage, key, make_stage

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with make_stage() as made:
        yield made


def send(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> asyncio.Task[httpx.Response]:
    """An act in the background."""
    return asyncio.create_task(client.post(path, json=body, headers=key()))


class Invited:
    """A campaign whose demo supplier is invited, with one commitment."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.names: dict[str, Any] = {}
        self.commitment: dict[str, Any] = {}
        self.terms_hash = ""

    @property
    def campaign_id(self) -> UUID:
        found: UUID = self.names["campaign_id"]
        return found

    async def prepare(self) -> Invited:
        campaign_id, self.terms_hash = await self.stage.open_campaign()
        self.names = {"campaign_id": campaign_id, "invitation_id": uuid4(), "supplier_id": DEMO_SUPPLIER_ID}
        self.client, participant_id = await self.stage.participant()
        self.commitment = {"campaign_id": campaign_id, "commitment_id": uuid4(), "participant_id": participant_id}
        figures = {"quantity": 2, "amount_minor": 109_800, "currency": "usd"}
        await self.stage.tell(
            CommitmentReserved(
                **self.commitment, **figures, terms_hash=self.terms_hash, reference="R-1", reserved_until=STARTED,
                reserved_units=2, held_units=0,
            )
        )  # fmt: skip
        await self.stage.tell(
            CommitmentLocked(**self.commitment, **figures, held_units=2, reserved_units=0, held_commitments=1)
        )
        await self.stage.tell(SupplierInvited(**self.names, units_so_far=2, terms_hash=self.terms_hash))
        await self.stage.tell(
            AcceptanceWindowOpened(
                **self.names, final_units=2, unit_price_minor=54_900, currency="usd", terms_hash=self.terms_hash,
                opens_at=STARTED, closes_at=STARTED + timedelta(days=7),
            )
        )  # fmt: skip
        self.supplier = await self.stage.sign_in("dock@emeraldsupply.test")
        for _ in range(200):
            listed = (await self.supplier.get("/v1/invitations", params={"state": "open"})).json()["data"]
            if str(self.names["invitation_id"]) in [each["id"] for each in listed]:
                return self
            await asyncio.sleep(0.05)
        raise AssertionError("the invitation was never shown")

    async def deliver(self) -> None:
        await self.stage.tell(
            CommitmentsDelivered(
                campaign_id=self.campaign_id, supplier_id=DEMO_SUPPLIER_ID,
                commitment_ids=(self.commitment["commitment_id"],), evidence="signed",
                inspection_until=STARTED + timedelta(days=7),
            )
        )  # fmt: skip


@pytest_asyncio.fixture
async def invited(stage: Stage) -> Invited:
    return await Invited(stage).prepare()


async def test_a_supplier_accepts_exactly_the_terms_it_read(invited: Invited, stage: Stage) -> None:
    path = f"/v1/invitations/{invited.names['invitation_id']}"
    accepting = send(invited.supplier, f"{path}/acceptance", {"terms_hash": invited.terms_hash})
    sent = await stage.command(AcceptInvitation)
    assert sent.message.supplier_id == DEMO_SUPPLIER_ID
    await stage.tell(
        CampaignAccepted(**invited.names, terms_hash=invited.terms_hash, accepted_at=STARTED), cause=sent.id
    )
    answer = await accepting
    body = answer.json()
    assert (answer.status_code, body["state"]) == (200, "accepted")
    assert (body["units"], body["final"], body["total"]["amount"]) == (2, True, 109_800)


async def test_a_stale_terms_hash_is_refused_by_the_suppliers_service(invited: Invited, stage: Stage) -> None:
    path = f"/v1/invitations/{invited.names['invitation_id']}/acceptance"
    accepting = send(invited.supplier, path, {"terms_hash": "f" * 64})
    sent = await stage.command(AcceptInvitation)
    await stage.tell(
        SuppliersCommandRefused(
            scope_id=str(invited.campaign_id), command_id=sent.id, command_type=AcceptInvitation.type,
            code="terms_hash_stale",
        ),
        cause=sent.id,
    )  # fmt: skip
    answer = await accepting
    assert (answer.status_code, answer.json()["code"]) == (409, "terms_hash_stale")


async def test_a_supplier_declines_with_its_reason(invited: Invited, stage: Stage) -> None:
    path = f"/v1/invitations/{invited.names['invitation_id']}/decline"
    declining = send(invited.supplier, path, {"reason": "No capacity."})
    sent = await stage.command(DeclineInvitation)
    await stage.tell(InvitationDeclined(**invited.names, reason="No capacity.", no_supplier_left=True), cause=sent.id)
    assert (await declining).json()["state_words"] == "Declined"


async def test_another_suppliers_invitation_and_campaign_are_not_found(invited: Invited, stage: Stage) -> None:
    other_campaign, terms_hash = await stage.open_campaign()
    other = {"campaign_id": other_campaign, "invitation_id": uuid4(), "supplier_id": uuid4()}
    await stage.tell(SupplierInvited(**other, units_so_far=1, terms_hash=terms_hash))
    olga = await stage.sign_in("olga@alpmera.test")
    for _ in range(200):
        listed = (await olga.get("/v1/invitations")).json()["data"]
        if str(other["invitation_id"]) in [each["id"] for each in listed]:
            break
        await asyncio.sleep(0.02)
    await stage.commands()
    requests = [
        (f"/v1/invitations/{other['invitation_id']}/acceptance", {"terms_hash": terms_hash}),
        (f"/v1/invitations/{other['invitation_id']}/decline", {"reason": "No."}),
        (f"/v1/campaigns/{other_campaign}/dispatches", {"commitment_ids": [str(uuid4())]}),
        (f"/v1/campaigns/{other_campaign}/deliveries", {"commitment_ids": [str(uuid4())], "evidence": "x"}),
    ]
    for path, body in requests:
        answer = await invited.supplier.post(path, json=body, headers=key())
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await invited.supplier.get(f"/v1/campaigns/{other_campaign}/commitments")).status_code == 404
    own = (await invited.supplier.get("/v1/invitations")).json()["data"]
    assert {each["supplier_id"] for each in own} == {str(DEMO_SUPPLIER_ID)}
    assert await stage.commands() == []


async def test_a_supplier_sees_its_campaigns_commitments_without_people_and_without_amounts(
    invited: Invited, stage: Stage
) -> None:
    path = f"/v1/campaigns/{invited.campaign_id}/commitments"
    (seen,) = (await invited.supplier.get(path)).json()["data"]
    assert (seen["id"], seen["quantity"], seen["amount"]) == (str(invited.commitment["commitment_id"]), 2, None)
    olga = await stage.sign_in("olga@alpmera.test")
    (staff,) = (await olga.get(path, params={"state": "LOCKED"})).json()["data"]
    assert staff["amount"] == {"amount": 109_800, "currency": "USD"}
    assert str(invited.commitment["participant_id"]) not in (await olga.get(path)).text


async def test_dispatch_and_delivery_are_shown_to_the_participant(invited: Invited, stage: Stage) -> None:
    commitment_id = str(invited.commitment["commitment_id"])
    event = {"campaign_id": invited.campaign_id, "supplier_id": DEMO_SUPPLIER_ID, "commitment_ids": (commitment_id,)}
    path = f"/v1/campaigns/{invited.campaign_id}"
    dispatching = send(invited.supplier, f"{path}/dispatches", {"commitment_ids": [commitment_id], "tracking": "T1"})
    sent = await stage.command(RecordDispatch)
    await stage.tell(CommitmentsDispatched(**event, tracking="T1"), cause=sent.id)
    assert (await dispatching).json() == {
        "campaign_id": str(invited.campaign_id), "commitment_ids": [commitment_id], "event": "dispatched",
    }  # fmt: skip
    delivering = send(invited.supplier, f"{path}/deliveries", {"commitment_ids": [commitment_id], "evidence": "signed"})
    sent = await stage.command(RecordDelivery)
    await stage.tell(
        CommitmentsDelivered(**event, evidence="signed", inspection_until=STARTED + timedelta(days=7)), cause=sent.id
    )
    assert (await delivering).status_code == 200
    own = (await invited.client.get(f"/v1/commitments/{commitment_id}")).json()
    assert own["delivery"] == {
        "state": "delivered", "tracking": "T1", "inspection_until": "2026-11-28T00:00:00Z",
    }  # fmt: skip
    assert own["acts"]["report_issue"] is True


async def test_a_fault_is_reported_and_decided_and_its_text_is_for_its_reporter_and_staff(
    invited: Invited, stage: Stage
) -> None:
    await invited.deliver()
    commitment_id = invited.commitment["commitment_id"]
    path = f"/v1/commitments/{commitment_id}"
    reporting = send(invited.client, f"{path}/issues", {"description": "The drum is dented."})
    sent = await stage.command(ReportIssue)
    issue = {**invited.commitment, "issue_id": sent.message.issue_id}
    await stage.tell(IssueReported(**issue, description_digest="a" * 64), cause=sent.id)
    answer = await reporting
    assert (answer.status_code, answer.json()["description"]) == (201, "The drum is dented.")

    issues = f"/v1/campaigns/{invited.campaign_id}/issues"
    assert [each["description"] for each in (await invited.supplier.get(issues)).json()["data"]] == [None]
    tess = await stage.sign_in("tess@alpmera.test")
    (shown,) = (await tess.get(issues)).json()["data"]
    assert shown["description"] == "The drum is dented."
    assert shown["id"] in [each["id"] for each in (await tess.get("/v1/staff/overview")).json()["issues"]]

    deciding = send(tess, f"/v1/issues/{shown['id']}/decision", {"verdict": "upheld", "reason": "The photo shows it."})
    sent = await stage.command(DecideIssue)
    assert sent.message.campaign_id == invited.campaign_id
    await stage.tell(IssueDecided(**issue, verdict="upheld"), cause=sent.id)
    assert (await deciding).json()["state"] == "upheld"
    unknown = await tess.post(
        f"/v1/issues/{uuid4()}/decision", json={"verdict": "rejected", "reason": "No."}, headers=key()
    )
    assert unknown.status_code == 404


async def test_a_supplier_is_recorded_under_the_given_id(stage: Stage) -> None:
    olga = await stage.sign_in("olga@alpmera.test")
    supplier_id = uuid4()
    body = {
        "supplier_id": str(supplier_id), "display_name": "Emerald Supply", "payout_account_id": "acct_1",
        "tier": "provisional",
    }  # fmt: skip
    registering = send(olga, "/v1/suppliers", body)
    sent = await stage.command(RegisterSupplier)
    assert sent.message.supplier_id == supplier_id
    await stage.tell(
        SupplierRegistered(
            supplier_id=supplier_id, display_name="Emerald Supply", payout_account_id="acct_1", tier="provisional"
        ),
        cause=sent.id,
    )
    answer = await registering
    assert (answer.status_code, answer.json()) == (
        201, {"id": str(supplier_id), "display_name": "Emerald Supply", "tier": "provisional"},
    )  # fmt: skip
    assert "acct_1" not in (await olga.get("/v1/suppliers")).text


def plan_event(campaign_id: UUID, plan_id: UUID, maker_id: str) -> ClearingPlanSubmitted:
    return ClearingPlanSubmitted(
        campaign_id=campaign_id, plan_id=plan_id, plan_kind="release", plan_hash="c" * 64, maker_id=maker_id,
        reason="All conditions are met.", supplier_id=DEMO_SUPPLIER_ID, gross_minor=109_800, reserve_minor=0,
        fee_minor=3_294, net_minor=106_506, currency="usd", line_count=1,
        conditions=(ReleaseCondition(name="supplier_accepted", met=True, evidence=(uuid4(),)),),
    )  # fmt: skip


async def test_a_plan_needs_two_people_and_ends_with_the_release(invited: Invited, stage: Stage) -> None:
    ana, ben = await stage.sign_in("ana@alpmera.test"), await stage.sign_in("ben@alpmera.test")
    await stage.tell(InspectionStarted(campaign_id=invited.campaign_id))
    await stage.tell(
        FulfillmentAccepted(
            campaign_id=invited.campaign_id, supplier_id=DEMO_SUPPLIER_ID, delivered=1, issue_rate_basis_points=0,
            verdict="release",
        )
    )  # fmt: skip
    path = f"/v1/campaigns/{invited.campaign_id}"
    await stage.seen(ana, path, state="INSPECTION")
    for _ in range(200):
        ready = (await ana.get("/v1/staff/overview")).json()["ready_for_plan"]
        if str(invited.campaign_id) in [each["id"] for each in ready]:
            break
        await asyncio.sleep(0.02)
    assert "submit_plan" in (await ana.get(path)).json()["staff"]["next_acts"]

    submitting = send(ana, f"{path}/clearing-plans", {"kind": "release", "reason": "All conditions are met."})
    submitted = await stage.command(SubmitClearingPlan)
    plan_id, ana_id = submitted.message.plan_id, submitted.headers["actor_id"]
    await stage.tell(plan_event(invited.campaign_id, plan_id, ana_id), cause=submitted.id)
    plan = (await submitting).json()
    assert (plan["state"], plan["maker_id"], plan["net"]["amount"]) == ("SUBMITTED", ana_id, 106_506)
    overview = (await ben.get("/v1/staff/overview")).json()
    assert plan["id"] in [each["id"] for each in overview["plans"]]

    own = send(ana, f"/v1/clearing-plans/{plan_id}/approval", {"plan_hash": "c" * 64})
    sent = await stage.command(ApproveClearingPlan)
    await stage.tell(
        EscrowCommandRefused(
            scope_id=str(invited.campaign_id), command_id=sent.id, command_type=ApproveClearingPlan.type,
            code="approver_is_maker", subject_id=str(plan_id),
        ),
        cause=sent.id,
    )  # fmt: skip
    assert ((await own).status_code, (await own).json()["code"]) == (403, "approver_is_maker")

    approving = send(ben, f"/v1/clearing-plans/{plan_id}/approval", {"plan_hash": "c" * 64})
    sent = await stage.command(ApproveClearingPlan)
    names = {"campaign_id": invited.campaign_id, "plan_id": plan_id}
    await stage.tell(
        ClearingPlanApproved(**names, plan_hash="c" * 64, maker_id=ana_id, approver_id=sent.headers["actor_id"]),
        cause=sent.id,
    )
    assert (await approving).json()["state"] == "APPROVED"

    await stage.tell(TransferRefused(**names, code="account_restricted"))
    refused = await stage.seen(ana, f"/v1/clearing-plans/{plan_id}", state="SENDING")
    assert refused["refused_code"] == "account_restricted"
    retrying = send(ana, f"/v1/clearing-plans/{plan_id}/transfer-retry", {})
    await stage.command(RetryPlanTransfer)
    await stage.tell(
        FundsReleased(
            **names, plan_kind="release", supplier_id=DEMO_SUPPLIER_ID, net_minor=106_506, fee_minor=3_294,
            currency="usd", transfer_id="tr_1", released_commitment_ids=(invited.commitment["commitment_id"],),
        )
    )  # fmt: skip
    released = await retrying
    assert (released.status_code, released.json()["transfer"]) == (200, {"id": "tr_1"})
    assert released.json()["refused_code"] is None


async def test_a_top_up_ends_when_the_float_grew(stage: Stage) -> None:
    ana = await stage.sign_in("ana@alpmera.test")
    topping = send(ana, "/v1/float/top-ups", {"amount": {"amount": 5_000_000, "currency": "USD"}})
    sent = await stage.command(TopUpFloat)
    assert (sent.message.amount_minor, sent.message.currency) == (5_000_000, "usd")
    await stage.tell(
        FloatToppedUp(top_up_id=sent.message.top_up_id, amount_minor=5_000_000, currency="usd"), cause=sent.id
    )
    answer = await topping
    assert (answer.status_code, answer.json()["state"]) == (201, "done")


@pytest.mark.parametrize("amount", [{"amount": 0, "currency": "USD"}, {"amount": 1, "currency": "US"}, {"amount": "1"}])
async def test_a_top_up_of_nothing_is_refused(stage: Stage, amount: dict[str, Any]) -> None:
    ana = await stage.sign_in("ana@alpmera.test")
    answer = await ana.post("/v1/float/top-ups", json={"amount": amount}, headers=key())
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
