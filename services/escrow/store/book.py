"""The rows one transaction works with: loaded in bulk, found in memory, changed in place.

A batch of some hundred messages names its rows once, in `load`; afterwards a look-up costs no statement. A look-up that
was not foreseen loads its one row. Rows lie under their scope's lock, so what was read stays true until the commit. It
cannot notice a change made by another statement of the same transaction; such statements flush first (`flush`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, any_, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from contracts.envelope import PLATFORM_SCOPE
from services.escrow.store.tables import (
    Campaign,
    Issue,
    Payment,
    Plan,
    RefundDecision,
    Reservation,
    Row,
    Scope,
    Supplier,
    TopUp,
    WaitingMethod,
)
from services.kit.database import sql
from services.kit.work import Work

R = TypeVar("R", bound=Row)


def among(column: InstrumentedAttribute[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """The column is one of these: one array parameter, so that the statement is prepared once for any number."""
    return column == any_(literal(sorted(values), ARRAY(column.type)))


class Rows(Generic[R]):
    """The rows of one table in this transaction, by key; known absences are remembered too."""

    def __init__(self, session: AsyncSession, row_class: type[R], key: str) -> None:
        self._session = session
        self._class = row_class
        self._key = key
        self._known: dict[UUID, R | None] = {}

    async def load(self, keys: Iterable[UUID]) -> None:
        """Load these rows with one statement; those known already are left as they are."""
        wanted = [key for key in set(keys) if key not in self._known]
        if not wanted:
            return
        column = getattr(self._class, self._key)
        for row in (await self._session.execute(select(self._class).where(among(column, wanted)))).scalars():
            self.keep(row)
        for key in wanted:
            self._known.setdefault(key, None)

    async def get(self, key: UUID) -> R | None:
        """The row, or None when there is none."""
        if key not in self._known:
            await self.load([key])
        return self._known[key]

    def add(self, row: R) -> R:
        """A new row; it is written at the end of the batch."""
        self._session.add(row)
        self._known[getattr(row, self._key)] = row
        return row

    def keep(self, row: R) -> R:
        """Remember a row that another query brought."""
        return self._known.setdefault(getattr(row, self._key), row) or row

    async def drop(self, key: UUID) -> None:
        """Delete a row, also one that was added in this transaction."""
        row = await self.get(key)
        if row is None:
            return
        if row in self._session.new:
            self._session.expunge(row)
        else:
            await self._session.delete(row)
        self._known[key] = None


class Book:
    """All rows of escrow outside the ledger, for one transaction."""

    def __init__(self, work: Work) -> None:
        session = work.session
        self._work = work
        self.campaigns = Rows(session, Campaign, "campaign_id")
        self.suppliers = Rows(session, Supplier, "supplier_id")
        self.issues = Rows(session, Issue, "issue_id")
        self.reservations = Rows(session, Reservation, "commitment_id")
        self.payments = Rows(session, Payment, "payment_id")
        self.waiting = Rows(session, WaitingMethod, "commitment_id")
        self.decisions = Rows(session, RefundDecision, "decision_id")
        self.top_ups = Rows(session, TopUp, "top_up_id")
        self.plans = Rows(session, Plan, "plan_id")
        self._scopes: dict[str, Scope] = {}
        self._payments_of: dict[UUID, list[Payment]] = {}
        self._collections_frozen: bool | None = None
        self._float_carries: bool | None = None

    async def load_scopes(self, scopes: Iterable[str]) -> None:
        """The heads of these scopes; the kit has made and locked their rows."""
        wanted = sorted({f"escrow:{scope}" for scope in scopes} - self._scopes.keys())
        if wanted:
            found = await self._work.session.execute(select(Scope).where(among(Scope.stream, wanted)))
            self._scopes.update({row.stream: row for row in found.scalars()})

    async def scope(self, scope: str | UUID) -> Scope:
        """The head of a scope that this transaction has locked. Raises KeyError for another one."""
        stream = f"escrow:{scope}"
        if stream not in self._scopes:
            await self.load_scopes([str(scope)])
        return self._scopes[stream]

    async def load_commitments(self, commitment_ids: Iterable[UUID]) -> None:
        """Reservations and their payments, in two statements."""
        wanted = list(set(commitment_ids))
        await self.reservations.load(wanted)
        missing = [commitment_id for commitment_id in wanted if commitment_id not in self._payments_of]
        # A reservation that is not known has no payment, so the usual case costs no statement.
        known = [key for key in missing if await self.reservations.get(key) is not None]
        for commitment_id in missing:
            self._payments_of[commitment_id] = []
        if not known:
            return
        found = await self._work.session.execute(select(Payment).where(among(Payment.commitment_id, known)))
        for row in found.scalars():
            self._payments_of[row.commitment_id].append(self.payments.keep(row))

    async def payments_of(self, commitment_id: UUID) -> list[Payment]:
        """Every payment of a commitment, by attempt."""
        if commitment_id not in self._payments_of:
            await self.load_commitments([commitment_id])
        return sorted(self._payments_of[commitment_id], key=lambda payment: payment.attempt)

    async def add_payment(self, payment: Payment) -> Payment:
        """A new payment."""
        await self.payments_of(payment.commitment_id)
        self._payments_of[payment.commitment_id].append(payment)
        return self.payments.add(payment)

    async def unfinished_reservations(self, campaign_id: UUID) -> list[Reservation]:
        """Reservations of a campaign that still await funds or the end of their payment."""
        await self.flush()
        found = await self._work.session.execute(
            select(Reservation)
            .where(Reservation.campaign_id == campaign_id, Reservation.state.in_(("open", "expiring", "ending")))
            .order_by(Reservation.commitment_id)
        )
        rows = [self.reservations.keep(row) for row in found.scalars()]
        await self.load_commitments(row.commitment_id for row in rows)
        return rows

    async def issues_of(self, campaign_id: UUID) -> list[Issue]:
        """Every reported fault of a campaign."""
        await self.flush()
        found = await self._work.session.execute(
            select(Issue).where(Issue.campaign_id == campaign_id).order_by(Issue.issue_id)
        )
        return [self.issues.keep(row) for row in found.scalars()]

    async def collections_frozen(self) -> bool:
        """Whether a blocking case holds all collections (a case about the platform as a whole)."""
        if self._collections_frozen is None:
            self._collections_frozen = bool(
                (
                    await self._work.connection.execute(
                        sql("SELECT EXISTS (SELECT FROM frozen_scope WHERE scope = :scope)"),
                        {"scope": PLATFORM_SCOPE},
                    )
                ).scalar_one()
            )
        return self._collections_frozen

    def forget_freeze(self) -> None:
        """A case about the platform was closed in this transaction: whether others still hold is read again."""
        self._collections_frozen = None

    async def float_carries(self) -> bool:
        """Whether the float, when it was last measured, carried what was let in."""
        if self._float_carries is None:
            self._float_carries = bool(
                (
                    await self._work.connection.execute(
                        sql("SELECT available_minor >= worst_case_fees_minor + buffer_minor FROM float_gauge")
                    )
                ).scalar_one()
            )
        return self._float_carries

    async def stop_unattempted(self, intent_id: UUID) -> bool:
        """End an intent that was never called; False when a call was made or is being made."""
        if self._work.buffers.intents.pop(intent_id, None) is not None:
            return True
        stopped = await self._work.connection.execute(
            text(
                "UPDATE intent SET state = 'stopped', secret = NULL, answered_at = :now, "
                "answer = CAST(:answer AS jsonb) WHERE id = :id AND state = 'recorded'"
            ),
            {"id": intent_id, "now": self._work.now, "answer": '{"stopped": "not needed any more"}'},
        )
        return bool(stopped.rowcount)

    async def flush(self) -> None:
        """Write what was changed so far, so that a statement of this transaction sees it."""
        await self._work.session.flush()


def book_of(work: Work) -> Book:
    """The transaction's book."""
    book: Any = work.cache.get(Book)
    if book is None:
        book = work.cache[Book] = Book(work)
    return book  # type: ignore[no-any-return]
