"""Close a campaign without completion: every held commitment is refunded from this moment on, by one decision."""

from __future__ import annotations

from typing import cast

from contracts.campaigns import CampaignClosed
from contracts.terms import CampaignState
from services.campaigns.domain.deadlines import CLOSE_DATE, DECISION_OVERDUE, FROZEN_STEP
from services.campaigns.domain.transitions import Transition
from services.campaigns.store.commitments import end_locked_commitments
from services.campaigns.store.models import CampaignRow
from services.campaigns.usecases.take_transition import take_transition
from services.kit.work import Work


async def close_campaign(work: Work, campaign: CampaignRow, transition: Transition, *, note: str | None = None) -> None:
    """Take a row that leads to CLOSED. The event carries what was held at this moment; escrow refunds from its own
    ledger. Reservations still open stay pending until escrow says how they ended. `note` is for the audit record."""
    reason = transition.reason
    assert reason is not None, f"{transition.name} closes without a reason"
    subject = str(campaign.campaign_id)
    event = CampaignClosed(
        campaign_id=campaign.campaign_id,
        reason=reason,
        from_state=cast(CampaignState, campaign.state),
        held_units=campaign.held_units,
        held_commitments=campaign.held_commitments,
    )
    campaign.close_reason = reason
    campaign.ended_at = work.now
    campaign.waiting_step = None
    take_transition(work, campaign, transition, reason=note)
    await end_locked_commitments(work, campaign.campaign_id, state="REFUNDED", reason=reason, at=work.now)
    campaign.disputed_units = campaign.held_units = 0
    campaign.held_commitments = 0
    for kind in (CLOSE_DATE, DECISION_OVERDUE, FROZEN_STEP):
        work.unschedule(kind, subject=subject)
    work.publish(event)
