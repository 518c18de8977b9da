"""I3, and what I5 and I10 need of the payment side: every money fact of the journal against the ledger, both ways.

The journal is read page by page; each page's rows are looked up by cause, so memory stays bounded. The other direction
is proven by count and exclusive-or of the causes' digests; only when they differ are the causes named, by a second
reading. A fact younger than its clock (an hour for charges, a day for others, stack time) may still be on its way: it is
counted as waiting. It cannot see money that the payment side itself does not list.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.audit.findings import Finding, Findings
from deploy.audit.journal import Journal, Line
from deploy.audit.snapshot import Snapshot, rows, stream, value
from services.escrow.domain.reconciliation import clock_of

FACTS_NAMED_MAX = 1_000
"""Causes named when the two sides differ."""
BALANCE_EDGE = timedelta(minutes=2)

_BOOKED = """
    SELECT t.cause, t.kind, t.scope, s.currency, max(e.object_id) AS object_id, count(*) AS entries,
        COALESCE(SUM(e.amount_minor) FILTER (WHERE e.account = 'psp_clearing'), 0)::bigint AS clearing,
        COALESCE(SUM(e.amount_minor) FILTER (WHERE e.account = 'psp_cost'), 0)::bigint AS cost,
        COALESCE(SUM(e.amount_minor) FILTER (WHERE e.account = 'psp_pending'), 0)::bigint AS pending
    FROM ledger_transfer t
    JOIN ledger_scope s ON s.scope = t.scope
    JOIN ledger_entry e ON e.scope = t.scope AND e.position = t.position
    WHERE t.cause = ANY (CAST(:causes AS text[]))
    GROUP BY t.cause, t.kind, t.scope, s.currency, t.position
"""
_MIRRORED = """
    SELECT bt_id, amount, fee, net, currency, source, scope
    FROM balance_transaction
    WHERE bt_id = ANY (CAST(:ids AS text[]))
"""
_DIGEST = """
    SELECT split_part(cause, ':', 1) AS prefix, count(*) AS count,
        bit_xor(CAST('x' || md5(cause) AS bit(128)))::text AS digest
    FROM ledger_transfer
    WHERE split_part(cause, ':', 1) IN ('bt', 'pi', 'refs', 'reff', 'tr', 'trr', 'tu', 'dpw', 'dpr')
    GROUP BY 1
"""
_MIRROR_DIGEST = """
    SELECT count(*) AS count, bit_xor(CAST('x' || md5(bt_id) AS bit(128)))::text AS digest FROM balance_transaction
"""
_CLEARING = """
    WITH summed AS (
        SELECT object_id, min(scope) AS scope, SUM(amount_minor)::bigint AS balance_minor
        FROM ledger_entry
        WHERE account = 'psp_clearing'
        GROUP BY object_id
        HAVING SUM(amount_minor) <> 0
    )
    SELECT COALESCE(s.object_id, c.object_id) AS object_id, COALESCE(s.scope, c.scope) AS scope,
        COALESCE(s.balance_minor, 0) AS balance_minor, COALESCE(c.balance_minor, 0) AS noted_minor, c.since
    FROM summed s
    FULL JOIN clearing_object c ON c.object_id = s.object_id
"""
_HELD = """
    SELECT s.currency, -COALESCE(SUM(a.balance_minor) FILTER (WHERE a.class IN ('psp_pending', 'psp_available')), 0)::bigint
            AS balance_minor,
        -COALESCE(SUM(a.balance_minor), 0)::bigint AS held_minor
    FROM ledger_account a
    JOIN ledger_scope s ON s.scope = a.scope
    WHERE a.class IN ('psp_pending', 'psp_available', 'psp_reserved')
    GROUP BY s.currency
"""
_REVERSE = {
    "bt": "a ledger row names a balance transaction that Stripe does not have",
    "pi": "a ledger row names a payment that Stripe does not have",
    "refs": "a ledger row names a refund that Stripe did not pay",
    "reff": "a ledger row names a failed refund that Stripe does not have",
    "tr": "a ledger row names a transfer that Stripe does not have",
    "trr": "a ledger row names a reversal that Stripe does not have",
    "tu": "a ledger row names a top-up that Stripe does not have",
    "dpw": "a ledger row names disputed funds that Stripe did not take",
    "dpr": "a ledger row names disputed funds that Stripe did not give back",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a money fact must have in the ledger: one row with this cause, moving so much in clearing for this object."""

    cause: str
    object_id: str
    clearing_minor: int
    currency: str
    scope: str | None
    fact: Line


