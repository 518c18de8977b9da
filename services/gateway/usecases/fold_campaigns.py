"""Fold the campaigns service's events into rows of the read model."""

from __future__ import annotations

from typing import Any

from contracts import campaigns as events
from contracts.envelope import Envelope
from services.gateway.store.projection import Ending, Rows

IN_ESCROW_UNTIL_CLOSED = "REFUNDED"


def fold_campaign(rows: Rows, envelope: Envelope, event: Any) -> bool:  # noqa: PLR0912 - one case per event
    """Fold an event about a campaign as a whole; False when it is about something else."""
    put = _put_state(rows, envelope, event)
    match event:
        case events.CampaignDrafted():
            put("DRAFT", drafted_at=envelope.time, author_id=event.author_id, **_core(event))
        case events.DraftRevised():
            put(None, **_core(event))
        case events.CampaignSubmitted():
            put("IN_REVIEW", terms_hash=event.terms_hash)
        case events.CampaignReturned():
            put("DRAFT", returned_reason=event.reason)
        case events.CampaignOpened():
            put("ACTIVE", opened_at=event.opened_at, constraints=list(event.constraints), **_core(event))
        case events.TargetReached():
            put("TARGET_ACHIEVED", held_units=event.held_units)
        case events.TargetLost():
            put(None, held_units=event.held_units)
        case events.JoiningEnded():
            put(None, joining_ended=event.cause, held_units=event.held_units, reserved_units=event.reserved_units)
        case events.AcceptanceRequested():
            put("PENDING_ACCEPTANCE", final_units=event.final_units)
        case events.FulfillmentStarted():
            put("FULFILLMENT", accepted_supplier_id=event.supplier_id)
        case events.InspectionStarted():
            put("INSPECTION")
        case events.FailureSignedOff():
            put(None, missing_sign_offs=list(event.missing_roles))
        case events.CampaignClosed():
            put("CLOSED", close_reason=event.reason)
            rows.endings.append(Ending(event.campaign_id, IN_ESCROW_UNTIL_CLOSED, envelope.time))
        case events.CampaignCompleted():
            put("COMPLETED")
            kept = event.reserve_commitment_ids
            rows.endings.append(Ending(event.campaign_id, "RELEASED", envelope.time, kept))
        case _:
            return False
    return True


def fold_commitment(rows: Rows, envelope: Envelope, event: Any) -> bool:
    """Fold an event about one commitment; False when it is about something else."""
    match event:
        case events.CommitmentReserved():
            _commitment(
                rows, envelope, event, "PENDING_FUNDS",
                amount_minor=event.amount_minor, currency=event.currency, terms_hash=event.terms_hash,
                reference=event.reference, reserved_until=event.reserved_until, created_at=envelope.time,
            )  # fmt: skip
            _count(rows, envelope, event, held_units=event.held_units)
        case events.CommitmentLocked():
            _commitment(rows, envelope, event, "LOCKED", locked_at=envelope.time)
            _count(rows, envelope, event, held_units=event.held_units, held_commitments=event.held_commitments)
        case events.CommitmentFundsFailed():
            _commitment(rows, envelope, event, "FUNDS_FAILED", fail_reason=event.reason)
            _count(rows, envelope, event)
        case events.CommitmentWithdrawn():
            _commitment(rows, envelope, event, "WITHDRAWN", withdrawn_was=event.was)
            _count(rows, envelope, event, held_units=event.held_units, held_commitments=event.held_commitments)
        case events.CommitmentRefused():
            _commitment(
                rows, envelope, event, "REFUSED",
                refusal_code=event.code, refusal_facts=event.facts, created_at=envelope.time,
            )  # fmt: skip
        case events.CommitmentSettled():
            rows.settled[event.commitment_id] = (event.state, envelope.time)
            rows.touched_commitments.add(event.commitment_id)
        case _:
            return False
    return True


def _put_state(rows: Rows, envelope: Envelope, event: Any) -> Any:
    def put(state: str | None, **columns: Any) -> None:
        rows.put(
            "campaign",
            event.campaign_id,
            state=state,
            state_since=envelope.time if state else None,
            seq=envelope.seq,
            **columns,
        )
        rows.touched_campaigns.add(event.campaign_id)

    return put


def _core(event: events.CampaignDrafted | events.DraftRevised | events.CampaignOpened) -> dict[str, Any]:
    terms = event.terms
    return {
        "product": event.product.model_dump(mode="json"),
        "terms": terms.model_dump(mode="json"),
        "terms_hash": event.terms_hash,
        "supplier_ids": [str(supplier_id) for supplier_id in event.supplier_ids],
        "visibility": event.visibility,
        "title": terms.title,
        "category": event.product.category,
        "unit_price_minor": terms.unit_price_minor,
        "currency": terms.currency,
        "target_units": terms.target_units,
        "capacity_units": terms.capacity_units,
        "close_at": terms.close_at,
    }


def _commitment(rows: Rows, envelope: Envelope, event: Any, state: str, **columns: Any) -> None:
    rows.put(
        "commitment",
        event.commitment_id,
        campaign_id=event.campaign_id,
        participant_id=event.participant_id,
        quantity=event.quantity,
        state=state,
        state_at=envelope.time,
        **columns,
    )
    rows.touched_commitments.add(event.commitment_id)


def _count(rows: Rows, envelope: Envelope, event: Any, **counts: int) -> None:
    rows.put("campaign", event.campaign_id, reserved_units=event.reserved_units, seq=envelope.seq, **counts)
    rows.touched_campaigns.add(event.campaign_id)
