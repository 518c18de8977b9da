"""Which own event sets which rows. Every type that escrow tells has its line here; a test compares the two.

Transfers and checkpoints are taken over before (`verbatim`), as they were told. Some events tell of no row at all.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from contracts.cases import CaseResolutionGiven
from contracts.clearing import (
    ClearingPlanApproved,
    ClearingPlanCleared,
    ClearingPlanCompleted,
    ClearingPlanLinesTold,
    ClearingPlanProgressed,
    ClearingPlanStopped,
    ClearingPlanSubmitted,
    CloseDenied,
    CloseGranted,
    FundsReleased,
    PlanByHandSubmitted,
    TransferRefused,
    TransferReversed,
)
from contracts.common import CaseClosedShape, CaseOpenedShape, CommandRefusedShape
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
from contracts.envelope import Message
from contracts.escrow import (
    CampaignSettled,
    FloatGauged,
    FloatToppedUp,
    FundsHeld,
    LateFundsReceived,
    LedgerTransfersPosted,
    PaymentActionRequired,
    PaymentDeclined,
    PaymentStarted,
    RefundDecided,
    RefundFailed,
    RefundOwedAgain,
    RefundPaidOutside,
    RefundPending,
    RefundSent,
    ReservationEnded,
)
from contracts.transparency import CheckpointSigned, PlatformCheckpointSigned
from services.escrow.recover import fold_cases, fold_disputes, fold_payments, fold_plans, fold_refunds
from services.escrow.recover.errors import RecoverError
from services.escrow.recover.folding import Folding
from services.escrow.store.recovering import close_case_row, open_case_row
from services.kit.flush import freeze

Fold = Callable[[Folding, Any], Awaitable[None]]

FOLDS: Mapping[type[Message], Fold] = {
    PaymentStarted: fold_payments.payment_started,
    PaymentActionRequired: fold_payments.payment_action_required,
    PaymentDeclined: fold_payments.payment_declined,
    ReservationEnded: fold_payments.reservation_ended,
    FundsHeld: fold_payments.funds_held,
    LateFundsReceived: fold_payments.late_funds_received,
    FloatToppedUp: fold_payments.float_topped_up,
    RefundDecided: fold_refunds.refund_decided,
    RefundPending: fold_refunds.refund_pending,
    RefundSent: fold_refunds.refund_sent,
    RefundFailed: fold_refunds.refund_failed,
    RefundPaidOutside: fold_refunds.refund_paid_outside,
    RefundOwedAgain: fold_refunds.refund_owed_again,
    CampaignSettled: fold_refunds.campaign_settled,
    CloseGranted: fold_plans.close_granted,
    ClearingPlanSubmitted: fold_plans.release_submitted,
    PlanByHandSubmitted: fold_plans.by_hand_submitted,
    ClearingPlanLinesTold: fold_plans.lines_told,
    ClearingPlanApproved: fold_plans.plan_approved,
    ClearingPlanProgressed: fold_plans.plan_progressed,
    ClearingPlanCleared: fold_plans.plan_cleared,
    ClearingPlanCompleted: fold_plans.plan_completed,
    ClearingPlanStopped: fold_plans.plan_stopped,
    TransferRefused: fold_plans.transfer_refused,
    FundsReleased: fold_plans.funds_released,
    TransferReversed: fold_plans.transfer_reversed,
    DisputeOpened: fold_disputes.dispute_opened,
    DisputeMoved: fold_disputes.dispute_moved,
    DisputeFundsWithdrawn: fold_disputes.funds_withdrawn,
    DisputeFundsReinstated: fold_disputes.funds_reinstated,
    DisputeEnded: fold_disputes.dispute_ended,
    DisputeEvidencePrepared: fold_disputes.evidence_prepared,
    DisputeEvidenceSubmitted: fold_disputes.evidence_submitted,
    DisputeEvidenceRefused: fold_disputes.evidence_refused,
    CaseResolutionGiven: fold_cases.resolution_given,
}
VERBATIM = (LedgerTransfersPosted, CheckpointSigned, PlatformCheckpointSigned)
"""Taken over as they are, before the rows."""
NO_ROW = (CloseDenied, CommandRefusedShape, FloatGauged)
"""Answers that changed nothing here, and what the first look after a recovery measures anew."""


async def fold_event(fold: Folding, message: Message) -> None:
    """Set the rows of one own event. Raises RecoverError for a type that this code does not know."""
    if isinstance(message, (*VERBATIM, *NO_ROW)):
        return
    if isinstance(message, CaseOpenedShape):
        await _case_opened(fold, message)
        return
    if isinstance(message, CaseClosedShape):
        await _case_closed(fold, message)
        return
    handler = FOLDS.get(type(message))
    if handler is None:
        raise RecoverError("recover_unknown_event", f"{message.type} is not known to this version of the service")
    await handler(fold, message)


async def _case_opened(fold: Folding, event: CaseOpenedShape) -> None:
    made = await open_case_row(
        fold.work.connection,
        {
            "case_id": event.case_id,
            "kind": event.case_kind,
            "scope": event.scope_id,
            "subject": event.subject_id,
            "severity": event.severity,
            "blocking": event.blocking,
            "facts": json.dumps(event.facts),
            "opened_at": fold.work.now,
        },
    )
    if not made:
        return
    if event.blocking:
        await freeze(fold.work.connection, event.case_id, event.scope_id, fold.work.service)
        fold.work.set_frozen(event.scope_id, frozen=True)
    fold.work.audit(
        "case.opened",
        scope=event.scope_id,
        subject=event.subject_id,
        before=None,
        after={
            "case": "open",
            "case_id": str(event.case_id),
            "kind": event.case_kind,
            "blocking": event.blocking,
        },
    )


async def _case_closed(fold: Folding, event: CaseClosedShape) -> None:
    row = await close_case_row(fold.work.connection, event.case_id, event.resolution, fold.work.now)
    if row is None:
        return
    fold.work.audit(
        "case.closed",
        scope=row.scope,
        subject=row.subject,
        before={"case": "open"},
        after={"case": "closed", "case_id": str(event.case_id), "kind": row.kind, "resolution": event.resolution},
    )
