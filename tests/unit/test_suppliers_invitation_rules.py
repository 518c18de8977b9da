"""The rules of an invitation: who may answer, when an answer counts, whom to ask next. No database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from contracts.envelope import Actor
from contracts.errors import Rejected
from services.suppliers.domain.invitation import (
    ACCEPTANCE_WINDOW,
    ArrivedLate,
    InvitationState,
    Standing,
    invitation_id,
    judge_acceptance,
    judge_decline,
    next_candidate,
)
from services.suppliers.domain.roles import ISSUE_DECIDER_ROLES, SUPPLIER_ROLES, require_role

OPENS = datetime(2026, 12, 5, tzinfo=UTC)
CLOSES = OPENS + ACCEPTANCE_WINDOW
SUPPLIER = UUID("5e6a1d00-0000-4000-8000-00000000d0c1")
TERMS = "a" * 64
OPEN = Standing(SUPPLIER, InvitationState.OPEN, TERMS, OPENS, CLOSES)
INVITED = Standing(SUPPLIER, InvitationState.INVITED, TERMS)
MICROSECOND = timedelta(microseconds=1)


def accept(standing: Standing, received_at: datetime, *, terms_hash: str = TERMS, supplier_id: UUID = SUPPLIER) -> None:
    judge_acceptance(standing, supplier_id=supplier_id, terms_hash=terms_hash, received_at=received_at)


def decline(standing: Standing, received_at: datetime) -> None:
    judge_decline(standing, supplier_id=SUPPLIER, received_at=received_at)


@pytest.mark.parametrize("received_at", [OPENS, OPENS + timedelta(days=3), CLOSES - MICROSECOND])
def test_an_acceptance_received_inside_the_window_counts(received_at: datetime) -> None:
    assert accept(OPEN, received_at) is None


@pytest.mark.parametrize("received_at", [OPENS - MICROSECOND, CLOSES, CLOSES + timedelta(days=1)])
def test_an_acceptance_received_outside_the_window_does_not_count(received_at: datetime) -> None:
    with pytest.raises(Rejected) as refused:
        accept(OPEN, received_at)
    assert refused.value.code == "invitation_not_open"


def test_an_acceptance_before_the_window_is_open_does_not_count() -> None:
    with pytest.raises(Rejected) as refused:
        accept(INVITED, OPENS)
    assert refused.value.code == "invitation_not_open"


def test_only_the_exact_terms_can_be_accepted() -> None:
    with pytest.raises(Rejected) as refused:
        accept(OPEN, OPENS, terms_hash="b" * 64)
    assert refused.value.code == "terms_hash_stale"
    assert refused.value.facts == {"current": TERMS}


def test_another_supplier_cannot_answer() -> None:
    for judge in (
        lambda: accept(OPEN, OPENS, supplier_id=uuid4()),
        lambda: judge_decline(OPEN, supplier_id=uuid4(), received_at=OPENS),
    ):
        with pytest.raises(Rejected) as refused:
            judge()
        assert refused.value.code == "invitation_not_yours"


@pytest.mark.parametrize("standing", [INVITED, OPEN])
def test_a_supplier_may_decline_from_the_invitation_on(standing: Standing) -> None:
    assert decline(standing, OPENS) is None


def test_a_decline_after_the_close_does_not_count() -> None:
    with pytest.raises(Rejected) as refused:
        decline(OPEN, CLOSES)
    assert refused.value.code == "invitation_not_open"


@pytest.mark.parametrize("judge", [accept, decline])
@pytest.mark.parametrize(
    ("ended", "received_at"),
    [
        (replace(OPEN, state=InvitationState.TIMED_OUT, ended_at=CLOSES + timedelta(minutes=1)), CLOSES - MICROSECOND),
        (replace(OPEN, state=InvitationState.WITHDRAWN, ended_at=OPENS + timedelta(days=2)), OPENS + timedelta(days=1)),
    ],
)
def test_an_answer_in_time_but_after_the_act_has_arrived_late(judge, ended: Standing, received_at: datetime) -> None:
    with pytest.raises(ArrivedLate) as refused:
        judge(ended, received_at)
    assert refused.value.code == "arrived_late"


@pytest.mark.parametrize("judge", [accept, decline])
@pytest.mark.parametrize(
    ("ended", "received_at"),
    [
        (replace(OPEN, state=InvitationState.TIMED_OUT, ended_at=CLOSES + timedelta(minutes=1)), CLOSES),
        (replace(OPEN, state=InvitationState.WITHDRAWN, ended_at=OPENS + timedelta(days=2)), OPENS + timedelta(days=2)),
        (replace(OPEN, state=InvitationState.DECLINED, ended_at=OPENS + timedelta(days=1)), OPENS),
        (replace(OPEN, state=InvitationState.ACCEPTED, ended_at=OPENS + timedelta(days=1)), OPENS),
    ],
)
def test_a_second_or_belated_answer_is_not_late_but_refused(judge, ended: Standing, received_at: datetime) -> None:
    with pytest.raises(Rejected) as refused:
        judge(ended, received_at)
    assert refused.value.code == "invitation_not_open"


def test_candidates_are_asked_in_the_campaigns_sequence_and_applicants_never() -> None:
    first, applicant, unregistered, last = uuid4(), uuid4(), uuid4(), uuid4()
    candidates = [first, applicant, unregistered, last]
    tiers = {first: "provisional", applicant: "applicant", last: "trusted"}
    assert next_candidate(candidates, asked=set(), tiers=tiers) == first
    assert next_candidate(candidates, asked={first}, tiers=tiers) == last
    assert next_candidate(candidates, asked={first, last}, tiers=tiers) is None


def test_the_ids_of_a_campaigns_invitations_repeat_and_differ() -> None:
    campaign = uuid4()
    assert invitation_id(campaign, 1) == invitation_id(campaign, 1)
    assert invitation_id(campaign, 1) != invitation_id(campaign, 2)


def test_a_role_outside_the_list_is_refused() -> None:
    assert require_role(Actor("a", "supplier"), SUPPLIER_ROLES) is None
    with pytest.raises(Rejected) as refused:
        require_role(Actor("a", "supplier"), ISSUE_DECIDER_ROLES)
    assert refused.value.code == "not_allowed"
