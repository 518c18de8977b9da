"""Apply a dispute as it was read at Stripe: open, what the bank took and gave back, the end.

Every way leads here: a webhook is only a hint to read the dispute, and reconciliation lists them. So messages that come
twice, late or never change nothing: the reading is whole, each movement is posted once, and a reading that is older than
what is booked is left aside. What is frozen comes first out of committed money; what the bank takes beyond it is the
platform's loss.
"""

from __future__ import annotations

from datetime import UTC, datetime

from contracts.disputes import (
    DisputeEnded,
    DisputeFundsReinstated,
    DisputeFundsWithdrawn,
    DisputeMoved,
    DisputeOpened,
    DisputeOutcome,
)
from services.escrow.domain import dispute_postings, postings
from services.escrow.domain.dispute_postings import FREEZABLE_CLASSES
from services.escrow.domain.disputes import (
    INQUIRY_STATES,
    Booked,
    DisputeFacts,
    End,
    Move,
    Movement,
    Open,
    next_steps,
)
from services.escrow.domain.ledger import commitment_account
from services.escrow.store.book import book_of
from services.escrow.store.disputes import Dispute, charge_owner, find_dispute
from services.escrow.store.objects import PspObject
from services.escrow.store.tables import Reservation
from services.escrow.usecases.end_dispute import end_dispute
from services.escrow.usecases.post_transfers import balances, note_object, post
from services.escrow.usecases.stop_disputed_plan import stop_disputed_plan
from services.kit.work import Work

DISPUTE_CASE = "dispute_open"


async def apply_dispute(work: Work, facts: DisputeFacts) -> bool:
    """Book what is new in a reading. False when the disputed charge is not known in the scope in hand."""
    owner = await charge_owner(work, facts.charge_id)
    if owner is None or owner.commitment_id is None or not _in_hand(work, owner.scope):
        return False
    reservation = await book_of(work).reservations.get(owner.commitment_id)
    if reservation is None:
        return False
    if facts.currency != reservation.currency or facts.amount_minor > (owner.amount_minor or 0):
        _mismatch(work, facts, reservation)
        return True
    dispute = await find_dispute(work, facts.id)
    steps = next_steps(_booked(dispute), facts)
    if dispute is None:
        dispute = await _record(work, facts, reservation)
    status_before = dispute.status
    if steps or (dispute.outcome is None and set(dispute.movement_ids) <= {each.id for each in facts.movements}):
        _read(work, dispute, facts)
    for step in steps:
        match step:
            case Open():
                await _open(work, dispute, reservation, facts)
            case Move(movement):
                await _move(work, dispute, movement)
            case End(outcome):
                await _end(work, dispute, reservation, outcome)
    await work.session.flush()
    if dispute.status != status_before and not any(isinstance(step, Open | End) for step in steps):
        _tell_moved(work, dispute, status_before)
    return True


def _booked(dispute: Dispute | None) -> Booked | None:
    if dispute is None:
        return None
    return Booked(
        outcome=dispute.outcome,  # type: ignore[arg-type]  # the database holds the words
        movement_ids=frozenset(dispute.movement_ids),
        net_taken_minor=dispute.taken_minor + dispute.loss_minor,
    )


async def _record(work: Work, facts: DisputeFacts, reservation: Reservation) -> Dispute:
    dispute = Dispute(
        dispute_id=facts.id,
        campaign_id=reservation.campaign_id,
        commitment_id=reservation.commitment_id,
        participant_id=reservation.participant_id,
        charge_id=facts.charge_id,
        payment_intent_id=facts.payment_intent_id,
        amount_minor=facts.amount_minor,
        currency=facts.currency,
        reason=facts.reason,
        status=facts.status,
        opened_event_id=reservation.reserved_event_id,
        opened_at=work.now,
        changed_at=work.now,
    )
    scope = str(reservation.campaign_id)
    note_object(
        work,
        PspObject(facts.id, scope, "dispute", None, reservation.commitment_id, facts.amount_minor, facts.charge_id),
    )
    work.session.add(dispute)
    return dispute


