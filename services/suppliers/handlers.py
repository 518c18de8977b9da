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
from contracts.envelope import Envelope, Message
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
from services.kit.service import Deadline, Handlers, Service
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


HANDLERS: Handlers = {
    RegisterSupplier: register_supplier.register_supplier,
    AcceptInvitation: accept_invitation.accept_invitation,
    DeclineInvitation: decline_invitation.decline_invitation,
    RecordDispatch: record_dispatch.record_dispatch,
    RecordDelivery: record_delivery.record_delivery,
    ReportIssue: report_issue.report_issue,
    DecideIssue: decide_issue.decide_issue,
    CommitmentLocked: follow_commitment.lock_commitment,
    CommitmentWithdrawn: follow_commitment.withdraw_commitment,
    CommitmentSettled: follow_commitment.settle_commitment,
    RefundDecided: follow_commitment.refund_commitment,
    CampaignOpened: record_campaign.record_campaign,
    TargetReached: invite_supplier.invite_first_supplier,
    AcceptanceRequested: open_acceptance_window.open_acceptance_window,
    InvitationWithdrawalRequested: withdraw_invitation.withdraw_invitation,
    CampaignClosed: record_campaign.close_campaign,
    CampaignCompleted: record_campaign.complete_campaign,
}
"""The act of each message; a message of another class is not for this service."""


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


REST_SECONDS = 0.1
"""Nobody waits for this service in a browser's second: it takes what a tenth of a second brings together."""

SERVICE = Service(
    name="suppliers",
    topics=("suppliers.commands", "campaigns.events", "escrow.events"),
    handlers=HANDLERS,
    preload=preload,
    on_deadline=on_deadline,
    poison_policy="block",
    rest_seconds=REST_SECONDS,
)
