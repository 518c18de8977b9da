"""A plan that its maker takes back before anybody approved it: it moves nothing, and it stays in the records.

Only the maker may, and only while the plan is a draft: after the second approval it is the work of two people, and is
given up by two. Approval and taking back of the same moment meet under the campaign's lock; the second of them finds the
plan's state changed. A draft holds nothing, so that nothing has to be undone.
"""

from __future__ import annotations

from contracts.clearing import TakePlanBack
from contracts.errors import Rejected
from services.escrow.store.book import book_of
from services.escrow.usecases.record_plan_step import AUDITOR, audit_refused, stop_draft
from services.kit.work import Work

TAKEN_BACK = "taken_back"
"""The code with which such a plan stops."""


async def take_plan_back(work: Work, message: TakePlanBack) -> None:
    """Stop an own draft. Raises Rejected, with an audit record of who tried what."""
    try:
        await _take_back(work, message)
    except Rejected as rejected:
        audit_refused(work, str(message.campaign_id), message.plan_id, act="taking_back", code=rejected.code)
        raise


async def _take_back(work: Work, message: TakePlanBack) -> None:
    if work.actor.role != AUDITOR:
        raise Rejected("not_allowed", role=work.actor.role)
    plan = await book_of(work).plans.get(message.plan_id)
    if plan is None or plan.scope != str(message.campaign_id):
        raise Rejected("plan_unknown")
    if plan.maker_id != work.actor.id:
        raise Rejected("not_the_maker")
    if plan.state != "DRAFT":
        raise Rejected("plan_state_conflict", state=plan.state)
    stop_draft(work, plan, TAKEN_BACK)
