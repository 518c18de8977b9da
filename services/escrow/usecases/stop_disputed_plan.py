"""A dispute comes while a plan is at work: money that is not on its way yet comes back from the supplier's side.

Before the transfer is called the plan stops, whole; a new one is made without the disputed line. Afterwards the supplier
has the money, and what the bank takes is the platform's loss.
"""

from __future__ import annotations

from services.escrow.store.book import book_of
from services.escrow.store.plans import holder, lines_of, plans_of
from services.escrow.store.tables import Reservation
from services.escrow.usecases.stop_plan import stop_plan
from services.kit.work import Work, intent_id

LINE_DISPUTED = "line_disputed"


async def stop_disputed_plan(work: Work, reservation: Reservation) -> None:
    """Stop the release that clears this commitment's money, while it can be stopped."""
    scope = str(reservation.campaign_id)
    if (await book_of(work).scope(scope)).latch != "clearing":
        return
    plan = holder(await plans_of(work, scope))
    if plan is None or plan.kind != "release":
        return
    lines = await lines_of(work.connection, plan.plan_id)
    if not any(line.commitment_id == reservation.commitment_id and not line.to_reserve for line in lines):
        return
    if plan.state == "SENDING":
        identity = intent_id("transfer", str(plan.plan_id), plan.transfer_ordinal)
        if plan.transfer_ordinal > 1 or not await book_of(work).stop_unattempted(identity):
            return
    await stop_plan(work, plan, LINE_DISPUTED)
