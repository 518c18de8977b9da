"""Fold events about disputes into rows of the read model, and those about messages, which are evidence in a dispute."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

from contracts import disputes, notifications
from contracts.envelope import EVENT_NAMESPACE, Envelope
from services.gateway.store.projection import Rows

OPEN = "open"


def fold_dispute(rows: Rows, envelope: Envelope, event: Any) -> bool:
    """Fold an event about a dispute; False when it is about something else."""
    match event:
        case disputes.DisputeOpened():
            _dispute(
                rows, envelope, event,
                state=OPEN, charged_back=False, status=event.status, reason=event.reason,
                amount_minor=event.amount_minor, currency=event.currency, evidence_due_by=event.evidence_due_by,
                opened_at=envelope.time,
            )  # fmt: skip
        case disputes.DisputeMoved():
            _dispute(rows, envelope, event, status=event.status, evidence_due_by=event.evidence_due_by)
        case disputes.DisputeEnded():
            _dispute(rows, envelope, event, state=event.outcome, charged_back=event.charged_back)
            for decision_id in event.settled_decision_ids:
                rows.put("refund", decision_id, state="charged_back", state_at=envelope.time)
        case disputes.DisputeEvidencePrepared():
            _dispute(
                rows, envelope, event,
                evidence_state="prepared", evidence_hash=event.evidence_hash, prepared_by=event.prepared_by,
                paper_digest=event.paper_digest,
            )  # fmt: skip
        case disputes.DisputeEvidenceSubmitted():
            _dispute(
                rows, envelope, event,
                evidence_state="submitted", evidence_hash=event.evidence_hash, submitted_by=event.submitted_by,
                paper_digest=event.paper_digest,
            )  # fmt: skip
        case disputes.DisputeEvidenceRefused():
            _dispute(rows, envelope, event, evidence_state="refused")
        case disputes.DisputeFundsWithdrawn() | disputes.DisputeFundsReinstated():
            _dispute(rows, envelope, event)
        case _:
            return False
    return True


def fold_message(rows: Rows, envelope: Envelope, event: Any) -> bool:
    """Fold an event about a message to a person; False when it is about something else."""
    match event:
        case notifications.MessageRecorded():
            rows.put(
                "message", event.message_id,
                participant_id=event.participant_id, campaign_id=event.scope_id, template=event.template,
                template_version=event.template_version, recorded_at=envelope.time,
            )  # fmt: skip
        case notifications.MessageDelivered():
            rows.put(
                "message", event.message_id, campaign_id=event.scope_id, result=event.result, result_at=envelope.time
            )
        case _:
            return False
    return True


def id_of(psp_dispute_id: str) -> UUID:
    """The id by which the interface names a dispute; Stripe's own is a field of it."""
    return uuid5(EVENT_NAMESPACE, f"dispute:{psp_dispute_id}")


def _dispute(rows: Rows, envelope: Envelope, event: Any, **columns: Any) -> None:
    rows.put(
        "dispute",
        id_of(event.dispute_id),
        psp_dispute_id=event.dispute_id,
        commitment_id=event.commitment_id,
        campaign_id=event.campaign_id,
        state_at=envelope.time,
        **columns,
    )
    rows.touched_commitments.add(event.commitment_id)
    rows.touched_other.add(id_of(event.dispute_id))
    rows.touched_campaigns.add(event.campaign_id)
