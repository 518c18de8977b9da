"""Which module acts for which kind of plan."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

from contracts.ledger import AnyPlanKind
from services.escrow.plan_kinds.acts import PlanActs
from services.escrow.plan_kinds.correction import Correction
from services.escrow.plan_kinds.give_up import GiveUp
from services.escrow.plan_kinds.outside_payout import OutsidePayout
from services.escrow.plan_kinds.recovery import Recovery
from services.escrow.plan_kinds.refunds_by_hand import Goodwill, RefundByHand
from services.escrow.plan_kinds.release import Release
from services.escrow.store.tables import Plan

_RELEASE = Release()

ACTS: Mapping[AnyPlanKind, PlanActs] = MappingProxyType(
    {
        "release": _RELEASE,
        "reserve_release": _RELEASE,
        "manual_refund": RefundByHand(whole=True),
        "partial_refund": RefundByHand(whole=False),
        "outside_payout": OutsidePayout(),
        "goodwill": Goodwill(),
        "recovery": Recovery(),
        "correction": Correction(),
        "give_up": GiveUp(),
    }
)


def acts_of(plan: Plan) -> PlanActs:
    """The module of a plan's kind."""
    return ACTS[cast(AnyPlanKind, plan.kind)]
