"""Own events about disputes: what is frozen, taken and given back comes from the ledger's own transfers.

The charge is the commitment's; status and dates are the event's. What a bank tells after it is read at Stripe, as ever.
"""

from __future__ import annotations

from contracts.disputes import (
    DisputeEnded,
    DisputeEvidencePrepared,
    DisputeEvidenceRefused,
    DisputeEvidenceSubmitted,
    DisputeFundsReinstated,
    DisputeFundsWithdrawn,
    DisputeMoved,
    DisputeOpened,
)
from services.escrow.domain.disputes import INQUIRY_STATES
from services.escrow.recover.errors import RecoverError
from services.escrow.recover.fold_refunds import charge_back
from services.escrow.recover.folding import Folding
from services.escrow.store.disputes import Dispute, EvidenceRow, find_dispute, find_evidence
from services.escrow.store.objects import PspObject
from services.escrow.store.recovering import causes_of_object, transfer_entries
from services.escrow.usecases.audit_steps import audit_reservation
from services.escrow.usecases.give_evidence import EVIDENCE_PURPOSE
from services.escrow.usecases.post_transfers import note_object
from services.kit.work import intent_id


async def dispute_opened(fold: Folding, event: DisputeOpened) -> None:
    """A round begins; the split is that of its transfer."""
    dispute = await find_dispute(fold.work, event.dispute_id)
    if dispute is None:
        dispute = await _record(fold, event)
    dispute.round, dispute.status = event.round, event.status
    dispute.outcome = dispute.ended_at = None
    dispute.opened_event_id, dispute.changed_at = fold.event.id, fold.work.now
    dispute.evidence_due_by = event.evidence_due_by
    if dispute.disputed_at is None and event.status not in INQUIRY_STATES:
        dispute.disputed_at = fold.work.now
    frozen = await transfer_entries(fold.work.connection, f"dpo:{dispute.round_id}")
    dispute.frozen_split = {
        row.account.partition(":")[0]: -int(row.amount_minor) for row in frozen if row.amount_minor < 0
    }
    dispute.hold_minor = event.frozen_minor
    await fold.work.session.flush()
    _audit(fold, dispute, "opened", {"status": event.status, "frozen_minor": event.frozen_minor})


async def dispute_moved(fold: Folding, event: DisputeMoved) -> None:
    """Another status."""
    dispute = await _known(fold, event.dispute_id)
    dispute.status, dispute.evidence_due_by = event.status, event.evidence_due_by
    dispute.changed_at = fold.work.now
    if dispute.disputed_at is None and event.status not in INQUIRY_STATES:
        dispute.disputed_at = fold.work.now
    _audit(fold, dispute, "moved", {"status": event.status})


async def funds_withdrawn(fold: Folding, event: DisputeFundsWithdrawn) -> None:
    """The bank took the funds."""
    dispute = await _known(fold, event.dispute_id)
    await _name_movement(fold, dispute, "dispute_withdrawn", "dpw:")
    dispute.hold_minor -= event.from_hold_minor
    dispute.taken_minor += event.from_hold_minor
    dispute.loss_minor += event.amount_minor - event.from_hold_minor
    dispute.fee_minor += event.fee_minor
    dispute.disputed_at = dispute.disputed_at or fold.work.now
    _audit(fold, dispute, "withdrawn", {"amount_minor": event.amount_minor})


async def funds_reinstated(fold: Folding, event: DisputeFundsReinstated) -> None:
    """The bank gave them back."""
    dispute = await _known(fold, event.dispute_id)
    await _name_movement(fold, dispute, "dispute_reinstated", "dpr:")
    dispute.loss_minor -= event.amount_minor - event.to_hold_minor
    dispute.taken_minor = max(dispute.taken_minor - event.to_hold_minor, 0)
    dispute.hold_minor += event.to_hold_minor
    (await fold.book.scope(fold.scope)).settled_at = None
    _audit(fold, dispute, "reinstated", {"amount_minor": event.amount_minor})


async def dispute_ended(fold: Folding, event: DisputeEnded) -> None:
    """It is over."""
    dispute = await _known(fold, event.dispute_id)
    dispute.outcome, dispute.ended_at = event.outcome, fold.work.now
    dispute.hold_minor, dispute.frozen_split = 0, {}
    for decision_id in event.settled_decision_ids:
        await charge_back(fold, decision_id)
    reservation = await fold.reservation(event.commitment_id)
    if event.charged_back and reservation.state == "held":
        reservation.state = "refunded"
        audit_reservation(fold.work, reservation, before="held")
    await fold.work.session.flush()
    _audit(fold, dispute, "ended", {"outcome": event.outcome, "returned_minor": event.returned_minor})


