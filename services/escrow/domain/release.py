"""The release conditions, a clearing plan's figures and its hash: when money may go to a supplier, and exactly which.

Every condition is judged from escrow's own facts, each kept with the id of the event it came from, and all of them must
hold. The second approver is not a condition here: the database and the approving use case demand another person. It
cannot see whether a payout account would accept money; the transfer's answer says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from contracts.envelope import canonical_json
from contracts.ledger import AnyPlanKind, LineSource, PlanKind, PlanLine, ReleaseCondition
from services.escrow.domain.fees import payout_of

PlanState = Literal["DRAFT", "APPROVED", "CLEARING", "CLEARED", "SENDING", "SENT", "DONE", "STOPPED"]
"""SENT ends a release, DONE an act by hand, STOPPED either. CLEARED: its lines are in the ledger, calls follow."""

HOLDS_LATCH: frozenset[str] = frozenset({"APPROVED", "CLEARING", "CLEARED", "SENDING"})

LINES_PER_TRANSACTION_MAX = 500
"""Lines of a plan that are cleared in one transaction; the rest follow in further ones."""

PLAN_LINES_MAX = 12_000
"""Most lines of one plan: its release is told in one event, whose body is bounded. A larger campaign takes several."""

Latch = Literal["close", "clearing"]
"""close: refunds only, for ever. clearing: a plan is at work, or has sent; no latch: nobody has decided."""

RELEASE_VERDICTS = ("release", "release_less_reserve")


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """What escrow knows about a campaign when a plan is judged. Ids are those of the events relied on."""

    state: str
    accepted: UUID | None
    delivered: UUID | None
    delivered_count: int
    inspection_started: UUID | None
    inspection_over: UUID | None
    verdict: str | None
    issues_decided: tuple[UUID, ...] = ()
    disputed_minor: int = 0
    frozen: bool = False
    ledger_sound: bool = True
    payout_account: UUID | None = None
    first_approval: UUID | None = None
    open_issue_ids: Collection[UUID] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class PlanFigures:
    """gross = reserve + fee + net, minor units."""

    gross_minor: int
    reserve_minor: int
    fee_minor: int
    net_minor: int


def release_conditions(kind: PlanKind, facts: ReleaseFacts) -> tuple[ReleaseCondition, ...]:
    """Every condition with its verdict and evidence."""
    wanted_state = "INSPECTION" if kind == "release" else "COMPLETED"
    told = _ids(facts.inspection_started, facts.inspection_over)
    return (
        _condition("supplier_accepted", facts.accepted is not None, _ids(facts.accepted)),
        _condition(
            "fulfillment_confirmed",
            facts.delivered is not None and facts.delivered_count > 0,
            _ids(facts.delivered),
        ),
        _condition("inspection_over", facts.state == wanted_state and facts.inspection_over is not None, told),
        _condition(
            "issue_rule",
            facts.verdict in RELEASE_VERDICTS,
            (*_ids(facts.inspection_over), *facts.issues_decided),
        ),
        _condition("no_dispute_open", facts.disputed_minor == 0, ()),
        # People are told from these two events; what could not be told opens a case, and a blocking case freezes.
        _condition("participants_told", len(told) == 2 and not facts.frozen, told),
        _condition("ledger_sound", facts.ledger_sound, ()),
        _condition("payout_account_verified", facts.payout_account is not None, _ids(facts.payout_account)),
        _condition("first_approval", facts.first_approval is not None, _ids(facts.first_approval)),
    )


def unmet(conditions: Iterable[ReleaseCondition]) -> list[str]:
    """The names of the conditions that do not hold."""
    return [condition.name for condition in conditions if not condition.met]


def plan_lines(
    balances: Mapping[UUID, int], *, keep_back: Collection[UUID], source: LineSource = "escrow"
) -> tuple[PlanLine, ...]:
    """The lines over commitments with a balance, by commitment id; those with an open issue go to the reserve."""
    return tuple(
        PlanLine(
            commitment_id=commitment_id,
            amount_minor=balances[commitment_id],
            to_reserve=commitment_id in keep_back,
            source=source,
        )
        for commitment_id in sorted(balances)
        if balances[commitment_id] > 0
    )


def plan_figures(
    lines: Iterable[PlanLine], *, basis_points: int, cleared_before_minor: int, fee_taken_minor: int
) -> PlanFigures:
    """What the plan pays, keeps back and takes as the fee. Raises ValueError on figures that do not fit."""
    reserve_minor = clearing_minor = 0
    for line in lines:
        if line.to_reserve:
            reserve_minor += line.amount_minor
        else:
            clearing_minor += line.amount_minor
    payout = payout_of(
        clearing_minor=clearing_minor,
        cleared_before_minor=cleared_before_minor,
        fee_taken_minor=fee_taken_minor,
        basis_points=basis_points,
    )
    return PlanFigures(
        gross_minor=reserve_minor + clearing_minor,
        reserve_minor=reserve_minor,
        fee_minor=payout.fee_minor,
        net_minor=payout.net_minor,
    )


def plan_hash(  # noqa: PLR0913 - everything a second person approves, all named
    *,
    campaign_id: UUID,
    plan_id: UUID,
    kind: AnyPlanKind,
    supplier_id: UUID | None,
    destination: str,
    currency: str,
    figures: PlanFigures,
    lines: Iterable[PlanLine],
    reason_code: str | None = None,
    evidence: Iterable[str] = (),
    target_plan_id: UUID | None = None,
    target_position: int | None = None,
) -> str:
    """SHA-256 over the canonical JSON of all that the second person approves."""
    body = {
        "version": 2,
        "campaign_id": str(campaign_id),
        "plan_id": str(plan_id),
        "kind": kind,
        "supplier_id": str(supplier_id) if supplier_id else None,
        "destination": destination,
        "currency": currency,
        "gross_minor": figures.gross_minor,
        "reserve_minor": figures.reserve_minor,
        "fee_minor": figures.fee_minor,
        "net_minor": figures.net_minor,
        "lines": [line.model_dump(mode="json") for line in lines],
        "reason_code": reason_code,
        "evidence": list(evidence),
        "target_plan_id": str(target_plan_id) if target_plan_id else None,
        "target_position": target_position,
    }
    return hashlib.sha256(canonical_json(body)).hexdigest()


def _condition(name: str, met: bool, evidence: tuple[UUID, ...]) -> ReleaseCondition:
    return ReleaseCondition(name=name, met=met, evidence=evidence)


def _ids(*candidates: UUID | None) -> tuple[UUID, ...]:
    return tuple(candidate for candidate in candidates if candidate is not None)
