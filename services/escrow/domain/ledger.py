"""The chart of accounts, the kinds of postings, and the rules that a posting must keep.

Owns what an account may be called and hold, and which accounts a kind may debit and credit, so that a wrong posting is
refused before it reaches the database, which holds the same rules again (balance, below zero, plans). Amounts are
integer minor units, credit +, debit −. It cannot see whether a fact at Stripe is true; reconciliation does that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, NamedTuple
from uuid import UUID

from contracts.envelope import PLATFORM_SCOPE
from contracts.money import AMOUNT_MINOR_MAX

AccountType = Literal["asset", "owed", "income", "cost", "equity"]

ENTRIES_MAX = 8
"""Most entries of one transfer; the largest kind (a dispute's opening) has four."""

NAME_CHARACTERS_MAX = 200
"""Longest cause, and longest object id at Stripe (theirs are at most 255 bytes and in practice below 70)."""

UNIT_SEPARATOR = "\x1f"
"""What may stand in no cause and no object id: the store joins names with it."""

REASON_CHARACTERS_MAX = 4_000
IDS_AT_HAND_MAX = 4_096
"""Most ids whose text is kept at hand: more than a batch has."""

RELIED_ON_MAX = 1_000
"""Most events that one transfer may rest on."""


class LedgerRefused(Exception):  # noqa: N818 - a rule's answer; the caller decides whether it is a defect
    """A posting breaks a rule of the ledger. `code` is stable; `facts` say which account and which figures."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(f"{code}: {facts}")
        self.code = code
        self.facts = facts


@dataclass(frozen=True, slots=True)
class AccountClass:
    """What is true of every account of a class.

    `may_be_debit` and `may_be_credit` say whether a stored balance may lie below and above zero (credit +, debit −).
    """

    type: AccountType
    per_commitment: bool = False
    in_campaign: bool = True
    in_platform: bool = False
    may_be_debit: bool = False
    may_be_credit: bool = True


ACCOUNT_CLASSES: Mapping[str, AccountClass] = MappingProxyType(
    {
        # Held: what Stripe keeps for us. Debit balances, as assets have; timing may turn all but the reserve.
        "psp_clearing": AccountClass("asset", in_platform=True, may_be_debit=True),
        "psp_pending": AccountClass("asset", in_platform=True, may_be_debit=True),
        "psp_available": AccountClass("asset", in_platform=True, may_be_debit=True),
        "psp_reserved": AccountClass(
            "asset", in_campaign=False, in_platform=True, may_be_debit=True, may_be_credit=False
        ),
        # Owed: whose money it is. Never below zero, so that no cent is given twice.
        "escrow": AccountClass("owed", per_commitment=True),
        "refund_payable": AccountClass("owed", per_commitment=True),
        "dispute_hold": AccountClass("owed", per_commitment=True),
        "reserve": AccountClass("owed", per_commitment=True),
        "supplier_payable": AccountClass("owed"),
        "suspense": AccountClass("owed", in_campaign=False, in_platform=True, may_be_debit=True),
        # The platform's own side.
        "platform_fee": AccountClass("income"),
        "psp_cost": AccountClass("cost", in_platform=True, may_be_debit=True),
        "dispute_loss": AccountClass("cost", may_be_debit=True),
        "goodwill": AccountClass("cost", may_be_debit=True, may_be_credit=False),
        "house_paid": AccountClass("equity"),
        "platform_float": AccountClass("equity", in_campaign=False, in_platform=True, may_be_debit=True),
    }
)

HELD_CLASSES = ("psp_clearing", "psp_pending", "psp_available", "psp_reserved")
OWED_CLASSES = ("escrow", "refund_payable", "dispute_hold", "reserve", "supplier_payable", "suspense")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of transfer: the prefix of its cause, the classes it may debit and credit, what it must name."""

    cause: str
    debits: frozenset[str]
    credits: frozenset[str]
    names_commitment: bool = False
    names_plan: bool = False
    names_reason: bool = False
    reverses: bool = False


def _kind(cause: str, debited: str, credited: str, **names: bool) -> Kind:
    return Kind(cause, frozenset(debited.split()), frozenset(credited.split()), **names)


_SIDES = "psp_clearing psp_pending psp_cost"

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "lock": _kind("pi", "psp_clearing", "escrow", names_commitment=True),
        "late_receipt": _kind("pi", "psp_clearing", "refund_payable", names_commitment=True),
        "psp_settle": _kind("bt", _SIDES, _SIDES),
        "psp_sweep": _kind("sweep", "psp_available psp_pending", "psp_available psp_pending"),
        "refund_decided": _kind("ref", "escrow reserve", "refund_payable", names_commitment=True, names_reason=True),
        "refund_sent": _kind("refs", "refund_payable", "psp_clearing", names_commitment=True),
        "refund_failed": _kind("reff", "psp_clearing", "refund_payable", names_commitment=True),
        "refund_paid_outside": _kind(
            "out", "refund_payable", "house_paid", names_commitment=True, names_plan=True, names_reason=True
        ),
        "clear": _kind("clr", "escrow", "supplier_payable reserve", names_commitment=True, names_plan=True),
        "clear_undone": _kind("unclr", "supplier_payable", "escrow reserve", names_commitment=True, names_plan=True),
        "fee": _kind("fee", "supplier_payable", "platform_fee", names_plan=True),
        "transfer_sent": _kind("tr", "supplier_payable", "psp_clearing", names_plan=True),
        "transfer_back": _kind("trr", "psp_clearing", "supplier_payable dispute_loss", names_plan=True),
        "reserve_release": _kind("rsv", "reserve", "supplier_payable", names_commitment=True, names_plan=True),
        "goodwill": _kind(
            "gw", "goodwill", "refund_payable", names_commitment=True, names_plan=True, names_reason=True
        ),
        "dispute_opened": _kind("dpo", "escrow refund_payable reserve", "dispute_hold", names_commitment=True),
        "dispute_withdrawn": _kind("dpw", "dispute_hold dispute_loss", "psp_clearing", names_commitment=True),
        "dispute_reinstated": _kind("dpr", "psp_clearing", "dispute_loss dispute_hold", names_commitment=True),
        "dispute_ended": _kind("dpe", "dispute_hold", "escrow refund_payable reserve", names_commitment=True),
        "dispute_shifted": _kind(
            "dps", "dispute_loss refund_payable", "dispute_loss refund_payable", names_commitment=True
        ),
        "topup": _kind("tu", "psp_clearing", "platform_float"),
        "bank_payout": _kind("po", "platform_float", "psp_clearing"),
        "psp_fee_account": _kind("bt", "psp_cost psp_pending", "psp_cost psp_pending"),
        "psp_held": _kind("bt", "psp_reserved", "psp_available"),
        "psp_freed": _kind("bt", "psp_available", "psp_reserved"),
        "suspense": _kind("sus", "suspense psp_pending", "suspense psp_pending"),
        "explained": _kind("exp", "suspense psp_pending", "suspense psp_pending", reverses=True),
        "correction": _kind(
            "cor",
            " ".join(ACCOUNT_CLASSES),
            " ".join(ACCOUNT_CLASSES),
            names_plan=True,
            names_reason=True,
            reverses=True,
        ),
    }
)


