"""What the escrow service listens to, and which use case answers each message, deadline and call.

A handler translates and calls; it holds no rule. Messages of other services that are not listed are not for escrow.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from contracts import campaigns, cases, clearing, disputes, escrow, suppliers, transparency
from contracts.envelope import Envelope, Message
from services.escrow.calls.client import StripeCalls
from services.escrow.calls.disputes import DisputeCalls, EvidenceCalls
from services.escrow.calls.payments import PaymentCalls, PaymentCancelCalls
from services.escrow.calls.refunds import RefundCalls
from services.escrow.calls.transfers import ObjectCalls, ReversalCalls, TopUpCalls, TransferCalls
from services.escrow.checkpointer import Checkpointer
from services.escrow.domain.psp import metadata_id
from services.escrow.reconciler import Reconciler
from services.escrow.settings import escrow_settings
from services.escrow.store.book import book_of
from services.escrow.usecases import (
    apply_payment,
    apply_refund,
    clear_plan,
    decide_refund,
    give_evidence,
    record_campaign,
    recover_funds,
    release_funds,
    send_plan,
    start_payment,
    take_plan_back,
)
from services.escrow.usecases.approve_clearing_plan import approve_clearing_plan
from services.escrow.usecases.close_campaign import answer_close, close_campaign, withdraw
from services.escrow.usecases.end_reservation import expire_reservation
from services.escrow.usecases.hint_dispute import DISPUTE_READ
from services.escrow.usecases.load_batch import load_answers, load_messages
from services.escrow.usecases.post_transfers import write_transfers
from services.escrow.usecases.prove_commitment import Prover
from services.escrow.usecases.read_dispute import post_dispute_read
from services.escrow.usecases.receive_psp_event import event_object, post_object_read, receive_psp_event
from services.escrow.usecases.resolve_case import resolve_case
from services.escrow.usecases.submit_clearing_plan import submit_clearing_plan, submit_plan_by_hand
from services.escrow.usecases.top_up_float import post_top_up, top_up_float
from services.kit.service import Deadline, Handlers, Purpose, Service
from services.kit.work import Work

INTENTS_IN_FLIGHT_MAX = 32


HANDLERS: Handlers = {
    campaigns.CommitmentReserved: start_payment.await_funds,
    escrow.UsePaymentMethod: start_payment.use_payment_method,
    escrow.ReceivePspEvent: receive_psp_event,
    campaigns.CommitmentRefused: start_payment.forget_refused,
    campaigns.CommitmentWithdrawn: withdraw,
    campaigns.CampaignClosed: close_campaign,
    suppliers.IssueDecided: decide_refund.refund_upheld,
    campaigns.CloseRequested: answer_close,
    clearing.SubmitClearingPlan: submit_clearing_plan,
    clearing.SubmitPlanByHand: submit_plan_by_hand,
    clearing.ApproveClearingPlan: approve_clearing_plan,
    clearing.RetryPlanTransfer: release_funds.retry_plan_transfer,
    clearing.TakePlanBack: take_plan_back.take_plan_back,
    disputes.PrepareDisputeEvidence: give_evidence.prepare_dispute_evidence,
    disputes.SubmitDisputeEvidence: give_evidence.submit_dispute_evidence,
    escrow.TopUpFloat: top_up_float,
    cases.ResolveCase: resolve_case,
    campaigns.CampaignOpened: record_campaign.record_opened,
    campaigns.TargetReached: record_campaign.record_state_event,
    campaigns.AcceptanceRequested: record_campaign.record_state_event,
    campaigns.FulfillmentStarted: record_campaign.record_state_event,
    campaigns.InspectionStarted: record_campaign.record_state_event,
    campaigns.CampaignCompleted: record_campaign.record_state_event,
    suppliers.CampaignAccepted: record_campaign.record_accepted,
    suppliers.DeliveryCompleted: record_campaign.record_delivery,
    suppliers.FulfillmentAccepted: record_campaign.record_verdict,
    suppliers.IssueReported: record_campaign.record_issue,
    suppliers.SupplierRegistered: record_campaign.record_supplier,
}
"""The use case of each message; a message of another class is not for this service."""


async def on_deadline(work: Work, deadline: Deadline) -> None:
    """One due deadline."""
    match deadline.kind:
        case start_payment.RESERVATION_DEADLINE:
            await expire_reservation(work, UUID(deadline.subject))
        case start_payment.WAITING_DEADLINE:
            await start_payment.drop_waiting(work, UUID(deadline.subject))
        case decide_refund.REFUND_RETRY_DEADLINE:
            await apply_refund.retry_refund(work, UUID(deadline.subject))
        case _:
            await _continue(work, deadline)


async def _continue(work: Work, deadline: Deadline) -> None:
    if deadline.kind == decide_refund.CLOSE_REFUNDS_DEADLINE:
        await decide_refund.refund_next(work, UUID(deadline.payload["campaign_id"]), step=int(deadline.payload["step"]))
        return
    plan = await book_of(work).plans.get(UUID(deadline.payload["plan_id"]))
    if plan is None:
        return
    match deadline.kind:
        case clear_plan.CLEAR_DEADLINE:
            await clear_plan.clear_next(work, plan, step=int(deadline.payload["step"]))
        case send_plan.SEND_DEADLINE:
            await send_plan.send_if_available(work, plan)
        case release_funds.RESEND_DEADLINE:
            await release_funds.resend(work, plan)


def scopes_of(envelope: Envelope, message: Message) -> Iterable[str]:
    """A Stripe event belongs to the campaign that its object's metadata name, whatever its key says."""
    if isinstance(message, escrow.ReceivePspEvent):
        campaign_id = metadata_id(event_object(message.body), "campaign_id")
        if campaign_id is not None:
            yield str(campaign_id)


