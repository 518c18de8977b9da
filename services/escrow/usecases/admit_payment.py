"""Let a payment in while the float can carry its worst case, and no other.

The fee is set aside once per reservation, where the reservation is taken note of; another card for it needs nothing more,
because a declined card costs nothing. It comes free when the reservation ends or its charge is settled: the next measurement
sees it. Refunds are never asked.
"""

from __future__ import annotations

from contracts.payment_rail import worst_case_fee_minor
from services.escrow.store.book import book_of
from services.escrow.store.float_gauge import take_from_shares
from services.kit.work import Work

PAUSED = "collections_paused"


async def admit_payment(work: Work, amount_minor: int) -> str | None:
    """Set the worst-case fee of a new reservation aside; why it is not let in, or None."""
    return None if await take_from_shares(work, worst_case_fee_minor(amount_minor)) else PAUSED


async def refuses_another_card(work: Work) -> str | None:
    """Why a reservation that was let in may not be paid now, or None: what was set aside must still be carried."""
    return None if await book_of(work).float_carries() else PAUSED