async def evidence_prepared(fold: Folding, event: DisputeEvidencePrepared) -> None:
    """Evidence is kept; its texts come from the command, which is kept for seven days."""
    told = fold.inputs.evidence.get((event.dispute_id, event.evidence_hash))
    if told is None or await find_evidence(fold.work, event.dispute_id, event.evidence_hash) is not None:
        return
    fold.work.session.add(
        EvidenceRow(
            dispute_id=event.dispute_id,
            evidence_hash=event.evidence_hash,
            evidence=told.evidence.model_dump(mode="json", exclude_none=True),
            prepared_by=event.prepared_by,
            prepared_at=fold.work.now,
        )
    )
    await fold.work.session.flush()


async def evidence_submitted(fold: Folding, event: DisputeEvidenceSubmitted) -> None:
    """The call that sends it was recorded; it has the same key again."""
    row = await find_evidence(fold.work, event.dispute_id, event.evidence_hash)
    if row is None:
        return
    row.submitted_by, row.submitted_at = event.submitted_by, fold.work.now
    fold.work.intend(
        EVIDENCE_PURPOSE,
        object_id=f"{event.dispute_id}:{event.evidence_hash}",
        ordinal=1,
        scope=fold.scope,
        request={
            "dispute": event.dispute_id,
            "campaign_id": fold.scope,
            "evidence_hash": event.evidence_hash,
            "evidence": row.evidence,
        },
    )


async def evidence_refused(fold: Folding, event: DisputeEvidenceRefused) -> None:
    """Stripe did not take it."""
    row = await find_evidence(fold.work, event.dispute_id, event.evidence_hash)
    if row is not None:
        row.refused_code = event.code
    fold.answer(intent_id(EVIDENCE_PURPOSE, f"{event.dispute_id}:{event.evidence_hash}", 1), "refused")


async def _record(fold: Folding, event: DisputeOpened) -> Dispute:
    payments = [each for each in await fold.book.payments_of(event.commitment_id) if each.charge_id]
    if not payments:
        raise RecoverError("recover_input_missing", f"dispute {event.dispute_id} is about a payment nobody knows")
    reservation = await fold.reservation(event.commitment_id)
    payment = next((each for each in payments if each.payment_id == reservation.funded_by), payments[-1])
    dispute = Dispute(
        dispute_id=event.dispute_id,
        campaign_id=event.campaign_id,
        commitment_id=event.commitment_id,
        participant_id=event.participant_id,
        charge_id=payment.charge_id,
        payment_intent_id=payment.payment_intent_id,
        amount_minor=event.amount_minor,
        currency=event.currency,
        reason=event.reason,
        status=event.status,
        opened_event_id=fold.event.id,
        opened_at=fold.work.now,
        changed_at=fold.work.now,
    )
    note_object(
        fold.work,
        PspObject(
            event.dispute_id, fold.scope, "dispute", None, event.commitment_id, event.amount_minor, payment.charge_id
        ),
    )
    fold.work.session.add(dispute)
    return dispute


async def _name_movement(fold: Folding, dispute: Dispute, kind: str, prefix: str) -> None:
    """Which of Stripe's movements it was: the oldest of its kind in the ledger that is not named yet."""
    found = await causes_of_object(fold.work.connection, fold.scope, dispute.dispute_id, [kind])
    fresh = [cause.removeprefix(prefix) for cause, _ in found]
    fresh = [each for each in fresh if each not in dispute.movement_ids]
    if not fresh:
        raise RecoverError("recover_transfer_missing", f"{kind} of {dispute.dispute_id} was told without its transfer")
    dispute.movement_ids = [*dispute.movement_ids, fresh[0]]
    dispute.changed_at = fold.work.now


async def _known(fold: Folding, dispute_id: str) -> Dispute:
    dispute = await find_dispute(fold.work, dispute_id)
    if dispute is None:
        raise RecoverError("recover_input_missing", f"{fold.event.type} speaks of dispute {dispute_id}, unknown here")
    return dispute


def _audit(fold: Folding, dispute: Dispute, verb: str, after: dict[str, object]) -> None:
    fold.work.audit(
        f"escrow.dispute.{verb}",
        scope=fold.scope,
        subject=dispute.dispute_id,
        before=None,
        after={**after, "commitment_id": str(dispute.commitment_id)},
    )
