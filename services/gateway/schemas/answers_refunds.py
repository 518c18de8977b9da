"""Answers about refunds that are on their way, for staff and for everybody."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from contracts.terms import CampaignState
from services.gateway.schemas.answers import Answer, MoneyView
from services.gateway.schemas.answers_campaigns import SettlementView


class UnsettledRefundView(Answer):
    """A refund that is owed: how old it is, how often it was tried, and what happens with it next."""

    id: UUID
    campaign_id: UUID
    commitment_id: UUID
    amount: MoneyView
    reason: str | None
    state: Literal["decided", "pending", "failed"]
    decided_at: datetime
    state_at: datetime
    age_seconds: int
    attempts: int
    next_act: str


class UnsettledRefundList(Answer):
    """A part of the refunds that are owed, the oldest first."""

    data: list[UnsettledRefundView]
    next_cursor: str | None


class SettlingCampaignView(Answer):
    """A campaign that owes refunds, and how far they are."""

    id: UUID
    title: str
    state: CampaignState
    oldest_decided_at: datetime
    settlement: SettlementView


class SettlingCampaignList(Answer):
    """A part of the campaigns that owe refunds, the one that owes the oldest first."""

    data: list[SettlingCampaignView]
    next_cursor: str | None


class RefundFigures(Answer):
    """How refunds stand, for everybody: what is owed and since when, and how long nineteen of twenty took."""

    as_of: datetime
    unsettled: int
    oldest_decided_at: datetime | None
    oldest_age_seconds: int | None
    settled: int
    settled_within_days: int
    ninety_fifth_percentile_seconds: int | None
    rule: str
