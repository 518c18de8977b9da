"""A stage for the ledger: a real database, transactions with the kit's real locks, and moves to play on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from contracts.ledger import LedgerTransfer
from services.escrow.domain import dispute_postings, postings
from services.escrow.domain.ledger import Posting
from services.escrow.store import ledger as store
from services.escrow.store.invariants import QUERIES, violations
from services.escrow.store.ledger_rows import INSERT, insert_parameters, transfer_columns
from services.kit.service import Service
from services.kit.transaction import make_work
from services.kit.work import Work
from tests.fixtures.infra import PARTS, Database

SERVICE = Service(name="escrow", topics=(), head_table="ledger_scope")
PLATFORM = "platform"
MAKER, CHECKER = "ana", "ben"


@dataclass
class LedgerStage:
    """One throw-away escrow database: `app` is what the service gets, `owner` may change tables."""

    database: Database
    app: AsyncEngine
    owner: AsyncEngine

    @asynccontextmanager
    async def work(self, *scopes: str) -> AsyncIterator[Work]:
        """A transaction over these scopes with its ledger open; the batch is written on leaving."""
        async with self.app.begin() as connection:
            work = await make_work(connection, SERVICE, scopes)
            ledger = await store.open_ledger(work, scopes)
            yield work
            await ledger.write()

    async def post(self, *given: Posting) -> list[LedgerTransfer]:
        """Post in one transaction; returns what was written."""
        async with self.app.begin() as connection:
            scopes = sorted({posting.scope for posting in given})
            work = await make_work(connection, SERVICE, scopes)
            ledger = await store.open_ledger(work, scopes)
            await ledger.prepare(given)
            for posting in given:
                ledger.post(posting)
            return await ledger.write()

    async def run(self, statement: str, *, owner: bool = False, **parameters: Any) -> Any:
        """Run one statement in a transaction of its own, as the application or as the owner."""
        async with (self.owner if owner else self.app).begin() as connection:
            found = await connection.execute(text(statement), parameters)
            return found.all() if found.returns_rows else None

    async def refusal(self, statement: str, *, owner: bool = False, **parameters: Any) -> str:
        """The database's words for refusing a statement; "" when it was let through."""
        try:
            await self.run(statement, owner=owner, **parameters)
        except DBAPIError as error:
            return str(error.orig)
        return ""

    async def balances(self, scope: str) -> dict[str, int]:
        """The accounts of a scope as they are stored."""
        rows = await self.run("SELECT account, balance_minor FROM ledger_account WHERE scope = :scope", scope=scope)
        return {row.account: row.balance_minor for row in rows}

    async def violations(self, *scopes: str) -> dict[str, list[dict[str, Any]]]:
        """Every broken invariant with its rows, of these scopes and of the database as a whole."""
        async with self.owner.connect() as connection:
            found = {name: await violations(connection, name) for name in QUERIES}
        mine = {name: [row for row in rows if row["scope"] in (*scopes, "")] for name, rows in found.items()}
        return {name: rows for name, rows in mine.items() if rows}

    async def campaign(self, state: str, *, latch_plan_id: UUID | None = None) -> str:
        """A campaign's scope with its recorded state."""
        scope = str(uuid4())
        await self.run(
            "INSERT INTO ledger_scope (stream, campaign_state, latch, latch_plan_id) VALUES (:s, :state, :latch, :plan)",
            s=f"escrow:{scope}",
            state=state,
            latch="clearing" if latch_plan_id else None,
            plan=latch_plan_id,
        )
        return scope

    async def plan(self, scope: str, lines: Sequence[tuple[UUID, int, bool]], **changes: Any) -> UUID:
        """A plan with its lines, brought to a state (CLEARING by default) with two approvers. An act by hand takes what it
        names: `source` of its lines, `target_plan_id`, `target_position`."""
        plan_id = changes.pop("plan_id", None) or uuid4()
        fee_minor = changes.pop("fee_minor", 0)
        state, approver = changes.pop("state", "CLEARING"), changes.pop("approver_id", CHECKER)
        kind, source = changes.pop("kind", "release"), changes.pop("source", "escrow")
        by_hand = kind not in ("release", "reserve_release")
        gross = sum(amount for _, amount, _ in lines)
        reserve = sum(amount for _, amount, to_reserve in lines if to_reserve)
        await self.run(
            "INSERT INTO clearing_plan (plan_id, scope, kind, version, maker_id, supplier_id, plan_hash, gross_minor, "
            "reserve_minor, fee_minor, net_minor, currency, reason, reason_code, evidence, target_plan_id, target_position, "
            "submitted_at) VALUES (:plan, :scope, :kind, "
            "(SELECT count(*) + 1 FROM clearing_plan WHERE scope = :scope AND kind = :kind), :maker, :supplier, "
            "repeat('a', 64), :gross, :reserve, :fee, :net, 'usd', 'every condition is met', :reason_code, "
            "CAST(:evidence AS jsonb), :target_plan_id, :target_position, stack_now())",
            plan=plan_id,
            scope=scope,
            kind=kind,
            reason_code="quality_issue" if by_hand else None,
            evidence='["doc:1"]' if by_hand else "[]",
            target_plan_id=changes.pop("target_plan_id", None),
            target_position=changes.pop("target_position", None),
            maker=MAKER,
            supplier=uuid4(),
            gross=gross,
            reserve=reserve,
            fee=fee_minor,
            net=gross - reserve - fee_minor,
        )
        for commitment_id, amount, to_reserve in lines:
            await self.run(
                "INSERT INTO clearing_line (plan_id, commitment_id, amount_minor, to_reserve, source) "
                "VALUES (:p, :k, :a, :r, :source)",
                p=plan_id,
                k=commitment_id,
                a=amount,
                r=to_reserve,
                source=source,
            )
        if state != "DRAFT":
            await self.run(
                "UPDATE clearing_plan SET approver_id = :approver, state = :state WHERE plan_id = :plan",
                approver=approver,
                state=state,
                plan=plan_id,
            )
        return plan_id

    async def intent(self, scope: str, plan_id: UUID, *, ordinal: int = 1, attempts: int = 0) -> str:
        """Record a transfer intent, and try it so many times; returns the refusal, "" when all went through."""
        refused = await self.refusal(
            "INSERT INTO intent (id, purpose, object_id, ordinal, scope, request, recorded_at) "
            "VALUES (gen_random_uuid(), 'transfer', :plan, :ordinal, :scope, '{}', stack_now()) ON CONFLICT DO NOTHING",
            plan=str(plan_id),
            ordinal=ordinal,
            scope=scope,
        )
        for _ in range(attempts):
            refused = refused or await self.attempt(plan_id)
        return refused

    async def attempt(self, plan_id: UUID) -> str:
        """Journal an attempt of a plan's transfer; returns the refusal."""
        return await self.refusal(
            "UPDATE intent SET state = 'attempted', attempts = attempts + 1 WHERE object_id = :plan", plan=str(plan_id)
        )