@dataclass(slots=True)
class Matched:
    """Causes that the journal explains, by prefix: their count and digests together."""

    count: int = 0
    digest: int = 0

    def take(self, cause: str) -> None:
        """Count one."""
        self.count += 1
        self.digest ^= int.from_bytes(hashlib.md5(cause.encode(), usedforsecurity=False).digest())


@dataclass
class Books:
    """The comparison's state over all pages."""

    snapshot: Snapshot
    findings: Findings
    matched: dict[str, Matched] = field(default_factory=lambda: {prefix: Matched() for prefix in (*_REVERSE, "mirror")})
    net_minor: dict[str, int] = field(default_factory=dict)
    listed_minor: dict[str, int] = field(default_factory=dict)
    waiting: int = 0
    facts: int = 0

    def fault(self, what: str, scope: str, subject: str, **facts: Any) -> None:
        """Count a violation of I3."""
        self.findings.add("I3", Finding(what, scope, subject, facts))

    def is_young(self, line: Line) -> bool:
        """Whether a fact may still be on its way."""
        source = str(line["object"].get("source") or line["object"]["id"])
        return self.snapshot.now - datetime.fromtimestamp(line["at"], UTC) <= clock_of(source)


async def check_journal(snapshot: Snapshot, findings: Findings, journal: Journal, *, quiet: bool) -> Books:
    """I3: the journal against the ledger. Returns what was compared."""
    books = Books(snapshot, findings)
    before = await journal.balance()
    async for page in journal.facts():
        books.facts += len(page)
        await _movements(books, [line for line in page if line["kind"] == "balance_transaction"])
        await _objects(books, [want for line in page for want in wanted_of(line)])
    await _reverse(books, journal)
    await check_clearing(snapshot, findings)
    await _sums(books, await journal.balance() if quiet else None, before)
    return books


# -- balance transactions ---------------------------------------------------------------------------------------


async def _movements(books: Books, lines: Sequence[Line]) -> None:
    if not lines:
        return
    escrow = books.snapshot.of("escrow")
    ids = [line["object"]["id"] for line in lines]
    causes = [f"{prefix}:{identity}" for identity in ids for prefix in ("bt", "sus", "exp")]
    booked = {row["cause"]: row for row in await rows(escrow, _BOOKED, causes=causes)}
    mirrored = {row["bt_id"]: row for row in await rows(escrow, _MIRRORED, ids=ids)}
    cases = await _suspense_cases(books, [identity for identity in ids if f"sus:{identity}" in booked])
    for line in lines:
        facts = line["object"]
        currency = facts["currency"]
        books.listed_minor[currency] = books.listed_minor.get(currency, 0) + facts["net"]
        _mirror(books, line, mirrored.get(facts["id"]))
        row = booked.get(f"bt:{facts['id']}")
        if row is not None:
            books.matched["bt"].take(row["cause"])
            books.net_minor[currency] = books.net_minor.get(currency, 0) + facts["net"]
            _movement(books, facts, row)
            continue
        if not facts["amount"] and not facts["fee"]:
            continue
        suspended = booked.get(f"sus:{facts['id']}")
        if suspended is not None and f"exp:{facts['id']}" not in booked:
            books.net_minor[currency] = books.net_minor.get(currency, 0) + facts["net"]
            if -suspended["pending"] != facts["net"]:
                books.fault("a suspense row has another amount", "platform", facts["id"], net_minor=facts["net"])
            if facts["id"] not in cases:
                books.fault("a suspense row without an open case", "platform", facts["id"], net_minor=facts["net"])
        elif books.is_young(line):
            books.waiting += 1
        else:
            told = {"type": facts["type"], "source": facts["source"], "net_minor": facts["net"]}
            books.fault("a balance transaction has no row in the ledger", "", facts["id"], **told)


def _mirror(books: Books, line: Line, row: Mapping[str, Any] | None) -> None:
    facts = line["object"]
    if row is None:
        if not books.is_young(line):
            books.fault("a balance transaction is not mirrored", "", facts["id"], net_minor=facts["net"])
        return
    books.matched["mirror"].take(facts["id"])
    names = {"amount": "amount", "fee": "fee", "net": "net", "currency": "currency", "source": "source"}
    differing = {name: [facts[name], row[name]] for name in names if facts[name] != row[name]}
    if differing:
        books.fault("a mirrored balance transaction differs", row["scope"] or "", facts["id"], differing=differing)


