"""One function for each kind of transfer: facts in, a `Posting` out. Disputes have a module of their own.

Owns the mapping from what happened to accounts, signs and cause, so that no use case writes an entry by hand. Amounts
are minor units and positive unless a text says otherwise; another amount raises LedgerRefused `amount_not_positive`.
Balances are not seen here: the store checks the whole posting and its balances when it posts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.escrow.domain.ledger import LedgerRefused, Posting, commitment_account, reversed_entries


@dataclass(frozen=True, slots=True)
class Facts:
    """What any posting may carry beside its amounts: when it happened and the ids of the events it relied on."""

    event_at: datetime | None = None
    relied_on: tuple[UUID, ...] = ()


NO_FACTS = Facts()

_own = commitment_account


def lock(
    scope: str, commitment_id: UUID, amount_minor: int, *, intent_id: UUID, object_id: str, facts: Facts = NO_FACTS
) -> Posting:
    """A payment succeeded and its reservation is open: held in escrow. `object_id` is the charge."""
    return Posting(
        scope,
        "lock",
        f"pi:{intent_id}",
        _pair("psp_clearing", _own("escrow", commitment_id), amount_minor),
        commitment_id=commitment_id,
        object_id=object_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def late_receipt(
    scope: str, commitment_id: UUID, amount_minor: int, *, intent_id: UUID, object_id: str, facts: Facts = NO_FACTS
) -> Posting:
    """A payment for an ended, left or funded reservation: owed back, never held. Its cause is `lock`'s: never both."""
    return Posting(
        scope,
        "late_receipt",
        f"pi:{intent_id}",
        _pair("psp_clearing", _own("refund_payable", commitment_id), amount_minor),
        commitment_id=commitment_id,
        reason="late_receipt",
        object_id=object_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def psp_settle(
    scope: str, *, bt_id: str, amount_minor: int, fee_minor: int, object_id: str, facts: Facts = NO_FACTS
) -> Posting:
    """A balance transaction settles what its source, `object_id`, left in clearing. Amount and fee are Stripe's, signed."""
    return Posting(
        scope,
        "psp_settle",
        f"bt:{bt_id}",
        _sides({"psp_pending": fee_minor - amount_minor, "psp_cost": -fee_minor, "psp_clearing": amount_minor}),
        object_id=object_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def psp_sweep(scope: str, *, run: str, net_minor: int, facts: Facts = NO_FACTS) -> Posting:
    """Balance transactions whose nets sum to `net_minor` (signed) are available now. A sum of zero needs no posting."""
    return Posting(
        scope,
        "psp_sweep",
        f"sweep:{scope}:{run}",
        _sides({"psp_available": -net_minor, "psp_pending": net_minor}),
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def refund_decided(  # noqa: PLR0913 - facts of one decision, all named
    scope: str, commitment_id: UUID, amount_minor: int, *, decision_id: UUID, reason: str, from_reserve: bool = False,
    plan_id: UUID | None = None, facts: Facts = NO_FACTS,
) -> Posting:  # fmt: skip
    """A refund is owed from now on, out of escrow or out of the reserve, for a reason code; one that people decided
    names their plan."""
    return Posting(
        scope,
        "refund_decided",
        f"ref:{decision_id}",
        _pair(
            _own("reserve" if from_reserve else "escrow", commitment_id),
            _own("refund_payable", commitment_id),
            amount_minor,
        ),
        commitment_id=commitment_id,
        reason=reason,
        plan_id=plan_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def refund_sent(
    scope: str, commitment_id: UUID, amount_minor: int, *, refund_id: str, facts: Facts = NO_FACTS
) -> Posting:
    """Stripe says the refund succeeded."""
    return Posting(
        scope,
        "refund_sent",
        f"refs:{refund_id}",
        _pair(_own("refund_payable", commitment_id), "psp_clearing", amount_minor),
        commitment_id=commitment_id,
        object_id=refund_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def refund_failed(
    scope: str, commitment_id: UUID, amount_minor: int, *, refund_id: str, facts: Facts = NO_FACTS
) -> Posting:
    """A refund failed after it had succeeded: owed again."""
    return Posting(
        scope,
        "refund_failed",
        f"reff:{refund_id}",
        _pair("psp_clearing", _own("refund_payable", commitment_id), amount_minor),
        commitment_id=commitment_id,
        object_id=refund_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def refund_paid_outside(
    scope: str, commitment_id: UUID, amount_minor: int, *, plan_id: UUID, reason: str, facts: Facts = NO_FACTS
) -> Posting:
    """A refund was paid by another way, with proof, approved by two people in the named plan."""
    return Posting(
        scope,
        "refund_paid_outside",
        f"out:{plan_id}:{commitment_id}",
        _pair(_own("refund_payable", commitment_id), "house_paid", amount_minor),
        commitment_id=commitment_id,
        reason=reason,
        plan_id=plan_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def clear(
    scope: str, commitment_id: UUID, amount_minor: int, *, plan_id: UUID, to_reserve: bool, facts: Facts = NO_FACTS
) -> Posting:
    """A line of an approved plan: to the supplier's side, or kept back in reserve for an open issue."""
    return Posting(
        scope,
        "clear",
        f"clr:{plan_id}:{commitment_id}",
        _pair(
            _own("escrow", commitment_id),
            _own("reserve", commitment_id) if to_reserve else "supplier_payable",
            amount_minor,
        ),
        commitment_id=commitment_id,
        plan_id=plan_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def clear_undone(  # noqa: PLR0913 - facts of one line, all named
    scope: str, commitment_id: UUID, amount_minor: int, *, plan_id: UUID, reason: str, to_reserve: bool = False,
    facts: Facts = NO_FACTS,
) -> Posting:  # fmt: skip
    """A cleared line goes back where it came from, escrow or the reserve, before anything was sent."""
    return Posting(
        scope,
        "clear_undone",
        f"unclr:{plan_id}:{commitment_id}",
        _pair("supplier_payable", _own("reserve" if to_reserve else "escrow", commitment_id), amount_minor),
        commitment_id=commitment_id,
        reason=reason,
        plan_id=plan_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def fee(scope: str, amount_minor: int, *, plan_id: UUID, facts: Facts = NO_FACTS) -> Posting:
    """The platform's fee, in the transaction of `transfer_sent`. A fee of zero needs no posting."""
    return Posting(
        scope,
        "fee",
        f"fee:{plan_id}",
        _pair("supplier_payable", "platform_fee", amount_minor),
        plan_id=plan_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def transfer_sent(
    scope: str, amount_minor: int, *, plan_id: UUID, transfer_id: str, facts: Facts = NO_FACTS
) -> Posting:
    """The transfer to the supplier was created; the amount is what was cleared less the fee."""
    return Posting(
        scope,
        "transfer_sent",
        f"tr:{transfer_id}",
        _pair("supplier_payable", "psp_clearing", amount_minor),
        plan_id=plan_id,
        object_id=transfer_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def transfer_back(  # noqa: PLR0913 - facts of one reversal, all named
    scope: str, amount_minor: int, *, plan_id: UUID, reversal_id: str, as_recovery: bool = False, instead: bool = False,
    facts: Facts = NO_FACTS,
) -> Posting:  # fmt: skip
    """Money came back from the supplier's account; as a recovery it lowers what a dispute cost the platform. `instead`:
    it takes the place of a posting about the same reversal that the correction `plan_id` took back."""
    return Posting(
        scope,
        "transfer_back",
        f"trr:{reversal_id}:{plan_id}" if instead else f"trr:{reversal_id}",
        _pair("psp_clearing", "dispute_loss" if as_recovery else "supplier_payable", amount_minor),
        plan_id=plan_id,
        object_id=reversal_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def reserve_release(
    scope: str, commitment_id: UUID, amount_minor: int, *, plan_id: UUID, facts: Facts = NO_FACTS
) -> Posting:
    """The issue was rejected: the reserve goes to the supplier's side."""
    return Posting(
        scope,
        "reserve_release",
        f"rsv:{plan_id}:{commitment_id}",
        _pair(_own("reserve", commitment_id), "supplier_payable", amount_minor),
        commitment_id=commitment_id,
        plan_id=plan_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def goodwill(
    scope: str, commitment_id: UUID, amount_minor: int, *, plan_id: UUID, reason: str, facts: Facts = NO_FACTS
) -> Posting:
    """A remedy after release that the platform pays, approved by two people in the named plan."""
    return Posting(
        scope,
        "goodwill",
        f"gw:{plan_id}:{commitment_id}",
        _pair("goodwill", _own("refund_payable", commitment_id), amount_minor),
        commitment_id=commitment_id,
        reason=reason,
        plan_id=plan_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def topup(scope: str, amount_minor: int, *, topup_id: str, facts: Facts = NO_FACTS) -> Posting:
    """The platform's own money arrived at Stripe."""
    return Posting(
        scope,
        "topup",
        f"tu:{topup_id}",
        _pair("psp_clearing", "platform_float", amount_minor),
        object_id=topup_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def bank_payout(scope: str, amount_minor: int, *, payout_id: str, facts: Facts = NO_FACTS) -> Posting:
    """The platform's own money left Stripe for its bank."""
    return Posting(
        scope,
        "bank_payout",
        f"po:{payout_id}",
        _pair("platform_float", "psp_clearing", amount_minor),
        object_id=payout_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def psp_fee_account(scope: str, *, bt_id: str, net_minor: int, facts: Facts = NO_FACTS) -> Posting:
    """Stripe took (net below zero) or gave back a fee of the whole account."""
    return Posting(
        scope,
        "psp_fee_account",
        f"bt:{bt_id}",
        _sides({"psp_cost": net_minor, "psp_pending": -net_minor}),
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def psp_held(scope: str, amount_minor: int, *, bt_id: str, facts: Facts = NO_FACTS) -> Posting:
    """Stripe keeps a reserve of its own out of the available balance."""
    return Posting(
        scope,
        "psp_held",
        f"bt:{bt_id}",
        _pair("psp_reserved", "psp_available", amount_minor),
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def psp_freed(scope: str, amount_minor: int, *, bt_id: str, facts: Facts = NO_FACTS) -> Posting:
    """Stripe gives its reserve back."""
    return Posting(
        scope,
        "psp_freed",
        f"bt:{bt_id}",
        _pair("psp_available", "psp_reserved", amount_minor),
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def suspense(scope: str, *, bt_id: str, net_minor: int, facts: Facts = NO_FACTS) -> Posting:
    """A balance transaction that nobody explains yet; its net (signed) is owed to an unknown, with a clock."""
    return Posting(
        scope,
        "suspense",
        f"sus:{bt_id}",
        _sides({"psp_pending": -net_minor, "suspense": net_minor}),
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def explained(scope: str, *, bt_id: str, net_minor: int, position: int, facts: Facts = NO_FACTS) -> Posting:
    """The suspense row at `position` is explained and taken back exactly; the right kind follows in its own scope."""
    return Posting(
        scope,
        "explained",
        f"exp:{bt_id}",
        _sides({"psp_pending": net_minor, "suspense": -net_minor}),
        reverses=position,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def correction(original: Posting, *, plan_id: UUID, position: int, reason: str, facts: Facts = NO_FACTS) -> Posting:
    """The exact reverse of the posted transfer at `position`, approved by two people; the right one follows on its own."""
    return original._replace(
        kind="correction",
        cause=f"cor:{plan_id}",
        entries=reversed_entries(original.entries),
        reason=reason,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
        plan_id=plan_id,
        reverses=position,
    )


def _pair(debit: str, credit: str, amount_minor: int) -> tuple[tuple[str, int], ...]:
    """The entries that move one amount from the debited to the credited account."""
    if amount_minor <= 0:
        raise LedgerRefused("amount_not_positive", debit=debit, credit=credit, amount_minor=amount_minor)
    return ((debit, -amount_minor), (credit, amount_minor))


def _sides(amounts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """The entries whose sides follow from their signs; accounts without an amount drop out."""
    return tuple((account, amount_minor) for account, amount_minor in amounts.items() if amount_minor)
