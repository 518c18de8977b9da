"""Fold the suppliers service's events into rows of the read model: suppliers, invitations, deliveries, issues."""

from __future__ import annotations

from typing import Any

from contracts import suppliers as events
from contracts.envelope import Envelope
from services.gateway.store.projection import Rows


def fold_invitation(rows: Rows, envelope: Envelope, event: Any) -> bool:
    """Fold an event about a supplier or its invitation; False when it is about something else."""
    match event:
        case events.SupplierRegistered():
            rows.put(
                "supplier", event.supplier_id,
                display_name=event.display_name, tier=event.tier, registered_at=envelope.time,
            )  # fmt: skip
        case events.SupplierInvited():
            _invitation(
                rows, event, "invited",
                units=event.units_so_far, final=False, terms_hash=event.terms_hash, invited_at=envelope.time,
            )  # fmt: skip
        case events.AcceptanceWindowOpened():
            _invitation(
                rows, event, "open",
                units=event.final_units, final=True, terms_hash=event.terms_hash,
                opens_at=event.opens_at, closes_at=event.closes_at,
            )  # fmt: skip
        case events.CampaignAccepted():
            _invitation(rows, event, "accepted", answered_at=event.accepted_at)
        case events.InvitationDeclined():
            _invitation(rows, event, "declined", answered_at=envelope.time, decline_reason=event.reason)
        case events.AcceptanceTimedOut():
            _invitation(rows, event, "timed_out", answered_at=envelope.time)
        case events.InvitationWithdrawn():
            rows.withdrawn_invitations[event.campaign_id] = envelope.time
            rows.touched_campaigns.add(event.campaign_id)
        case _:
            return False
    return True


def fold_delivery(rows: Rows, envelope: Envelope, event: Any) -> bool:
    """Fold an event about deliveries or issues; False when it is about something else."""
    match event:
        case events.CommitmentsDispatched():
            for commitment_id in event.commitment_ids:
                _delivery(
                    rows, event, commitment_id, "dispatched", dispatched_at=envelope.time, tracking=event.tracking
                )
        case events.CommitmentsDelivered():
            for commitment_id in event.commitment_ids:
                _delivery(
                    rows, event, commitment_id, "delivered",
                    delivered_at=envelope.time, inspection_until=event.inspection_until, evidence=event.evidence,
                )  # fmt: skip
        case events.DeliveryCompleted():
            rows.put("campaign_fulfillment", event.campaign_id, delivered=event.delivered)
        case events.FulfillmentAccepted():
            rows.put(
                "campaign_fulfillment", event.campaign_id,
                delivered=event.delivered, verdict=event.verdict, accepted_at=envelope.time,
                issue_rate_basis_points=event.issue_rate_basis_points,
            )  # fmt: skip
        case events.IssueReported():
            _issue(rows, event, "open", reported_at=envelope.time)
        case events.IssueDecided():
            _issue(rows, event, event.verdict, decided_at=envelope.time)
        case _:
            return False
    return True


def _invitation(rows: Rows, event: Any, state: str, **columns: Any) -> None:
    rows.put(
        "invitation",
        event.invitation_id,
        campaign_id=event.campaign_id,
        supplier_id=event.supplier_id,
        state=state,
        **columns,
    )
    rows.touched_campaigns.add(event.campaign_id)


def _delivery(rows: Rows, event: Any, commitment_id: Any, state: str, **columns: Any) -> None:
    rows.put("commitment_delivery", commitment_id, campaign_id=event.campaign_id, state=state, **columns)


def _issue(rows: Rows, event: Any, state: str, **columns: Any) -> None:
    rows.put(
        "issue",
        event.issue_id,
        campaign_id=event.campaign_id,
        commitment_id=event.commitment_id,
        participant_id=event.participant_id,
        state=state,
        **columns,
    )