def _movement(books: Books, facts: Mapping[str, Any], row: Mapping[str, Any]) -> None:
    """A balance transaction's row: amount, fee, currency and object."""
    told = {"kind": row["kind"], "amount_minor": facts["amount"], "fee_minor": facts["fee"]}
    if row["currency"] != facts["currency"]:
        books.fault("a row has another currency", row["scope"], facts["id"], **told)
    if row["kind"] == "psp_settle":
        held = (row["clearing"], -row["cost"], -row["pending"])
        if held != (facts["amount"], facts["fee"], facts["net"]):
            told |= {"ledger_amount_minor": held[0], "ledger_fee_minor": held[1]}
            books.fault("a row has another amount or fee", row["scope"], facts["id"], **told)
        if facts["amount"] and row["object_id"] != facts["source"]:
            books.fault("a row settles another object", row["scope"], facts["id"], source=facts["source"])
    elif row["kind"] == "psp_fee_account" and -row["pending"] != facts["net"]:
        books.fault("a row has another amount or fee", row["scope"], facts["id"], **told)


async def _suspense_cases(books: Books, ids: Sequence[str]) -> set[str]:
    if not ids:
        return set()
    query = "SELECT subject FROM cases WHERE closed_at IS NULL AND kind = 'suspense' AND subject = ANY (CAST(:ids AS text[]))"
    return {row["subject"] for row in await rows(books.snapshot.of("escrow"), query, ids=list(ids))}


# -- objects ----------------------------------------------------------------------------------------------------


def wanted_of(line: Line) -> Iterable[Wanted]:
    """The ledger rows that a journaled object must have."""
    facts, kind = line["object"], line["kind"]
    if kind == "balance_transaction":
        yield from _of_dispute(line)
        return
    metadata = facts.get("metadata") or {}
    identity, amount_minor = facts["id"], facts["amount"]
    signs: list[tuple[str, int]] = []
    if kind == "charge" and facts["status"] == "succeeded":
        signs.append((f"pi:{metadata.get('intent_id', '')}", -1))
    elif kind == "refund" and facts["status"] == "succeeded":
        signs.append((f"refs:{identity}", 1))
    elif kind == "refund" and facts["status"] == "failed" and facts.get("failure_balance_transaction"):
        signs.append((f"reff:{identity}", -1))
    elif kind == "transfer":
        signs.append((f"tr:{identity}", 1))
    elif kind == "transfer_reversal":
        signs.append((f"trr:{identity}", -1))
    elif kind == "topup" and facts["status"] == "succeeded":
        signs.append((f"tu:{identity}", -1))
    for cause, sign in signs:
        yield Wanted(cause, identity, sign * amount_minor, facts["currency"], metadata.get("campaign_id"), line)


def _of_dispute(line: Line) -> Iterable[Wanted]:
    """What a bank took or gave back is told by its balance transaction alone: the dispute itself moves nothing."""
    facts = line["object"]
    if facts["type"] == "adjustment" and facts["reporting_category"] in ("dispute", "dispute_reversal"):
        cause = f"{'dpw' if facts['amount'] < 0 else 'dpr'}:{facts['id']}"
        yield Wanted(cause, str(facts["source"]), -facts["amount"], facts["currency"], None, line)


async def _objects(books: Books, wanted: Sequence[Wanted]) -> None:
    if not wanted:
        return
    suspended = {f"sus:{each.fact['object'].get('balance_transaction')}" for each in wanted}
    causes = [each.cause for each in wanted] + sorted(suspended)
    booked = {row["cause"]: row for row in await rows(books.snapshot.of("escrow"), _BOOKED, causes=causes)}
    for each in wanted:
        row = booked.get(each.cause)
        if row is None:
            # Money of an object that nobody here knows stands in suspense, where its movement is looked at.
            if f"sus:{each.fact['object'].get('balance_transaction')}" in booked:
                continue
            if books.is_young(each.fact):
                books.waiting += 1
            else:
                told = {"cause": each.cause, "amount_minor": abs(each.clearing_minor)}
                books.fault(f"a {each.fact['kind']} has no row in the ledger", each.scope or "", each.object_id, **told)
            continue
        held = (row["object_id"], row["clearing"], row["currency"])
        if held != (each.object_id, each.clearing_minor, each.currency) or each.scope not in (None, row["scope"]):
            told = {"cause": each.cause, "amount_minor": abs(each.clearing_minor), "ledger_minor": abs(row["clearing"])}
            told |= {"ledger_object": row["object_id"], "ledger_scope": row["scope"]}
            books.fault(
                f"a {each.fact['kind']} has another row in the ledger", each.scope or "", each.object_id, **told
            )
        if row["object_id"] == each.object_id:
            books.matched[each.cause.partition(":")[0]].take(each.cause)


