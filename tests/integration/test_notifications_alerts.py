"""Alert rules: set, come true once, told by a mail, over at the end; in messages, on a real database and mail server."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from contracts.alerts import (
    ALERT_RULES_MAX,
    AlertFired,
    AlertRuleEnded,
    AlertRuleRemoved,
    AlertRuleSet,
    ClosesWithin,
    EndAlertRules,
    RefundUnsettled,
    RemoveAlertRule,
    SetAlertRule,
    StateReached,
    TargetPercent,
)
from contracts.campaigns import CampaignClosed, CommitmentLocked, CommitmentWithdrawn, JoiningEnded, TargetReached
from contracts.envelope import Actor, Message
from contracts.escrow import RefundDecided, RefundSent
from contracts.housekeeping import NotificationsCommandRefused
from services.kit.received import Received, tombstone_envelope
from tests.fixtures.harness import Published
from tests.integration.notifications_support import (  # the fixtures are used by name
    Desk,
    Mailbox,
    MakeHarness,
    mail_environment_fixture,  # noqa: F401
    mailbox_fixture,  # noqa: F401
    make_desk,
    of_kind,
)

FINAL = {"reason": "target_not_reached", "from_state": "ACTIVE", "held_units": 1, "held_commitments": 1}


async def set_rule(desk: Desk, person: UUID, rule: Any, *, actor: UUID | None = None) -> tuple[UUID, list[Published]]:
    """A person sets a rule; its id and what was told."""
    command = SetAlertRule(participant_id=person, rule_id=uuid4(), rule=rule)
    return command.rule_id, await desk.harness.deliver(command, actor=Actor(str(actor or person), "participant"))


async def remove(desk: Desk, person: UUID, rule_id: UUID) -> list[Published]:
    command = RemoveAlertRule(participant_id=person, rule_id=rule_id)
    return await desk.harness.deliver(command, actor=Actor(str(person), "participant"))


def code(published: list[Published]) -> str:
    (refused,) = of_kind(published, NotificationsCommandRefused)
    return str(refused.code)


async def closing_in(desk: Desk, *, days: int) -> UUID:
    """Another campaign, which people may join for so many days."""
    opened = Desk(desk.harness).opened()
    terms = opened.terms.model_copy(update={"close_at": await desk.harness.now() + timedelta(days=days)})
    await desk.harness.deliver(opened.model_copy(update={"terms": terms}))
    return opened.campaign_id


def locked(desk: Desk, held_units: int) -> CommitmentLocked:
    return CommitmentLocked(
        campaign_id=desk.campaign_id, commitment_id=uuid4(), participant_id=uuid4(), quantity=1, amount_minor=54_900,
        currency="usd", held_units=held_units, reserved_units=0, held_commitments=held_units,
    )  # fmt: skip


def withdrawn(desk: Desk, held_units: int) -> CommitmentWithdrawn:
    return CommitmentWithdrawn(
        campaign_id=desk.campaign_id, commitment_id=uuid4(), participant_id=uuid4(), was="LOCKED", quantity=1,
        amount_minor=54_900, held_units=held_units, reserved_units=0, held_commitments=held_units,
    )  # fmt: skip


def refund(desk: Desk, person: UUID) -> RefundDecided:
    return RefundDecided(
        campaign_id=desk.campaign_id, commitment_id=uuid4(), participant_id=person, amount_minor=54_900,
        currency="usd", decision_id=uuid4(), reason="target_not_reached",
    )  # fmt: skip


async def decide(desk: Desk, event: RefundDecided) -> None:
    """Escrow decides on a refund now, on the stack's clock."""
    received = desk.harness.wrap(event)
    await desk.harness.deliver_received(
        [replace(received, envelope=replace(received.envelope, time=await desk.harness.now()))]
    )


def sent(decided: RefundDecided) -> RefundSent:
    told = {name: value for name, value in decided.model_dump().items() if name in RefundSent.model_fields}
    return RefundSent(**told, refund_id="re_1")


async def test_the_percent_that_is_exactly_reached_is_told_once_by_a_mail(
    harness: MakeHarness, mailbox: Mailbox
) -> None:
    desk, maya = await make_desk(harness), uuid4()
    await desk.record(maya, "maya@demo.test")
    rule_id, told = await set_rule(
        desk, maya, TargetPercent(kind="target_percent", campaign_id=desk.campaign_id, percent=100)
    )
    assert [each.rule_id for each in of_kind(told, AlertRuleSet)] == [rule_id]
    assert of_kind(await desk.harness.deliver(locked(desk, 1)), AlertFired) == []
    reached = desk.harness.wrap(locked(desk, 2))
    fired = of_kind(await desk.harness.deliver_received([reached]), AlertFired)
    assert [(each.rule_id, each.occurrence, each.participant_id) for each in fired] == [(rule_id, rule_id, maya)]
    again = await desk.harness.deliver_received([reached])
    again += await desk.harness.deliver(withdrawn(desk, 1), locked(desk, 2), locked(desk, 3))
    assert of_kind(again, AlertFired) == []
    await desk.harness.execute()
    (mail,) = mailbox.mails
    assert mail["Subject"] == "100 % of the target quantity: Cast-iron stoves"
    (row,) = await desk.messages()
    assert (row.template, row.cause_type, row.result) == ("alert", "notifications.alert_fired.v1", "sent")
    records = await desk.harness.rows("SELECT action FROM audit_entry WHERE subject = :id ORDER BY id", id=str(rule_id))
    assert [record.action for record in records] == ["alert_rule.set", "alert_rule.fired"]


