"""Start fulfillment (T7): the supplier accepted the exact terms, which bind from now on."""

from __future__ import annotations

from contracts.campaigns import FulfillmentStarted
from contracts.errors import Rejected
from contracts.suppliers import CampaignAccepted
from services.campaigns.domain.transitions import SUPPLIERS, Trigger, decide
from services.campaigns.store.loaded import campaign_of_event
from services.campaigns.usecases.gather_facts import gather_facts
from services.campaigns.usecases.report_mismatch import report_mismatch
from services.campaigns.usecases.take_transition import take_transition
from services.kit.work import Work


async def start_fulfillment(work: Work, message: CampaignAccepted) -> None:
    """Follow the suppliers service, which decided the race. An acceptance that fits neither state nor terms is a case.
    Raises Early for an unknown campaign."""
    campaign = await campaign_of_event(work, message.campaign_id)
    facts = gather_facts(work, campaign, terms_match=message.terms_hash == campaign.terms_hash)
    try:
        transition = decide(Trigger.SUPPLIER_ACCEPTED, state=campaign.state, who=SUPPLIERS, facts=facts)
    except Rejected as rejected:
        said = f"{Trigger.SUPPLIER_ACCEPTED}: {rejected.code}"
        report_mismatch(work, campaign, about=campaign.campaign_id, state=campaign.state, said=said)
        return
    campaign.supplier_id = message.supplier_id
    campaign.invitation_id = message.invitation_id
    campaign.accepted_at = message.accepted_at
    take_transition(work, campaign, transition)
    work.publish(
        FulfillmentStarted(
            campaign_id=campaign.campaign_id, supplier_id=message.supplier_id, invitation_id=message.invitation_id
        )
    )
