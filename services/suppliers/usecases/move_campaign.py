"""Move a campaign to its next phase: the one place where the phase changes, with its audit record and its deadlines."""

from __future__ import annotations

from services.kit.work import Work
from services.suppliers.domain.phases import Phase, step
from services.suppliers.store.tables import Campaign

ACCEPTANCE_WINDOW_DEADLINE = "acceptance_window"
UPDATE_OVERDUE_DEADLINE = "update_overdue"
INSPECTION_END_DEADLINE = "inspection_end"

_DEADLINE_OF_PHASE = {
    Phase.ACCEPTANCE: ACCEPTANCE_WINDOW_DEADLINE,
    Phase.FULFILLMENT: UPDATE_OVERDUE_DEADLINE,
    Phase.INSPECTION: INSPECTION_END_DEADLINE,
}
"""Each deadline belongs to one phase and is dropped when the campaign leaves it."""


def move_campaign(work: Work, campaign: Campaign, following: Phase, *, reason: str | None = None) -> None:
    """Take the step. Raises IllegalStepError for one outside the table of phases."""
    current = Phase(campaign.phase)
    campaign.phase = step(current, following)
    if current in _DEADLINE_OF_PHASE:
        work.unschedule(_DEADLINE_OF_PHASE[current], subject=str(campaign.campaign_id))
    work.audit(
        "campaign.phase",
        scope=str(campaign.campaign_id),
        subject=str(campaign.campaign_id),
        before={"phase": str(current)},
        after={"phase": str(following)},
        reason=reason,
    )
