"""What a plan would do to each account, computed from the very postings it would make.

Sums per account class of the campaign, and each line with its own account before and after. A posting that an account
could not bear is refused here, before anybody approves it.
"""

from __future__ import annotations

from collections import Counter

from contracts.errors import Rejected
from contracts.ledger import AccountPreview, LinePreview
from services.escrow.domain.ledger import ACCOUNT_CLASSES, LedgerRefused, Posting, account_class, check_balance
from services.escrow.plan_kinds.acts import Draft
from services.escrow.store.plans import class_totals
from services.escrow.usecases.post_transfers import balances
from services.kit.work import Work


async def preview_plan(
    work: Work, scope: str, draft: Draft
) -> tuple[tuple[AccountPreview, ...], tuple[LinePreview, ...]]:
    """Accounts and lines before and after. Raises Rejected `line_exceeds_balance`. The batch is written before."""
    names = list(dict.fromkeys(account for posting in draft.postings for account, _ in posting.entries))
    before = await balances(work, scope, names)
    after = Counter(before)
    movements: Counter[str] = Counter()
    for posting in draft.postings:
        for account, amount_minor in posting.entries:
            after[account] += amount_minor
            movements[account_class(account)] += amount_minor
            _check(posting, account, after[account])
    for account, amount_minor in draft.more:
        movements[account] += amount_minor
    totals = await class_totals(work.connection, scope)
    accounts = tuple(
        AccountPreview(
            account=name,
            before_minor=totals.get(name, 0),
            movement_minor=moved,
            after_minor=totals.get(name, 0) + moved,
        )
        for name in ACCOUNT_CLASSES
        if (moved := movements[name]) or name in movements
    )
    return accounts, _lines(draft, before, after)


def _check(posting: Posting, account: str, balance_minor: int) -> None:
    try:
        check_balance(account, balance_minor)
    except LedgerRefused:
        raise Rejected(
            "line_exceeds_balance",
            account=account_class(account),
            commitment_id=posting.commitment_id,
            after_minor=balance_minor,
        ) from None


def _lines(draft: Draft, before: dict[str, int], after: Counter[str]) -> tuple[LinePreview, ...]:
    kept = {line.commitment_id for line in draft.lines if line.to_reserve}
    found = []
    for posting in draft.postings:
        if posting.commitment_id is None:
            continue
        account, amount_minor = _own_account(posting)
        found.append(
            LinePreview(
                commitment_id=posting.commitment_id,
                amount_minor=abs(amount_minor),
                to_reserve=posting.commitment_id in kept,
                account=account,
                before_minor=before[account],
                after_minor=after[account],
            )
        )
    return tuple(found) or tuple(
        LinePreview(
            commitment_id=line.commitment_id,
            amount_minor=line.amount_minor,
            account=line.source,
            before_minor=before.get(line.source, 0),
            after_minor=after.get(line.source, 0),
        )
        for line in draft.lines
    )


def _own_account(posting: Posting) -> tuple[str, int]:
    """The commitment's account that a posting draws on, or else the one that it adds to."""
    own = [entry for entry in posting.entries if ACCOUNT_CLASSES[account_class(entry[0])].per_commitment]
    return min(own, key=lambda entry: entry[1])
