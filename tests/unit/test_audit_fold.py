"""The fold of a campaign's events: what the table has, what it does not have, and the comparison with rows."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

from deploy.audit.campaign_fold import CampaignFold
from deploy.audit.findings import Findings

CAMPAIGN = str(uuid4())
STREAM = f"campaigns:{CAMPAIGN}"
TERMS = {"terms": {"capacity_units": 4}}


class Told:
    """A campaign's events, numbered as they are told."""

    def __init__(self, head: int) -> None:
        self.findings = Findings()
        self.fold = CampaignFold(self.findings, {STREAM: head})
        self.seq = 0

    def tell(self, name: str, **body: Any) -> None:
        self.seq += 1
        self.fold.take(f"campaigns.{name}.v1", CAMPAIGN, self.seq, json.dumps(body).encode())

    def open(self) -> None:
        self.tell("campaign_drafted", **TERMS)
        self.tell("campaign_submitted")
        self.tell("campaign_opened", **TERMS)

    def found(self, invariant: str = "I12") -> list[dict[str, Any]]:
        return [each.shown() for each in self.findings.entries[invariant].examples]


def reserved(commitment_id: UUID, *, held: int = 0, taken: int = 1) -> dict[str, Any]:
    return {"commitment_id": str(commitment_id), "held_units": held, "reserved_units": taken}


def locked(commitment_id: UUID) -> dict[str, Any]:
    return {"commitment_id": str(commitment_id), "held_units": 1, "reserved_units": 0}


def test_a_legal_life_folds_to_the_rows_it_has() -> None:
    told = Told(head=6)
    first, second = uuid4(), uuid4()
    told.open()
    told.tell("commitment_reserved", **reserved(first))
    told.tell("commitment_locked", **locked(first))
    told.tell("campaign_closed", reason="target_not_reached", from_state="ACTIVE")
    told.fold.compare_campaign(CAMPAIGN, "CLOSED")
    told.fold.compare_commitment(CAMPAIGN, first, "REFUNDED")
    told.fold.compare_rest()
    assert told.found() == []
    told.fold.compare_commitment(CAMPAIGN, second, "LOCKED")
    assert [each["facts"] for each in told.found()] == [{"row": "LOCKED", "events": None}]


def test_a_transition_that_the_table_does_not_have_is_found() -> None:
    told = Told(head=4)
    told.open()
    told.tell("campaign_completed", reserve_commitment_ids=[])
    (found,) = told.found()
    assert found["facts"] == {"from": "ACTIVE", "event": "campaigns.campaign_completed.v1"}


def test_a_close_for_a_reason_of_another_state_is_found() -> None:
    told = Told(head=4)
    told.open()
    told.tell("campaign_closed", reason="fulfillment_failed", from_state="ACTIVE")
    assert len(told.found()) == 1


def test_a_commitment_that_is_locked_without_a_reservation_is_found() -> None:
    told = Told(head=4)
    told.open()
    told.tell("commitment_locked", **locked(uuid4()))
    assert told.found()[0]["facts"]["from"] is None


def test_commitments_in_reserve_stay_locked_at_completion() -> None:
    told = Told(head=20)
    kept, paid = uuid4(), uuid4()
    told.open()
    for each in (kept, paid):
        told.tell("commitment_reserved", **reserved(each))
        told.tell("commitment_locked", **locked(each))
    for name in ("target_reached", "acceptance_requested", "fulfillment_started", "inspection_started"):
        told.tell(name)
    told.tell("campaign_completed", reserve_commitment_ids=[str(kept)])
    told.fold.heads = {STREAM: told.seq}
    told.fold.compare_commitment(CAMPAIGN, kept, "LOCKED")
    told.fold.compare_commitment(CAMPAIGN, paid, "RELEASED")
    assert told.found() == []


def test_more_units_than_the_capacity_in_an_event_are_found() -> None:
    told = Told(head=4)
    told.open()
    told.tell("commitment_reserved", **reserved(uuid4(), held=2, taken=3))
    assert told.found("I6")[0]["facts"] == {"units": 5, "capacity_units": 4}


def test_what_was_left_over_by_the_rows_is_found() -> None:
    told = Told(head=4)
    told.open()
    told.tell("commitment_reserved", **reserved(uuid4()))
    told.fold.compare_rest()
    assert told.found()[0]["facts"] == {"row": None, "events": "PENDING_FUNDS"}


def test_events_after_the_snapshot_are_not_folded_and_events_missing_before_it_not_compared() -> None:
    told = Told(head=2)
    told.open()
    assert told.fold.campaigns[CAMPAIGN].state == "IN_REVIEW"
    told.fold.compare_campaign(CAMPAIGN, "IN_REVIEW")
    behind = Told(head=9)
    behind.open()
    behind.fold.compare_campaign(CAMPAIGN, "CLOSED")
    assert told.found() == behind.found() == []


def test_a_draft_is_revised_while_it_is_one_and_its_new_terms_count() -> None:
    told = Told(head=10)
    told.tell("campaign_drafted", **TERMS)
    told.tell("draft_revised", terms={"capacity_units": 1})
    told.tell("campaign_submitted")
    assert told.found() == []
    assert told.fold.campaigns[CAMPAIGN].capacity_units == 1
    told.tell("draft_revised", **TERMS)
    assert len(told.found()) == 1


def test_a_revision_of_what_was_never_drafted_is_found() -> None:
    told = Told(head=10)
    told.tell("draft_revised", **TERMS)
    assert len(told.found()) == 1
