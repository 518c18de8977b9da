"""The gateway's projection: consumes all services' events and keeps one generation of the read model.

Bulk by design: a batch of some hundred events becomes one statement per table. A message that cannot be folded marks its
campaign's stream stale (the page says so) and nothing else waits. It decides no business rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from contracts import alerts, campaigns, cases, clearing, disputes, suppliers
from contracts.common import CaseClosedShape, CaseOpenedShape, CommandRefusedShape
from contracts.envelope import Envelope, Message
from contracts.topics import events_topic
from services.gateway.store.generations import consumer_name, schema_name
from services.gateway.store.projection import Rows, notify, write
from services.gateway.usecases.fold_alerts import fold_alert
from services.gateway.usecases.fold_campaigns import fold_campaign, fold_commitment
from services.gateway.usecases.fold_cases import fold_resolution
from services.gateway.usecases.fold_disputes import fold_dispute, fold_message
from services.gateway.usecases.fold_escrow import fold_money, fold_payment
from services.gateway.usecases.fold_movements import fold_movements
from services.gateway.usecases.fold_plans import fold_plan_step, fold_submission
from services.gateway.usecases.fold_refunds import fold_refund
from services.gateway.usecases.fold_suppliers import fold_delivery, fold_invitation
from services.gateway.usecases.fold_transparency import fold_checkpoint
from services.kit.service import Service
from services.kit.work import Work

TOPICS = tuple(events_topic(service) for service in ("campaigns", "escrow", "suppliers", "notifications"))

TOUCHED = "gateway.touched"
"""The key under which a Work's cache holds the rows of its batch, for waking waiters after the commit."""

Fold = Callable[[Rows, Envelope, Message], bool]

FOLDS: dict[str, tuple[Fold, ...]] = {
    "campaigns": (fold_commitment, fold_campaign),
    "escrow": (
        fold_movements,
        fold_payment,
        fold_money,
        fold_refund,
        fold_plan_step,
        fold_submission,
        fold_checkpoint,
        fold_dispute,
        fold_resolution,
    ),
    "suppliers": (fold_delivery, fold_invitation),
    "notifications": (fold_message, fold_alert),
}
"""Producing service → the folds of its events, the frequent ones first."""

DONE_EVENTS: frozenset[str] = frozenset(
    {
        campaigns.CampaignDrafted.type,
        campaigns.DraftRevised.type,
        campaigns.CampaignSubmitted.type,
        campaigns.CampaignReturned.type,
        campaigns.CampaignOpened.type,
        campaigns.CampaignClosed.type,
        campaigns.CommitmentWithdrawn.type,
        campaigns.FailureSignedOff.type,
        suppliers.SupplierRegistered.type,
        suppliers.CampaignAccepted.type,
        suppliers.InvitationDeclined.type,
        suppliers.CommitmentsDispatched.type,
        suppliers.CommitmentsDelivered.type,
        suppliers.IssueReported.type,
        suppliers.IssueDecided.type,
        clearing.ClearingPlanSubmitted.type,
        clearing.PlanByHandSubmitted.type,
        clearing.ClearingPlanApproved.type,
        disputes.DisputeEvidencePrepared.type,
        disputes.DisputeEvidenceSubmitted.type,
        cases.CaseResolutionGiven.type,
        alerts.AlertRuleSet.type,
        alerts.AlertRuleRemoved.type,
    }
)
"""Events that are the outcome of the command that caused them; the commitment's own course is read from its rows."""


TAKEN_BACK = "taken_back"
"""With this code a plan stops because its maker took it back."""


def projection(generation: int, *, instance: str, on_touched: Callable[[Rows], None] | None = None) -> Service:
    """The consumer of one generation. `on_touched` is called after each commit with what the batch changed."""

    async def project(work: Work, handled: Sequence[tuple[Envelope, Message]]) -> None:
        rows = Rows()
        for envelope, message in handled:
            fold(rows, envelope, message)
        await write(work.connection, rows)
        await notify(work.connection, instance)
        work.cache[TOUCHED] = rows

    def committed(work: Work) -> None:
        rows = work.cache.get(TOUCHED)
        if rows is not None and on_touched is not None:
            on_touched(rows)

    return Service(
        name="gateway",
        topics=TOPICS,
        handle_batch=project,
        on_committed=committed,
        poison_policy="stale",
        search_path=schema_name(generation),
        group=consumer_name(generation),
    )


def fold(rows: Rows, envelope: Envelope, message: Message) -> None:
    """Fold one event into the rows of its batch; an event that nobody reads here changes nothing."""
    if envelope.causation_id is not None and _is_outcome(message):
        rows.put("outcome", envelope.causation_id, scope=envelope.key, event_type=message.type, at=envelope.time)
        rows.touched_commands.add(envelope.causation_id)
    if isinstance(message, CommandRefusedShape):
        _refused(rows, envelope, message)
    elif isinstance(message, CaseOpenedShape):
        rows.put(
            "case_record", message.case_id,
            service=message.service, kind=message.case_kind, scope=message.scope_id, subject_id=message.subject_id,
            severity=message.severity, blocking=message.blocking, facts=message.facts, state="open",
            opened_at=envelope.time,
        )  # fmt: skip
    elif isinstance(message, CaseClosedShape):
        rows.put(
            "case_record", message.case_id,
            state="closed", resolution=message.resolution, closed_at=envelope.time,
        )  # fmt: skip
    else:
        for fold_kind in FOLDS.get(message.service, ()):
            if fold_kind(rows, envelope, message):
                return


def _is_outcome(message: Message) -> bool:
    # A plan also stops when its approval comes too late; that command's outcome is its refusal.
    is_taken_back = isinstance(message, clearing.ClearingPlanStopped) and message.code == TAKEN_BACK
    return message.type in DONE_EVENTS or is_taken_back


def _refused(rows: Rows, envelope: Envelope, refused: CommandRefusedShape) -> None:
    rows.put(
        "outcome", refused.command_id,
        scope=envelope.key, event_type=refused.type, code=refused.code, facts=refused.facts, subject_id=refused.subject_id,
        at=envelope.time,
    )  # fmt: skip
    rows.touched_commands.add(refused.command_id)
