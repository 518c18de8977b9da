"""Top up the float: the platform's own money at Stripe, so that cover holds beside the processor's fees."""

from __future__ import annotations

from uuid import UUID

from contracts.envelope import PLATFORM_SCOPE
from contracts.errors import Rejected
from contracts.escrow import FloatToppedUp, TopUpFloat
from services.escrow.domain import postings
from services.escrow.domain.psp import OddObjectError, TopUpFacts, top_up_facts
from services.escrow.store.book import book_of
from services.escrow.store.objects import PspObject
from services.escrow.store.tables import TopUp
from services.escrow.usecases.post_transfers import note_object, post
from services.kit.service import Answer, Intent
from services.kit.work import Work, intent_id

MAY_TOP_UP = ("escrow_auditor", "operations", "founder")


async def top_up_float(work: Work, message: TopUpFloat) -> None:
    """Record a top-up that a person asked for. Raises Rejected."""
    try:
        await _check(work, message)
    except Rejected as rejected:
        work.audit(
            "escrow.float.refused",
            scope=PLATFORM_SCOPE,
            subject=str(message.top_up_id),
            before=None,
            after=None,
            reason=rejected.code,
        )
        raise
    await record_top_up(work, message.top_up_id, message.amount_minor, message.currency)


async def _check(work: Work, message: TopUpFloat) -> None:
    if work.actor.role not in MAY_TOP_UP:
        raise Rejected("not_allowed", role=work.actor.role)
    # The platform's accounts have one currency: another one's cents would be counted as its own.
    currency = (await book_of(work).scope(PLATFORM_SCOPE)).currency
    if message.currency != currency:
        raise Rejected("currency_mismatch", currency=message.currency, platform_currency=currency)


async def record_top_up(work: Work, top_up_id: UUID, amount_minor: int, currency: str) -> None:
    """Record the call; a second time for the same id changes nothing."""
    book = book_of(work)
    if await book.top_ups.get(top_up_id) is not None:
        return
    book.top_ups.add(TopUp(top_up_id=top_up_id, amount_minor=amount_minor, currency=currency, recorded_at=work.now))
    work.intend(
        "top_up",
        object_id=str(top_up_id),
        ordinal=1,
        scope=PLATFORM_SCOPE,
        request={"top_up_id": str(top_up_id), "amount_minor": amount_minor, "currency": currency},
    )
    work.audit(
        "escrow.float.recorded",
        scope=PLATFORM_SCOPE,
        subject=str(top_up_id),
        before=None,
        after={"amount_minor": amount_minor, "currency": currency},
    )


async def post_top_up(work: Work, intent: Intent, answer: Answer) -> None:
    """The answer of a top-up's call."""
    top_up = await book_of(work).top_ups.get(UUID(intent.request["top_up_id"]))
    if top_up is None:
        return
    if answer.outcome == "done":
        try:
            await apply_top_up(work, top_up, top_up_facts(answer.body))
        except OddObjectError as error:
            _failed(work, top_up, str(error))
        return
    _failed(work, top_up, str((answer.body.get("error") or {}).get("code") or "refused"))


async def apply_top_up(work: Work, top_up: TopUp, facts: TopUpFacts) -> None:
    """Apply a top-up's status."""
    if top_up.state == "succeeded" or facts.status == "pending":
        return
    if facts.status == "failed":
        _failed(work, top_up, "failed")
        return
    if (facts.amount_minor, facts.currency) != (top_up.amount_minor, top_up.currency):
        _failed(work, top_up, "amount or currency differ")
        return
    if not await post(
        work,
        postings.topup(PLATFORM_SCOPE, facts.amount_minor, topup_id=facts.id, facts=postings.Facts(work.now)),
    ):
        return
    note_object(
        work,
        PspObject(
            facts.id, PLATFORM_SCOPE, "topup", intent_id("top_up", str(top_up.top_up_id), 1), None, facts.amount_minor
        ),
    )
    top_up.state, top_up.topup_id = "succeeded", facts.id
    work.publish(FloatToppedUp(top_up_id=top_up.top_up_id, amount_minor=facts.amount_minor, currency=facts.currency))
    work.audit(
        "escrow.float.topped_up",
        scope=PLATFORM_SCOPE,
        subject=str(top_up.top_up_id),
        before={"state": "recorded"},
        after={"state": "succeeded", "topup": facts.id, "amount_minor": facts.amount_minor},
    )


def _failed(work: Work, top_up: TopUp, why: str) -> None:
    before = top_up.state
    top_up.state = "failed"
    work.audit(
        "escrow.float.failed",
        scope=PLATFORM_SCOPE,
        subject=str(top_up.top_up_id),
        before={"state": before},
        after={"state": "failed"},
        reason=why,
    )
    work.open_case(
        "top_up_failed",
        scope=PLATFORM_SCOPE,
        subject=str(top_up.top_up_id),
        facts={"why": why, "amount_minor": top_up.amount_minor},
    )
