"""Clear an approved plan's lines in the ledger, in bounded transactions, then send the transfer when money is available.

The first line is posted under the latch that the approval took, so a close can no longer be granted. A line that cannot
be cleared any more stops the plan before anything is sent: what was cleared goes back, and a new plan needs two fresh
approvals.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from contracts.clearing import ClearingPlanCleared, ClearingPlanStopped
from contracts.ledger import PlanLine
from services.escrow.domain import postings
from services.escrow.domain.ledger import Posting
from services.escrow.domain.release import LINES_PER_TRANSACTION_MAX
from services.escrow.store.book import book_of
from services.escrow.store.plans import available_minor, lines_of, mark_cleared
from services.escrow.store.tables import Plan
from services.escrow.usecases.judge_release import payee
from services.escrow.usecases.post_transfers import balances, post, relied, write_transfers
from services.escrow.usecases.record_campaign import known_campaign
from services.escrow.usecases.submit_clearing_plan import audit_plan
from services.kit.work import Work

CLEAR_DEADLINE = "plan_clear"
SEND_DEADLINE = "plan_send"
FROZEN_RETRY = timedelta(hours=1)
"""Pause before a plan in a campaign that is held for a check looks whether it may go on."""
SEND_RETRY = timedelta(hours=6)
"""How long a cleared plan waits for available money before it looks again by itself; a sweep looks at once."""


async def clear_next(work: Work, plan: Plan, *, step: int) -> None:
    """Clear the next lines of a plan in CLEARING; after the last one send, or wait."""
    if plan.state != "CLEARING":
        return
    await work.session.flush()
    if work.is_frozen(plan.scope) or (await book_of(work).scope(plan.scope)).paused:
        _go_on(work, plan, step=step, after=FROZEN_RETRY)
        return
    lines = await lines_of(work.connection, plan.plan_id, rows_max=LINES_PER_TRANSACTION_MAX + 1, cleared=False)
    now_due, more = lines[:LINES_PER_TRANSACTION_MAX], len(lines) > LINES_PER_TRANSACTION_MAX
    if not await _clearable(work, plan, now_due):
        await stop_plan(work, plan, "line_changed")
        return
    evidence = await _evidence(work, plan)
    for line in now_due:
        await post(work, _posting(plan, line, postings.Facts(work.now, evidence)))
    await mark_cleared(work, plan.plan_id, [line.commitment_id for line in now_due])
    if more:
        _go_on(work, plan, step=step, after=timedelta())
        return
    # The lines are written while the plan still reads CLEARING: the database judges each against it.
    await write_transfers(work)
    plan.state = "CLEARED"
    work.publish(ClearingPlanCleared(campaign_id=UUID(plan.scope), plan_id=plan.plan_id))
    audit_plan(work, plan, before="CLEARING")
    await send_if_available(work, plan)


def _go_on(work: Work, plan: Plan, *, step: int, after: timedelta) -> None:
    work.schedule(
        CLEAR_DEADLINE,
        scope=plan.scope,
        subject=f"{plan.plan_id}:{step + 1}",
        due_at=work.now + after,
        payload={"plan_id": str(plan.plan_id), "step": step + 1},
        grace_seconds=0,
    )


async def send_if_available(work: Work, plan: Plan) -> None:
    """Record the transfer of a cleared plan when so much is available at Stripe; otherwise look again later."""
    if plan.state != "CLEARED":
        return
    scope = await book_of(work).scope(plan.scope)
    if work.is_frozen(plan.scope) or scope.paused or await _available(work) < plan.net_minor:
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
    await intend_transfer(work, plan)


async def intend_transfer(work: Work, plan: Plan) -> None:
    """Record the call for the plan's present attempt."""
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


async def stop_plan(work: Work, plan: Plan, code: str) -> None:
    """Take back what was cleared to the supplier's side and free the latch. Reserves stay: they are owed either way."""
    await write_transfers(work)
    for line in await lines_of(work.connection, plan.plan_id, cleared=True):
        if line.to_reserve or plan.kind != "release":
            continue
        await post(
            work,
            postings.clear_undone(plan.scope, line.commitment_id, line.amount_minor, plan_id=plan.plan_id, reason=code),
        )
    before = plan.state
    plan.state, plan.stop_code, plan.stopped_at = "STOPPED", code, work.now
    if plan.kind == "release":
        # A plan for reserves works in a campaign whose money was released before; its latch is never free again.
        scope = await book_of(work).scope(plan.scope)
        scope.latch = scope.latch_plan_id = None
    work.publish(ClearingPlanStopped(campaign_id=UUID(plan.scope), plan_id=plan.plan_id, code=code))
    audit_plan(work, plan, before=before, reason=code)


async def _clearable(work: Work, plan: Plan, lines: list[PlanLine]) -> bool:
    source = "escrow" if plan.kind == "release" else "reserve"
    accounts = [f"{source}:{line.commitment_id}" for line in lines]
    held = await balances(work, plan.scope, accounts)
    return all(held[account] == line.amount_minor for account, line in zip(accounts, lines, strict=True))


async def _evidence(work: Work, plan: Plan) -> tuple[UUID, ...]:
    campaign = await known_campaign(work, UUID(plan.scope))
    return relied(
        campaign.accepted_event_id,
        campaign.delivery_event_id,
        campaign.inspection_event_id,
        campaign.verdict_event_id,
        campaign.completed_event_id,
    )


def _posting(plan: Plan, line: PlanLine, facts: postings.Facts) -> Posting:
    if plan.kind == "release":
        return postings.clear(
            plan.scope,
            line.commitment_id,
            line.amount_minor,
            plan_id=plan.plan_id,
            to_reserve=line.to_reserve,
            facts=facts,
        )
    return postings.reserve_release(
        plan.scope, line.commitment_id, line.amount_minor, plan_id=plan.plan_id, facts=facts
    )


async def _available(work: Work) -> int:
    return await available_minor(work.connection)
