"""Own events about what people found: who spoke for a case comes back before its end does.

The end itself is the event that follows (`case_closed`); the database counts the people then as it did the first time.
"""

from __future__ import annotations

from contracts.cases import CaseResolutionGiven
from services.escrow.recover.folding import Folding
from services.escrow.store.cases import insert_resolution


async def resolution_given(fold: Folding, event: CaseResolutionGiven) -> None:
    """One person's word about a case."""
    await insert_resolution(
        fold.work.connection,
        event.case_id,
        given_by=event.given_by,
        resolution=event.resolution,
        evidence=event.evidence,
        given_at=fold.work.now,
    )