def _read(work: Work, dispute: Dispute, facts: DisputeFacts) -> None:
    dispute.status, dispute.changed_at = facts.status, work.now
    dispute.evidence_due_by = datetime.fromtimestamp(facts.due_by, UTC) if facts.due_by is not None else None
    is_inquiry = facts.status in INQUIRY_STATES or facts.status in ("warning_closed", "prevented")
    if dispute.disputed_at is None and (facts.movements or not is_inquiry):
        dispute.disputed_at = work.now


async def _open(work: Work, dispute: Dispute, reservation: Reservation, facts: DisputeFacts) -> None:
    # First of all: a row is written with its round, whatever flushes it.
    dispute.round += 1
    await stop_disputed_plan(work, reservation)
    scope, commitment_id = str(dispute.campaign_id), dispute.commitment_id
    dispute.outcome = dispute.ended_at = None
    accounts = {name: commitment_account(name, commitment_id) for name in FREEZABLE_CLASSES}
    left = await balances(work, scope, list(accounts.values()))
    posting = dispute_postings.dispute_opened(
        scope,
        commitment_id,
        facts.amount_minor,
        dispute_id=dispute.round_id,
        left_minor={name: left[account] for name, account in accounts.items()},
        facts=postings.Facts(work.now, (reservation.reserved_event_id,)),
    )
    split = {}
    if posting is not None:
        split = {account.partition(":")[0]: -amount for account, amount in posting.entries if amount < 0}
        await post(work, posting)
    dispute.frozen_split, dispute.hold_minor = split, sum(split.values())
    dispute.opened_event_id = work.publish(
        DisputeOpened(
            campaign_id=dispute.campaign_id,
            commitment_id=commitment_id,
            participant_id=dispute.participant_id,
            dispute_id=dispute.dispute_id,
            round=dispute.round,
            amount_minor=dispute.amount_minor,
            frozen_minor=dispute.hold_minor,
            currency=dispute.currency,
            status=facts.status,
            reason=dispute.reason,
            evidence_due_by=dispute.evidence_due_by,
        )
    )
    work.open_case(
        DISPUTE_CASE,
        scope=scope,
        subject=dispute.dispute_id,
        facts={
            "commitment_id": commitment_id,
            "amount_minor": dispute.amount_minor,
            "status": dispute.status,
            "reason": dispute.reason,
            "evidence_due_by": dispute.evidence_due_by,
        },
    )
    _audit(work, dispute, "opened", before=None, after={"status": dispute.status, "frozen_minor": dispute.hold_minor})


async def _move(work: Work, dispute: Dispute, movement: Movement) -> None:
    if movement.amount_minor < 0:
        await _withdraw(work, dispute, movement)
    else:
        await _reinstate(work, dispute, movement)
    dispute.movement_ids = [*dispute.movement_ids, movement.id]
    dispute.fee_minor += movement.fee_minor


async def _withdraw(work: Work, dispute: Dispute, movement: Movement) -> None:
    amount_minor = -movement.amount_minor
    from_hold_minor = min(amount_minor, dispute.hold_minor)
    await post(
        work,
        dispute_postings.dispute_withdrawn(
            str(dispute.campaign_id),
            dispute.commitment_id,
            amount_minor,
            bt_id=movement.id,
            object_id=dispute.dispute_id,
            hold_minor=dispute.hold_minor,
            facts=postings.Facts(work.now, (dispute.opened_event_id,)),
        ),
    )
    dispute.hold_minor -= from_hold_minor
    dispute.taken_minor += from_hold_minor
    dispute.loss_minor += amount_minor - from_hold_minor
    work.publish(
        DisputeFundsWithdrawn(
            campaign_id=dispute.campaign_id,
            commitment_id=dispute.commitment_id,
            participant_id=dispute.participant_id,
            dispute_id=dispute.dispute_id,
            amount_minor=amount_minor,
            from_hold_minor=from_hold_minor,
            fee_minor=max(movement.fee_minor, 0),
            currency=dispute.currency,
        )
    )
    _audit(
        work,
        dispute,
        "withdrawn",
        before=None,
        after={"amount_minor": amount_minor, "from_hold_minor": from_hold_minor},
    )


