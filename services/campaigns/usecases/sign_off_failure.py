"""Sign off that fulfillment failed (T11): three people in three roles, then escrow is asked for the latch."""

from __future__ import annotations

from contracts.campaigns import CloseRequested, FailureSignedOff, SignOffFailure
from contracts.errors import Rejected
from services.campaigns.domain.sign_offs import missing_roles, refusal_of_sign_off
from services.campaigns.store.loaded import find_campaign
from services.campaigns.store.models import SignOffRow
from services.campaigns.store.records import add_record, sign_offs_of
from services.kit.work import Work


async def sign_off_failure(work: Work, message: SignOffFailure) -> None:
    """Raises Rejected: `campaign_unknown`, `not_allowed`, `campaign_state_conflict`, `sign_off_repeated`,
    `sign_off_same_person`."""
    campaign = await find_campaign(work, message.campaign_id)
    if campaign is None:
        raise Rejected("campaign_unknown")
    given = await sign_offs_of(work, campaign)
    person_id = work.actor.id
    refusal = refusal_of_sign_off(
        given, state=campaign.state, role=message.role, actor_role=work.actor.role, person_id=person_id
    )
    if refusal is not None:
        raise refusal
    add_record(
        work,
        SignOffRow(
            campaign_id=campaign.campaign_id,
            round=campaign.sign_off_round,
            role=message.role,
            person_id=person_id,
            reason=message.reason,
            signed_at=work.now,
        ),
    )
    missing = missing_roles({**given, message.role: person_id})
    work.audit(
        "campaign.failure_signed_off",
        scope=str(campaign.campaign_id),
        subject=str(campaign.campaign_id),
        before={"signed_off": sorted(given)},
        after={"signed_off": sorted({*given, message.role}), "round": campaign.sign_off_round},
        reason=message.reason,
    )
    work.publish(
        FailureSignedOff(
            campaign_id=campaign.campaign_id, role=message.role, reason=message.reason, missing_roles=missing
        )
    )
    if not missing:
        campaign.close_requested_at = work.now
        work.publish(CloseRequested(campaign_id=campaign.campaign_id, reason="fulfillment_failed"))
