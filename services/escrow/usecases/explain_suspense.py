"""What stood in suspense is explained: its source is known by now, so the posting is taken back exactly, and the movement is
settled in its own scope as it would have been at once.

Nobody decides here: the object says whose it is. What no object ever explains stays in suspense, with its case.
"""

from __future__ import annotations

from contracts.envelope import PLATFORM_SCOPE
from services.escrow.domain import postings
from services.escrow.store.ledger import open_ledger
from services.escrow.store.mirror import Suspended, give_to
from services.escrow.usecases.post_transfers import post
from services.escrow.usecases.settle_movements import SUSPENSE_CASE, settle_movements
from services.kit.work import Work


async def explain_suspense(work: Work, found: Suspended, scope: str) -> None:
    """Take one back and settle it in `scope`; both scopes are locked. A sweep of it is taken back before, because the scope
    that it belongs to sweeps it itself."""
    movement = found.movement
    accounts = [(PLATFORM_SCOPE, name) for name in ("psp_pending", "psp_available", "suspense")]
    ledger = await open_ledger(work, {PLATFORM_SCOPE, scope}, accounts)
    back = postings.psp_sweep(PLATFORM_SCOPE, run=f"{movement.id}:back", net_minor=-movement.net_minor)
    reverse = postings.explained(
        PLATFORM_SCOPE, bt_id=movement.id, net_minor=movement.net_minor, position=found.position
    )
    await ledger.load_causes([back.cause, reverse.cause])
    if found.swept:
        await post(work, back)
    await post(work, reverse)
    await give_to(work.connection, movement.id, scope)
    await settle_movements(work, [(movement, scope)])
    await work.close_case(SUSPENSE_CASE, subject=movement.id, resolution="explained")
