"""The transfers of a dispute: opened, funds withdrawn, funds reinstated, shifted to or from the loss, ended.

Owns the split rules: what a dispute freezes, what the hold bears and what the platform loses. The split of an opening
is stored as the entries of its transfer; the ending reads it from there. Amounts are minor units and positive.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from services.escrow.domain.ledger import LedgerRefused, Posting, commitment_account
from services.escrow.domain.postings import NO_FACTS, Facts

FREEZABLE_CLASSES = ("escrow", "refund_payable", "reserve")
"""What a dispute may freeze, in this sequence: committed money first, decided refunds next, the reserve last."""


def dispute_opened(
    scope: str,
    commitment_id: UUID,
    amount_minor: int,
    *,
    dispute_id: str,
    left_minor: Mapping[str, int],
    facts: Facts = NO_FACTS,
) -> Posting | None:
    """Freeze what is left of the commitment's money, at most the disputed amount. `left_minor` gives the balance of each
    of `FREEZABLE_CLASSES`. None when nothing is left with us."""
    _positive(amount_minor)
    entries: list[tuple[str, int]] = []
    rest_minor = amount_minor
    for name in FREEZABLE_CLASSES:
        part_minor = min(rest_minor, left_minor.get(name, 0))
        if part_minor > 0:
            entries.append((commitment_account(name, commitment_id), -part_minor))
            rest_minor -= part_minor
    if not entries:
        return None
    entries.append((commitment_account("dispute_hold", commitment_id), amount_minor - rest_minor))
    return Posting(
        scope,
        "dispute_opened",
        f"dpo:{dispute_id}",
        tuple(entries),
        commitment_id=commitment_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def dispute_withdrawn(  # noqa: PLR0913 - facts of one movement, all named
    scope: str,
    commitment_id: UUID,
    amount_minor: int,
    *,
    bt_id: str,
    object_id: str,
    hold_minor: int,
    facts: Facts = NO_FACTS,
) -> Posting:
    """Stripe took the disputed funds: the hold bears it as far as it goes, the platform the rest."""
    _positive(amount_minor)
    from_hold_minor = min(amount_minor, hold_minor)
    return Posting(
        scope,
        "dispute_withdrawn",
        f"dpw:{bt_id}",
        _sides(
            {
                commitment_account("dispute_hold", commitment_id): -from_hold_minor,
                "dispute_loss": from_hold_minor - amount_minor,
                "psp_clearing": amount_minor,
            }
        ),
        commitment_id=commitment_id,
        object_id=object_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def dispute_reinstated(  # noqa: PLR0913 - facts of one movement, all named
    scope: str,
    commitment_id: UUID,
    amount_minor: int,
    *,
    bt_id: str,
    object_id: str,
    loss_charged_minor: int,
    facts: Facts = NO_FACTS,
) -> Posting:
    """The dispute was won and Stripe gave the funds back: first what this dispute had cost the platform, the rest to the
    hold."""
    _positive(amount_minor)
    to_loss_minor = min(amount_minor, loss_charged_minor)
    return Posting(
        scope,
        "dispute_reinstated",
        f"dpr:{bt_id}",
        _sides(
            {
                "psp_clearing": -amount_minor,
                "dispute_loss": to_loss_minor,
                commitment_account("dispute_hold", commitment_id): amount_minor - to_loss_minor,
            }
        ),
        commitment_id=commitment_id,
        object_id=object_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def dispute_ended(  # noqa: PLR0913 - facts of one ending, all named
    scope: str,
    commitment_id: UUID,
    *,
    dispute_id: str,
    split_minor: Mapping[str, int],
    campaign_closed: bool,
    facts: Facts = NO_FACTS,
) -> Posting | None:
    """Give the hold back by the opening's split (`split_minor`: class → amount); all of it is owed to the person when the
    campaign is closed. None when the split is empty."""
    total_minor = sum(split_minor.values())
    if total_minor == 0:
        return None
    back = {"refund_payable": total_minor} if campaign_closed else dict(split_minor)
    amounts = {commitment_account(name, commitment_id): amount for name, amount in back.items()}
    amounts[commitment_account("dispute_hold", commitment_id)] = -total_minor
    return Posting(
        scope,
        "dispute_ended",
        f"dpe:{dispute_id}",
        _sides(amounts),
        commitment_id=commitment_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def dispute_shifted(  # noqa: PLR0913 - facts of one shift, all named
    scope: str,
    commitment_id: UUID,
    amount_minor: int,
    *,
    of: str,
    paid_by_refund: bool,
    facts: Facts = NO_FACTS,
) -> Posting:
    """The person got the money by a refund and from the bank: of the two only one was owed. `paid_by_refund`: a refund
    got through although the bank has taken the funds, so the platform bears them and the refund can be posted. Otherwise
    the bank's taking, so far the platform's loss, settles a refund that is still owed. `of` names the refund."""
    _positive(amount_minor)
    signed_minor = amount_minor if paid_by_refund else -amount_minor
    return Posting(
        scope,
        "dispute_shifted",
        f"dps:{of}",
        (
            (commitment_account("refund_payable", commitment_id), signed_minor),
            ("dispute_loss", -signed_minor),
        ),
        commitment_id=commitment_id,
        relied_on=facts.relied_on,
        event_at=facts.event_at,
    )


def _sides(amounts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple((account, amount_minor) for account, amount_minor in amounts.items() if amount_minor)


def _positive(amount_minor: int) -> None:
    if amount_minor <= 0:
        raise LedgerRefused("amount_not_positive", amount_minor=amount_minor)
