"""What reconciliation does with an object it has read: apply it as a message would be, or adopt it as ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.escrow.domain.psp import OddObjectError
from services.escrow.store.book import book_of
from services.escrow.store.objects import PspObject, objects_of
from services.escrow.usecases.post_transfers import note_object
from services.escrow.usecases.receive_psp_event import apply_object
from services.escrow.usecases.send_plan import send_if_available
from services.kit.work import Work


async def receive_missed(work: Work, bodies: Sequence[Mapping[str, Any]], *, authoritative: bool) -> None:
    """Apply objects whose message may have been lost. `authoritative`: read just now, not out of an old event."""
    for body in bodies:
        try:
            await apply_object(work, body, authoritative=authoritative)
        except OddObjectError as error:
            work.open_case("psp_mismatch", scope=work.cause.key, subject=str(body.get("id")), facts={"why": str(error)})


async def adopt(work: Work, body: Mapping[str, Any], source_id: str) -> bool:
    """Take an object as ours when it names a record of ours and fits it; then its movement can be settled."""
    await receive_missed(work, [body], authoritative=True)
    known = objects_of(work).known
    if source_id in known:
        return True
    if str(body.get("id")) not in known:
        return False
    owner = known[str(body["id"])]
    note_object(work, PspObject(source_id, owner.scope, "adopted", owner.intent_id, owner.commitment_id))
    return True


async def resume_plan(work: Work, plan_id: UUID) -> None:
    """Money became available: a plan that waits for it looks again."""
    plan = await book_of(work).plans.get(plan_id)
    if plan is not None:
        await send_if_available(work, plan)