@asynccontextmanager
async def ledger_stage() -> AsyncIterator[LedgerStage]:
    """A stage on a fresh database."""
    database = await PARTS.database("escrow")
    stage = LedgerStage(database, create_async_engine(database.app), create_async_engine(database.owner))
    try:
        yield stage
    finally:
        await stage.app.dispose()
        await stage.owner.dispose()
        PARTS.drop(database)


def a_lock(scope: str, commitment_id: UUID | None = None, amount_minor: int = 10_000, **names: Any) -> Posting:
    """A payment held in escrow."""
    return postings.lock(
        scope,
        commitment_id or uuid4(),
        amount_minor,
        intent_id=names.get("intent_id") or uuid4(),
        object_id=names.get("object_id") or f"ch_{uuid4().hex}",
    )


async def insert_as_written(
    connection: AsyncConnection, given: Sequence[Posting], spoil: Callable[[dict[str, Any]], None]
) -> None:
    """Insert transfers as the posting function does, after spoiling the columns: what a defect in it would send."""
    work = await make_work(connection, SERVICE, {posting.scope for posting in given})
    ledger = await store.open_ledger(work, {posting.scope for posting in given})
    await ledger.prepare(given)
    for posting in given:
        ledger.post(posting)
    heads = await ledger._heads({posting.scope for posting in given})
    numbered = [store._numbered(posting, entries, heads[posting.scope], work.now) for posting, entries in ledger._fresh]
    columns = transfer_columns(numbered)
    spoil(columns)
    await connection.execute(INSERT, insert_parameters(columns, work.now))


