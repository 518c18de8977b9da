"""Fold clearing plans into rows of the read model: what was submitted with its preview, then each step and its progress."""

from __future__ import annotations

from typing import Any

from contracts import clearing
from contracts.envelope import Envelope
from services.gateway.store.projection import Rows


def fold_submission(rows: Rows, envelope: Envelope, event: Any) -> bool:
    """Fold what was submitted for a second approval; False when the event is about something else."""
    match event:
        case clearing.ClearingPlanSubmitted():
            _plan(
                rows, event, "SUBMITTED",
                kind=event.plan_kind, plan_hash=event.plan_hash, maker_id=event.maker_id, reason=event.reason,
                supplier_id=event.supplier_id, gross_minor=event.gross_minor, reserve_minor=event.reserve_minor,
                fee_minor=event.fee_minor, net_minor=event.net_minor, currency=event.currency,
                line_count=event.line_count, submitted_at=envelope.time,
                conditions=[condition.model_dump(mode="json") for condition in event.conditions],
                preview=[each.model_dump(mode="json") for each in event.preview],
            )  # fmt: skip
        case clearing.PlanByHandSubmitted():
            _plan(
                rows, event, "SUBMITTED",
                kind=event.plan_kind, plan_hash=event.plan_hash, maker_id=event.maker_id, reason=event.reason,
                supplier_id=event.supplier_id, gross_minor=event.amount_minor, reserve_minor=0, fee_minor=0,
                net_minor=event.amount_minor, currency=event.currency, line_count=event.line_count,
                submitted_at=envelope.time, reason_code=event.reason_code, evidence=list(event.evidence),
                target_plan_id=event.target_plan_id, target_position=event.target_position,
                conditions=[condition.model_dump(mode="json") for condition in event.conditions],
                preview=[each.model_dump(mode="json") for each in event.preview],
            )  # fmt: skip
        case clearing.ClearingPlanLinesTold():
            _plan_lines(rows, envelope, event)
        case _:
            return False
    return True


def fold_plan_step(rows: Rows, envelope: Envelope, event: Any) -> bool:
    """Fold a step of a plan; False when the event is about something else."""
    match event:
        case clearing.ClearingPlanApproved():
            _plan(rows, event, "APPROVED", approver_id=event.approver_id)
        case clearing.ClearingPlanCleared():
            _plan(rows, event, "SENDING")
        case clearing.ClearingPlanProgressed():
            rows.put("clearing_plan", event.plan_id, lines_applied=event.lines_applied, lines_failed=event.lines_failed)
            rows.touched_campaigns.add(event.campaign_id)
            rows.touched_other.add(event.plan_id)
        case clearing.ClearingPlanCompleted():
            lines = {"lines_applied": event.lines_applied, "lines_failed": event.lines_failed}
            _plan(rows, event, "DONE", completed_at=envelope.time, **lines)
        case clearing.ClearingPlanStopped():
            _plan(rows, event, "STOPPED", refused_code=event.code)
        case clearing.TransferRefused():
            _plan(rows, event, "SENDING", refused_code=event.code)
            rows.add("clearing_plan", event.plan_id, refused_transfers=1)
        case clearing.FundsReleased():
            _plan(rows, event, "RELEASED", transfer_id=event.transfer_id, approver_id=None)
            for commitment_id in event.released_commitment_ids:
                rows.put(
                    "commitment_money",
                    commitment_id,
                    campaign_id=event.campaign_id,
                    released_at=envelope.time,
                    plan_id=event.plan_id,
                )
        case _:
            return False
    return True


def _plan(rows: Rows, event: Any, state: str, **columns: Any) -> None:
    rows.put("clearing_plan", event.plan_id, campaign_id=event.campaign_id, state=state, **columns)
    rows.touched_campaigns.add(event.campaign_id)
    rows.touched_other.add(event.plan_id)


def _plan_lines(rows: Rows, envelope: Envelope, event: clearing.ClearingPlanLinesTold) -> None:
    for line in event.lines:
        rows.put(
            "plan_line", f"{event.plan_id}:{line.commitment_id}:{line.account}",
            plan_id=event.plan_id, campaign_id=event.campaign_id, commitment_id=line.commitment_id,
            amount_minor=line.amount_minor, currency=event.currency, to_reserve=line.to_reserve, account=line.account,
            before_minor=line.before_minor, after_minor=line.after_minor, told_at=envelope.time,
        )  # fmt: skip
