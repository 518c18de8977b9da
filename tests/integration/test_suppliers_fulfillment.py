"""Dispatch, delivery, inspection and issues through the real batch handling on a real database."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from contracts.campaigns import CampaignClosed, CampaignCompleted, CommitmentSettled, CommitmentWithdrawn
from contracts.envelope import Actor
from contracts.escrow import RefundDecided, RefundReason
from contracts.suppliers import (
    CommitmentsDelivered,
    CommitmentsDispatched,
    DecideIssue,
    DeliveryCompleted,
    FulfillmentAccepted,
    IssueDecided,
    IssueReported,
)
from tests.fixtures.harness import Published
from tests.integration.suppliers_support import (
    OPERATIONS,
    PARTICIPANT,
    SUPPLIER,
    TRUST,
    MakeHarness,
    Scene,
    kinds,
    make_scene,
    only,
    refusal,
)

INSPECTION = timedelta(days=7)


def ids(scene: Scene) -> list[UUID]:
    return [commitment_id for commitment_id, _ in scene.commitments]


def refund_decided(scene: Scene, number: int, reason: RefundReason) -> RefundDecided:
    commitment_id, participant_id = scene.commitments[number]
    return RefundDecided(
        campaign_id=scene.campaign_id,
        commitment_id=commitment_id,
        participant_id=participant_id,
        amount_minor=54_900,
        currency="usd",
        decision_id=uuid4(),
        reason=reason,
    )


def withdrawn(scene: Scene, number: int) -> CommitmentWithdrawn:
    commitment_id, participant_id = scene.commitments[number]
    return CommitmentWithdrawn(
        campaign_id=scene.campaign_id,
        commitment_id=commitment_id,
        participant_id=participant_id,
        was="LOCKED",
        quantity=1,
        amount_minor=54_900,
        held_units=0,
        reserved_units=0,
        held_commitments=0,
    )


async def decide(scene: Scene, issue_id: UUID, verdict: str, *, actor: Actor = OPERATIONS) -> list[Published]:
    command = DecideIssue(campaign_id=scene.campaign_id, issue_id=issue_id, verdict=verdict, reason="Photos seen.")
    return await scene.harness.deliver(command, actor=actor)


async def counts(scene: Scene) -> tuple[int, int, int, int]:
    rows = await scene.harness.rows(
        "SELECT live_commitments, live_units, awaiting_delivery, delivered_commitments FROM campaign"
    )
    return tuple(rows[0])


async def counted(scene: Scene) -> tuple[int, int, int, int]:
    """The same figures, counted from the rows."""
    rows = await scene.harness.rows(
        "SELECT count(*) FILTER (WHERE live), COALESCE(sum(units) FILTER (WHERE live), 0), "
        "count(*) FILTER (WHERE live AND delivered_at IS NULL), count(*) FILTER (WHERE delivered_at IS NOT NULL) "
        "FROM (SELECT *, locked_event_id IS NOT NULL AND ended_event_id IS NULL AS live FROM commitment) AS rows"
    )
    return tuple(rows[0])


async def test_live_commitments_follow_the_facts_of_campaigns_and_escrow(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.open()
    await scene.harness.deliver(*(scene.locked(quantity=number) for number in (1, 2, 3, 4)))
    assert await counts(scene) == await counted(scene) == (4, 10, 4, 0)
    await scene.harness.deliver(withdrawn(scene, 1), refund_decided(scene, 2, "chargeback"))
    assert await counts(scene) == await counted(scene) == (2, 5, 2, 0)
    await scene.harness.deliver(refund_decided(scene, 3, "late_receipt"), refund_decided(scene, 3, "duplicate"))
    assert await counts(scene) == await counted(scene) == (2, 5, 2, 0)


async def test_a_commitment_refunded_by_itself_is_not_waited_for_whichever_service_tells_first(
    harness: MakeHarness,
) -> None:
    for refund_first in (True, False):
        scene = await make_scene(harness)
        await scene.start_fulfillment(commitments=3)
        commitment_id, participant_id = scene.commitments[2]
        settled = CommitmentSettled(
            campaign_id=scene.campaign_id, commitment_id=commitment_id, participant_id=participant_id, state="REFUNDED"
        )
        told = [refund_decided(scene, 2, "delay_exit"), settled]
        for message in told if refund_first else reversed(told):
            await scene.harness.deliver(message)
        assert await counts(scene) == await counted(scene) == (2, 2, 2, 0)
        published = await scene.deliver(*ids(scene)[:2])
        assert kinds(published) == ["CommitmentsDelivered", "DeliveryCompleted"]


async def test_an_end_that_is_heard_of_before_the_lock_counts_all_the_same(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.open()
    locked = scene.locked(quantity=3)
    await scene.harness.deliver(refund_decided(scene, 0, "chargeback"))
    await scene.harness.deliver(locked)
    assert await counts(scene) == await counted(scene) == (0, 0, 0, 0)


async def test_nothing_is_delivered_before_an_acceptance(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.open_window()
    assert refusal(await scene.deliver(*ids(scene))) == "delivery_not_expected"
    assert refusal(await scene.dispatch(*ids(scene))) == "delivery_not_expected"
    assert refusal(await scene.deliver(*ids(scene), campaign_id=uuid4())) == "campaign_unknown"


async def test_dispatch_and_delivery_are_told_and_inspection_runs_from_each_delivery(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.start_fulfillment(commitments=3)
    first, *others = ids(scene)
    dispatched = only(await scene.dispatch(first, first), CommitmentsDispatched)
    assert (dispatched.commitment_ids, dispatched.tracking) == ((first,), "TRACK-1")
    delivered = only(await scene.deliver(first), CommitmentsDelivered)
    assert timedelta(0) <= await scene.harness.now() + INSPECTION - delivered.inspection_until < timedelta(minutes=1)
    await scene.harness.advance(days=2)
    published = await scene.deliver(*others)
    assert kinds(published) == ["CommitmentsDelivered", "DeliveryCompleted"]
    assert only(published, DeliveryCompleted).delivered == 3
    later = only(published, CommitmentsDelivered).inspection_until
    assert later - delivered.inspection_until >= timedelta(days=2)
    deadlines = await scene.harness.rows("SELECT kind, due_at FROM deadline WHERE settled_at IS NULL")
    assert [(row.kind, row.due_at) for row in deadlines] == [("inspection_end", later)]
    assert await counts(scene) == await counted(scene) == (3, 3, 0, 3)


async def test_each_commitment_is_delivered_once_and_a_batch_is_all_or_nothing(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.start_fulfillment(commitments=3)
    first, second, third = ids(scene)
    await scene.deliver(first)
    for wrong in ((first, second), (second, uuid4())):
        assert refusal(await scene.deliver(*wrong)) == "delivery_not_expected"
        assert refusal(await scene.dispatch(*wrong)) == "delivery_not_expected"
    assert await counts(scene) == (3, 3, 2, 1)
    assert kinds(await scene.deliver(second, third)) == ["CommitmentsDelivered", "DeliveryCompleted"]
    assert refusal(await scene.deliver(third)) == "delivery_not_expected"


async def test_only_the_accepted_supplier_delivers_and_only_its_own_campaigns_commitments(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.start_fulfillment()
    other = Scene(scene.harness, scene.suppliers)
    await other.start_fulfillment()
    assert refusal(await scene.deliver(*ids(scene), supplier_id=uuid4())) == "invitation_not_yours"
    assert refusal(await scene.deliver(*ids(other))) == "delivery_not_expected"
    command = scene.harness.wrap(scene.report(), actor=SUPPLIER)
    assert refusal(await scene.harness.deliver_received([command])) == "not_allowed"


async def test_a_commitment_that_ends_before_its_delivery_is_not_waited_for(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.start_fulfillment(commitments=3)
    await scene.deliver(*ids(scene)[:2])
    completed = only(await scene.harness.deliver(refund_decided(scene, 2, "chargeback")), DeliveryCompleted)
    assert completed.delivered == 2
    assert refusal(await scene.deliver(ids(scene)[2])) == "delivery_not_expected"


async def test_a_campaign_with_nothing_left_to_deliver_is_a_case(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.start_fulfillment(commitments=2)
    both = [refund_decided(scene, number, "chargeback") for number in (0, 1)]
    assert kinds(await scene.harness.deliver(*both)) == ["SuppliersCaseOpened"]
    assert [case.kind for case in await scene.harness.cases()] == ["nothing_left_to_deliver"]


async def test_without_an_issue_everything_is_released_when_inspection_is_over(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.deliver_all()
    assert kinds(await scene.harness.advance(days=6, hours=23)) == []
    accepted = only(await scene.harness.advance(hours=1, minutes=2), FulfillmentAccepted)
    assert (accepted.delivered, accepted.issue_rate_basis_points, accepted.verdict) == (2, 0, "release")
    assert kinds(await scene.harness.advance(days=30)) == []


async def test_a_report_carries_only_the_digest_of_its_words_and_an_older_ones_words_are_not_kept(
    harness: MakeHarness,
) -> None:
    scene = await make_scene(harness)
    await scene.deliver_all()
    report = scene.report(description="Zebra crack in the lid.", description_digest="", photo_digests=("c" * 64,))
    told = only(await scene.send_report(report), IssueReported)
    assert told.description_digest == hashlib.sha256(b"Zebra crack in the lid.").hexdigest()
    row = (await scene.harness.rows("SELECT description_digest, photo_digests, state FROM issue"))[0]
    assert tuple(row) == (told.description_digest, ["c" * 64], "open")
    leaked = await scene.harness.rows(
        "SELECT 1 FROM outbox WHERE payload LIKE '%Zebra%' OR headers::text LIKE '%Zebra%'"
    )
    assert leaked == []
    assert await scene.send_report(report) == []
    other = report.model_copy(update={"description": "Another one."})
    assert refusal(await scene.send_report(other)) == "validation_failed"


async def test_only_the_participant_of_a_delivered_commitment_reports_in_its_inspection(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.start_fulfillment(commitments=2)
    first, second = ids(scene)
    delivered = only(await scene.deliver(first), CommitmentsDelivered)
    assert refusal(await scene.send_report(scene.report(1))) == "inspection_not_open"
    assert refusal(await scene.send_report(scene.report(0, participant_id=uuid4()))) == "commitment_unknown"
    assert refusal(await scene.send_report(scene.report(0, commitment_id=uuid4()))) == "commitment_unknown"
    assert refusal(await scene.send_report(scene.report(0, campaign_id=uuid4()))) == "commitment_unknown"
    until = delivered.inspection_until
    await scene.harness.advance(days=7, seconds=10)
    assert refusal(await scene.send_report(scene.report(0), received_at=until)) == "inspection_not_open"
    in_time = await scene.send_report(scene.report(0), received_at=until - timedelta(microseconds=1))
    assert kinds(in_time) == ["IssueReported"]
    assert kinds(await scene.deliver(second)) == ["CommitmentsDelivered", "DeliveryCompleted"]


async def test_a_report_in_time_that_arrives_after_the_verdict_holds_the_release(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    delivered = only(await scene.deliver_all(), CommitmentsDelivered)
    await scene.harness.advance(days=7, minutes=2)
    published = await scene.send_report(scene.report(), received_at=delivered.inspection_until - timedelta(seconds=1))
    assert refusal(published) == "arrived_late"
    cases = await scene.harness.cases()
    assert [(case.kind, case.blocking) for case in cases] == [("report_arrived_late", True)]


async def test_an_issue_is_decided_once_by_staff(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.deliver_all()
    report = scene.report()
    await scene.send_report(report)
    for actor in (PARTICIPANT, SUPPLIER, Actor("ana", "escrow_auditor")):
        assert refusal(await decide(scene, report.issue_id, "upheld", actor=actor)) == "not_allowed"
    assert refusal(await decide(scene, uuid4(), "upheld")) == "issue_unknown"
    decided = only(await decide(scene, report.issue_id, "upheld", actor=TRUST), IssueDecided)
    assert (decided.commitment_id, decided.verdict) == (report.commitment_id, "upheld")
    assert refusal(await decide(scene, report.issue_id, "rejected")) == "issue_decided"


async def test_below_five_percent_the_open_ones_are_kept_back(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.deliver_all(commitments=41)
    upheld, rejected, open_twice = scene.report(0), scene.report(1), scene.report(2)
    for report in (upheld, rejected, open_twice, scene.report(2)):
        await scene.send_report(report)
    await decide(scene, upheld.issue_id, "upheld")
    await decide(scene, rejected.issue_id, "rejected")
    await scene.harness.deliver(refund_decided(scene, 0, "quality_issue"))
    accepted = only(await scene.harness.advance(days=7, minutes=2), FulfillmentAccepted)
    assert (accepted.delivered, accepted.issue_rate_basis_points) == (41, 487)
    assert accepted.verdict == "release_less_reserve"
    assert accepted.open_issue_commitment_ids == (ids(scene)[2],)


async def test_a_hold_is_judged_again_when_an_issue_is_decided(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.deliver_all(commitments=2)
    reports = [scene.report(0), scene.report(1)]
    for report in reports:
        await scene.send_report(report)
    published = await scene.harness.advance(days=7, minutes=2)
    held = only(published, FulfillmentAccepted)
    assert (held.verdict, held.issue_rate_basis_points) == ("hold", 10_000)
    assert [case.kind for case in await scene.harness.cases()] == ["fulfillment_on_hold"]
    assert kinds(await decide(scene, reports[0].issue_id, "rejected")) == ["IssueDecided"]
    published = await decide(scene, reports[1].issue_id, "rejected")
    assert only(published, FulfillmentAccepted).verdict == "release"
    assert await scene.harness.cases() == []


async def test_a_hold_stays_when_the_issues_are_upheld(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.deliver_all(commitments=2)
    report = scene.report(0)
    await scene.send_report(report)
    await scene.harness.advance(days=7, minutes=2)
    assert kinds(await decide(scene, report.issue_id, "upheld")) == ["IssueDecided"]
    assert [case.kind for case in await scene.harness.cases()] == ["fulfillment_on_hold"]


async def test_fourteen_days_without_an_update_open_a_case_and_the_next_update_closes_it(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.start_fulfillment()
    await scene.harness.advance(days=13)
    await scene.dispatch(ids(scene)[0])
    assert kinds(await scene.harness.advance(days=13)) == []
    assert kinds(await scene.harness.advance(days=1, minutes=2)) == ["SuppliersCaseOpened"]
    assert [case.kind for case in await scene.harness.cases()] == ["update_overdue"]
    published = await scene.dispatch(ids(scene)[1])
    assert "SuppliersCaseClosed" in kinds(published)
    assert await scene.harness.cases() == []
    assert kinds(await scene.harness.advance(days=14, minutes=2)) == ["SuppliersCaseOpened"]


async def test_after_the_completion_kept_back_issues_can_still_be_decided(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.deliver_all(commitments=21)
    report = scene.report(0)
    await scene.send_report(report)
    await scene.harness.advance(days=7, minutes=2)
    completed = CampaignCompleted(
        campaign_id=scene.campaign_id,
        plan_id=uuid4(),
        supplier_id=scene.suppliers[0],
        reserve_commitment_ids=(report.commitment_id,),
    )
    await scene.harness.deliver(completed)
    assert kinds(await decide(scene, report.issue_id, "rejected")) == ["IssueDecided"]
    settled = CommitmentSettled(
        campaign_id=scene.campaign_id,
        commitment_id=report.commitment_id,
        participant_id=report.participant_id,
        state="RELEASED",
    )
    await scene.harness.deliver(settled)
    rows = await scene.harness.rows("SELECT count(*) AS settled FROM commitment WHERE settled_event_id IS NOT NULL")
    assert (rows[0].settled, await scene.phase()) == (1, "completed")


@pytest.mark.parametrize("delivered", [False, True])
async def test_a_closed_campaign_awaits_nothing_any_more(harness: MakeHarness, delivered: bool) -> None:
    scene = await make_scene(harness)
    await (scene.deliver_all() if delivered else scene.start_fulfillment())
    closed = CampaignClosed(
        campaign_id=scene.campaign_id,
        reason="fulfillment_failed",
        from_state="INSPECTION" if delivered else "FULFILLMENT",
        held_units=2,
        held_commitments=2,
    )
    await scene.harness.deliver(closed)
    assert refusal(await scene.deliver(ids(scene)[0])) == "delivery_not_expected"
    assert refusal(await scene.send_report(scene.report())) == "inspection_not_open"
    assert kinds(await scene.harness.advance(days=60)) == []
    assert await scene.harness.cases() == []


async def test_a_whole_journey_in_one_batch_ends_as_one_by_one(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.register(scene.suppliers[0])
    batch = [scene.opened(), scene.locked(), scene.locked(), withdrawn(scene, 0), scene.locked()]
    published = await scene.harness.deliver(*batch, scene.target_reached(), scene.acceptance_requested())
    assert kinds(published) == ["SupplierInvited", "AcceptanceWindowOpened"]
    assert await counts(scene) == await counted(scene) == (2, 2, 2, 0)
    assert [each.seq for each in published] == [1, 2]
