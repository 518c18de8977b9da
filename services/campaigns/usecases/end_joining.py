"""End joining and withdrawal: at the close date, or when held units reach the capacity."""

from __future__ import annotations

from contracts.campaigns import JoiningEnded
from services.campaigns.domain.deadlines import CLOSE_DATE, DECISION_OVERDUE, DECISION_OVERDUE_AFTER
from services.campaigns.domain.joining import EndCause
from services.campaigns.store.models import CampaignRow
from services.campaigns.usecases.decide_close import decide_close
from services.campaigns.usecases.gather_facts import joining_window
from services.kit.work import Work


async def end_joining(work: Work, campaign: CampaignRow, *, cause: EndCause) -> None:
    """End joining and decide at once when no reservation is open. A campaign not open for joining is left alone."""
    if not joining_window(campaign).is_open:
        return
    subject = str(campaign.campaign_id)
    campaign.joining_ended_at = work.now
    campaign.joining_end_cause = cause
    work.unschedule(CLOSE_DATE, subject=subject)
    if campaign.open_reservations:
        due_at = work.now + DECISION_OVERDUE_AFTER
        work.schedule(DECISION_OVERDUE, scope=subject, subject=subject, due_at=due_at)
    work.audit(
        "campaign.joining_ended",
        scope=subject,
        subject=subject,
        before={"joining": True},
        after={"joining": False, "held_units": campaign.held_units, "reserved_units": campaign.reserved_units},
        reason=cause,
    )
    work.publish(
        JoiningEnded(
            campaign_id=campaign.campaign_id,
            cause=cause,
            held_units=campaign.held_units,
            reserved_units=campaign.reserved_units,
        )
    )
    await decide_close(work, campaign)
