"""What is true of each kind of plan, as data: where its lines come from, what it must name, what it calls, what stops it.

Owns the differences that can be said in a table, so that the one machine of plans asks the table and no ladder of kinds.
What a kind does to the ledger is a small module of its own (`plan_kinds/`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, cast
from uuid import UUID

from contracts.clearing import PlanReason
from contracts.errors import Rejected
from contracts.ledger import AnyPlanKind, PlanLine
from contracts.money import AMOUNT_MINOR_MAX
from services.escrow.domain.release import PlanFigures

LinesFrom = Literal["records", "asked", "may_be_asked", "target"]
"""records: escrow reads them from the ledger. asked: the maker names them. target: they are those of another plan."""

CallPurpose = Literal["transfer", "transfer_reversal"]


@dataclass(frozen=True, slots=True)
class PlanRule:
    """One kind of plan. `reasons`: the reason codes that fit it; a release needs none, its conditions say why."""

    lines: LinesFrom
    reasons: frozenset[PlanReason] = frozenset()
    target: Literal["plan", "position"] | None = None
    call: CallPurpose | None = None
    is_release: bool = False
    """It sends money to a supplier: it takes the latch, all release conditions must hold, a frozen campaign halts it, and
    a line that changed stops it whole. An act by hand goes on, and a line that changed becomes a case."""
    stopped_by_close: bool = False
    """A draft of it ends when the campaign closes, because the close refunds what it speaks of."""


_FAULTS: frozenset[PlanReason] = frozenset({"quality_issue", "delivery_failure", "delay_exit"})

PLAN_RULES: Mapping[AnyPlanKind, PlanRule] = MappingProxyType(
    {
        "release": PlanRule("records", call="transfer", is_release=True, stopped_by_close=True),
        "reserve_release": PlanRule("records", call="transfer", is_release=True, stopped_by_close=True),
        "manual_refund": PlanRule("asked", _FAULTS, stopped_by_close=True),
        "partial_refund": PlanRule("asked", _FAULTS | {"partial"}, stopped_by_close=True),
        "outside_payout": PlanRule("asked", frozenset({"refund_failed"})),
        "goodwill": PlanRule("asked", _FAULTS),
        "recovery": PlanRule("asked", _FAULTS | {"chargeback"}, target="plan", call="transfer_reversal"),
        "correction": PlanRule("may_be_asked", frozenset({"wrong_posting"}), target="position"),
        "give_up": PlanRule("target", frozenset({"transfer_refused"}), target="plan"),
    }
)


def rule_of(kind: str) -> PlanRule:
    """The rule of a stored kind."""
    return PLAN_RULES[cast(AnyPlanKind, kind)]


STALE_CODES = frozenset(
    {
        "line_changed",
        "line_exceeds_balance",
        "line_not_whole",
        "line_not_partial",
        "refund_not_failed",
        "goodwill_above_price",
        "commitment_not_released",
        "plan_target_unfit",
    }
)
"""Refusals at the second approval that mean: the facts have changed since the submission, this draft is over."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a maker asks for. `lines`: (commitment, amount in minor units), as asked."""

    plan_id: UUID
    kind: AnyPlanKind
    scope: str
    lines: tuple[tuple[UUID, int], ...] = ()
    currency: str | None = None
    reason_code: str | None = None
    evidence: tuple[str, ...] = ()
    target_plan_id: UUID | None = None
    target_position: int | None = None

    @property
    def campaign_id(self) -> UUID:
        """The campaign whose scope it is."""
        return UUID(self.scope)


def check_wanted(wanted: Wanted, *, currency: str) -> None:
    """Whether a request is one that its kind can be asked. Raises Rejected, the plainest fault first."""
    rule = PLAN_RULES[wanted.kind]
    if wanted.lines and rule.lines in ("records", "target"):
        raise Rejected("plan_lines_unexpected", kind=wanted.kind)
    if not wanted.lines and rule.lines == "asked":
        raise Rejected("plan_lines_missing", kind=wanted.kind)
    _check_lines(wanted.lines)
    if (wanted.lines and wanted.currency is None) or wanted.currency not in (None, currency):
        raise Rejected("currency_mismatch", currency=wanted.currency, campaign_currency=currency)
    if rule.is_release:
        return
    if wanted.reason_code not in rule.reasons:
        raise Rejected("reason_code_not_allowed", kind=wanted.kind, allowed=sorted(rule.reasons))
    if not wanted.evidence:
        raise Rejected("evidence_missing")
    named = {"plan": wanted.target_plan_id, "position": wanted.target_position}
    if rule.target is not None and named[rule.target] is None:
        raise Rejected("plan_target_missing", needs=rule.target)


def _check_lines(lines: Sequence[tuple[UUID, int]]) -> None:
    for commitment_id, amount_minor in lines:
        if amount_minor <= 0:
            raise Rejected("amount_not_positive", commitment_id=commitment_id, amount_minor=amount_minor)
        if amount_minor > AMOUNT_MINOR_MAX:
            raise Rejected("amount_out_of_range", commitment_id=commitment_id)
    if sum(amount_minor for _, amount_minor in lines) > AMOUNT_MINOR_MAX:
        raise Rejected("amount_out_of_range")
    if len({commitment_id for commitment_id, _ in lines}) != len(lines):
        raise Rejected("line_repeated")


def figures_by_hand(amounts_minor: Iterable[int]) -> PlanFigures:
    """The figures of an act by hand: all of it moves, no fee and no reserve."""
    total = sum(amounts_minor)
    return PlanFigures(gross_minor=total, reserve_minor=0, fee_minor=0, net_minor=total)


def asked_of(lines: Iterable[PlanLine]) -> tuple[tuple[UUID, int], ...]:
    """Stored lines as their maker asked for them."""
    return tuple((line.commitment_id, line.amount_minor) for line in lines)
