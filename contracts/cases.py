"""The command by which people close a case of the escrow service, and the event that tells what they found.

Only for cases that nothing closes by itself. What is written is for staff: it names objects, never a person.
"""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from contracts.clearing import PLAN_EVIDENCE_MAX, EvidenceReference
from contracts.common import ScopedEvent, Text
from contracts.envelope import Command, register

CaseEvidence = Annotated[tuple[EvidenceReference, ...], Field(min_length=1, max_length=PLAN_EVIDENCE_MAX)]
"""Where it is written what was found; at least one place."""

CLOSED_BY_PEOPLE = frozenset(
    {
        "ledger_unbalanced",
        "psp_mismatch",
        "latch_conflict",
        "top_up_failed",
        "transfer_reversed",
        "plan_line_failed",
        "issue_upheld_after_release",
        "dispute_evidence_refused",
        "dispute_lost_in_part",
        "paid_twice",
        "deadline_failed",
        "intent_mismatch",
        "intent_stopped",
    }
)
"""Kinds of escrow's cases that nothing closes by itself. Every other one ends when its cause is gone."""


def people_needed(kind: str, *, blocking: bool) -> int:
    """How many different escrow auditors close a case of escrow: what is held for everybody is not let go by one person.
    0 for a case that people do not close."""
    if kind not in CLOSED_BY_PEOPLE:
        return 0
    return 2 if blocking else 1


@register
class ResolveCase(Command):
    """Say what was found about a case and that it can be closed. A blocking case is closed by the second of two
    different escrow auditors; `scope_id` is the case's own scope, a campaign's id or `platform`."""

    type: ClassVar[str] = "escrow.resolve_case.v1"
    service: ClassVar[str] = "escrow"
    scope_id: str
    case_id: UUID
    resolution: Text
    evidence: CaseEvidence

    @property
    def scope(self) -> str:
        """The message key: the case's scope."""
        return self.scope_id


@register
class CaseResolutionGiven(ScopedEvent):
    """A person said what was found. With `closes` the case is closed by it, and `case_closed` follows; without, it stays
    open for a second person."""

    type: ClassVar[str] = "escrow.case_resolution_given.v1"
    service: ClassVar[str] = "escrow"
    case_id: UUID
    case_kind: str
    resolution: Text
    evidence: CaseEvidence
    given_by: str
    closes: bool
