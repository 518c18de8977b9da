"""Which message calls which act, and what a batch reads beforehand. No rule lives here."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from contracts.campaigns import (
    AcceptanceRequested,
    CampaignClosed,
    CampaignCompleted,
    CampaignOpened,
    CommitmentLocked,
    CommitmentSettled,
    CommitmentWithdrawn,
    InvitationWithdrawalRequested,
    TargetReached,
)
from contracts.envelope import Command, Envelope, Message
from contracts.escrow import RefundDecided
from contracts.suppliers import (
    AcceptInvitation,
    DecideIssue,
    DeclineInvitation,
    RecordDelivery,
    RecordDispatch,
    RegisterSupplier,
    ReportIssue,
)
from services.kit.service import Deadline, Service
from services.kit.work import Work
from services.suppliers.store.records import records
from services.suppliers.usecases import (
    accept_invitation,
    decide_issue,
    decline_invitation,
    follow_commitment,
    invite_supplier,
    judge_fulfillment,
    open_acceptance_window,
    record_campaign,
    record_delivery,
    record_dispatch,
    register_supplier,
    report_issue,
    time_out_invitation,
    watch_updates,
    withdraw_invitation,
)
from services.suppliers.usecases.move_campaign import (
    ACCEPTANCE_WINDOW_DEADLINE,
    INSPECTION_END_DEADLINE,
    UPDATE_OVERDUE_DEADLINE,
)

_OF_A_CAMPAIGN = (
    CampaignOpened
    | CampaignClosed
    | CampaignCompleted
    | TargetReached
    | AcceptanceRequested
    | InvitationWithdrawalRequested
    | AcceptInvitation
    | DeclineInvitation
    | DecideIssue
)
_OF_A_COMMITMENT = CommitmentLocked | CommitmentWithdrawn | CommitmentSettled | RefundDecided | ReportIssue
_OF_COMMITMENTS = RecordDispatch | RecordDelivery


async def preload(work: Work, batch: Sequence[tuple[Envelope, Message]]) -> None:
    """Read the batch's campaigns and commitments, one statement each."""
    campaign_ids: set[UUID] = set()
    commitment_ids: set[UUID] = set()
    for _, message in batch:
        if isinstance(message, RefundDecided) and message.reason not in follow_commitment.ENDING_REFUND_REASONS:
            continue
        if isinstance(message, _OF_A_CAMPAIGN | _OF_A_COMMITMENT | _OF_COMMITMENTS):
            campaign_ids.add(message.campaign_id)
        if isinstance(message, _OF_A_COMMITMENT):
            commitment_ids.add(message.commitment_id)
        elif isinstance(message, _OF_COMMITMENTS):
            commitment_ids.update(message.commitment_ids)
    await records(work).load_campaigns(campaign_ids)
    await records(work).load_commitments(commitment_ids)


async def handle(work: Work, message: Message) -> None:
    """Handle one message; what is not for this service is passed over."""
    if isinstance(message, Command):
        await _handle_command(work, message)
    else:
        await _handle_event(work, message)


async def _handle_command(work: Work, message: Command) -> None:
    match message:
        case RegisterSupplier():
            await register_supplier.register_supplier(work, message)
        case AcceptInvitation():
            await accept_invitation.accept_invitation(work, message)
        case DeclineInvitation():
            await decline_invitation.decline_invitation(work, message)
        case RecordDispatch():
            await record_dispatch.record_dispatch(work, message)
        case RecordDelivery():
            await record_delivery.record_delivery(work, message)
        case ReportIssue():
            await report_issue.report_issue(work, message)
        case DecideIssue():
            await decide_issue.decide_issue(work, message)
        case _:
            pass


async def _handle_event(work: Work, message: Message) -> None:
    match message:
        case CommitmentLocked():
            await follow_commitment.lock_commitment(work, message)
        case CommitmentWithdrawn():
            await follow_commitment.withdraw_commitment(work, message)
        case CommitmentSettled():
            await follow_commitment.settle_commitment(work, message)
        case RefundDecided():
            await follow_commitment.refund_commitment(work, message)
        case CampaignOpened():
            await record_campaign.record_campaign(work, message)
        case TargetReached():
            await invite_supplier.invite_first_supplier(work, message)
        case AcceptanceRequested():
            await open_acceptance_window.open_acceptance_window(work, message)
        case InvitationWithdrawalRequested():
            await withdraw_invitation.withdraw_invitation(work, message)
        case CampaignClosed():
            await record_campaign.close_campaign(work, message)
        case CampaignCompleted():
            await record_campaign.complete_campaign(work, message)
        case _:
            pass


async def on_deadline(work: Work, deadline: Deadline) -> None:
    """A deadline of this service acts."""
    match deadline.kind:
        case kind if kind == ACCEPTANCE_WINDOW_DEADLINE:
            await time_out_invitation.time_out_invitation(work, deadline)
        case kind if kind == INSPECTION_END_DEADLINE:
            await judge_fulfillment.end_inspection(work, deadline)
        case kind if kind == UPDATE_OVERDUE_DEADLINE:
            await watch_updates.tell_update_overdue(work, deadline)
        case kind if kind == invite_supplier.INVITE_AGAIN_DEADLINE:
            await open_acceptance_window.invite_again(work, deadline)
        case kind:
            raise ValueError(f"unknown deadline {kind}")


SERVICE = Service(
    name="suppliers",
    topics=("suppliers.commands", "campaigns.events", "escrow.events"),
    handle=handle,
    preload=preload,
    on_deadline=on_deadline,
    poison_policy="block",
)
