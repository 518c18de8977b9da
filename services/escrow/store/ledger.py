"""The one posting function: balances in memory for a batch, one bulk write of whole transfers at its end.

Owns the numbering and hashing of transfers. A use case asks balances and posts; nothing is written until `write`, which
inserts transfers and entries in one statement. The database checks all of it again in that statement (see the guards of
revision 0001), makes the account rows from the entries and moves the scope's head. The scope's row must be locked by the
caller's transaction before `open_ledger` reads it; the kit does that for every message. What this cannot catch: two
ledgers in one transaction for one scope; `ledger_of` gives the one of the transaction.

Lookups happen in bulk beforehand (`load`, `load_causes`, or `prepare` for both). Asking for an account or a cause that was
not loaded is a defect in the caller and raises LookupError: a guess would post on a wrong balance.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.envelope import stream_name
from contracts.escrow import LedgerTransfersPosted
from contracts.ledger import LedgerTransfer, canonical_values, chained_hash
from services.escrow.domain.ledger import Posting, check_balance, check_posting, id_text
from services.escrow.store.ledger_rows import (
    INSERT,
    SELECT_ACCOUNTS,
    SELECT_CAUSES,
    account_columns,
    cause_columns,
    insert_parameters,
    transfer_columns,
)

EVENT_BYTES_MAX = 400_000
"""Bound on the estimated body of one LedgerTransfersPosted event, well below what one message may hold."""

MODELS_AT_ONCE = 50
"""Transfers made into models between two looks at the connection."""

_CACHE_KEY = "escrow.ledger"


class LedgerWork(Protocol):
    """What the ledger needs of an open transaction."""

    service: str
    connection: AsyncConnection
    cache: dict[Any, Any]

    @property
    def now(self) -> datetime:
        """Stack time, read after the locks."""


@dataclass(slots=True)
class _Head:
    """A scope's head in memory."""

    currency: str
    transfer_count: int
    chain_head: str


@dataclass(slots=True)
class _Account:
    """A running balance in memory."""

    balance_minor: int
    version: int


