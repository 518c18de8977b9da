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
from services.escrow.domain.ledger import Posting, check_balance, check_posting

EVENT_BYTES_MAX = 400_000
"""Bound on the estimated body of one LedgerTransfersPosted event, well below what one message may hold."""

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
        parameters = {"scopes": [scope for scope, _ in missing], "accounts": [account for _, account in missing]}
        rows = await self._work.connection.execute(_SELECT_ACCOUNTS, parameters)
        for pair in missing:
            self._accounts[pair] = _Account(0, 0)
        for row in rows:
            self._accounts[row.scope, row.account] = _Account(row.balance_minor, row.version)

    async def load_causes(self, causes: Iterable[str]) -> None:
        """Learn which causes are posted already, in one statement."""
        missing = [cause for cause in dict.fromkeys(causes) if cause not in self._causes]
        if not missing:
            return
        rows = await self._work.connection.execute(_SELECT_CAUSES, {"causes": missing})
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
        insert = asyncio.create_task(self._insert(_columns(numbered, now)))
        try:
            # The database works on the insert while the models are made here.
            await asyncio.sleep(0)
            return _TRANSFERS.validate_python(numbered)
        finally:
            await insert

    async def _insert(self, columns: dict[str, Any]) -> None:
        await self._work.connection.execute(_INSERT, columns)

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
    return None if value is None else str(value)


def _columns(transfers: list[dict[str, Any]], now: datetime) -> dict[str, Any]:
    """The parameters of the insert: one array for each column."""
    entries = [(transfer, entry) for transfer in transfers for entry in transfer["entries"]]
    columns: dict[str, Any] = {f"t_{name}": [transfer[name] for transfer in transfers] for name in _TRANSFER_COLUMNS}
    columns["t_relied_on"] = ["{" + ",".join(transfer["relied_on"]) + "}" for transfer in transfers]
    columns["created_at"] = now
    columns["e_scope"] = [transfer["scope"] for transfer, _ in entries]
    columns["e_position"] = [transfer["position"] for transfer, _ in entries]
    columns.update({f"e_{name}": [entry[name] for _, entry in entries] for name in _ENTRY_COLUMNS})
    return columns


_TRANSFERS = TypeAdapter(list[LedgerTransfer])
_TRANSFER_COLUMNS = (
    "scope",
    "position",
    "kind",
    "cause",
    "commitment_id",
    "plan_id",
    "reverses",
    "reason",
    "event_at",
    "hash",
)
_ENTRY_COLUMNS = ("account", "amount_minor", "balance_minor", "version", "object_id")

_SELECT_HEADS = text(
    """
    SELECT scope, currency, transfer_count, chain_head
    FROM ledger_scope
    WHERE stream = ANY (CAST(:streams AS text[]))
    """
)

_SELECT_ACCOUNTS = text(
    """
    SELECT scope, account, balance_minor, version
    FROM ledger_find_accounts(CAST(:scopes AS text[]), CAST(:accounts AS text[]))
    """
)

_SELECT_CAUSES = text("SELECT cause FROM ledger_find_causes(CAST(:causes AS text[])) AS cause")

# Both inserts are one statement on purpose: the triggers at its end see whole transfers, and refuse anything else.
# The entries stand outermost so that their trigger, which seals the transfers, runs before the transfers' own.
_INSERT = text(
    """
    WITH moved AS (
        INSERT INTO ledger_transfer (
            scope, position, kind, cause, commitment_id, plan_id, reverses, reason, relied_on, event_at, created_at,
            hash
        )
        SELECT
            t.scope, t.position, t.kind, t.cause, t.commitment_id, t.plan_id, t.reverses, t.reason,
            CAST(t.relied_on AS uuid[]), t.event_at, CAST(:created_at AS timestamptz), t.hash
        FROM unnest(
            CAST(:t_scope AS text[]), CAST(:t_position AS bigint[]), CAST(:t_kind AS text[]), CAST(:t_cause AS text[]),
            CAST(CAST(:t_commitment_id AS text[]) AS uuid[]), CAST(CAST(:t_plan_id AS text[]) AS uuid[]), CAST(:t_reverses AS bigint[]),
            CAST(:t_reason AS text[]), CAST(:t_relied_on AS text[]), CAST(:t_event_at AS timestamptz[]),
            CAST(:t_hash AS text[])
        ) AS t (scope, position, kind, cause, commitment_id, plan_id, reverses, reason, relied_on, event_at, hash)
    )
    INSERT INTO ledger_entry (scope, position, account, amount_minor, balance_minor, version, object_id)
    SELECT e.scope, e.position, e.account, e.amount_minor, e.balance_minor, e.version, e.object_id
    FROM unnest(
        CAST(:e_scope AS text[]), CAST(:e_position AS bigint[]), CAST(:e_account AS text[]),
        CAST(:e_amount_minor AS bigint[]), CAST(:e_balance_minor AS bigint[]), CAST(:e_version AS bigint[]),
        CAST(:e_object_id AS text[])
    ) AS e (scope, position, account, amount_minor, balance_minor, version, object_id)
    """
)