async def test_two_rules_that_one_event_makes_true_are_two_mails(harness: MakeHarness, mailbox: Mailbox) -> None:
    desk, maya = await make_desk(harness), uuid4()
    await desk.record(maya, "maya@demo.test")
    for percent in (30, 50):
        await set_rule(desk, maya, TargetPercent(kind="target_percent", campaign_id=desk.campaign_id, percent=percent))
    assert len(of_kind(await desk.harness.deliver(locked(desk, 1)), AlertFired)) == 2
    await desk.harness.execute()
    assert len(mailbox.mails) == 2


async def test_what_is_so_already_and_what_can_happen_no_more_is_refused(harness: MakeHarness) -> None:
    desk, maya = await make_desk(harness), uuid4()
    about = {"campaign_id": desk.campaign_id}
    await desk.harness.deliver(locked(desk, 1), TargetReached(**about, held_units=2, target_units=2))
    for rule in (
        TargetPercent(kind="target_percent", **about, percent=100),
        StateReached(kind="campaign_state", **about, state="TARGET_ACHIEVED"),
    ):
        assert code((await set_rule(desk, maya, rule))[1]) == "alert_true_already"
    await desk.harness.deliver(JoiningEnded(**about, cause="capacity", held_units=2, reserved_units=0))
    closes = ClosesWithin(kind="closes_within", **about, days=1)
    assert code((await set_rule(desk, maya, closes))[1]) == "alert_cannot_come_true"
    await desk.harness.deliver(CampaignClosed(**about, **FINAL))
    completed = StateReached(kind="campaign_state", **about, state="COMPLETED")
    assert code((await set_rule(desk, maya, completed))[1]) == "alert_cannot_come_true"
    assert code((await set_rule(desk, maya, closes.model_copy(update={"campaign_id": uuid4()})))[1]) == (
        "campaign_unknown"
    )


async def test_a_final_state_is_told_and_ends_every_rule_of_its_campaign(harness: MakeHarness) -> None:
    desk, maya = await make_desk(harness), uuid4()
    about = {"campaign_id": desk.campaign_id}
    closed, _ = await set_rule(desk, maya, StateReached(kind="campaign_state", **about, state="CLOSED"))
    percent, _ = await set_rule(desk, maya, TargetPercent(kind="target_percent", **about, percent=150))
    ending = desk.harness.wrap(CampaignClosed(**about, **FINAL))
    told = await desk.harness.deliver_received([ending])
    assert [each.rule_id for each in of_kind(told, AlertFired)] == [closed]
    assert [(each.rule_id, each.reason) for each in of_kind(told, AlertRuleEnded)] == [(percent, "campaign_final")]
    later = await desk.harness.deliver_received([ending])
    later += await desk.harness.deliver(locked(desk, 8))
    assert later == []


async def test_a_walk_of_the_clock_tells_that_joining_ends_within_the_days(
    harness: MakeHarness, mailbox: Mailbox
) -> None:
    desk, maya = await make_desk(harness), uuid4()
    await desk.record(maya, "maya@demo.test")
    rule = ClosesWithin(kind="closes_within", campaign_id=await closing_in(desk, days=20), days=15)
    rule_id, _ = await set_rule(desk, maya, rule)
    early = rule.model_copy(update={"days": 20})
    assert code((await set_rule(desk, maya, early))[1]) == "alert_true_already"
    dropped, _ = await set_rule(desk, maya, rule)
    await remove(desk, maya, dropped)
    assert of_kind(await desk.harness.advance(days=4), AlertFired) == []
    assert [each.rule_id for each in of_kind(await desk.harness.advance(days=2), AlertFired)] == [rule_id]
    assert of_kind(await desk.harness.advance(days=3), AlertFired) == []
    await desk.harness.execute()
    (mail,) = mailbox.mails
    assert mail["Subject"].startswith("Joining ends on ")


async def test_joining_that_ends_by_capacity_ends_the_rule_about_its_date(harness: MakeHarness) -> None:
    desk, maya = await make_desk(harness), uuid4()
    campaign_id = await closing_in(desk, days=20)
    rule_id, _ = await set_rule(desk, maya, ClosesWithin(kind="closes_within", campaign_id=campaign_id, days=1))
    told = await desk.harness.deliver(
        JoiningEnded(campaign_id=campaign_id, cause="capacity", held_units=8, reserved_units=0)
    )
    assert [(each.rule_id, each.reason) for each in of_kind(told, AlertRuleEnded)] == [(rule_id, "joining_ended")]
    assert of_kind(await desk.harness.advance(days=20), AlertFired) == []


