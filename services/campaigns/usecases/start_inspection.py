"""Start inspection (T9): every deliverable commitment is delivered."""

from __future__ import annotations

from contracts.campaigns import InspectionStarted
from contracts.errors import Rejected
from contracts.suppliers import DeliveryCompleted
from services.campaigns.domain.transitions import FINAL_STATES, SUPPLIERS, Trigger, decide
from services.campaigns.store.loaded import campaign_of_event
from services.campaigns.usecases.gather_facts import gather_facts
from services.campaigns.usecases.report_mismatch import report_mismatch
from services.campaigns.usecases.take_transition import take_transition
from services.kit.work import Work


async def start_inspection(work: Work, message: DeliveryCompleted) -> None:
    """Follow the suppliers service. After the campaign's end it is late news; in another state it is a case. Raises
    Early for an unknown campaign."""
    campaign = await campaign_of_event(work, message.campaign_id)
    try:
        transition = decide(
            Trigger.DELIVERY_COMPLETED, state=campaign.state, who=SUPPLIERS, facts=gather_facts(work, campaign)
        )
    except Rejected:
        if campaign.state not in FINAL_STATES:
            said = Trigger.DELIVERY_COMPLETED.value
            report_mismatch(work, campaign, about=campaign.campaign_id, state=campaign.state, said=said)
        return
    campaign.inspection_started_at = work.now
    take_transition(work, campaign, transition)
    work.publish(InspectionStarted(campaign_id=campaign.campaign_id))