@dataclass(frozen=True)
class Move:
    """One act of a random history: what, whose, how much, and a coin for its variants."""

    act: str
    whose: int
    amount_minor: int
    coin: bool
    object_number: int


ACTS = (
    "lock",
    "late",
    "settle",
    "sweep",
    "decide",
    "sent",
    "failed",
    "outside",
    "goodwill",
    "opened",
    "withdrawn",
    "reinstated",
    "ended",
)


BY_HAND = {"outside": ("outside_payout", "refund_payable"), "goodwill": ("goodwill", "goodwill")}
"""Acts that two people decide: the kind of their plan and the source of its lines."""


def posting_of(
    move: Move, scope: str, people: Sequence[UUID], balance: Callable[[str], int], *, plan_id: UUID | None = None
) -> Posting | None:
    """The posting of a move, or None when it has nothing to move. Causes repeat on purpose now and then. `plan_id`: the
    plan of an act that two people decide."""
    k, amount, number = people[move.whose], move.amount_minor, move.object_number
    name = f"{scope}_{move.act}_{number}"
    if move.act in BY_HAND and plan_id is None:
        return None
    plan_id = plan_id or UUID(int=number + 1)
    match move.act:
        case "lock":
            return postings.lock(scope, k, amount, intent_id=UUID(int=hash_of(scope, number)), object_id=f"ch_{number}")
        case "late":
            return postings.late_receipt(
                scope, k, amount, intent_id=UUID(int=hash_of(scope, number)), object_id=f"ch_{number}"
            )
        case "settle":
            fee = amount // 33
            return postings.psp_settle(
                scope,
                bt_id=name,
                amount_minor=amount if move.coin else -amount,
                fee_minor=fee,
                object_id=f"ch_{number}",
            )
        case "sweep":
            return postings.psp_sweep(scope, run=name, net_minor=amount if move.coin else -amount)
        case "decide":
            return postings.refund_decided(
                scope, k, amount, decision_id=UUID(int=hash_of(name, 0)), reason="withdrawn", from_reserve=move.coin
            )
        case "sent":
            return postings.refund_sent(scope, k, amount, refund_id=name)
        case "failed":
            return postings.refund_failed(scope, k, amount, refund_id=name)
        case "outside":
            return postings.refund_paid_outside(scope, k, amount, plan_id=plan_id, reason="refund_failed")
        case "goodwill":
            return postings.goodwill(scope, k, amount, plan_id=plan_id, reason="quality_issue")
        case "opened":
            left = {each: balance(f"{each}:{k}") for each in dispute_postings.FREEZABLE_CLASSES}
            return dispute_postings.dispute_opened(scope, k, amount, dispute_id=f"dp_{name}", left_minor=left)
        case "withdrawn":
            return dispute_postings.dispute_withdrawn(
                scope, k, amount, bt_id=name, object_id=f"dp_{number}", hold_minor=balance(f"dispute_hold:{k}")
            )
        case "reinstated":
            return dispute_postings.dispute_reinstated(
                scope,
                k,
                amount,
                bt_id=name,
                object_id=f"dp_{number}",
                loss_charged_minor=max(0, -balance("dispute_loss")),
            )
        case "ended":
            held = balance(f"dispute_hold:{k}")
            return dispute_postings.dispute_ended(
                scope, k, dispute_id=f"dp_{name}", split_minor={"escrow": held}, campaign_closed=move.coin
            )
    raise ValueError(move.act)


def hash_of(name: str, number: int) -> int:
    """A number for an id, the same for the same names."""
    return int.from_bytes(f"{name}{number}".encode()[-12:], "big")