async def test_a_refund_that_is_not_sent_in_time_is_told_once_and_one_that_is_sent_never(
    harness: MakeHarness,
) -> None:
    desk, maya, other = await make_desk(harness), uuid4(), uuid4()
    before, slow, quick, theirs = refund(desk, maya), refund(desk, maya), refund(desk, maya), refund(desk, other)
    await decide(desk, before)
    rule_id, _ = await set_rule(desk, maya, RefundUnsettled(kind="refund_unsettled", hours=24))
    await desk.harness.advance(hours=1)
    for each in (slow, quick, theirs):
        await decide(desk, each)
    await desk.harness.deliver(sent(quick))
    # Decided before the rule was made, and unsettled for so long only afterwards.
    fired = of_kind(await desk.harness.advance(hours=23.5), AlertFired)
    assert [(each.rule_id, each.occurrence) for each in fired] == [(rule_id, before.decision_id)]
    fired = of_kind(await desk.harness.advance(hours=1), AlertFired)
    assert [each.occurrence for each in fired] == [slow.decision_id]
    assert of_kind(await desk.harness.advance(days=3), AlertFired) == []
    late, _ = await set_rule(desk, maya, RefundUnsettled(kind="refund_unsettled", hours=48))
    assert of_kind(await desk.harness.advance(days=3), AlertFired) == [], late


async def test_nobody_sets_or_removes_a_rule_of_somebody_elses(harness: MakeHarness) -> None:
    desk, maya, other = await make_desk(harness), uuid4(), uuid4()
    rule = TargetPercent(kind="target_percent", campaign_id=desk.campaign_id, percent=100)
    assert code((await set_rule(desk, maya, rule, actor=other))[1]) == "not_allowed"
    rule_id, _ = await set_rule(desk, maya, rule)
    assert code(await remove(desk, other, rule_id)) == "alert_rule_unknown"
    assert [each.rule_id for each in of_kind(await remove(desk, maya, rule_id), AlertRuleRemoved)] == [rule_id]
    assert code(await remove(desk, maya, rule_id)) == "alert_rule_unknown"
    assert of_kind(await desk.harness.deliver(locked(desk, 2)), AlertFired) == []


async def test_who_may_see_a_campaign_no_more_is_told_nothing_of_it(harness: MakeHarness) -> None:
    desk, maya, other = await make_desk(harness), uuid4(), uuid4()
    rule = TargetPercent(kind="target_percent", campaign_id=desk.campaign_id, percent=100)
    rule_id, _ = await set_rule(desk, maya, rule)
    theirs, _ = await set_rule(desk, other, rule)
    ending = EndAlertRules(participant_id=maya, campaign_id=desk.campaign_id)
    assert code(await desk.harness.deliver(ending, actor=Actor(str(other), "participant"))) == "not_allowed"
    told = of_kind(await desk.harness.deliver(ending), AlertRuleEnded)
    assert [(each.rule_id, each.reason) for each in told] == [(rule_id, "not_visible")]
    assert [each.rule_id for each in of_kind(await desk.harness.deliver(locked(desk, 2)), AlertFired)] == [theirs]


async def test_a_command_that_comes_twice_sets_one_rule_and_a_person_has_a_bound_of_them(harness: MakeHarness) -> None:
    desk, maya = await make_desk(harness), uuid4()
    actor = Actor(str(maya), "participant")
    rule = TargetPercent(kind="target_percent", campaign_id=desk.campaign_id, percent=100)
    twice = desk.harness.wrap(SetAlertRule(participant_id=maya, rule_id=uuid4(), rule=rule), actor=actor)
    assert len(await desk.harness.deliver_received([twice, twice])) == 1
    assert await desk.harness.deliver_received([twice]) == []
    more: list[Message] = [
        SetAlertRule(participant_id=maya, rule_id=uuid4(), rule=rule) for _ in range(ALERT_RULES_MAX)
    ]
    told = await desk.harness.deliver(*more, actor=actor)
    assert len(of_kind(told, AlertRuleSet)) == ALERT_RULES_MAX - 1
    assert code(told) == "alert_rules_used_up"


async def test_erasure_leaves_no_rule_and_nothing_fires_afterwards(harness: MakeHarness) -> None:
    desk, maya = await make_desk(harness), uuid4()
    await set_rule(desk, maya, TargetPercent(kind="target_percent", campaign_id=desk.campaign_id, percent=100))
    tombstone = Received("gateway.people", tombstone_envelope("gateway.people", str(maya), partition=0, offset=9), None)
    await desk.harness.deliver_received([tombstone])
    assert await desk.harness.rows("SELECT 1 FROM alert_rule") == []
    assert of_kind(await desk.harness.deliver(locked(desk, 2)), AlertFired) == []
