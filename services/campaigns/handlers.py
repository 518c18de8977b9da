"""The edge of the campaigns service: which message goes to which use case, what a batch loads, what a deadline does.

No rule lives here. Unknown and uninteresting types are passed over; the kit has locked the campaign's stream head and
opened the transaction before anything here is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from contracts.campaigns import (
    CommitFunds,
    DraftCampaign,
    ReviewCampaign,
    ReviseDraft,
    SignOffFailure,
    SubmitCampaign,
    WithdrawCommitment,
)
from contracts.clearing import CloseDenied, CloseGranted, FundsReleased
from contracts.disputes import DisputeEnded, DisputeOpened
from contracts.envelope import Envelope, Message
from contracts.escrow import FundsHeld, LateFundsReceived, RefundDecided, ReservationEnded
from contracts.housekeeping import CampaignsCaseClosed, EscrowCaseClosed, SuppliersCaseClosed
from contracts.suppliers import (
    AcceptanceTimedOut,
    CampaignAccepted,
    DeliveryCompleted,
    InvitationDeclined,
    InvitationWithdrawn,
)
from services.campaigns.domain.deadlines import CLOSE_DATE, DECISION_OVERDUE, FROZEN_STEP
from services.campaigns.store.loaded import (
    find_campaign,
    loaded_rows,
    preload_campaigns,
    preload_commitments,
    preload_participant_units,
    preload_refusals,
    write_pending,
)
from services.campaigns.usecases.commit_funds import commit_funds
from services.campaigns.usecases.draft_campaign import draft_campaign
from services.campaigns.usecases.end_joining import end_joining
from services.campaigns.usecases.end_on_word import (
    end_declined,
    end_failed,
    end_released,
    end_timed_out,
    end_withdrawn,
)
from services.campaigns.usecases.end_reservation import end_reservation, note_late_funds
from services.campaigns.usecases.follow_dispute import end_dispute, open_dispute
from services.campaigns.usecases.lock_commitment import lock_commitment
from services.campaigns.usecases.report_overdue_decision import report_overdue_decision
from services.campaigns.usecases.resume_step import resume_step
from services.campaigns.usecases.review_campaign import review_campaign
from services.campaigns.usecases.revise_draft import revise_draft
from services.campaigns.usecases.settle_commitment import refund_commitment, release_reserve
from services.campaigns.usecases.sign_off_failure import sign_off_failure
from services.campaigns.usecases.start_fulfillment import start_fulfillment
from services.campaigns.usecases.start_inspection import start_inspection
from services.campaigns.usecases.submit_campaign import submit_campaign
from services.campaigns.usecases.void_sign_offs import void_sign_offs
from services.campaigns.usecases.withdraw_commitment import withdraw_commitment
from services.kit.service import Deadline, Handlers, Service
from services.kit.work import Work

_ABOUT_COMMITMENTS = (
    CommitFunds,
    WithdrawCommitment,
    FundsHeld,
    ReservationEnded,
    LateFundsReceived,
    RefundDecided,
    DisputeOpened,
    DisputeEnded,
)
"""Messages that name one commitment: what a batch of them needs is loaded beforehand."""


async def _follow_release(work: Work, message: FundsReleased) -> None:
    """A release ends the campaign; the release of what was held back for an issue does not."""
    if message.plan_kind == "release":
        await end_released(work, message)
    else:
        await release_reserve(work, message)


async def _after_case(work: Work, message: EscrowCaseClosed | SuppliersCaseClosed) -> None:
    """The end of another service's blocking case may end a freeze."""
    if message.blocking:
        await _resume(work, message.scope_id)


async def _resume(work: Work, scope: str) -> None:
    """Take up what the campaign of this scope had to leave; a scope that is no campaign has left nothing."""
    campaign_id = _uuid_or_none(scope)
    campaign = await find_campaign(work, campaign_id) if campaign_id else None
    if campaign is not None:
        await resume_step(work, campaign)


HANDLERS: Handlers = {
    CommitFunds: commit_funds,
    FundsHeld: lock_commitment,
    ReservationEnded: end_reservation,
    LateFundsReceived: note_late_funds,
    WithdrawCommitment: withdraw_commitment,
    RefundDecided: refund_commitment,
    DisputeOpened: open_dispute,
    DisputeEnded: end_dispute,
    DraftCampaign: draft_campaign,
    ReviseDraft: revise_draft,
    SubmitCampaign: submit_campaign,
    ReviewCampaign: review_campaign,
    SignOffFailure: sign_off_failure,
    EscrowCaseClosed: _after_case,
    SuppliersCaseClosed: _after_case,
    CampaignAccepted: start_fulfillment,
    InvitationDeclined: end_declined,
    AcceptanceTimedOut: end_timed_out,
    InvitationWithdrawn: end_withdrawn,
    DeliveryCompleted: start_inspection,
    CloseGranted: end_failed,
    CloseDenied: void_sign_offs,
    FundsReleased: _follow_release,
}
"""The use case of each message; a message of another class is not for this service."""


async def on_deadline(work: Work, deadline: Deadline) -> None:
    """A due deadline; whatever has changed since it was set is checked again by its use case."""
    campaign = await find_campaign(work, UUID(deadline.subject))
    if campaign is None:
        raise LookupError(f"a deadline names the unknown campaign {deadline.subject}")
    match deadline.kind:
        case kind if kind == CLOSE_DATE:
            await end_joining(work, campaign, cause="close_date")
        case kind if kind == DECISION_OVERDUE:
            report_overdue_decision(work, campaign)
        case kind if kind == FROZEN_STEP:
            await resume_step(work, campaign, attempt=int(deadline.payload.get("attempt", 0)))
        case _:
            raise LookupError(f"a deadline of the unknown kind {deadline.kind}")


async def preload(work: Work, batch: Sequence[tuple[Envelope, Message]]) -> None:
    """Load what the joins and payments of a batch need, with one statement per table."""
    messages = [message for _, message in batch if isinstance(message, _ABOUT_COMMITMENTS)]
    if not messages:
        return
    await preload_campaigns(work, [message.campaign_id for message in messages])
    await preload_commitments(work, [message.commitment_id for message in messages])
    rows = loaded_rows(work)
    joins = [
        message
        for message in messages
        if isinstance(message, CommitFunds) and rows.commitments[message.commitment_id] is None
    ]
    if not joins:
        return
    await preload_refusals(work, [join.commitment_id for join in joins])
    limited = {
        campaign_id for campaign_id, row in rows.campaigns.items() if row is not None and row.max_units is not None
    }
    pairs = [(join.campaign_id, join.participant_id) for join in joins if join.campaign_id in limited]
    await preload_participant_units(work, pairs)


async def finish(work: Work) -> None:
    """The end of every transaction: go on where an own case was closed in it (the kit closes those itself, after an
    operator's resume, and no message tells it here), then write the commitments."""
    closed = {row.key for row in work.buffers.outbox if row.type == CampaignsCaseClosed.type}
    for scope in sorted(closed):
        await _resume(work, scope)
    await write_pending(work)


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


SERVICE = Service(
    name="campaigns",
    topics=("campaigns.commands", "escrow.events", "suppliers.events"),
    handlers=HANDLERS,
    preload=preload,
    finish=finish,
    on_deadline=on_deadline,
)
"""The service as the kit runs it."""
