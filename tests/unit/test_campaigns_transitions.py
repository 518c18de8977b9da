"""The campaign's state machine: every trigger from every state, allowed or refused as the table says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.campaigns import CampaignClosed
from contracts.errors import Rejected
from contracts.payment_rail import RAIL
from contracts.terms import CAMPAIGN_STATES, SIGN_OFF_ROLES
from services.campaigns.domain.transitions import (
    ESCROW,
    FINAL_STATES,
    OPEN_FOR_JOINING,
    SUPPLIERS,
    SYSTEM,
    TRANSITIONS,
    Facts,
    Need,
    Transition,
    Trigger,
    decide,
    may_follow,
)

ACTORS = (
    "participant",
    "operations",
    "gatekeeper",
    "escrow_auditor",
    "trust_reviewer",
    "risk_analyst",
    "support_readonly",
    "founder",
    "supplier",
    SYSTEM,
    SUPPLIERS,
    ESCROW,
)

MEETS: dict[str, dict[str, object]] = {
    "readiness_complete": {"missing": ()},
    "actor_is_author": {"actor_is_author": True},
    "actor_is_not_author": {"actor_is_author": False},
    "answers_passed": {"answers_passed": True},
    "closes_later": {"closes_later": True},
    "within_longest_hold": {"hold_days": RAIL.longest_hold_days},
    "target_met": {"held_units": 4, "target_units": 4},
    "below_target": {"held_units": 3, "target_units": 4},
    "joining_over": {"joining_over": True},
    "no_open_reservation": {"open_reservations": 0},
    "not_yet_asked": {"withdrawal_requested": False},
    "withdrawal_asked": {"withdrawal_requested": True},
    "terms_match": {"terms_match": True},
    "three_sign_offs": {"sign_off_roles": frozenset(SIGN_OFF_ROLES)},
    "two_cancel": {"cancelled_by_roles": frozenset({"gatekeeper", "founder"})},
    "not_frozen": {"frozen": False},
}
BREAKS: dict[str, dict[str, object]] = {
    "readiness_complete": {"missing": ("reference_price",)},
    "actor_is_author": {"actor_is_author": False},
    "actor_is_not_author": {"actor_is_author": True},
    "answers_passed": {"answers_passed": False},
    "closes_later": {"closes_later": False},
    "within_longest_hold": {"hold_days": RAIL.longest_hold_days + 1},
    "target_met": {"held_units": 3, "target_units": 4},
    "below_target": {"held_units": 4, "target_units": 4},
    "joining_over": {"joining_over": False},
    "no_open_reservation": {"open_reservations": 1},
    "not_yet_asked": {"withdrawal_requested": True},
    "withdrawal_asked": {"withdrawal_requested": False},
    "terms_match": {"terms_match": False},
    "three_sign_offs": {"sign_off_roles": frozenset({"operations", "escrow_auditor"})},
    "two_cancel": {"cancelled_by_roles": frozenset({"gatekeeper"})},
    "not_frozen": {"frozen": True},
}

ROWS = [(row, source) for row in TRANSITIONS for source in row.sources]
ROW_IDS = [f"{row.name} {row.trigger} from {source} to {row.target}" for row, source in ROWS]
UNMET = [(row, need) for row in TRANSITIONS for need in row.needs]


def facts_for(row: Transition) -> Facts:
    facts = Facts()
    for need in row.needs:
        facts = replace(facts, **MEETS[need.name])
    return facts


def outcome_of(trigger: Trigger, *, state: str, who: str, facts: Facts) -> str:
    """The name of the row that is taken, or the code of the refusal."""
    try:
        return decide(trigger, state=state, who=who, facts=facts).name
    except Rejected as refused:
        return refused.code


@pytest.mark.parametrize(("row", "source"), ROWS, ids=ROW_IDS)
def test_a_row_is_taken_from_its_state_by_whoever_may_when_its_needs_are_met(row: Transition, source: str) -> None:
    for who in row.who:
        assert decide(row.trigger, state=source, who=who, facts=facts_for(row)) is row


@pytest.mark.parametrize(("row", "source"), ROWS, ids=ROW_IDS)
def test_nobody_else_may_take_a_row(row: Transition, source: str) -> None:
    codes = set()
    for who in set(ACTORS) - row.who:
        with pytest.raises(Rejected) as refused:
            decide(row.trigger, state=source, who=who, facts=facts_for(row))
        codes.add(refused.value.code)
    assert codes == {"not_allowed"}


@pytest.mark.parametrize(("row", "need"), UNMET, ids=[f"{row.name} {row.trigger} {need.name}" for row, need in UNMET])
def test_a_row_is_not_taken_while_one_need_is_not_met(row: Transition, need: Need) -> None:
    facts = replace(facts_for(row), **BREAKS[need.name])
    outcome = outcome_of(row.trigger, state=row.sources[0], who=min(row.who), facts=facts)
    # Where two rows leave one state by one trigger, the other one may be taken, or may name what is missing.
    others = [other for other in TRANSITIONS if other.trigger == row.trigger and other is not row]
    possible = {need.code, *(other.name for other in others), *(n.code for other in others for n in other.needs)}
    assert outcome in possible - {row.name}


@pytest.mark.parametrize("trigger", list(Trigger))
@pytest.mark.parametrize("state", CAMPAIGN_STATES)
def test_a_trigger_without_a_row_for_the_state_is_a_conflict(trigger: Trigger, state: str) -> None:
    has_row = any(row.trigger == trigger and state in row.sources for row in TRANSITIONS)
    assert may_follow(trigger, state) is has_row
    if not has_row:
        with pytest.raises(Rejected) as refused:
            decide(trigger, state=state, who=SYSTEM, facts=Facts())
        assert refused.value.code == "campaign_state_conflict"


def test_final_states_have_no_way_out_and_every_other_state_has_one() -> None:
    left = {source for row in TRANSITIONS for source in row.sources if source != row.target}
    assert left == set(CAMPAIGN_STATES) - FINAL_STATES


def test_every_state_but_draft_is_reached_by_a_row() -> None:
    assert {row.target for row in TRANSITIONS} | {"DRAFT"} == set(CAMPAIGN_STATES)


def test_no_row_skips_a_state_on_the_way_to_completion() -> None:
    way = ["DRAFT", "IN_REVIEW", "ACTIVE", "TARGET_ACHIEVED", "PENDING_ACCEPTANCE", "FULFILLMENT", "INSPECTION"]
    way.append("COMPLETED")
    steps = {(source, row.target) for row in TRANSITIONS for source in row.sources if row.target != "CLOSED"}
    forward = {(source, target) for source, target in steps if way.index(target) > way.index(source)}
    assert forward == set(zip(way, way[1:], strict=False))
    assert steps - forward == {("IN_REVIEW", "DRAFT"), ("TARGET_ACHIEVED", "TARGET_ACHIEVED")}


def test_every_close_has_a_reason_and_respects_a_freeze_once_funds_may_be_held() -> None:
    for row in TRANSITIONS:
        assert (row.event is not CampaignClosed) or row.reason is not None
        if row.target in FINAL_STATES and row.sources != ("IN_REVIEW",):
            assert row.needs[-1].name == "not_frozen", row.name


def test_all_named_transitions_stand_in_the_table() -> None:
    # T12, the pause, is an overlay and not a row.
    assert {row.name for row in TRANSITIONS} == {f"T{n}" for n in range(1, 14) if n != 12} | {"T5b"}


def test_joining_is_possible_exactly_while_active_or_at_the_target() -> None:
    assert {"ACTIVE", "TARGET_ACHIEVED"} == OPEN_FOR_JOINING


def test_facts_that_nobody_gathered_permit_nothing() -> None:
    for row in TRANSITIONS:
        if row.needs:
            with pytest.raises(Rejected):
                decide(row.trigger, state=row.sources[0], who=min(row.who), facts=Facts())


def test_a_frozen_campaign_is_told_apart_from_one_that_does_not_meet_its_needs() -> None:
    due = Facts(joining_over=True, open_reservations=0, held_units=4, target_units=4)
    with pytest.raises(Rejected) as refused:
        decide(Trigger.JOINING_COUNTED, state="TARGET_ACHIEVED", who=SYSTEM, facts=due)
    assert refused.value.code == "campaign_frozen"
    with pytest.raises(Rejected) as refused:
        decide(Trigger.JOINING_COUNTED, state="TARGET_ACHIEVED", who=SYSTEM, facts=replace(due, open_reservations=1))
    assert refused.value.code == "campaign_state_conflict"
