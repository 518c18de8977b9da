"""Open a case about a word of another service that does not fit what is known here. Nothing else is changed."""

from __future__ import annotations

from uuid import UUID

from services.campaigns.store.models import CampaignRow
from services.kit.work import Work


def report_mismatch(work: Work, campaign: CampaignRow, *, about: UUID, state: str, said: str) -> None:
    """A `state_mismatch` case about `about` (a campaign or a commitment), which is in `state` while `said` came."""
    work.open_case(
        "state_mismatch",
        scope=str(campaign.campaign_id),
        subject=str(about),
        facts={"state": state, "said": said, "message_id": str(work.cause.id)},
    )
