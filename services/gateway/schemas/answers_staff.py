"""The bodies of answers about suppliers, clearing and cases."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts.ledger import AnyPlanKind
from contracts.terms import Terms
from services.gateway.schemas.answers import Answer, MoneyView
from services.gateway.schemas.answers_campaigns import CampaignSummary, CaseView
from services.gateway.schemas.answers_commitments import IssueView


class SupplierView(Answer):
    """A supplier."""

    id: UUID
    display_name: str
    tier: str


class InvitationView(Answer):
    """A supplier's invitation."""

    id: UUID
    campaign_id: UUID
    campaign_title: str
    supplier_id: UUID
    state: Literal["invited", "open", "accepted", "declined", "timed_out", "withdrawn"]
    state_words: str
    units: int
    final: bool
    unit_price: MoneyView
    total: MoneyView
    terms: Terms
    terms_hash: str
    opens_at: datetime | None
    closes_at: datetime | None
    invited_at: datetime | None


class ConditionView(Answer):
    """A release condition with its verdict."""

    name: str
    met: bool
    evidence: list[UUID]


class TransferView(Answer):
    """The transfer to the supplier."""

    id: str


class AccountPreviewView(Answer):
    """What a plan does to one account class of its campaign's ledger; amounts are credits, a debit is negative."""

    account: str
    before: MoneyView
    movement: MoneyView
    after: MoneyView


class PlanProgressView(Answer):
    """How far a plan's lines are: those applied, and those that became cases instead."""

    applied: int
    failed: int
    of: int


class PlanLineView(Answer):
    """A line of a plan, with its account before and after it, as computed when the plan was submitted."""

    commitment_id: UUID
    amount: MoneyView
    account: str
    before: MoneyView
    after: MoneyView
    to_reserve: bool


class PlanLineList(Answer):
    """A part of a plan's lines."""

    data: list[PlanLineView]
    next_cursor: str | None


class PlanView(Answer):
    """A clearing plan."""

    id: UUID
    campaign_id: UUID
    kind: AnyPlanKind
    kind_words: str
    state: Literal["SUBMITTED", "APPROVED", "SENDING", "RELEASED", "DONE", "STOPPED"]
    state_words: str
    plan_hash: str
    maker_id: str
    approver_id: str | None
    reason: str
    reason_code: str | None
    evidence: list[str]
    target_plan_id: UUID | None
    target_position: int | None
    supplier_id: UUID | None
    gross: MoneyView
    reserve: MoneyView
    fee: MoneyView
    net: MoneyView
    line_count: int
    progress: PlanProgressView
    preview: list[AccountPreviewView]
    conditions: list[ConditionView]
    transfer: TransferView | None
    refused_code: str | None
    submitted_at: datetime


class TopUpView(Answer):
    """A top-up of the platform's own money."""

    id: UUID
    amount: MoneyView
    state: Literal["done"]


class StaffOverview(Answer):
    """What waits for a person."""

    reviews: list[CampaignSummary]
    plans: list[PlanView]
    issues: list[IssueView]
    cases: list[CaseView]
    ready_for_plan: list[CampaignSummary]


class SupplierList(Answer):
    """Suppliers."""

    data: list[SupplierView]
    next_cursor: None = None


class InvitationList(Answer):
    """Invitations."""

    data: list[InvitationView]
    next_cursor: None = None


class PlanList(Answer):
    """Clearing plans."""

    data: list[PlanView]
    next_cursor: None = None


class CaseList(Answer):
    """Cases."""

    data: list[CaseView]
    next_cursor: None = None
