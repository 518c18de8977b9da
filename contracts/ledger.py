"""Ledger facts as they leave the escrow service: transfers with their entries, plan lines, release conditions.

The canonical form that is hashed is defined beside these types, so that a verifier needs nothing else: a transfer's
hash is SHA-256 over the version tag, the previous transfer's hash and the canonical JSON of the transfer with its
entries sorted. The vectors in `contracts/examples/ledger_vectors.json` pin it. A chain proves that history before a
known hash was not rewritten; it cannot show a rewrite whose later hashes were all made anew, unless one of the old
hashes had left the database (as an event, or in a signed checkpoint).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from operator import itemgetter
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.common import Hash
from contracts.money import Currency, PositiveAmountMinor

PlanKind = Literal["release", "reserve_release"]
"""Plans that send money to a supplier."""

HandKind = Literal["manual_refund", "partial_refund", "outside_payout", "goodwill", "recovery", "correction", "give_up"]
"""Plans for the acts on money that people decide by hand."""

AnyPlanKind = PlanKind | HandKind

LineSource = Literal["escrow", "reserve", "refund_payable", "supplier_payable", "goodwill", "dispute_loss"]
"""The account class whose balance a line of a plan draws on, or adds to when the platform gives or gets back."""

TRANSFER_HASH_VERSION = "alpmera.ledger.transfer.1"
"""Version tag of the canonical form. Any change of the form needs a new tag; old rows keep theirs."""

GENESIS_HASH = "0" * 64
"""The previous hash of a scope's first transfer."""


class LedgerEntry(BaseModel):
    """One side of a transfer: credit positive, debit negative, minor units; balance and version are after it.

    `object_id` names the object at Stripe that a `psp_clearing` entry speaks of: the id that Stripe's balance
    transaction gives as its source.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str
    amount_minor: int
    balance_minor: int
    version: int
    object_id: str | None = None


class LedgerTransfer(BaseModel):
    """One ledger transfer with its entries, as hashed (`transfer_hash`).

    `position` runs 1, 2, 3 … in its scope; `cause` is unique over the whole ledger; `plan_id` names the plan two people
    approved; `reverses` is the position of the transfer that this one takes back, entry by entry.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scope: str
    currency: Currency
    position: int
    kind: str
    cause: str
    commitment_id: UUID | None
    plan_id: UUID | None = None
    reverses: int | None = None
    reason: str | None
    event_at: datetime
    relied_on: tuple[UUID, ...]
    previous_hash: Hash
    hash: Hash
    entries: tuple[LedgerEntry, ...]


class PlanLine(BaseModel):
    """One commitment's part of a plan: how much, of which account, and whether it is kept in reserve."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    commitment_id: UUID
    amount_minor: PositiveAmountMinor
    to_reserve: bool = False
    source: LineSource = "escrow"


class LinePreview(BaseModel):
    """A line with the balance of its account before and after it; `account` is the whole account name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    commitment_id: UUID
    amount_minor: PositiveAmountMinor
    to_reserve: bool = False
    account: str
    before_minor: int
    after_minor: int


class AccountPreview(BaseModel):
    """What a plan does to one account class of its campaign: credit +, debit −, minor units."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str
    before_minor: int
    movement_minor: int
    after_minor: int


class ReleaseCondition(BaseModel):
    """One release condition with its verdict and the ids of the events it rests on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    met: bool
    evidence: tuple[UUID, ...] = ()


def transfer_hash(transfer: LedgerTransfer) -> str:
    """The hash a transfer must carry: lower-case hex. `hash` itself is no part of it, `previous_hash` is."""
    return chained_hash(transfer.previous_hash, canonical_transfer(transfer))


def chained_hash(previous_hash: str, canonical: bytes) -> str:
    """SHA-256 over version tag, previous hash and canonical bytes, divided by line feeds (which none of them holds)."""
    return hashlib.sha256(b"%b\n%b\n%b" % (_VERSION_BYTES, previous_hash.encode(), canonical)).hexdigest()


def canonical_transfer(transfer: LedgerTransfer) -> bytes:
    """The canonical JSON of a transfer: sorted keys, no spaces, UTF-8; absent values as null; entries sorted by account;
    UUIDs in lower case; the time in UTC with six decimals and `Z`; `relied_on` in its stored sequence."""
    values = dict(transfer)
    values["entries"] = [dict(entry) for entry in transfer.entries]
    return canonical_values(values)


def canonical_values(values: Mapping[str, Any]) -> bytes:
    """The canonical JSON of a transfer given as its fields, entries as mappings.

    Written out by hand, because every posting is hashed and a general encoder takes five times as long. It equals
    `json.dumps(…, sort_keys=True, separators=(",", ":"), ensure_ascii=False)` of the same fields; a test holds it there.
    """
    entries = ",".join(
        [
            f'{{"account":{_quoted(entry["account"])},"amount_minor":{entry["amount_minor"]}'
            f',"balance_minor":{entry["balance_minor"]},"object_id":{_text(entry["object_id"])}'
            f',"version":{entry["version"]}}}'
            for entry in sorted(values["entries"], key=_ACCOUNT_OF)
        ]
    )
    relied_on = ",".join([f'"{event_id}"' for event_id in values["relied_on"]])
    reverses = "null" if values["reverses"] is None else values["reverses"]
    return (
        f'{{"cause":{_quoted(values["cause"])},"commitment_id":{_id(values["commitment_id"])}'
        f',"currency":{_quoted(values["currency"])},"entries":[{entries}]'
        f',"event_at":"{canonical_time(values["event_at"])}","kind":{_quoted(values["kind"])}'
        f',"plan_id":{_id(values["plan_id"])},"position":{values["position"]},"reason":{_text(values["reason"])}'
        f',"relied_on":[{relied_on}],"reverses":{reverses},"scope":{_quoted(values["scope"])}}}'
    ).encode()


@lru_cache(maxsize=1024)
def canonical_time(moment: datetime) -> str:
    """A moment in UTC with six decimals and `Z`. Raises ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone names no moment")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def chain_fault(transfers: Iterable[LedgerTransfer], head: str = GENESIS_HASH, count: int = 0) -> int | None:
    """The position of the first transfer that does not continue the chain, or None when all do.

    `head` and `count` are the hash and position before the first transfer given (a scope's beginning by default).
    """
    for transfer in transfers:
        count += 1
        if transfer.position != count or transfer.previous_hash != head or transfer_hash(transfer) != transfer.hash:
            return transfer.position
        head = transfer.hash
    return None


_VERSION_BYTES = TRANSFER_HASH_VERSION.encode()
_ACCOUNT_OF = itemgetter("account")
_quoted = encode_basestring


def _text(value: str | None) -> str:
    return "null" if value is None else _quoted(value)


def _id(value: UUID | None) -> str:
    return "null" if value is None else f'"{value}"'
