"""The transfer to the supplier: made, refused, tried again, or taken back.

Transfer and fee are posted in one transaction with the event. What happened at Stripe is always posted, whatever the
campaign's state is by then. A plan has one transfer; a refused one stays SENDING with a case until a person mends its
cause and has it tried again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import cast
from uuid import UUID

from sqlalchemy import text

from contracts.clearing import FundsReleased, RetryPlanTransfer, TransferRefused, TransferReversed
from contracts.errors import Rejected
from contracts.ledger import PlanKind
from services.escrow.domain import postings
from services.escrow.domain.plan_rules import rule_of
from services.escrow.domain.psp import OddObjectError, ReversalFacts, TransferFacts, transfer_facts
from services.escrow.store.acts_by_hand import last_call_refused
from services.escrow.store.book import book_of
from services.escrow.store.disputes import still_held
from services.escrow.store.objects import PspObject
from services.escrow.store.plans import lines_of
from services.escrow.store.tables import Plan
from services.escrow.usecases.post_transfers import note_object, post, relied, write_transfers
from services.escrow.usecases.record_campaign import known_campaign
from services.escrow.usecases.record_plan_step import AUDITOR, audit_plan
from services.escrow.usecases.recover_funds import apply_recovery
from services.escrow.usecases.send_plan import TRANSFER_REFUSED_CASE, intend_call
from services.escrow.usecases.settle_campaign import owed_minor
from services.kit import telemetry
from services.kit.flush import write_audits
from services.kit.service import Answer, Intent
from services.kit.work import Work, intent_id

RESEND_DEADLINE = "plan_resend"
RESEND_DELAY = timedelta(hours=6)
NOT_ENOUGH_AVAILABLE = "balance_insufficient"


async def post_transfer(work: Work, intent: Intent, answer: Answer) -> None:
    """The answer of a transfer's call."""
    plan = await book_of(work).plans.get(UUID(intent.request["plan_id"]))
    if plan is None or plan.state != "SENDING":
        return
    plan.transfer_ordinal = max(plan.transfer_ordinal, intent.ordinal)
    if answer.outcome == "done":
        try:
            await apply_transfer(work, plan, transfer_facts(answer.body))
        except OddObjectError as error:
            _mismatch(work, plan, str(answer.body.get("id")), reason=str(error))
        return
    if intent.ordinal < plan.transfer_ordinal:
        return
    code = str((answer.body.get("error") or {}).get("code") or "refused")
    if code == NOT_ENOUGH_AVAILABLE:
        # Our books said that enough is available; Stripe has the last word, and it is only a matter of time.
        work.schedule(
            RESEND_DEADLINE,
            scope=plan.scope,
            subject=f"{plan.plan_id}:{plan.transfer_ordinal}",
            due_at=work.now + RESEND_DELAY,
            payload={"plan_id": str(plan.plan_id)},
            grace_seconds=0,
        )
        return
    work.publish(TransferRefused(campaign_id=UUID(plan.scope), plan_id=plan.plan_id, code=code))
    work.open_case(
        TRANSFER_REFUSED_CASE,
        scope=plan.scope,
        subject=str(plan.plan_id),
        facts={"code": code, "net_minor": plan.net_minor, "attempt": plan.transfer_ordinal},
    )
    audit_plan(work, plan, before="SENDING", reason=code)


async def retry_plan_transfer(work: Work, message: RetryPlanTransfer) -> None:
    """Try a refused transfer or reversal again, as a new attempt of the same plan. Raises Rejected."""
    if work.actor.role != AUDITOR:
        raise Rejected("not_allowed", role=work.actor.role)
    plan = await book_of(work).plans.get(message.plan_id)
    if plan is None or plan.scope != str(message.campaign_id):
        raise Rejected("plan_unknown")
    if plan.state != "SENDING" or not await last_call_refused(work, plan, rule_of(plan.kind).call):
        raise Rejected("plan_state_conflict", state=plan.state)
    await resend(work, plan)


async def resend(work: Work, plan: Plan) -> None:
    """Record the next attempt of a plan's transfer."""
    if plan.state != "SENDING" or not await last_call_refused(work, plan, rule_of(plan.kind).call):
        return
    plan.transfer_ordinal += 1
    audit_plan(work, plan, before="SENDING", reason="tried again")
    await work.session.flush()
    await intend_call(work, plan)


async def apply_transfer(work: Work, plan: Plan, facts: TransferFacts) -> None:
    """A transfer that exists at Stripe: post it once, and whatever was taken back of it."""
    if plan.state == "SENDING":
        if (facts.amount_minor, facts.currency) != (plan.net_minor, plan.currency):
            _mismatch(work, plan, facts.id, reason="amount or currency differ")
            return
        await _release(work, plan, facts)
    elif plan.transfer_id != facts.id:
        _mismatch(work, plan, facts.id, reason="another transfer names this plan")
        return
    for reversal in facts.reversals:
        recovery = await _asked_for(work, plan, reversal)
        if recovery is not None:
            await apply_recovery(work, recovery, reversal.id)
        else:
            await _taken_back(work, plan, reversal.id, reversal.amount_minor)