async def _reinstate(work: Work, dispute: Dispute, movement: Movement) -> None:
    to_loss_minor = min(movement.amount_minor, dispute.loss_minor)
    to_hold_minor = movement.amount_minor - to_loss_minor
    await post(
        work,
        dispute_postings.dispute_reinstated(
            str(dispute.campaign_id),
            dispute.commitment_id,
            movement.amount_minor,
            bt_id=movement.id,
            object_id=dispute.dispute_id,
            loss_charged_minor=dispute.loss_minor,
            facts=postings.Facts(work.now, (dispute.opened_event_id,)),
        ),
    )
    dispute.loss_minor -= to_loss_minor
    dispute.taken_minor = max(dispute.taken_minor - to_hold_minor, 0)
    dispute.hold_minor += to_hold_minor
    (await book_of(work).scope(dispute.campaign_id)).settled_at = None
    work.publish(
        DisputeFundsReinstated(
            campaign_id=dispute.campaign_id,
            commitment_id=dispute.commitment_id,
            participant_id=dispute.participant_id,
            dispute_id=dispute.dispute_id,
            amount_minor=movement.amount_minor,
            to_hold_minor=to_hold_minor,
            currency=dispute.currency,
        )
    )
    _audit(
        work,
        dispute,
        "reinstated",
        before=None,
        after={"amount_minor": movement.amount_minor, "to_hold_minor": to_hold_minor},
    )


async def _end(work: Work, dispute: Dispute, reservation: Reservation, outcome: DisputeOutcome) -> None:
    ending = await end_dispute(work, dispute, reservation, outcome)
    work.publish(
        DisputeEnded(
            campaign_id=dispute.campaign_id,
            commitment_id=dispute.commitment_id,
            participant_id=dispute.participant_id,
            dispute_id=dispute.dispute_id,
            outcome=outcome,
            charged_back=ending.charged_back,
            returned_minor=ending.returned_minor,
            currency=dispute.currency,
            settled_decision_ids=ending.settled_decision_ids,
        )
    )
    await work.close_case(DISPUTE_CASE, subject=dispute.dispute_id, resolution=outcome)
    _audit(
        work,
        dispute,
        "ended",
        before={"outcome": None},
        after={"outcome": outcome, "returned_minor": ending.returned_minor},
    )


def _tell_moved(work: Work, dispute: Dispute, before: str) -> None:
    work.publish(
        DisputeMoved(
            campaign_id=dispute.campaign_id,
            commitment_id=dispute.commitment_id,
            participant_id=dispute.participant_id,
            dispute_id=dispute.dispute_id,
            status=dispute.status,
            evidence_due_by=dispute.evidence_due_by,
        )
    )
    _audit(work, dispute, "moved", before={"status": before}, after={"status": dispute.status})


def _audit(
    work: Work, dispute: Dispute, verb: str, *, before: dict[str, object] | None, after: dict[str, object]
) -> None:
    work.audit(
        f"escrow.dispute.{verb}",
        scope=str(dispute.campaign_id),
        subject=dispute.dispute_id,
        before=before,
        after={**after, "commitment_id": str(dispute.commitment_id)},
    )


def _mismatch(work: Work, facts: DisputeFacts, reservation: Reservation) -> None:
    work.open_case(
        "psp_mismatch",
        scope=str(reservation.campaign_id),
        subject=facts.id,
        severity="critical",
        blocking=True,
        facts={
            "commitment_id": reservation.commitment_id,
            "amount_minor": facts.amount_minor,
            "why": "a dispute of another amount or currency than its payment",
        },
    )


def _in_hand(work: Work, scope: str) -> bool:
    try:
        work.head(scope)
    except KeyError:
        return False
    return True
