"""Settle balance transactions: each becomes one posting in the scope of its source; what nobody explains goes to suspense.

Each function runs in one transaction over the scopes it posts to; the lists were read before, outside. The ledger's
unique causes make a second settling of the same balance transaction a no-op.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from contracts.envelope import PLATFORM_SCOPE
from services.escrow.domain import postings
from services.escrow.domain.ledger import Posting
from services.escrow.domain.psp import MovementFacts
from services.escrow.domain.reconciliation import movement_class
from services.escrow.store.ledger import open_ledger
from services.escrow.store.mirror import mirror, take_for_sweep
from services.escrow.usecases.post_transfers import post
from services.kit.work import Work

SUSPENSE_CASE = "suspense"
_PSP_ACCOUNTS = ("psp_clearing", "psp_pending", "psp_available", "psp_cost")


async def settle_movements(work: Work, movements: Sequence[tuple[MovementFacts, str]]) -> None:
    """Post movements whose source is known, with the scope of that source."""
    scopes = {scope for _, scope in movements}
    ledger = await open_ledger(work, scopes, [(scope, name) for scope in scopes for name in _PSP_ACCOUNTS])
    await ledger.load_causes(f"bt:{movement.id}" for movement, _ in movements)
    for movement, scope in movements:
        if movement.amount_minor or movement.fee_minor:
            await post(
                work,
                postings.psp_settle(
                    scope,
                    bt_id=movement.id,
                    amount_minor=movement.amount_minor,
                    fee_minor=movement.fee_minor,
                    object_id=str(movement.source_id),
                    facts=_facts(movement),
                ),
            )
    await mirror(work.connection, list(movements))


async def settle_of_account(work: Work, movements: Sequence[MovementFacts]) -> None:
    """Post movements of the platform's account itself: fees, Stripe's own reserves, and what nobody explains."""
    for movement in movements:
        kind = movement_class(movement)
        reserve = kind in ("held", "freed")
        if movement.net_minor:
            await post(work, _of_account(movement))
        if kind in ("other", "object"):
            work.open_case(
                SUSPENSE_CASE,
                scope=PLATFORM_SCOPE,
                subject=movement.id,
                facts={
                    "type": movement.type,
                    "source": movement.source_id,
                    "net_minor": movement.net_minor,
                    "currency": movement.currency,
                },
            )
        # A reserve moves between available and reserved, so there is nothing to sweep.
        await mirror(work.connection, [(movement, PLATFORM_SCOPE)], swept_at=work.now if reserve else None)


async def sweep(work: Work, ids: Sequence[str]) -> None:
    """Move what became available from pending to available, per scope in one posting."""
    swept: dict[str, list[tuple[str, int]]] = {}
    for scope, movement_id, net_minor in await take_for_sweep(work.connection, ids, work.now):
        swept.setdefault(scope, []).append((movement_id, net_minor))
    ledger = await open_ledger(work, swept, [(scope, name) for scope in swept for name in _PSP_ACCOUNTS])
    # Each balance transaction is swept once, so the first of a run names the run for ever.
    runs = {scope: min(movement_id for movement_id, _ in rows) for scope, rows in swept.items()}
    await ledger.load_causes(f"sweep:{scope}:{run}" for scope, run in runs.items())
    for scope in sorted(swept):
        net_minor = sum(amount for _, amount in swept[scope])
        if net_minor:
            await post(work, postings.psp_sweep(scope, run=runs[scope], net_minor=net_minor))


def _of_account(movement: MovementFacts) -> Posting:
    facts = _facts(movement)
    match movement_class(movement):
        case "account_fee":
            return postings.psp_fee_account(
                PLATFORM_SCOPE, bt_id=movement.id, net_minor=movement.net_minor, facts=facts
            )
        case "held":
            return postings.psp_held(PLATFORM_SCOPE, -movement.net_minor, bt_id=movement.id, facts=facts)
        case "freed" if movement.net_minor > 0:
            return postings.psp_freed(PLATFORM_SCOPE, movement.net_minor, bt_id=movement.id, facts=facts)
        case _:
            return postings.suspense(PLATFORM_SCOPE, bt_id=movement.id, net_minor=movement.net_minor, facts=facts)


def _facts(movement: MovementFacts) -> postings.Facts:
    return postings.Facts(datetime.fromtimestamp(movement.created, UTC))