# -- the other direction ----------------------------------------------------------------------------------------


async def _reverse(books: Books, journal: Journal) -> None:
    escrow = books.snapshot.of("escrow")
    known = {row["prefix"]: (row["count"], int(row["digest"], 2)) for row in await rows(escrow, _DIGEST)}
    unexplained = [
        prefix
        for prefix in _REVERSE
        if known.get(prefix, (0, 0)) != (books.matched[prefix].count, books.matched[prefix].digest)
    ]
    (mirror,) = await rows(escrow, _MIRROR_DIGEST)
    mirror_differs = (mirror["count"], int(mirror["digest"] or "0", 2)) != (
        books.matched["mirror"].count,
        books.matched["mirror"].digest,
    )
    if not unexplained and not mirror_differs:
        return
    causes: set[str] = set()
    movements: set[str] = set()
    async for page in journal.facts():
        movements |= {line["object"]["id"] for line in page if line["kind"] == "balance_transaction"}
        causes |= {want.cause for line in page for want in wanted_of(line)}
    causes |= {f"bt:{identity}" for identity in movements}
    query = "SELECT scope, cause FROM ledger_transfer WHERE split_part(cause, ':', 1) = ANY (CAST(:prefixes AS text[]))"
    async for row in stream(escrow, query, prefixes=unexplained):
        if row.cause not in causes:
            books.fault(_REVERSE[row.cause.partition(":")[0]], row.scope, row.cause)
    async for row in stream(escrow, "SELECT bt_id, scope, net FROM balance_transaction"):
        if row.bt_id not in movements:
            books.fault("a mirrored balance transaction is not Stripe's", row.scope or "", row.bt_id, net_minor=row.net)


async def check_clearing(snapshot: Snapshot, findings: Findings) -> None:
    """I3: what is in clearing per object is zero, or within its clock, and noted as such."""
    for row in await rows(snapshot.of("escrow"), _CLEARING):
        told = {"balance_minor": row["balance_minor"], "noted_minor": row["noted_minor"], "since": row["since"]}
        if row["balance_minor"] != row["noted_minor"]:
            findings.add("I3", Finding("clearing of an object is not as noted", row["scope"], row["object_id"], told))
        elif snapshot.now - row["since"] > clock_of(row["object_id"]):
            findings.add("I3", Finding("an object is in clearing past its clock", row["scope"], row["object_id"], told))


async def _sums(books: Books, after: Mapping[str, int] | None, before: Mapping[str, int]) -> None:
    """The ledger's sums are the matched movements', and Stripe's own balance when nothing moves."""
    held = {row["currency"]: row for row in await rows(books.snapshot.of("escrow"), _HELD)}
    reserved = await value(
        books.snapshot.of("escrow"),
        "SELECT count(*) FROM ledger_transfer WHERE kind IN ('psp_held', 'psp_freed')",
    )
    for currency in sorted(held.keys() | books.net_minor.keys() | before.keys()):
        ours = held[currency]["balance_minor"] if currency in held else 0
        matched = books.net_minor.get(currency, 0)
        if not reserved and ours != matched:
            books.fault("the ledger's sums are not those of its movements", "", currency, ours=ours, matched=matched)
        theirs = None if after is None else after.get(currency, 0)
        listed = books.listed_minor.get(currency, 0)
        if theirs is not None and theirs == before.get(currency, 0):
            if not reserved and theirs != listed:
                books.fault(
                    "Stripe's balance is not the sum of its movements", "", currency, balance=theirs, listed=listed
                )
            if not books.waiting and ours != theirs:
                books.fault("the ledger's sums are not Stripe's balance", "", currency, ours=ours, balance=theirs)
