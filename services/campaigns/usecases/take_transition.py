"""Take one row of the state machine: change the state and leave its audit record. Every change of state comes here."""

from __future__ import annotations

from services.campaigns.domain.transitions import Transition
from services.campaigns.store.models import CampaignRow
from services.kit.work import Work


def take_transition(work: Work, campaign: CampaignRow, transition: Transition, *, reason: str | None = None) -> None:
    """Move the campaign along this row. The caller publishes the row's event."""
    before = _snapshot(campaign)
    campaign.state = transition.target
    work.audit(
        f"campaign.{transition.trigger}",
        scope=str(campaign.campaign_id),
        subject=str(campaign.campaign_id),
        before=before,
        after={**_snapshot(campaign), "transition": transition.name},
        reason=reason or transition.reason,
    )


def _snapshot(campaign: CampaignRow) -> dict[str, object]:
    return {
        "state": campaign.state,
        "held_units": campaign.held_units,
        "reserved_units": campaign.reserved_units,
        "held_commitments": campaign.held_commitments,
        "open_reservations": campaign.open_reservations,
        "terms_hash": campaign.terms_hash,
    }
