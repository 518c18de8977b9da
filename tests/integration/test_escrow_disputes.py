"""Disputes in every phase of a campaign, beside refunds that are under way, told once, twice, late or never."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

import pytest
import pytest_asyncio

from contracts.clearing import ClearingPlanStopped, FundsReleased
from contracts.disputes import (
    DisputeEnded,
    DisputeEvidence,
    DisputeEvidencePrepared,
    DisputeEvidenceSubmitted,
    DisputeFundsWithdrawn,
    DisputeMoved,
    DisputeOpened,
    PrepareDisputeEvidence,
    SubmitDisputeEvidence,
)
from contracts.envelope import Actor
from contracts.escrow import CampaignSettled, RefundDecided, RefundSent
from contracts.housekeeping import EscrowCommandRefused
from tests.integration.dispute_support import Bank, assert_invariants, flows
from tests.integration.escrow_support import ANA, OLGA, UNIT_PRICE_MINOR, Join, Stage, kinds, of, staged_beside
from tests.integration.standin_support import Standin, running

G = UNIT_PRICE_MINOR
INQUIRY, DISPUTE = True, False
COURSES: dict[str, tuple[bool, tuple[str, ...]]] = {
    "inquiry closed": (INQUIRY, ("close_inquiry",)),
    "won": (DISPUTE, ("review", "win")),
    "lost": (DISPUTE, ("lose",)),
    "escalated and lost": (INQUIRY, ("escalate", "lose")),
    "won, taken up again and lost": (DISPUTE, ("win", "reopen", "lose")),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def standin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Standin]:
    async with running(tmp_path_factory.mktemp("disputes")) as made:
        yield made


@pytest_asyncio.fixture
async def stage(harness: Any, standin: Standin) -> AsyncIterator[Stage]:
    async with staged_beside(harness, standin) as made:
        await made.reconciler.first_top_up(made)
        await made.harness.execute()
        yield made


async def _joining(stage: Stage, joins: list[Join]) -> None:
    return None


async def _refund_pending(stage: Stage, joins: list[Join]) -> None:
    await stage.harness.deliver(*(stage.withdrawn(join, "LOCKED") for join in joins))
    await stage.harness.execute()


async def _refund_decided(stage: Stage, joins: list[Join]) -> None:
    await stage.harness.deliver(*(stage.withdrawn(join, "LOCKED") for join in joins))


async def _cleared(stage: Stage, joins: list[Join]) -> None:
    """A plan that is cleared and waits for money at Stripe."""
    await stage.to_inspection()
    await stage.approved()


async def _released(stage: Stage, joins: list[Join]) -> None:
    await stage.to_inspection()
    await stage.reconcile()
    await stage.move_clock(days=3)
    await stage.reconcile()
    plan_id, _ = await stage.approved()
    assert of(await stage.harness.execute(), FundsReleased)
    await stage.completed(plan_id)


PHASES: dict[str, tuple[Any, str, dict[str, int], dict[str, int]]] = {
    # phase: its way there, the card, where the money is after a win or a closed inquiry, and after a loss
    "joining": (_joining, "pm_card_visa", {"escrow": G}, {}),
    "cleared": (_cleared, "pm_card_visa", {"escrow": G}, {}),
    "refund decided": (_refund_decided, "pm_card_visa", {"refunded": G}, {}),
    "refund pending": (_refund_pending, "pm_card_pendingRefund", {"refunded": G}, {}),
    "refunded": (_refund_pending, "pm_card_visa", {"refunded": G}, {"refunded": G, "dispute_loss": -G}),
    "released": (_released, "pm_card_visa", {"supplier_payable": G}, {"supplier_payable": G, "dispute_loss": -G}),
}


OTHERWISE = {
    # A refund during an inquiry closes it, so that the bank has nothing more to decide.
    ("refund decided", "escalated and lost"): {"refunded": G},
    # The win let the refund be paid before the bank changed its mind.
    ("refund decided", "won, taken up again and lost"): {"refunded": G, "dispute_loss": -G},
}


@pytest.mark.parametrize("phase", PHASES)
async def test_every_course_of_a_dispute_in_every_phase_keeps_the_ledger(stage: Stage, phase: str) -> None:
    reach, card, after_win, after_loss = PHASES[phase]
    joins = await stage.funded(len(COURSES), card)
    await reach(stage, joins)
    bank = Bank(stage)
    of_course = dict(zip(COURSES, joins, strict=True))
    for name, join in of_course.items():
        await bank.opens(join, inquiry=COURSES[name][0])
    await bank.tells()
    await assert_invariants(stage)
    for turn in range(max(len(verbs) for _, verbs in COURSES.values())):
        for name, join in of_course.items():
            if turn < len(COURSES[name][1]):
                await bank.decides(join, COURSES[name][1][turn])
        await bank.tells()
        await assert_invariants(stage)
        assert await bank.tells(again=True) == []
    await stage.move_clock(days=1, minutes=2)
    await bank.tells()
    await assert_invariants(stage)
    for name, join in of_course.items():
        due = OTHERWISE.get((phase, name), after_loss if "lost" in name else after_win)
        assert (name, await flows(stage, join)) == (name, due)
    assert await stage.harness.rows("SELECT dispute_id FROM dispute WHERE ended_at IS NULL") == []
    await stage.reconcile()
    await assert_invariants(stage)
    assert await stage.balance("psp_clearing") == 0


async def test_a_disputed_commitment_is_frozen_and_its_bank_takes_it_from_the_hold(stage: Stage) -> None:
    (join,) = await stage.funded()
    bank = Bank(stage)
    dispute_id = await bank.opens(join)
    published = await bank.tells()
    (opened,) = of(published, DisputeOpened)
    assert (opened.dispute_id, opened.round, opened.frozen_minor) == (dispute_id, 1, G)
    assert opened.evidence_due_by is not None
    (withdrawn,) = of(published, DisputeFundsWithdrawn)
    assert (withdrawn.from_hold_minor, withdrawn.fee_minor) == (G, 1_500)
    assert await stage.case_kinds() == ["dispute_open"]
    await bank.decides(join, "lose")
    (ended,) = of(await bank.tells(), DisputeEnded)
    assert (ended.outcome, ended.charged_back, ended.returned_minor) == ("lost", True, 0)
    rows = await stage.harness.rows("SELECT state FROM reservation WHERE commitment_id = :id", id=join.commitment_id)
    assert [row.state for row in rows] == ["refunded"]


async def test_a_dispute_that_no_webhook_told_of_is_found_and_its_end_too(stage: Stage) -> None:
    (join,) = await stage.funded()
    bank = Bank(stage)
    dispute_id = await bank.opens(join)
    published = [each for each in of(await stage.reconcile(), DisputeOpened) if each.dispute_id == dispute_id]
    assert len(published) == 1
    await bank.decides(join, "win")
    await stage.move_clock(hours=2)
    assert [each.outcome for each in of(await stage.reconcile(), DisputeEnded)] == ["won"]
    assert await stage.balance(f"escrow:{join.commitment_id}") == G


async def test_a_dispute_that_is_faster_than_its_payment_waits_for_it(stage: Stage) -> None:
    join = stage.join()
    await stage.start(join)
    (intent,) = await stage.harness.intents("payment")
    answer = await stage.harness.service.purposes["payment"].call(intent)
    bank = Bank(stage)
    status, dispute = await stage.standin.control("POST", f"charges/{answer.body['latest_charge']}/dispute")
    assert status == 200
    bank.disputes[join.commitment_id] = dispute["id"]
    published = await bank.tells()
    assert [kind for kind in kinds(published) if kind in ("FundsHeld", "DisputeOpened")] == [
        "FundsHeld",
        "DisputeOpened",
    ]
    assert of(await stage.harness.answer(intent, answer), DisputeOpened) == []
    assert await flows(stage, join) == {}


async def test_leaving_while_a_dispute_is_open_is_refunded_when_it_is_won(stage: Stage) -> None:
    (join,) = await stage.funded()
    bank = Bank(stage)
    await bank.opens(join)
    await bank.tells()
    assert of(await stage.harness.deliver(stage.withdrawn(join, "LOCKED")), RefundDecided) == []
    await bank.decides(join, "win")
    published = await bank.tells()
    assert [each.reason for each in of(published, RefundDecided)] == ["withdrawn"]
    assert [each.amount_minor for each in of(published, RefundSent)] == [G]


async def test_a_campaign_that_closes_is_settled_when_its_disputes_are_over(stage: Stage) -> None:
    won, lost = await stage.funded(2)
    bank = Bank(stage)
    for join in (won, lost):
        await bank.opens(join)
    await bank.tells()
    assert kinds(await stage.close()) == []
    await bank.decides(lost, "lose")
    assert of(await bank.tells(), CampaignSettled) == []
    await bank.decides(won, "win")
    published = await bank.tells()
    assert [each.reason for each in of(published, RefundDecided)] == ["target_not_reached"]
    (settled,) = of(published, CampaignSettled)
    assert settled.refunded_minor == G


async def test_a_release_goes_round_the_disputed_line_which_is_released_later_from_the_reserve(stage: Stage) -> None:
    disputed, other = await stage.funded(2)
    await stage.to_inspection()
    await stage.reconcile()
    await stage.move_clock(days=3)
    await stage.reconcile()
    bank = Bank(stage)
    await bank.opens(disputed)
    await bank.tells()
    plan_id, _ = await stage.approved()
    (released,) = of(await stage.harness.execute(), FundsReleased)
    assert released.released_commitment_ids == (other.commitment_id,)
    assert released.reserve_commitment_ids == (disputed.commitment_id,)
    await stage.completed(plan_id)
    await bank.decides(disputed, "win")
    await bank.tells()
    assert await flows(stage, disputed) == {"reserve": G}
    await assert_invariants(stage)
    await stage.approved("reserve_release")
    (later,) = of(await stage.harness.execute(), FundsReleased)
    assert later.released_commitment_ids == (disputed.commitment_id,)


async def test_a_dispute_stops_a_plan_whose_transfer_is_recorded_and_not_called(stage: Stage) -> None:
    disputed, _ = await stage.funded(2)
    await stage.to_inspection()
    await stage.reconcile()
    await stage.move_clock(days=3)
    await stage.reconcile()
    await stage.approved()
    assert len(await stage.harness.intents("transfer")) == 1
    bank = Bank(stage)
    await bank.opens(disputed)
    await stage.reconciler.disputes.look(stage)
    (stopped,) = of(await stage.harness.published(), ClearingPlanStopped)
    assert stopped.code == "line_disputed"
    assert await stage.balance("supplier_payable") == 0
    assert of(await stage.harness.execute(), FundsReleased) == []


async def test_a_refund_that_stripe_pays_all_the_same_is_booked_as_the_platforms_loss(stage: Stage) -> None:
    """A refund got through, and the bank took the funds too: both have happened, so both are posted."""
    (join,) = await stage.funded()
    await stage.harness.deliver(stage.withdrawn(join, "LOCKED"))
    (intent,) = await stage.harness.intents("refund")
    answer = await stage.harness.service.purposes["refund"].call(intent)
    bank = Bank(stage)
    await bank.opens(join)
    await stage.reconciler.disputes.look(stage)
    assert await flows(stage, join) == {}
    published = await stage.harness.answer(intent, answer)
    assert of(published, RefundSent)
    assert await flows(stage, join) == {"refunded": G, "dispute_loss": -G}
    assert "paid_twice" in await stage.case_kinds()
    await bank.decides(join, "win")
    await bank.tells()
    assert await flows(stage, join) == {"refunded": G}


async def test_a_refund_during_an_inquiry_is_paid_and_ends_it(stage: Stage) -> None:
    (join,) = await stage.funded()
    bank = Bank(stage)
    await bank.opens(join, inquiry=True)
    await stage.harness.deliver(stage.withdrawn(join, "LOCKED"))
    published = await bank.tells()
    assert of(published, RefundSent)
    ended = of(published + await bank.tells(), DisputeEnded)
    assert [each.outcome for each in ended] == ["inquiry_closed"]
    assert await flows(stage, join) == {"refunded": G}


async def test_a_status_that_moves_is_told_without_money(stage: Stage) -> None:
    (join,) = await stage.funded()
    bank = Bank(stage)
    await bank.opens(join)
    await bank.tells()
    await bank.decides(join, "review")
    assert [each.status for each in of(await bank.tells(), DisputeMoved)] == ["under_review"]


async def test_many_disputes_among_the_payments_open_a_case_for_staff(stage: Stage) -> None:
    joins = await stage.funded(4)
    bank = Bank(stage)
    for join in joins[:3]:
        await bank.opens(join)
    await stage.reconcile()
    await stage.reconcile()
    assert "dispute_rate_critical" in await stage.case_kinds()
    await stage.move_clock(days=31)
    await stage.reconcile()
    assert "dispute_rate_critical" not in await stage.case_kinds()


PAPER = b"%PDF-1.4\r\n\x00\xff\r--\n" + bytes(range(256)) * 400
EVIDENCE = DisputeEvidence(
    product_description="Cast iron pan, one unit",
    refund_policy_disclosure="In full on every ending but completion",
    cancellation_policy_disclosure="Until the campaign closes for joining",
    access_activity_log="Terms accepted on 21 November 2026",
    uncategorized_text="winning_evidence",
)


async def test_evidence_is_prepared_by_one_person_and_sent_once_by_another(stage: Stage) -> None:
    (join,) = await stage.funded()
    bank = Bank(stage)
    dispute_id = await bank.opens(join)
    await bank.tells()
    names = {"campaign_id": stage.campaign_id, "dispute_id": dispute_id}
    prepare = PrepareDisputeEvidence(**names, evidence=EVIDENCE, paper=b64encode(PAPER).decode())
    (prepared,) = of(await stage.harness.deliver(prepare, actor=OLGA), DisputeEvidencePrepared)
    other = PrepareDisputeEvidence(**names, evidence=EVIDENCE, paper=b64encode(PAPER + b"2").decode())
    (again,) = of(await stage.harness.deliver(other, actor=OLGA), DisputeEvidencePrepared)
    assert again.paper_digest == prepared.paper_digest == sha256(PAPER).hexdigest()
    submit = SubmitDisputeEvidence(**names, evidence_hash=prepared.evidence_hash)
    (submitted,) = of(await stage.harness.deliver(submit, actor=ANA), DisputeEvidenceSubmitted)
    assert (submitted.prepared_by, submitted.submitted_by) == (OLGA.id, ANA.id)
    assert [each.outcome for each in of(await stage.harness.execute(), DisputeEnded)] == ["won"]
    dispute = await stage.standin.sdk.disputes.retrieve_async(dispute_id)
    assert dispute.evidence.access_activity_log == EVIDENCE.access_activity_log
    sent = await stage.standin.control("POST", f"files/{dispute.evidence.uncategorized_file}/digest")
    assert sent == (200, {"sha256": submitted.paper_digest})
    assert await codes(stage, submit, ANA) == ["dispute_state_conflict"]


async def codes(stage: Stage, message: Any, by: Actor) -> list[str]:
    return [each.code for each in of(await stage.harness.deliver(message, actor=by), EscrowCommandRefused)]


async def test_evidence_that_nobody_prepared_or_of_the_wrong_person_is_refused(stage: Stage) -> None:
    (join,) = await stage.funded()
    bank = Bank(stage)
    dispute_id = await bank.opens(join)
    await bank.tells()
    names = {"campaign_id": stage.campaign_id, "dispute_id": dispute_id}
    prepare = PrepareDisputeEvidence(**names, evidence=EVIDENCE)
    submit = SubmitDisputeEvidence(**names, evidence_hash=EVIDENCE.hash())
    assert await codes(stage, prepare, ANA) == ["not_allowed"]
    assert await codes(stage, submit, OLGA) == ["not_allowed"]
    assert await codes(stage, submit, ANA) == ["evidence_hash_stale"]
    unknown = SubmitDisputeEvidence(
        campaign_id=stage.campaign_id, dispute_id="du_unknown", evidence_hash=EVIDENCE.hash()
    )
    assert await codes(stage, unknown, ANA) == ["dispute_unknown"]
    await stage.harness.deliver(prepare, actor=OLGA)
    assert await codes(stage, submit, Actor(OLGA.id, "escrow_auditor")) == ["approver_is_maker"]
