"""When a rule has come true, and when it can come true no more. Pure functions over where a campaign stands.

What was so already when a rule was made is not told: such a rule is refused, so that a mail always tells a change.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from contracts.alerts import ClosesWithin, RefundUnsettled, StateReached, TargetPercent
from contracts.terms import CAMPAIGN_STATES

CampaignRule = TargetPercent | ClosesWithin | StateReached
FINAL_STATES = frozenset({"COMPLETED", "CLOSED"})
HUNDRED = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a campaign stands, as its events told it."""

    campaign_id: UUID
    target_units: int
    held_units: int
    state: str
    close_at: datetime
    joining_ended: bool


def closes_from(rule: ClosesWithin, standing: Standing) -> datetime:
    """From when on joining ends within the rule's days (stack time)."""
    return standing.close_at - timedelta(days=rule.days)


def unsettled_from(rule: RefundUnsettled, decided_at: datetime) -> datetime:
    """From when on a refund is unsettled for the rule's hours (stack time)."""
    return decided_at + timedelta(hours=rule.hours)


def has_come_true(rule: CampaignRule, standing: Standing, *, now: datetime) -> bool:
    """Whether what the rule names is so. A state that a campaign has gone through counts as reached."""
    match rule:
        case TargetPercent():
            return standing.held_units * HUNDRED >= rule.percent * standing.target_units
        case ClosesWithin():
            return not standing.joining_ended and now >= closes_from(rule, standing)
        case StateReached():
            passed = CAMPAIGN_STATES.index(standing.state) >= CAMPAIGN_STATES.index(rule.state)
            return standing.state == rule.state or (passed and rule.state not in FINAL_STATES and not _final(standing))


def over_because(rule: CampaignRule, standing: Standing) -> Literal["campaign_final", "joining_ended"] | None:
    """Why a rule that has not come true can do so no more, or None."""
    if _final(standing):
        return "campaign_final"
    return "joining_ended" if standing.joining_ended and isinstance(rule, ClosesWithin) else None


def _final(standing: Standing) -> bool:
    return standing.state in FINAL_STATES
