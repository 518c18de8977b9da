"""End a dispute: where the frozen money goes, and what becomes of the commitment and of refunds that were owed.

Won, or an inquiry closed: back by the stored split; to the person when the campaign is closed or they were to be
refunded anyway; to the reserve when a plan has already released the rest, because only the reserve can still be paid.
Lost: the bank gave the person the money, so the commitment ends as charged back and refunds of the same money are no
longer owed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast
from uuid import UUID

from contracts.disputes import DisputeOutcome
from contracts.envelope import derived_id
from contracts.escrow import RefundReason
from services.escrow.domain import dispute_postings, postings
from services.escrow.domain.disputes import settled_by_bank
from services.escrow.domain.ledger import commitment_account
from services.escrow.store.book import book_of
from services.escrow.store.disputes import Dispute, decisions_owed
from services.escrow.store.tables import RefundDecision, Reservation
from services.escrow.usecases.apply_refund import end_by_bank, try_again
from services.escrow.usecases.audit_steps import audit_reservation
from services.escrow.usecases.decide_refund import CLOSE_REASONS, owe_what_came_back
from services.escrow.usecases.post_transfers import balances, post, write_transfers
from services.escrow.usecases.refund_in_dispute import give_hold_back, held_split
from services.escrow.usecases.settle_campaign import owed_minor, settle_if_done
from services.kit.work import Work


@dataclass(frozen=True, slots=True)
class Ending:
    """What an end did; see `DisputeEnded`."""

    charged_back: bool
    returned_minor: int
    settled_decision_ids: tuple[UUID, ...] = ()


async def end_dispute(work: Work, dispute: Dispute, reservation: Reservation, outcome: DisputeOutcome) -> Ending:
    """Book the end. The row's outcome stands afterwards."""
    split = {str(name): int(amount) for name, amount in dispute.frozen_split.items()}
    back = held_split(dispute)
    unsplit_minor = dispute.hold_minor - sum(back.values())
    if unsplit_minor:
        back["escrow"] = back.get("escrow", 0) + unsplit_minor
    refund_reason = await _refund_reason(work, dispute, reservation)
    already_owed_minor = back.get("refund_payable", 0)
    back = await _destination(work, dispute, back, to_person=refund_reason is not None)
    returned_minor = dispute.hold_minor
    await give_hold_back(work, dispute, back)
    dispute.outcome, dispute.ended_at = outcome, work.now
    await work.session.flush()
    if refund_reason is not None and back.get("refund_payable", 0) > already_owed_minor:
        await owe_what_came_back(
            work,
            reservation,
            back["refund_payable"] - already_owed_minor,
            refund_reason,
            decision_id=derived_id(dispute.opened_event_id, f"dispute:{dispute.dispute_id}:{dispute.round}"),
        )
    ending = Ending(False, returned_minor)
    if outcome == "lost":
        gone_minor = split.get("refund_payable", 0) - already_owed_minor
        ending = await _lost(work, dispute, reservation, gone_minor=gone_minor, returned_minor=returned_minor)
    else:
        for decision in await decisions_owed(work, dispute.commitment_id):
            if decision.state == "failed":
                try_again(work, decision)
    await _look_whether_settled(work, dispute.campaign_id)
    return ending


async def _refund_reason(work: Work, dispute: Dispute, reservation: Reservation) -> RefundReason | None:
    """Why what comes back belongs to the person; None when it is committed as before."""
    if dispute.refund_reason is not None:
        return cast(RefundReason, dispute.refund_reason)
    campaign = await book_of(work).campaigns.get(dispute.campaign_id)
    if campaign is not None and campaign.close_reason is not None:
        return CLOSE_REASONS[campaign.close_reason]
    return "chargeback" if reservation.state == "refunded" else None


async def _destination(work: Work, dispute: Dispute, back: dict[str, int], *, to_person: bool) -> dict[str, int]:
    total_minor = sum(back.values())
    if not total_minor:
        return {}
    if to_person:
        return {"refund_payable": total_minor}
    scope = await book_of(work).scope(dispute.campaign_id)
    if scope.latch == "clearing" or scope.campaign_state == "COMPLETED":
        committed_minor = back.get("escrow", 0) + back.get("reserve", 0)
        others = {name: amount for name, amount in back.items() if name == "refund_payable"}
        return {**others, "reserve": committed_minor} if committed_minor else others
    return back


async def _lost(
    work: Work, dispute: Dispute, reservation: Reservation, *, gone_minor: int, returned_minor: int
) -> Ending:
    """`gone_minor`: what the bank took of money that was owed as a refund."""
    owed = await decisions_owed(work, dispute.commitment_id)
    settled = [owed[place] for place in settled_by_bank([(each, each.amount_minor) for each in owed], gone_minor)]
    for decision in owed:
        if decision not in settled and await _settle_from_loss(work, dispute, decision):
            settled.append(decision)
    for decision in settled:
        await end_by_bank(work, decision)
    accounts = [commitment_account(name, dispute.commitment_id) for name in ("escrow", "reserve")]
    kept_minor = sum((await balances(work, str(dispute.campaign_id), accounts)).values())
    charged_back = reservation.state in ("held", "refunded") and kept_minor == 0
    if charged_back and reservation.state == "held":
        reservation.state = "refunded"
        audit_reservation(work, reservation, before="held")
    elif kept_minor:
        work.open_case(
            "dispute_lost_in_part",
            scope=str(dispute.campaign_id),
            subject=str(dispute.commitment_id),
            facts={"dispute_id": dispute.dispute_id, "kept_minor": kept_minor},
        )
    return Ending(charged_back, returned_minor, tuple(each.decision_id for each in settled))


async def _settle_from_loss(work: Work, dispute: Dispute, decision: RefundDecision) -> bool:
    """A refund that failed after it was paid is owed again, while the bank took the same money from the platform: the
    one settles the other."""
    if decision.state != "failed" or decision.amount_minor > dispute.loss_minor:
        return False
    scope = str(dispute.campaign_id)
    account = commitment_account("refund_payable", dispute.commitment_id)
    if (await balances(work, scope, [account]))[account] < decision.amount_minor:
        return False
    await post(
        work,
        dispute_postings.dispute_shifted(
            scope,
            dispute.commitment_id,
            decision.amount_minor,
            of=f"{decision.decision_id}:{dispute.dispute_id}:{dispute.round}",
            paid_by_refund=False,
            facts=postings.Facts(work.now, (dispute.opened_event_id, decision.decided_event_id)),
        ),
    )
    dispute.loss_minor -= decision.amount_minor
    dispute.taken_minor += decision.amount_minor
    return True


async def _look_whether_settled(work: Work, campaign_id: UUID) -> None:
    await settle_if_done(work, campaign_id)
    scope = await book_of(work).scope(campaign_id)
    if scope.campaign_state == "COMPLETED":
        await write_transfers(work)
        scope.settled_at = None if await owed_minor(work, campaign_id) else scope.settled_at or work.now
