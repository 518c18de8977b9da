"""Close: grant or deny the latch, and when a campaign has closed, end what is open and refund what is held.

Release and close exclude each other through the latch on the scope: a clearing plan holds it from its first line on, a
close sets it for ever. A plan that is only a draft holds nothing.
"""

from __future__ import annotations

from typing import cast
from uuid import UUID

from contracts.campaigns import CampaignClosed, CloseRequested, CommitmentWithdrawn
from contracts.clearing import CloseDenied, CloseGranted
from contracts.terms import CloseReason
from services.escrow.domain.plan_rules import rule_of
from services.escrow.store.book import book_of
from services.escrow.store.cases import open_case_fact
from services.escrow.store.plans import plans_of
from services.escrow.usecases.decide_refund import refund_closed, refund_withdrawn
from services.escrow.usecases.end_reservation import begin_end
from services.escrow.usecases.record_campaign import known_campaign, record_state
from services.escrow.usecases.record_plan_step import stop_draft
from services.kit.work import Work

LATCH_CONFLICT = "latch_conflict"
"""A campaign closed while a release was at work."""


async def answer_close(work: Work, message: CloseRequested) -> None:
    """Campaigns asks for the latch before it closes with refunds."""
    await known_campaign(work, message.campaign_id)
    scope = await book_of(work).scope(message.campaign_id)
    if scope.latch == "clearing" and scope.latch_plan_id is not None:
        work.publish(CloseDenied(campaign_id=message.campaign_id, plan_id=scope.latch_plan_id))
        return
    await _set_latch(work, message.campaign_id, message.reason)
    work.publish(CloseGranted(campaign_id=message.campaign_id))


async def close_campaign(work: Work, message: CampaignClosed) -> None:
    """The campaign ended without completion: refund every commitment with a balance."""
    book = book_of(work)
    if await book.campaigns.get(message.campaign_id) is None:
        # A campaign that was rejected in review never collected anything.
        return
    scope = await book.scope(message.campaign_id)
    if scope.latch == "clearing":
        work.open_case(
            LATCH_CONFLICT,
            scope=str(message.campaign_id),
            subject=str(message.campaign_id),
            severity="critical",
            blocking=True,
            facts={"plan_id": scope.latch_plan_id, "reason": message.reason},
        )
        return
    await _close(work, message.campaign_id, message.reason)


async def close_after_all(work: Work, campaign_id: UUID) -> None:
    """The release that a close met has stopped: what the close asked for follows now, and its case ends."""
    reason = await open_case_fact(work.connection, LATCH_CONFLICT, str(campaign_id), "reason")
    if reason is None:
        return
    await _close(work, campaign_id, cast(CloseReason, reason))
    await work.close_case(LATCH_CONFLICT, subject=str(campaign_id), resolution="closed")


async def _close(work: Work, campaign_id: UUID, reason: CloseReason) -> None:
    await _set_latch(work, campaign_id, reason)
    await record_state(work, campaign_id, "CLOSED")
    for reservation in await book_of(work).unfinished_reservations(campaign_id):
        if reservation.state != "ending":
            await begin_end(work, reservation, "canceled")
    await refund_closed(work, campaign_id, reason)


async def withdraw(work: Work, message: CommitmentWithdrawn) -> None:
    """A participant left: refund what is held, or stop the payment that is under way."""
    reservation = await book_of(work).reservations.get(message.commitment_id)
    if reservation is None:
        return
    if reservation.state == "held":
        await refund_withdrawn(work, message, reservation)
    elif reservation.state in ("open", "expiring"):
        await begin_end(work, reservation, "left")


async def _set_latch(work: Work, campaign_id: UUID, reason: CloseReason) -> None:
    scope = await book_of(work).scope(campaign_id)
    if scope.latch == "close":
        return
    scope.latch, scope.latch_plan_id = "close", None
    for plan in await plans_of(work, str(campaign_id)):
        if plan.state == "DRAFT" and rule_of(plan.kind).stopped_by_close:
            stop_draft(work, plan, "campaign_closing")
    work.audit(
        "escrow.latch.closed",
        scope=str(campaign_id),
        subject=str(campaign_id),
        before={"latch": None},
        after={"latch": "close"},
        reason=reason,
    )
