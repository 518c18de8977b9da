"""A refund and a dispute about the same money: never given twice, and what happened at Stripe is always booked.

Three places meet a dispute: a refund that is decided while the funds are frozen (it waits for the dispute's end), one
that is to be tried again while the bank has the funds (it is not), and one that Stripe paid all the same.
"""

from __future__ import annotations

from contracts.escrow import RefundReason
from services.escrow.domain import dispute_postings, postings
from services.escrow.domain.disputes import left_of_split
from services.escrow.domain.ledger import commitment_account
from services.escrow.store.disputes import Dispute, disputes_of
from services.escrow.store.tables import RefundDecision, Reservation
from services.escrow.usecases.audit_steps import audit_reservation
from services.escrow.usecases.post_transfers import balances, post
from services.kit.work import Work


async def refund_when_ended(work: Work, reservation: Reservation, reason: RefundReason) -> bool:
    """The person is to get the money back, and a dispute has it: whatever comes back is owed to them. False when no
    dispute is open."""
    found = await disputes_of(work, reservation.commitment_id, is_open=True)
    for dispute in found:
        if dispute.refund_reason is None:
            dispute.refund_reason = reason
            work.audit(
                "escrow.dispute.refund_noted",
                scope=str(dispute.campaign_id),
                subject=dispute.dispute_id,
                before={"refund_reason": None},
                after={"refund_reason": reason},
            )
    if found and reason == "withdrawn" and reservation.state == "held":
        # Nothing more is held for a person who left, wherever the money is.
        reservation.state = "refunded"
        audit_reservation(work, reservation, before="held")
    return bool(found)


async def make_room(work: Work, decision: RefundDecision, refund_id: str) -> None:
    """Stripe paid a refund whose amount a dispute froze or the bank has taken: free it first, or book it as the
    platform's loss, so that the refund can be posted."""
    scope, commitment_id = str(decision.campaign_id), decision.commitment_id
    account = commitment_account("refund_payable", commitment_id)
    short_minor = decision.amount_minor - (await balances(work, scope, [account]))[account]
    if short_minor <= 0:
        return
    found = await disputes_of(work, commitment_id, is_open=False)
    for dispute in found:
        if dispute.hold_minor:
            await give_hold_back(work, dispute, held_split(dispute))
            # What is frozen or given back after this needs causes of its own.
            dispute.round += 1
    short_minor = decision.amount_minor - (await balances(work, scope, [account]))[account]
    for dispute in found:
        part_minor = min(short_minor, dispute.taken_minor)
        if part_minor <= 0:
            continue
        await post(
            work,
            dispute_postings.dispute_shifted(
                scope,
                commitment_id,
                part_minor,
                of=f"{refund_id}:{dispute.dispute_id}",
                paid_by_refund=True,
                facts=postings.Facts(work.now, (dispute.opened_event_id,)),
            ),
        )
        dispute.taken_minor -= part_minor
        dispute.loss_minor += part_minor
        short_minor -= part_minor
        work.open_case(
            "paid_twice",
            scope=scope,
            subject=str(decision.decision_id),
            severity="critical",
            facts={"dispute_id": dispute.dispute_id, "refund_id": refund_id, "amount_minor": part_minor},
        )


def held_split(dispute: Dispute) -> dict[str, int]:
    """What of the frozen amount is still frozen, by account class."""
    split = {str(name): int(amount) for name, amount in dispute.frozen_split.items()}
    return left_of_split(split, sum(split.values()) - dispute.hold_minor)


async def give_hold_back(work: Work, dispute: Dispute, back_minor: dict[str, int]) -> None:
    """Post the end of what is frozen in the dispute's present round."""
    posting = dispute_postings.dispute_ended(
        str(dispute.campaign_id),
        dispute.commitment_id,
        dispute_id=dispute.round_id,
        split_minor=back_minor,
        campaign_closed=False,
        facts=postings.Facts(work.now, (dispute.opened_event_id,)),
    )
    if posting is not None:
        await post(work, posting)
    dispute.hold_minor, dispute.frozen_split = 0, {}
