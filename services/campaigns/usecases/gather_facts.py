"""Gather what the state machine's needs look at from a campaign's row."""

from __future__ import annotations

from typing import Any

from contracts.payment_rail import hold_days_needed
from contracts.terms import Terms
from services.campaigns.domain.joining import JoiningWindow
from services.campaigns.domain.transitions import Facts
from services.campaigns.store.models import CampaignRow
from services.kit.work import Work


def gather_facts(work: Work, campaign: CampaignRow, **known: Any) -> Facts:
    """The facts of this campaign now; `known` adds what only the caller knows (a review's answers, sign-offs)."""
    return Facts(
        actor_is_author=work.actor.id == campaign.author_id,
        closes_later=campaign.close_at > work.now,
        held_units=campaign.counted_units,
        target_units=campaign.target_units,
        open_reservations=campaign.open_reservations,
        joining_over=campaign.joining_ended_at is not None,
        withdrawal_requested=campaign.withdrawal_requested_at is not None,
        frozen=work.is_frozen(str(campaign.campaign_id)),
        **known,
    )


def longest_hold(work: Work, terms: Terms) -> int:
    """How many days the first money of this campaign would lie at the payment rail if everything took as long as it may,
    were it opened now."""
    return hold_days_needed(opens_at=work.now, close_at=terms.close_at, delivery_window_days=terms.delivery_window_days)


def joining_window(campaign: CampaignRow) -> JoiningWindow:
    """Until when people may join and leave this campaign."""
    return JoiningWindow(
        state=campaign.state,
        close_at=campaign.close_at,
        ended_at=campaign.joining_ended_at,
        end_cause=campaign.joining_end_cause,
    )