def make_service(stripe: StripeCalls) -> Service:
    """The service with its calls going where the settings say."""
    payment, cancel = PaymentCalls(stripe), PaymentCancelCalls(stripe)
    refund, transfer, reversal = RefundCalls(stripe), TransferCalls(stripe), ReversalCalls(stripe)
    top_up, read = TopUpCalls(stripe), ObjectCalls(stripe)
    reconciler, checkpointer = Reconciler(stripe), Checkpointer(lambda: stripe.settings)
    prover = Prover(lambda: stripe.settings)

    def pace() -> int:
        return stripe.settings.calls_per_second

    dispute, evidence = DisputeCalls(stripe), EvidenceCalls(stripe)
    return Service(
        name="escrow",
        topics=("escrow.commands", "escrow.psp", "campaigns.events", "suppliers.events"),
        handlers={**HANDLERS, transparency.ProveCommitment: prover.prove},
        preload=load_messages,
        preload_answers=load_answers,
        finish=write_transfers,
        scopes_of=scopes_of,
        on_deadline=on_deadline,
        purposes={
            "payment_cancel": Purpose(cancel.call, cancel.find, apply_payment.post_payment, runs_while_frozen=True),
            "payment": Purpose(payment.call, payment.find, apply_payment.post_payment),
            "refund": Purpose(
                refund.call, refund.find, apply_refund.post_refund, runs_while_frozen=True, calls_per_second=pace
            ),
            "object_read": Purpose(read.call, read.find, post_object_read, runs_while_frozen=True),
            "transfer": Purpose(transfer.call, transfer.find, release_funds.post_transfer, calls_per_second=pace),
            DISPUTE_READ: Purpose(dispute.call, dispute.find, post_dispute_read, runs_while_frozen=True),
            give_evidence.EVIDENCE_PURPOSE: Purpose(
                evidence.call, evidence.find, give_evidence.post_dispute_evidence, runs_while_frozen=True
            ),
            "transfer_reversal": Purpose(
                reversal.call,
                reversal.find,
                recover_funds.post_reversal,
                runs_while_frozen=True,
                calls_per_second=pace,
            ),
            "top_up": Purpose(top_up.call, top_up.find, post_top_up, runs_while_frozen=True),
        },
        head_table="ledger_scope",
        loops=(reconciler.run, checkpointer.run),
        intents_in_flight_max=INTENTS_IN_FLIGHT_MAX,
    )


SERVICE = make_service(StripeCalls(escrow_settings))
