"""What a plan calls at Stripe: the transfer to the supplier when money is available, or the reversal of a recovery."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from services.escrow.domain.plan_rules import rule_of
from services.escrow.store.book import book_of
from services.escrow.store.plans import available_minor
from services.escrow.store.tables import Plan
from services.escrow.usecases.judge_release import payee
from services.escrow.usecases.record_campaign import known_campaign
from services.escrow.usecases.record_plan_step import audit_plan
from services.kit.work import Work

SEND_DEADLINE = "plan_send"
SEND_RETRY = timedelta(hours=6)
"""How long a cleared plan waits for available money before it looks again by itself; a sweep looks at once."""

TRANSFER_REFUSED_CASE = "transfer_refused"


async def send_if_available(work: Work, plan: Plan) -> None:
    """Record the transfer of a cleared release when so much is available at Stripe; otherwise look again later."""
    if plan.state != "CLEARED" or not rule_of(plan.kind).is_release:
        return
    scope = await book_of(work).scope(plan.scope)
    if work.is_frozen(plan.scope) or scope.paused or await available_minor(work.connection) < plan.net_minor:
        work.schedule(
            SEND_DEADLINE,
            scope=plan.scope,
            subject=str(plan.plan_id) + f":{work.now.isoformat()}",
            due_at=work.now + SEND_RETRY,
            payload={"plan_id": str(plan.plan_id)},
            grace_seconds=0,
        )
        return
    plan.state = "SENDING"
    audit_plan(work, plan, before="CLEARED")
    await intend_call(work, plan)


async def intend_call(work: Work, plan: Plan) -> None:
    """Record the call for the plan's present attempt."""
    if rule_of(plan.kind).call == "transfer_reversal":
        await intend_reversal(work, plan)
    else:
        await _intend_transfer(work, plan)


async def intend_reversal(work: Work, plan: Plan) -> None:
    """Record the reversal that a recovery asks for. Raises LookupError for a plan without a transfer."""
    target = await book_of(work).plans.get(plan.target_plan_id) if plan.target_plan_id else None
    if target is None or target.transfer_id is None:
        raise LookupError(f"plan {plan.plan_id} names no transfer")
    work.intend(
        "transfer_reversal",
        object_id=str(plan.plan_id),
        ordinal=plan.transfer_ordinal,
        scope=plan.scope,
        request={
            "plan_id": str(plan.plan_id),
            "campaign_id": plan.scope,
            "transfer": target.transfer_id,
            "amount_minor": plan.net_minor,
            "currency": plan.currency,
        },
    )


async def _intend_transfer(work: Work, plan: Plan) -> None:
    supplier = await payee(work, await known_campaign(work, UUID(plan.scope)))
    if supplier is None:
        raise LookupError(f"plan {plan.plan_id} has no payee")
    work.intend(
        "transfer",
        object_id=str(plan.plan_id),
        ordinal=plan.transfer_ordinal,
        scope=plan.scope,
        request={
            "plan_id": str(plan.plan_id),
            "campaign_id": plan.scope,
            "amount_minor": plan.net_minor,
            "currency": plan.currency,
            "destination": supplier.payout_account_id,
        },
    )