async def _release(work: Work, plan: Plan, facts: TransferFacts) -> None:
    campaign = await known_campaign(work, UUID(plan.scope))
    evidence = postings.Facts(
        work.now,
        relied(
            campaign.accepted_event_id,
            campaign.delivery_event_id,
            campaign.inspection_event_id,
            campaign.verdict_event_id,
            campaign.completed_event_id,
        ),
    )
    note_object(
        work,
        PspObject(
            facts.id,
            plan.scope,
            "transfer",
            intent_id("transfer", str(plan.plan_id), plan.transfer_ordinal),
            None,
            facts.amount_minor,
        ),
    )
    sent = postings.transfer_sent(
        plan.scope, plan.net_minor, plan_id=plan.plan_id, transfer_id=facts.id, facts=evidence
    )
    if not await post(work, sent):
        return
    if plan.fee_minor:
        await post(work, postings.fee(plan.scope, plan.fee_minor, plan_id=plan.plan_id, facts=evidence))
    plan.state, plan.transfer_id, plan.sent_at = "SENT", facts.id, work.now
    campaign.cleared_minor += plan.gross_minor - plan.reserve_minor
    campaign.fee_taken_minor += plan.fee_minor
    lines = await lines_of(work.connection, plan.plan_id)
    released = tuple(line.commitment_id for line in lines if not line.to_reserve)
    await _mark_released(work, plan, released)
    kept = [line.commitment_id for line in lines if line.to_reserve]
    if plan.kind == "release":
        # In dispute, or back from one in the reserve: not released with the others.
        kept += await still_held(work.connection, UUID(plan.scope), [line.commitment_id for line in lines])
    work.publish(
        FundsReleased(
            campaign_id=UUID(plan.scope),
            plan_id=plan.plan_id,
            plan_kind=cast(PlanKind, plan.kind),
            supplier_id=known_payee(plan),
            net_minor=plan.net_minor,
            fee_minor=plan.fee_minor,
            currency=plan.currency,
            transfer_id=facts.id,
            released_commitment_ids=released,
            reserve_commitment_ids=tuple(kept),
        )
    )
    audit_plan(work, plan, before="SENDING")
    await work.close_case(TRANSFER_REFUSED_CASE, subject=str(plan.plan_id), resolution="sent")
    await write_transfers(work)
    if await owed_minor(work, UUID(plan.scope)) == 0:
        (await book_of(work).scope(plan.scope)).settled_at = work.now


async def _asked_for(work: Work, plan: Plan, reversal: ReversalFacts) -> Plan | None:
    """The recovery that asked for this reversal, when it still stands."""
    recovery = await book_of(work).plans.get(reversal.plan_id) if reversal.plan_id else None
    if recovery is None or (recovery.kind, recovery.target_plan_id) != ("recovery", plan.plan_id):
        return None
    fits = recovery.state in ("SENDING", "DONE") and reversal.amount_minor == recovery.net_minor
    return recovery if fits else None


async def _taken_back(work: Work, plan: Plan, reversal_id: str, amount_minor: int) -> None:
    posting = postings.transfer_back(plan.scope, amount_minor, plan_id=plan.plan_id, reversal_id=reversal_id)
    if not await post(work, posting):
        return
    note_object(work, PspObject(reversal_id, plan.scope, "transfer_reversal", None, None, amount_minor))
    (await book_of(work).scope(plan.scope)).settled_at = None
    work.publish(
        TransferReversed(
            campaign_id=UUID(plan.scope),
            plan_id=plan.plan_id,
            amount_minor=amount_minor,
            currency=plan.currency,
            reversal_id=reversal_id,
        )
    )
    work.open_case(
        "transfer_reversed",
        scope=plan.scope,
        subject=reversal_id,
        facts={"plan_id": plan.plan_id, "amount_minor": amount_minor},
    )
    work.audit(
        "escrow.transfer.reversed",
        scope=plan.scope,
        subject=str(plan.plan_id),
        before=None,
        after={"reversal_id": reversal_id, "amount_minor": amount_minor},
    )


async def _mark_released(work: Work, plan: Plan, commitment_ids: tuple[UUID, ...]) -> None:
    """The reservations of a plan are released: one statement moves them and leaves the record of each."""
    await work.session.flush()
    await write_audits(work)
    await work.connection.execute(
        text(
            "WITH before AS ("
            "SELECT commitment_id, state FROM reservation WHERE commitment_id = ANY (CAST(:ids AS uuid[])) FOR UPDATE"
            "), moved AS ("
            "UPDATE reservation r SET state = 'released' FROM before b WHERE r.commitment_id = b.commitment_id "
            "RETURNING r.commitment_id, b.state"
            ") INSERT INTO audit_entry "
            "(at, actor_id, actor_role, action, scope, subject, before, after, reason, cause_id, trace_id) "
            "SELECT :at, :actor_id, :actor_role, 'escrow.reservation.released', :scope, CAST(commitment_id AS text), "
            "jsonb_build_object('state', state), "
            "jsonb_build_object('state', 'released', 'plan_id', CAST(:plan_id AS text)), "
            ":reason, :cause_id, :trace_id FROM moved ORDER BY commitment_id"
        ),
        {
            "ids": list(commitment_ids),
            "at": work.now,
            "actor_id": work.actor.id,
            "actor_role": work.actor.role,
            "scope": plan.scope,
            "plan_id": str(plan.plan_id),
            "reason": work.cause.type,
            "cause_id": work.cause.id,
            "trace_id": telemetry.trace_id_of(work.cause.traceparent),
        },
    )


def known_payee(plan: Plan) -> UUID:
    """The supplier that a release pays. Raises LookupError for a plan without one."""
    if plan.supplier_id is None:
        raise LookupError(f"plan {plan.plan_id} pays nobody")
    return plan.supplier_id


def _mismatch(work: Work, plan: Plan, object_id: str, *, reason: str) -> None:
    work.open_case(
        "psp_mismatch",
        scope=plan.scope,
        subject=object_id,
        severity="critical",
        blocking=True,
        facts={"plan_id": plan.plan_id, "why": reason},
    )
