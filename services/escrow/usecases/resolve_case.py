"""A person closes a case that nothing else closes; where it blocks, two different escrow auditors do.

Each of the two says what was found and where that is written, so that the second one has looked for themselves and has
not only agreed. The first word changes nothing; with the second the case is closed and its scope goes on. It cannot keep
a finding away: what reconciliation or a reading finds again opens a new case, which needs two fresh words.
"""

from __future__ import annotations

from contracts.cases import CaseResolutionGiven, ResolveCase, people_needed
from contracts.envelope import PLATFORM_SCOPE
from contracts.errors import Rejected
from services.escrow.domain.cases import BY_HAND
from services.escrow.store.book import book_of
from services.escrow.store.cases import find_case, insert_resolution, resolved_by
from services.escrow.usecases.close_campaign import LATCH_CONFLICT
from services.escrow.usecases.record_plan_step import AUDITOR
from services.kit.work import Work


async def resolve_case(work: Work, message: ResolveCase) -> None:
    """Keep a resolution, and close the case when enough people gave one. Raises Rejected, with a record of who tried."""
    try:
        await _resolve(work, message)
    except Rejected as rejected:
        work.audit(
            "escrow.case_resolution.refused",
            scope=message.scope_id,
            subject=str(message.case_id),
            before=None,
            after=None,
            reason=rejected.code,
        )
        raise


async def _resolve(work: Work, message: ResolveCase) -> None:
    if work.actor.role != AUDITOR:
        raise Rejected("not_allowed", role=work.actor.role)
    case = await find_case(work.connection, message.case_id)
    if case is None or case.scope != message.scope_id:
        raise Rejected("not_found")
    if case.closed_at is not None:
        raise Rejected("case_closed")
    needed = people_needed(case.kind, blocking=case.blocking)
    if needed == 0:
        raise Rejected("case_ends_otherwise", kind=case.kind)
    given = await resolved_by(work.connection, case.case_id)
    if work.actor.id in given:
        raise Rejected("case_needs_another_person")
    book = book_of(work)
    if case.kind == LATCH_CONFLICT and (await book.scope(case.scope)).latch == "clearing":
        # The release is still at work: what the case says is so, and nothing would open it again.
        raise Rejected("plan_state_conflict", latch="clearing")
    closes = len(given) + 1 >= needed
    await insert_resolution(
        work.connection,
        case.case_id,
        given_by=work.actor.id,
        resolution=message.resolution,
        evidence=message.evidence,
        given_at=work.now,
    )
    work.publish(
        CaseResolutionGiven(
            scope_id=case.scope,
            case_id=case.case_id,
            case_kind=case.kind,
            resolution=message.resolution,
            evidence=message.evidence,
            given_by=work.actor.id,
            closes=closes,
        )
    )
    work.audit(
        "escrow.case_resolution.given",
        scope=case.scope,
        subject=str(case.case_id),
        before={"given": len(given)},
        after={"given": len(given) + 1, "kind": case.kind, "closes": closes, "evidence": list(message.evidence)},
    )
    if closes:
        await work.close_case(case.kind, subject=case.subject, resolution=BY_HAND)
        if case.scope == PLATFORM_SCOPE:
            book.forget_freeze()
