"""What plans by hand look up: unpaid and paid-back refunds, a named transfer, what a transfer has given back, the float.

Read inside the transaction that holds the scope's lock, after the batch was written. The float is of the whole platform
and so a snapshot; cover is watched all the time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.escrow.domain.ledger import HELD_CLASSES, OWED_CLASSES, Posting
from services.escrow.domain.refunds import SETTLED_STATES
from services.escrow.store.book import among, book_of
from services.escrow.store.tables import Plan, RefundDecision
from services.kit.work import Work, intent_id


@dataclass(frozen=True, slots=True)
class Posted:
    """A transfer as it stands in the ledger. `taken_back`: another one has reversed it."""

    position: int
    posting: Posting
    taken_back: bool

    @property
    def kind(self) -> str:
        """The kind of the transfer."""
        return self.posting.kind

    @property
    def amount_minor(self) -> int:
        """What it moved: the sum of its credits."""
        return sum(amount for _, amount in self.posting.entries if amount > 0)

    @property
    def relied_on(self) -> tuple[UUID, ...]:
        """The events it rested on."""
        return self.posting.relied_on


async def unpaid_decisions(work: Work, commitment_ids: Iterable[UUID]) -> dict[UUID, list[RefundDecision]]:
    """The refunds of these commitments that are not paid in any way, by commitment."""
    book = book_of(work)
    await book.flush()
    found = await work.session.execute(
        select(RefundDecision)
        .where(
            among(RefundDecision.commitment_id, set(commitment_ids)),
            RefundDecision.state.not_in(SETTLED_STATES),
        )
        .order_by(RefundDecision.decided_at, RefundDecision.decision_id)
    )
    rows: dict[UUID, list[RefundDecision]] = {}
    for row in found.scalars():
        rows.setdefault(row.commitment_id, []).append(book.decisions.keep(row))
    return rows


async def decisions_paid_outside(work: Work, commitment_id: UUID, plan_id: UUID | None) -> list[RefundDecision]:
    """The refunds of a commitment that a plan recorded as paid outside."""
    book = book_of(work)
    await book.flush()
    found = await work.session.execute(
        select(RefundDecision).where(
            RefundDecision.commitment_id == commitment_id,
            RefundDecision.outside_plan_id == plan_id,
            RefundDecision.state == "paid_outside",
        )
    )
    return [book.decisions.keep(row) for row in found.scalars()]


async def refunded_minor_of(work: Work, commitment_id: UUID) -> int:
    """All that was ever decided to be given back of a commitment, goodwill included, minor units."""
    await book_of(work).flush()
    found = await work.connection.execute(
        text("SELECT COALESCE(SUM(amount_minor), 0)::bigint FROM refund_decision WHERE commitment_id = :id"),
        {"id": commitment_id},
    )
    return int(found.scalar_one())


async def taken_back_minor(work: Work, target: Plan) -> int:
    """What came back of a plan's transfer, or is being called back by another recovery, minor units."""
    await book_of(work).flush()
    found = await work.connection.execute(
        text(
            """
            SELECT
                (SELECT COALESCE(-SUM(e.amount_minor), 0)
                 FROM ledger_transfer t
                 JOIN ledger_entry e ON e.scope = t.scope AND e.position = t.position AND e.account = 'psp_clearing'
                 LEFT JOIN ledger_transfer o ON o.scope = t.scope AND o.position = t.reverses
                 WHERE t.scope = :scope AND COALESCE(o.kind, t.kind) = 'transfer_back'
                    AND (t.plan_id = :plan_id OR t.plan_id IN (
                        SELECT plan_id FROM clearing_plan WHERE target_plan_id = :plan_id)))::bigint
                + (SELECT COALESCE(SUM(net_minor), 0) FROM clearing_plan
                   WHERE target_plan_id = :plan_id AND kind = 'recovery' AND state IN ('CLEARING', 'SENDING'))::bigint
                AS total
            """
        ),
        {"scope": target.scope, "plan_id": target.plan_id},
    )
    return int(found.scalar_one())


async def posted_at(connection: AsyncConnection, scope: str, position: int) -> Posted | None:
    """The transfer at a position of a scope's ledger, or None."""
    found = await connection.execute(
        text(
            """
            SELECT t.position, t.kind, t.cause, t.commitment_id, t.plan_id, t.reason, t.relied_on, t.reverses, t.event_at,
                EXISTS (SELECT FROM ledger_transfer r WHERE r.scope = t.scope AND r.reverses = t.position) AS taken_back,
                (SELECT jsonb_agg(jsonb_build_array(e.account, e.amount_minor) ORDER BY e.account)
                 FROM ledger_entry e WHERE e.scope = t.scope AND e.position = t.position) AS entries,
                (SELECT max(e.object_id) FROM ledger_entry e WHERE e.scope = t.scope AND e.position = t.position)
                    AS object_id
            FROM ledger_transfer t
            WHERE t.scope = :scope AND t.position = :position
            """
        ),
        {"scope": scope, "position": position},
    )
    row = found.one_or_none()
    if row is None:
        return None
    posting = Posting(
        scope,
        row.kind,
        row.cause,
        tuple((str(account), int(amount)) for account, amount in row.entries),
        commitment_id=row.commitment_id,
        reason=row.reason,
        relied_on=tuple(row.relied_on),
        event_at=row.event_at,
        object_id=row.object_id,
        plan_id=row.plan_id,
        reverses=row.reverses,
    )
    return Posted(row.position, posting, row.taken_back)


async def last_call_refused(work: Work, plan: Plan, purpose: str | None) -> bool:
    """Whether the plan's present attempt is over: answered (a made one would have moved the plan on) or stopped."""
    if purpose is None:
        return False
    found = await work.connection.execute(
        text("SELECT state FROM intent WHERE id = :id"),
        {"id": intent_id(purpose, str(plan.plan_id), plan.transfer_ordinal)},
    )
    return found.scalar_one_or_none() in ("answered", "stopped")


async def spare_cover_minor(connection: AsyncConnection) -> int:
    """What is held above what is owed over all scopes, minor units."""
    found = await connection.execute(
        text(
            "SELECT (COALESCE(-SUM(balance_minor) FILTER (WHERE class = ANY (CAST(:held AS text[]))), 0) "
            "- COALESCE(SUM(balance_minor) FILTER (WHERE class = ANY (CAST(:owed AS text[]))), 0) "
            "- GREATEST(COALESCE(SUM(balance_minor) FILTER (WHERE class = 'suspense'), 0), 0))::bigint FROM ledger_account"
        ),
        {"held": list(HELD_CLASSES), "owed": [name for name in OWED_CLASSES if name != "suspense"]},
    )
    return int(found.scalar_one())
