"""Invitations through the real batch handling on a real database: one answer each, in its window, by its supplier."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from contracts.campaigns import CampaignClosed, InvitationWithdrawalRequested, TargetReached
from contracts.envelope import Actor
from contracts.suppliers import (
    AcceptanceTimedOut,
    AcceptanceWindowOpened,
    AcceptInvitation,
    CampaignAccepted,
    InvitationDeclined,
    InvitationWithdrawn,
    SupplierInvited,
    SupplierRegistered,
)
from tests.integration.suppliers_support import (
    SUPPLIER,
    TERMS,
    MakeHarness,
    Scene,
    kinds,
    make_scene,
    only,
    refusal,
)

WINDOW = timedelta(days=7)


def withdrawal_asked(campaign_id) -> InvitationWithdrawalRequested:
    return InvitationWithdrawalRequested(campaign_id=campaign_id, reason="target_not_reached")


async def test_a_supplier_is_registered_once_with_its_facts(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    supplier = scene.suppliers[0]
    registered = only(await scene.register(supplier), SupplierRegistered)
    assert (registered.supplier_id, registered.tier) == (supplier, "provisional")
    assert kinds(await scene.register(supplier)) == ["SupplierRegistered"]
    assert refusal(await scene.register(supplier, payout_account_id="acct_2")) == "not_allowed"
    rows = await scene.harness.rows("SELECT payout_account_id FROM supplier")
    assert [row.payout_account_id for row in rows] == ["acct_1"]


async def test_only_staff_registers_a_supplier(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    for actor in (SUPPLIER, Actor("maya", "participant"), Actor("ana", "escrow_auditor")):
        assert refusal(await scene.register(scene.suppliers[0], actor=actor)) == "not_allowed"
    assert await scene.harness.rows("SELECT 1 FROM supplier") == []


async def test_the_first_candidate_is_invited_when_the_target_is_reached(harness: MakeHarness) -> None:
    scene = await make_scene(harness, suppliers=2)
    await scene.open()
    invited = await scene.reach_target()
    assert (invited.supplier_id, invited.units_so_far, invited.terms_hash) == (scene.suppliers[0], 2, TERMS.hash())
    assert await scene.harness.deliver(scene.target_reached()) == []


@pytest.mark.parametrize("applicant", [True, False])
async def test_nobody_to_invite_is_a_case_until_somebody_can_be(harness: MakeHarness, applicant: bool) -> None:
    scene = await make_scene(harness, suppliers=2)
    if applicant:
        await scene.register(scene.suppliers[0], tier="applicant")
    await scene.harness.deliver(scene.opened())
    published = await scene.harness.deliver(scene.locked(), scene.locked(), scene.target_reached())
    assert kinds(published) == ["SuppliersCaseOpened"]
    assert [(case.kind, case.blocking) for case in await scene.harness.cases()] == [("no_eligible_supplier", False)]
    assert kinds(await scene.harness.advance(days=3)) == []
    await scene.register(scene.suppliers[1])
    published = await scene.harness.advance(days=1, minutes=2)
    assert kinds(published) == ["SupplierInvited", "SuppliersCaseClosed"]
    assert only(published, SupplierInvited).supplier_id == scene.suppliers[1]
    assert kinds(await scene.harness.deliver(scene.acceptance_requested())) == ["AcceptanceWindowOpened"]
    assert kinds(await scene.harness.advance(days=2)) == []


async def test_the_window_of_a_campaign_without_a_supplier_begins_with_the_invitation(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.harness.deliver(scene.opened(), scene.locked(), scene.locked(), scene.target_reached())
    assert await scene.harness.deliver(scene.acceptance_requested()) == []
    await scene.harness.advance(days=9)
    await scene.register(scene.suppliers[0])
    published = await scene.harness.advance(days=1, minutes=2)
    assert kinds(published) == ["SupplierInvited", "SuppliersCaseClosed", "AcceptanceWindowOpened"]
    window = only(published, AcceptanceWindowOpened)
    assert window.closes_at - window.opens_at == WINDOW
    assert kinds(await scene.accept(window)) == ["CampaignAccepted"]


async def test_a_campaign_without_a_supplier_can_still_be_ended(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.harness.deliver(scene.opened(), scene.locked(), scene.locked(), scene.target_reached())
    withdrawn = only(await scene.harness.deliver(withdrawal_asked(scene.campaign_id)), InvitationWithdrawn)
    assert withdrawn.invitation_id is None
    closed = CampaignClosed(
        campaign_id=scene.campaign_id,
        reason="target_not_reached",
        from_state="TARGET_ACHIEVED",
        held_units=1,
        held_commitments=1,
    )
    assert kinds(await scene.harness.deliver(closed)) == ["SuppliersCaseClosed"]
    await scene.register(scene.suppliers[0])
    assert kinds(await scene.harness.advance(days=2)) == []


async def test_the_window_is_open_for_seven_days_with_the_final_figures(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    window = await scene.open_window()
    assert window.closes_at - window.opens_at == WINDOW
    assert (window.final_units, window.unit_price_minor, window.terms_hash) == (2, 54_900, TERMS.hash())
    deadline = (await scene.harness.rows("SELECT kind, due_at FROM deadline"))[0]
    assert (deadline.kind, deadline.due_at) == ("acceptance_window", window.closes_at)


async def test_the_supplier_accepts_the_exact_terms_inside_the_window(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    window = await scene.open_window()
    received_at = await scene.harness.now()
    accepted = only(await scene.accept(window, received_at=received_at), CampaignAccepted)
    assert (accepted.supplier_id, accepted.accepted_at) == (scene.suppliers[0], received_at)
    assert await scene.phase() == "fulfillment"
    assert refusal(await scene.accept(window)) == "invitation_not_open"
    assert kinds(await scene.harness.advance(days=8)) == []
    audits = await scene.harness.rows("SELECT action FROM audit_entry ORDER BY id")
    assert [row.action for row in audits if row.action.startswith("invitation")] == [
        "invitation.invited",
        "invitation.opened",
        "invitation.accepted",
    ]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"terms_hash": "b" * 64}, "terms_hash_stale"),
        ({"supplier_id": uuid4()}, "invitation_not_yours"),
        ({"invitation_id": uuid4()}, "invitation_unknown"),
        ({"campaign_id": uuid4()}, "invitation_unknown"),
        ({"actor": Actor("op-1", "operations")}, "not_allowed"),
        ({"actor": Actor("maya", "participant")}, "not_allowed"),
    ],
)
async def test_an_acceptance_that_does_not_fit_changes_nothing(harness: MakeHarness, changes, code: str) -> None:
    scene = await make_scene(harness)
    window = await scene.open_window()
    assert refusal(await scene.accept(window, **changes)) == code
    assert await scene.phase() == "acceptance"


async def test_nobody_accepts_before_the_window_is_open(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.open()
    invited = await scene.reach_target()
    before = await scene.harness.now()
    assert refusal(await scene.accept(invited)) == "invitation_not_open"
    window = only(await scene.harness.deliver(scene.acceptance_requested()), AcceptanceWindowOpened)
    assert refusal(await scene.accept(window, received_at=before)) == "invitation_not_open"


async def test_an_answer_received_in_time_counts_until_the_window_acts(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    window = await scene.open_window()
    assert kinds(await scene.harness.advance(days=7, seconds=5)) == []
    assert refusal(await scene.accept(window, received_at=window.closes_at)) == "invitation_not_open"
    accepted = await scene.accept(window, received_at=window.closes_at - timedelta(microseconds=1))
    assert kinds(accepted) == ["CampaignAccepted"]
    assert kinds(await scene.harness.advance(minutes=5)) == []


async def test_a_window_without_an_answer_times_out_once(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    window = await scene.open_window()
    published = await scene.harness.advance(days=7, minutes=2)
    assert only(published, AcceptanceTimedOut).invitation_id == window.invitation_id
    assert kinds(await scene.harness.advance(days=30)) == []
    assert refusal(await scene.accept(window)) == "invitation_not_open"


@pytest.mark.parametrize("answer", ["accept", "decline"])
async def test_an_answer_in_time_that_arrives_after_the_act_opens_a_case(harness: MakeHarness, answer: str) -> None:
    scene = await make_scene(harness)
    window = await scene.open_window()
    await scene.harness.advance(days=7, minutes=2)
    published = await getattr(scene, answer)(window, received_at=window.closes_at - timedelta(seconds=1))
    assert kinds(published) == ["SuppliersCommandRefused", "SuppliersCaseOpened"]
    assert refusal(published) == "arrived_late"
    cases = await scene.harness.cases()
    assert [(case.kind, case.blocking) for case in cases] == [("arrived_late", False)]
    assert await scene.phase() == "unaccepted"


async def test_a_decline_before_the_window_invites_the_alternate(harness: MakeHarness) -> None:
    scene = await make_scene(harness, suppliers=2)
    await scene.open()
    first = await scene.reach_target()
    published = await scene.decline(first)
    assert kinds(published) == ["InvitationDeclined", "SupplierInvited"]
    assert not only(published, InvitationDeclined).no_supplier_left
    alternate = only(published, SupplierInvited)
    assert (alternate.supplier_id, alternate.units_so_far) == (scene.suppliers[1], 2)
    window = only(await scene.harness.deliver(scene.acceptance_requested()), AcceptanceWindowOpened)
    assert window.invitation_id == alternate.invitation_id
    assert refusal(await scene.accept(first)) == "invitation_not_open"
    assert kinds(await scene.accept(window)) == ["CampaignAccepted"]


async def test_an_alternate_has_what_is_left_of_the_same_window(harness: MakeHarness) -> None:
    scene = await make_scene(harness, suppliers=2)
    window = await scene.open_window()
    await scene.harness.advance(days=5)
    published = await scene.decline(window)
    assert kinds(published) == ["InvitationDeclined", "SupplierInvited", "AcceptanceWindowOpened"]
    second = only(published, AcceptanceWindowOpened)
    assert (second.supplier_id, second.closes_at) == (scene.suppliers[1], window.closes_at)
    assert second.opens_at > window.opens_at
    timed_out = only(await scene.harness.advance(days=2, minutes=2), AcceptanceTimedOut)
    assert timed_out.invitation_id == second.invitation_id


async def test_a_decline_by_the_last_supplier_says_that_none_is_left(harness: MakeHarness) -> None:
    scene = await make_scene(harness, suppliers=2)
    window = await scene.open_window()
    second = only(await scene.decline(window), AcceptanceWindowOpened)
    published = await scene.decline(second)
    assert only(published, InvitationDeclined).no_supplier_left
    assert kinds(published) == ["InvitationDeclined"]
    assert await scene.phase() == "unaccepted"
    assert kinds(await scene.harness.advance(days=8)) == []


async def test_a_decline_handled_after_the_close_leaves_no_time_for_an_alternate(harness: MakeHarness) -> None:
    scene = await make_scene(harness, suppliers=2)
    window = await scene.open_window()
    await scene.harness.advance(days=7, seconds=5)
    published = await scene.decline(window, received_at=window.closes_at - timedelta(seconds=1))
    assert only(published, InvitationDeclined).no_supplier_left


async def test_the_close_asked_for_after_all_declined_opens_no_window(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.open()
    await scene.decline(await scene.reach_target())
    assert kinds(await scene.harness.deliver(scene.acceptance_requested())) == []
    assert await scene.phase() == "unaccepted"


async def test_a_standing_invitation_is_withdrawn_and_cannot_be_accepted_then(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    window = await scene.open_window()
    before = await scene.harness.now()
    withdrawn = only(await scene.harness.deliver(withdrawal_asked(scene.campaign_id)), InvitationWithdrawn)
    assert withdrawn.invitation_id == window.invitation_id
    assert refusal(await scene.accept(window)) == "invitation_not_open"
    late = await scene.accept(window, received_at=before)
    assert refusal(late) == "arrived_late"
    assert kinds(await scene.harness.advance(days=8)) == []


async def test_an_invitation_that_was_accepted_first_is_not_withdrawn(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.start_fulfillment()
    assert await scene.harness.deliver(withdrawal_asked(scene.campaign_id)) == []
    assert await scene.phase() == "fulfillment"


async def test_a_withdrawal_without_an_invitation_is_answered_all_the_same(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.open()
    withdrawn = only(await scene.harness.deliver(withdrawal_asked(scene.campaign_id)), InvitationWithdrawn)
    assert withdrawn.invitation_id is None


async def test_acceptance_and_withdrawal_in_one_batch_have_one_winner(harness: MakeHarness) -> None:
    for accept_first in (True, False):
        scene = await make_scene(harness)
        window = await scene.open_window()
        accept = scene.harness.wrap(_acceptance(scene, window), actor=SUPPLIER, received_at=await scene.harness.now())
        withdraw = scene.harness.wrap(withdrawal_asked(scene.campaign_id))
        batch = [accept, withdraw] if accept_first else [withdraw, accept]
        published = await scene.harness.deliver_received(batch)
        answers = [kind for kind in kinds(published) if kind in ("CampaignAccepted", "InvitationWithdrawn")]
        assert answers == (["CampaignAccepted"] if accept_first else ["InvitationWithdrawn"])


async def test_a_redelivered_command_or_event_changes_nothing(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    await scene.open()
    await scene.harness.deliver(scene.locked(), scene.locked())
    target = scene.harness.wrap(scene.target_reached())
    assert kinds(await scene.harness.deliver_received([target])) == ["SupplierInvited"]
    assert await scene.harness.deliver_received([target, target]) == []
    window = only(await scene.harness.deliver(scene.acceptance_requested()), AcceptanceWindowOpened)
    accept = scene.harness.wrap(_acceptance(scene, window), actor=SUPPLIER, received_at=await scene.harness.now())
    assert kinds(await scene.harness.deliver_received([accept, accept])) == ["CampaignAccepted"]
    assert await scene.harness.deliver_received([accept]) == []


async def test_a_campaign_that_closes_leaves_no_invitation_standing(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    window = await scene.open_window()
    closed = CampaignClosed(
        campaign_id=scene.campaign_id,
        reason="cancelled",
        from_state="PENDING_ACCEPTANCE",
        held_units=2,
        held_commitments=2,
    )
    withdrawn = only(await scene.harness.deliver(closed), InvitationWithdrawn)
    assert withdrawn.invitation_id == window.invitation_id
    assert refusal(await scene.accept(window)) == "invitation_not_open"
    assert kinds(await scene.harness.advance(days=30)) == []


async def test_an_event_about_an_unknown_campaign_waits(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    unknown = TargetReached(campaign_id=uuid4(), held_units=2, target_units=2)
    assert await scene.harness.deliver(unknown) == []
    assert [row.reason for row in await scene.harness.rows("SELECT reason FROM parked")] == ["early"]


async def test_the_database_refuses_a_second_standing_invitation_and_a_late_acceptance(harness: MakeHarness) -> None:
    scene = await make_scene(harness)
    window = await scene.open_window()
    second = (
        "INSERT INTO invitation (invitation_id, campaign_id, supplier_id, ordinal, state, terms_hash, units_so_far, "
        "invited_at) SELECT gen_random_uuid(), campaign_id, supplier_id, 2, 'invited', terms_hash, 1, now() "
        "FROM invitation"
    )
    late = "UPDATE invitation SET state = 'accepted', answered_at = closes_at, ended_at = closes_at, ended_by = invitation_id"
    for statement, constraint in ((second, "invitation_one_standing"), (late, "accepted_inside_the_window")):
        with pytest.raises(IntegrityError, match=constraint):
            async with scene.harness.owner.begin() as connection:
                await connection.execute(text(statement))
    assert kinds(await scene.accept(window)) == ["CampaignAccepted"]


def _acceptance(scene: Scene, window: AcceptanceWindowOpened) -> AcceptInvitation:
    return AcceptInvitation(
        campaign_id=scene.campaign_id,
        invitation_id=window.invitation_id,
        supplier_id=window.supplier_id,
        terms_hash=window.terms_hash,
    )
