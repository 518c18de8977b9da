"""The audit record of a plan's step, and the end of a draft that nobody will approve."""

from __future__ import annotations

from uuid import UUID

from contracts.clearing import ClearingPlanStopped
from services.escrow.store.tables import Plan
from services.kit.work import Work

AUDITOR = "escrow_auditor"
"""The role whose members make and approve plans."""


def audit_plan(work: Work, plan: Plan, *, before: str | None, reason: str | None = None) -> None:
    """An audit row for a plan's step."""
    work.audit(
        "escrow.plan.moved",
        scope=plan.scope,
        subject=str(plan.plan_id),
        before={"state": before} if before else None,
        after={"state": plan.state, "plan_hash": plan.plan_hash, "net_minor": plan.net_minor},
        reason=reason,
    )


def audit_refused(work: Work, scope: str, plan_id: UUID, *, act: str, code: str) -> None:
    """An audit row for an act about a plan that was refused: who tried it, and why it was not done."""
    work.audit(
        f"escrow.plan_{act}.refused",
        scope=scope,
        subject=str(plan_id),
        before=None,
        after=None,
        reason=code,
    )


def stop_draft(work: Work, plan: Plan, code: str) -> None:
    """A draft that will not be approved any more."""
    plan.state, plan.stop_code, plan.stopped_at = "STOPPED", code, work.now
    work.publish(ClearingPlanStopped(campaign_id=UUID(plan.scope), plan_id=plan.plan_id, code=code))
    audit_plan(work, plan, before="DRAFT", reason=code)