class Posting(NamedTuple):
    """One transfer to be posted in one scope. `entries` are (account, amount): credit +, debit −, minor units.

    `object_id` is the object at Stripe that a `psp_clearing` entry speaks of, as a balance transaction names its source.
    `event_at` is when it happened (stack time); absent means the moment of posting. `plan_id` names the plan that two
    people approved; `reverses` is the position of the transfer in this scope that this posting takes back.
    """

    scope: str
    kind: str
    cause: str
    entries: tuple[tuple[str, int], ...]
    commitment_id: UUID | None = None
    reason: str | None = None
    relied_on: tuple[UUID, ...] = ()
    event_at: datetime | None = None
    object_id: str | None = None
    plan_id: UUID | None = None
    reverses: int | None = None


def account_class(account: str) -> str:
    """The class of an account: the name before the colon."""
    return account.partition(":")[0]


@lru_cache(maxsize=IDS_AT_HAND_MAX)
def id_text(value: UUID) -> str:
    """An id as text, kept at hand: a posting writes its commitment's several times."""
    return str(value)


def commitment_account(name: str, commitment_id: UUID) -> str:
    """The account of a class for one commitment, such as `escrow:<commitment id>`."""
    return f"{name}:{id_text(commitment_id)}"


def check_balance(account: str, balance_minor: int) -> None:
    """Raise LedgerRefused `insufficient_balance` when the account's class may not hold this balance."""
    found = ACCOUNT_CLASSES[account_class(account)]
    if (balance_minor < 0 and not found.may_be_debit) or (balance_minor > 0 and not found.may_be_credit):
        raise LedgerRefused("insufficient_balance", account=account, balance_minor=balance_minor)