class Ledger:
    """The ledger of one transaction. Make it with `open_ledger`, find it again with `ledger_of`."""

    def __init__(self, work: LedgerWork) -> None:
        self._work = work
        self._scopes: set[str] = set()
        self._accounts: dict[tuple[str, str], _Account] = {}
        self._causes: dict[str, bool] = {}
        self._fresh: list[tuple[Posting, list[dict[str, Any]]]] = []

    def open_scopes(self, scopes: Iterable[str]) -> None:
        """Allow postings in these scopes; the caller's transaction holds their locks."""
        self._scopes.update(scopes)

    async def load(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Load balances of (scope, account) pairs not yet in memory, in one statement; a new account holds nothing."""
        missing = [pair for pair in dict.fromkeys(wanted) if pair not in self._accounts]
        if not missing:
            return
        rows = await self._work.connection.execute(SELECT_ACCOUNTS, account_columns(missing))
        for pair in missing:
            self._accounts[pair] = _Account(0, 0)
        for row in rows:
            self._accounts[row.scope, row.account] = _Account(row.balance_minor, row.version)

    async def load_causes(self, causes: Iterable[str]) -> None:
        """Learn which causes are posted already, in one statement."""
        missing = [cause for cause in dict.fromkeys(causes) if cause not in self._causes]
        if not missing:
            return
        rows = await self._work.connection.execute(SELECT_CAUSES, cause_columns(missing))
        self._causes.update(dict.fromkeys(missing, False))
        self._causes.update((row.cause, True) for row in rows)

    async def prepare(self, postings: Sequence[Posting]) -> None:
        """Load what these postings need: their accounts and causes."""
        await self.load((posting.scope, account) for posting in postings for account, _ in posting.entries)
        await self.load_causes(posting.cause for posting in postings)

    def balance(self, scope: str, account: str) -> int:
        """The balance in minor units, credit +, postings of this batch included."""
        try:
            return self._accounts[scope, account].balance_minor
        except KeyError:
            raise LookupError(f"{account} of {scope} is not loaded") from None

    def posted(self, cause: str) -> bool:
        """Whether the cause is in the ledger or in this batch."""
        try:
            return self._causes[cause]
        except KeyError:
            raise LookupError(f"cause {cause} is not loaded") from None

    def post(self, posting: Posting) -> bool:
        """Add a transfer to the batch; False when its cause is posted already, whatever its entries say now.

        Raises LedgerRefused when a rule forbids it; then nothing is changed. Raises LookupError for what is not loaded.
        """
        if self.posted(posting.cause):
            return False
        check_posting(posting)
        scope = posting.scope
        if scope not in self._scopes:
            raise LookupError(f"scope {scope} is not open")
        entries: list[dict[str, Any]] = []
        held_accounts: list[_Account] = []
        for account, amount_minor in posting.entries:
            held = self._accounts.get((scope, account))
            if held is None:
                raise LookupError(f"{account} of {scope} is not loaded")
            balance_minor = held.balance_minor + amount_minor
            check_balance(account, balance_minor)
            held_accounts.append(held)
            entries.append(
                {
                    "account": account,
                    "amount_minor": amount_minor,
                    "balance_minor": balance_minor,
                    "version": held.version + 1,
                    "object_id": posting.object_id if account == "psp_clearing" else None,
                }
            )
        for held, entry in zip(held_accounts, entries, strict=True):
            held.balance_minor, held.version = entry["balance_minor"], entry["version"]
        self._fresh.append((posting, entries))
        self._causes[posting.cause] = True
        return True

    async def write(self) -> list[LedgerTransfer]:
        """Number, hash and write the batch, whole transfers only. Returns what was written, in sequence per scope.

        What plans and intents the transfers rest on must be in the database by now: flush the session first.
        """
        fresh, self._fresh = self._fresh, []
        if not fresh:
            return []
        heads = await self._heads({posting.scope for posting, _ in fresh})
        now = self._work.now
        numbered = [_numbered(posting, entries, heads[posting.scope], now) for posting, entries in fresh]
        insert = asyncio.create_task(self._insert(insert_parameters(transfer_columns(numbered), now)))
        try:
            return await _models(fresh, numbered)
        finally:
            await insert

    async def _insert(self, columns: dict[str, Any]) -> None:
        await self._work.connection.execute(INSERT, columns)

    async def _heads(self, scopes: set[str]) -> dict[str, _Head]:
        """The heads, read just before numbering: a scope's currency may have been set in this very transaction."""
        streams = [stream_name(self._work.service, scope) for scope in sorted(scopes)]
        rows = await self._work.connection.execute(_SELECT_HEADS, {"streams": streams})
        heads = {row.scope: _Head(row.currency, row.transfer_count, row.chain_head) for row in rows}
        if heads.keys() != scopes:
            raise LookupError(f"no ledger scope for {sorted(scopes - heads.keys())}")
        return heads


def _numbered(posting: Posting, entries: list[dict[str, Any]], head: _Head, now: datetime) -> dict[str, Any]:
    """Number and hash a transfer, and move the head in memory."""
    values: dict[str, Any] = {
        "scope": posting.scope,
        "currency": head.currency,
        "position": head.transfer_count + 1,
        "kind": posting.kind,
        "cause": posting.cause,
        "commitment_id": _text(posting.commitment_id),
        "plan_id": _text(posting.plan_id),
        "reverses": posting.reverses,
        "reason": posting.reason,
        "event_at": posting.event_at or now,
        "relied_on": [str(event_id) for event_id in posting.relied_on],
        "previous_hash": head.chain_head,
        "entries": entries,
    }
    values["hash"] = chained_hash(head.chain_head, canonical_values(values))
    head.transfer_count, head.chain_head = values["position"], values["hash"]
    return values


async def _models(
    fresh: list[tuple[Posting, list[dict[str, Any]]]], numbered: list[dict[str, Any]]
) -> list[LedgerTransfer]:
    """Make the models while the database works on the insert, in slices: between two of them the loop sends what the
    connection takes, so that a large statement is on its way. Ids go in as they are, which saves reading their text."""
    models: list[LedgerTransfer] = []
    for start in range(0, len(numbered), MODELS_AT_ONCE):
        await asyncio.sleep(0)
        some = slice(start, start + MODELS_AT_ONCE)
        models += _TRANSFERS.validate_python(
            [
                values
                | {"commitment_id": posting.commitment_id, "plan_id": posting.plan_id, "relied_on": posting.relied_on}
                for (posting, _), values in zip(fresh[some], numbered[some], strict=True)
            ]
        )
    return models


async def open_ledger(work: LedgerWork, scopes: Iterable[str], accounts: Iterable[tuple[str, str]] = ()) -> Ledger:
    """The transaction's ledger with these scopes open and these (scope, account) balances loaded."""
    ledger: Ledger | None = work.cache.get(_CACHE_KEY)
    if ledger is None:
        ledger = work.cache[_CACHE_KEY] = Ledger(work)
    ledger.open_scopes(scopes)
    await ledger.load(accounts)
    return ledger


def ledger_of(work: LedgerWork) -> Ledger:
    """The transaction's ledger. Raises LookupError before `open_ledger`."""
    ledger: Ledger | None = work.cache.get(_CACHE_KEY)
    if ledger is None:
        raise LookupError("no ledger is open in this transaction")
    return ledger


def posted_events(transfers: Sequence[LedgerTransfer]) -> Iterator[LedgerTransfersPosted]:
    """The events that carry these transfers out, per scope, in sequence, each of a size that one message may hold."""
    by_scope: dict[str, list[LedgerTransfer]] = {}
    for transfer in transfers:
        by_scope.setdefault(transfer.scope, []).append(transfer)
    for scope, of_scope in by_scope.items():
        part: list[LedgerTransfer] = []
        weight_bytes = 0
        for transfer in of_scope:
            if part and weight_bytes + _weight_bytes(transfer) > EVENT_BYTES_MAX:
                yield LedgerTransfersPosted(scope_id=scope, transfers=tuple(part))
                part, weight_bytes = [], 0
            part.append(transfer)
            weight_bytes += _weight_bytes(transfer)
        yield LedgerTransfersPosted(scope_id=scope, transfers=tuple(part))


def _weight_bytes(transfer: LedgerTransfer) -> int:
    """An upper estimate of a transfer's JSON: a reason may need six bytes for a character."""
    return 800 + 200 * len(transfer.entries) + 40 * len(transfer.relied_on) + 6 * len(transfer.reason or "")


def _text(value: UUID | None) -> str | None:
    return None if value is None else id_text(value)


_TRANSFERS = TypeAdapter(list[LedgerTransfer])

_SELECT_HEADS = text(
    """
    SELECT scope, currency, transfer_count, chain_head
    FROM ledger_scope
    WHERE stream = ANY (CAST(:streams AS text[]))
    """
)
