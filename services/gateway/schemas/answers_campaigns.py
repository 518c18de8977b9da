"""The bodies of answers about campaigns."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from contracts.terms import CampaignState, CloseReason, Product, SignOffRole, Terms, Visibility
from services.gateway.schemas.answers import Answer, MoneyView


class ProgressView(Answer):
    """The figures of a campaign that move while people join."""

    campaign_id: UUID
    state: CampaignState
    state_words: str
    held_units: int
    reserved_units: int
    target_units: int
    capacity_units: int
    units_left: int
    held_commitments: int
    target_reached: bool
    joining: bool


class CampaignSummary(Answer):
    """A campaign in a list."""

    id: UUID
    title: str
    state: CampaignState
    state_words: str
    closed_reason: CloseReason | None
    visibility: Visibility
    unit_price: MoneyView
    category: str
    progress: ProgressView
    close_at: datetime
    joining: bool
    opened_at: datetime | None
    joining_paused: bool
    frozen: bool
    stale: bool


class CampaignMoney(Answer):
    """Where a campaign's money is, from the ledger's accounts."""

    held: MoneyView
    refund_owed: MoneyView
    refunded: MoneyView
    released: MoneyView
    fees: MoneyView
    reserved_for_issues: MoneyView


class WhatIf(Answer):
    """One possible ending and what it means for held funds."""

    case: str
    words: str


class SupplierName(Answer):
    """The supplier of a campaign."""

    id: UUID
    name: str


class AcceptanceWindow(Answer):
    """When the supplier decides, and about how many units."""

    opens_at: datetime | None
    closes_at: datetime | None
    final_units: int


class SettlementView(Answer):
    """How many refunds of a campaign are paid and how many are still owed, with the amounts. `paid_lately` were paid within
    the last five minutes; at that pace the last one that waits for its turn is paid at `expected_by`, which is absent while
    there is no pace to go on from. `refunds_waiting` of the owed ones wait for the payment processor, which has them, or for
    another attempt, because it refused them; `expected_by` does not speak of these."""

    refunds_owed: int
    refunds_paid: int
    refunds_waiting: int
    paid_lately: int
    owed: MoneyView
    paid: MoneyView
    expected_by: datetime | None


class CaseView(Answer):
    """Something that needs a person. `people_needed` escrow auditors close it by hand, 0 when it ends otherwise; `asked_by` is
    the first of two, with the words and the evidence given, `closed_by` the last one."""

    id: UUID
    service: str
    kind: str
    scope: str
    subject_id: str
    severity: str
    blocking: bool
    facts: dict[str, Any]
    state: Literal["open", "closed"]
    resolution: str | None
    opened_at: datetime | None
    closed_at: datetime | None
    people_needed: int
    asked_by: str | None
    asked_words: str | None
    asked_evidence: list[str]
    closed_by: str | None
    closed_words: str | None


class StaffView(Answer):
    """What staff see of a campaign beside its page."""

    author_id: str | None
    supplier_ids: list[UUID]
    returned_reason: str | None
    missing_sign_offs: list[SignOffRole]
    cases: list[CaseView]
    next_acts: list[Literal["submit", "review", "submit_plan", "approve_plan", "sign_off_failure"]]


class CampaignView(CampaignSummary):
    """A campaign's page."""

    product: Product
    terms: Terms
    terms_hash: str
    constraints: list[str]
    state_since: datetime
    state_explained: str
    money: CampaignMoney
    what_happens_if: list[WhatIf]
    supplier: SupplierName | None
    acceptance: AcceptanceWindow | None
    settlement: SettlementView | None
    staff: StaffView | None


class CampaignList(Answer):
    """A part of a list of campaigns."""

    data: list[CampaignSummary]
    next_cursor: str | None