def check_posting(posting: Posting) -> None:
    """Check a posting alone, without balances. Raises LedgerRefused: `unknown_kind`, `wrong_cause`, `unbalanced`,
    `unknown_account`, `wrong_account`, `amount_out_of_range`, `object_missing`, `commitment_missing`, `plan_missing`, `reason_missing`, `reversal_missing`, `too_large`,
    `unreadable`."""
    kind = KINDS.get(posting.kind)
    if kind is None:
        raise LedgerRefused("unknown_kind", kind=posting.kind)
    prefix, _, rest = posting.cause.partition(":")
    if prefix != kind.cause or not rest:
        raise LedgerRefused("wrong_cause", kind=posting.kind, cause=posting.cause)
    _check_names(posting, kind)
    _check_entries(posting, kind)


def _check_names(posting: Posting, kind: Kind) -> None:
    if kind.names_commitment and posting.commitment_id is None:
        raise LedgerRefused("commitment_missing", kind=posting.kind, cause=posting.cause)
    if kind.names_plan and posting.plan_id is None:
        raise LedgerRefused("plan_missing", kind=posting.kind, cause=posting.cause)
    if kind.names_reason and not posting.reason:
        raise LedgerRefused("reason_missing", kind=posting.kind, cause=posting.cause)
    names = posting.cause + (posting.object_id or "")
    if UNIT_SEPARATOR in names or "\0" in names or "\0" in (posting.reason or ""):
        raise LedgerRefused("unreadable", kind=posting.kind)
    if (
        len(posting.cause) > NAME_CHARACTERS_MAX
        or len(posting.object_id or "") > NAME_CHARACTERS_MAX
        or len(posting.reason or "") > REASON_CHARACTERS_MAX
        or len(posting.relied_on) > RELIED_ON_MAX
    ):
        raise LedgerRefused("too_large", kind=posting.kind, cause=posting.cause[:NAME_CHARACTERS_MAX])
    if kind.reverses != (posting.reverses is not None):
        raise LedgerRefused("reversal_missing", kind=posting.kind, cause=posting.cause)


def _check_entries(posting: Posting, kind: Kind) -> None:
    entries = posting.entries
    if not 2 <= len(entries) <= ENTRIES_MAX or len({account for account, _ in entries}) != len(entries):
        raise LedgerRefused("unbalanced", cause=posting.cause, entries=len(entries))
    in_platform = posting.scope == PLATFORM_SCOPE
    # A transfer moves one person's money only: every commitment account in it is the named commitment's.
    own = None if posting.commitment_id is None else f":{id_text(posting.commitment_id)}"
    total = 0
    for account, amount_minor in entries:
        total += amount_minor
        name, colon, _ = account.partition(":")
        found = ACCOUNT_CLASSES.get(name)
        if found is None or not (found.in_platform if in_platform else found.in_campaign):
            raise LedgerRefused("unknown_account", scope=posting.scope, account=account)
        if (own is None or account != name + own) if found.per_commitment else account != name:
            raise LedgerRefused("wrong_account", kind=posting.kind, account=account)
        if name not in (kind.credits if amount_minor > 0 else kind.debits):
            raise LedgerRefused("wrong_account", kind=posting.kind, account=account, amount_minor=amount_minor)
        if amount_minor == 0 or not -AMOUNT_MINOR_MAX <= amount_minor <= AMOUNT_MINOR_MAX:
            raise LedgerRefused("amount_out_of_range", account=account, amount_minor=amount_minor)
        if name == "psp_clearing" and not posting.object_id:
            raise LedgerRefused("object_missing", kind=posting.kind, cause=posting.cause)
    if total != 0:
        raise LedgerRefused("unbalanced", cause=posting.cause, total_minor=total)


def reversed_entries(entries: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    """The same accounts with every sign turned."""
    return tuple((account, -amount_minor) for account, amount_minor in entries)
