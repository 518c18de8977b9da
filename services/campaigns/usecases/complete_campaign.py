"""Complete a campaign (T10): the funds are released; commitments in reserve stay locked until their issue is decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from contracts.campaigns import CampaignCompleted
from services.campaigns.domain.deadlines import FROZEN_STEP
from services.campaigns.domain.transitions import Transition
from services.campaigns.store.commitments import end_locked_commitments
from services.campaigns.store.models import CampaignRow
from services.campaigns.usecases.report_mismatch import report_mismatch
from services.campaigns.usecases.take_transition import take_transition
from services.kit.work import Work


async def complete_campaign(
    work: Work, campaign: CampaignRow, transition: Transition, *, release: Mapping[str, Any]
) -> None:
    """`release` is escrow's word: `plan_id`, `supplier_id`, `reserve_commitment_ids` and the number of `released`
    commitments. A number that differs from what is held here opens a case; what was paid is told all the same."""
    reserve_ids = tuple(UUID(commitment_id) for commitment_id in release["reserve_commitment_ids"])
    campaign.plan_id = UUID(release["plan_id"])
    campaign.ended_at = work.now
    campaign.waiting_step = None
    take_transition(work, campaign, transition, reason=f"clearing plan {campaign.plan_id}")
    moved = await end_locked_commitments(
        work, campaign.campaign_id, state="RELEASED", reason="released", at=work.now, except_ids=reserve_ids
    )
    campaign.disputed_units -= moved.disputed_units
    campaign.held_units -= moved.units
    campaign.held_commitments -= moved.commitments
    work.unschedule(FROZEN_STEP, subject=str(campaign.campaign_id))
    if moved.commitments != release["released"] or campaign.held_commitments != len(reserve_ids):
        report_mismatch(
            work,
            campaign,
            about=campaign.campaign_id,
            state=f"{moved.commitments} released, {campaign.held_commitments} in reserve",
            said=f"{release['released']} released, {len(reserve_ids)} in reserve",
        )
    work.publish(
        CampaignCompleted(
            campaign_id=campaign.campaign_id,
            plan_id=campaign.plan_id,
            supplier_id=UUID(release["supplier_id"]),
            reserve_commitment_ids=reserve_ids,
        )
    )
