"""The reversal of a recovery: made, refused, or found. What happened at Stripe is always posted.

A reversal that names an approved recovery is posted as such; one whose plan was given up, or that nobody here asked for,
is owed to the supplier again (`release_funds`).
"""

from __future__ import annotations

from uuid import UUID

from contracts.clearing import TransferRefused, TransferReversed
from services.escrow.plan_kinds.recovery import recovered_posting
from services.escrow.store.book import book_of
from services.escrow.store.objects import PspObject
from services.escrow.store.tables import Plan
from services.escrow.usecases.complete_plan import complete_plan
from services.escrow.usecases.post_transfers import note_object, post, relied, write_transfers
from services.escrow.usecases.record_plan_step import audit_plan
from services.escrow.usecases.send_plan import TRANSFER_REFUSED_CASE
from services.kit.service import Answer, Intent
from services.kit.work import Work, intent_id


async def post_reversal(work: Work, intent: Intent, answer: Answer) -> None:
    """The answer of a reversal's call."""
    plan = await book_of(work).plans.get(UUID(intent.request["plan_id"]))
    if plan is None or plan.state != "SENDING":
        return
    plan.transfer_ordinal = max(plan.transfer_ordinal, intent.ordinal)
    if answer.outcome == "done":
        if answer.body.get("amount") != plan.net_minor or answer.body.get("currency") != plan.currency:
            work.open_case(
                "psp_mismatch",
                scope=plan.scope,
                subject=str(answer.body.get("id")),
                severity="critical",
                blocking=True,
                facts={"plan_id": plan.plan_id, "why": "amount or currency differ"},
            )
            return
        await apply_recovery(work, plan, str(answer.body["id"]))
        return
    if intent.ordinal < plan.transfer_ordinal:
        return
    code = str((answer.body.get("error") or {}).get("code") or "refused")
    work.publish(TransferRefused(campaign_id=UUID(plan.scope), plan_id=plan.plan_id, code=code))
    work.open_case(
        TRANSFER_REFUSED_CASE,
        scope=plan.scope,
        subject=str(plan.plan_id),
        facts={"code": code, "net_minor": plan.net_minor, "attempt": plan.transfer_ordinal, "kind": plan.kind},
    )
    audit_plan(work, plan, before="SENDING", reason=code)


async def apply_recovery(work: Work, plan: Plan, reversal_id: str) -> None:
    """A reversal that an approved recovery asked for exists at Stripe: post it once, and complete the plan."""
    note_object(
        work,
        PspObject(
            reversal_id,
            plan.scope,
            "transfer_reversal",
            intent_id("transfer_reversal", str(plan.plan_id), plan.transfer_ordinal),
            None,
            plan.net_minor,
        ),
    )
    relied_on = relied(plan.submitted_event_id, plan.approved_event_id)
    if not await post(work, recovered_posting(work, plan, reversal_id, relied_on=relied_on)):
        return
    plan.transfer_id = reversal_id
    work.publish(
        TransferReversed(
            campaign_id=UUID(plan.scope),
            plan_id=plan.plan_id,
            amount_minor=plan.net_minor,
            currency=plan.currency,
            reversal_id=reversal_id,
            recovered=True,
        )
    )
    await work.close_case(TRANSFER_REFUSED_CASE, subject=str(plan.plan_id), resolution="sent")
    await write_transfers(work)
    await complete_plan(work, plan)
