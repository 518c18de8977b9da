"""Post to the ledger, and write the batch at the end of a transaction.

The one way from a use case to the ledger: it loads what a posting needs, keeps the clearing accounts per object, and
tells every written transfer in an event, so that it leaves the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.escrow.domain.ledger import Posting
from services.escrow.store.ledger import Ledger, ledger_of, open_ledger, posted_events
from services.escrow.store.objects import PspObject, objects_of, write_objects
from services.kit.work import Work


async def post(work: Work, posting: Posting) -> bool:
    """Add a transfer to the batch; False when its cause is posted already. Raises LedgerRefused."""
    ledger = await open_ledger(work, [posting.scope])
    await ledger.prepare([posting])
    if not ledger.post(posting):
        return False
    if posting.object_id is not None:
        for account, amount_minor in posting.entries:
            if account == "psp_clearing":
                objects_of(work).clearing[posting.scope, posting.object_id] += amount_minor
    return True


async def balances(work: Work, scope: str, accounts: Sequence[str]) -> dict[str, int]:
    """Balances in minor units, postings of this batch included."""
    ledger = await open_ledger(work, [scope], [(scope, account) for account in accounts])
    return {account: ledger.balance(scope, account) for account in accounts}


def note_object(work: Work, known: PspObject) -> None:
    """Remember whose an object at Stripe is."""
    objects_of(work).known.setdefault(known.object_id, known)


async def write_transfers(work: Work) -> None:
    """Write everything posted so far, and tell it. Runs at the end of each transaction, and before a statement that
    must see the balances."""
    await work.session.flush()
    ledger = opened_ledger(work)
    if ledger is not None:
        for event in posted_events(await ledger.write()):
            # Named by their place: the message in hand is whichever of the batch came last, and may come again.
            work.publish(event, label=f"ledger:{event.scope_id}:{event.transfers[0].position}")
    await write_objects(work)


def opened_ledger(work: Work) -> Ledger | None:
    """The transaction's ledger, when one was opened."""
    try:
        return ledger_of(work)
    except LookupError:
        return None


def relied(*event_ids: UUID | None) -> tuple[UUID, ...]:
    """The known ones of these event ids, each once, in sequence: what a transfer rested on."""
    return tuple(dict.fromkeys(event_id for event_id in event_ids if event_id is not None))
