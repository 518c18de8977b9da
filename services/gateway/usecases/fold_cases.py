"""Fold what people found about a case of escrow into its row of the read model."""

from __future__ import annotations

from typing import Any

from contracts.cases import CaseResolutionGiven
from contracts.envelope import Envelope
from services.gateway.store.projection import Rows

BY_HAND = "by_hand"


def fold_resolution(rows: Rows, envelope: Envelope, event: Any) -> bool:
    """The first word of two stands with the open case; the last one closes it. False for another event."""
    if not isinstance(event, CaseResolutionGiven):
        return False
    if event.closes:
        rows.put(
            "case_record", event.case_id,
            state="closed", resolution=BY_HAND, closed_at=envelope.time, closed_by=event.given_by,
            closed_words=event.resolution,
        )  # fmt: skip
    else:
        rows.put(
            "case_record", event.case_id,
            asked_by=event.given_by, asked_words=event.resolution, asked_evidence=list(event.evidence),
        )  # fmt: skip
    return True
