"""The rows of disputes, and the questions about them. A row is changed under its campaign's lock."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, LargeBinary, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.orm import Mapped, mapped_column

from services.escrow.domain.disputes import DISPUTE_STATES
from services.escrow.store.objects import PspObject, objects_by_id, objects_of
from services.escrow.store.tables import RefundDecision, Row
from services.kit.work import Work

ASKED_AGAIN_AFTER = timedelta(hours=1)
"""An open dispute is read again after so long (stack time); its webhook may have been lost."""

DISPUTES_PER_COMMITMENT_MAX = 50
UNPAID = ("decided", "pending", "failed")
"""States of a refund decision in which the amount is owed."""


class Dispute(Row):
    """One dispute. hold: frozen with us now; taken: what the bank took out of the hold; loss: what it took beyond that;
    all minor units, net of what came back. `frozen_split` says what was frozen, by account class. `disputed_at`: when it
    became more than an inquiry. `refund_reason`: the person is owed whatever comes back, and why."""

    __tablename__ = "dispute"

    dispute_id: Mapped[str] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    commitment_id: Mapped[UUID]
    participant_id: Mapped[UUID]
    charge_id: Mapped[str]
    payment_intent_id: Mapped[str | None]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    reason: Mapped[str]
    status: Mapped[str]
    outcome: Mapped[str | None]
    round: Mapped[int] = mapped_column(Integer, default=0)
    frozen_split: Mapped[dict[str, Any]] = mapped_column(default=lambda _: {})
    hold_minor: Mapped[int] = mapped_column(default=0)
    taken_minor: Mapped[int] = mapped_column(default=0)
    loss_minor: Mapped[int] = mapped_column(default=0)
    fee_minor: Mapped[int] = mapped_column(default=0)
    movement_ids: Mapped[list[str]] = mapped_column(default=lambda _: [])
    refund_reason: Mapped[str | None]
    evidence_due_by: Mapped[datetime | None]
    opened_event_id: Mapped[UUID]
    opened_at: Mapped[datetime]
    disputed_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]

    @property
    def round_id(self) -> str:
        """What the causes of this round's opening and ending name: the first round the dispute alone."""
        return self.dispute_id if self.round == 1 else f"{self.dispute_id}:{self.round}"


class EvidenceRow(Row):
    """One version of the evidence for a dispute, the same as a paper (PDF), who prepared it and who sent it."""

    __tablename__ = "dispute_evidence"

    dispute_id: Mapped[str] = mapped_column(primary_key=True)
    evidence_hash: Mapped[str] = mapped_column(primary_key=True)
    evidence: Mapped[dict[str, Any]]
    prepared_by: Mapped[str]
    prepared_at: Mapped[datetime]
    submitted_by: Mapped[str | None]
    submitted_at: Mapped[datetime | None]
    refused_code: Mapped[str | None]
    paper: Mapped[bytes | None] = mapped_column(LargeBinary)
    paper_digest: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class Activity:
    """Disputes and payments of the last days, counted."""

    disputes: int
    payments: int


async def find_dispute(work: Work, dispute_id: str) -> Dispute | None:
    """The dispute's row."""
    return await work.session.get(Dispute, dispute_id)


async def find_evidence(work: Work, dispute_id: str, evidence_hash: str) -> EvidenceRow | None:
    """One version of a dispute's evidence."""
    await work.session.flush()
    return await work.session.get(EvidenceRow, (dispute_id, evidence_hash))


async def is_submitted(work: Work, dispute_id: str) -> bool:
    """Whether some evidence is on its way or with the bank already: it is taken once."""
    await work.session.flush()
    found = await work.session.execute(
        select(EvidenceRow.evidence_hash)
        .where(
            EvidenceRow.dispute_id == dispute_id,
            EvidenceRow.submitted_at.is_not(None),
            EvidenceRow.refused_code.is_(None),
        )
        .limit(1)
    )
    return found.scalar_one_or_none() is not None


async def disputes_of(work: Work, commitment_id: UUID, *, is_open: bool) -> list[Dispute]:
    """A commitment's disputes, the oldest first; the open ones, or all."""
    await work.session.flush()
    wanted = select(Dispute).where(Dispute.commitment_id == commitment_id)
    if is_open:
        wanted = wanted.where(Dispute.ended_at.is_(None))
    found = await work.session.execute(wanted.order_by(Dispute.opened_at).limit(DISPUTES_PER_COMMITMENT_MAX))
    return list(found.scalars())


async def takes_no_refund(work: Work, commitment_id: UUID) -> bool:
    """Whether Stripe would refuse a refund now, because the bank has taken the funds."""
    return any(dispute.status in DISPUTE_STATES for dispute in await disputes_of(work, commitment_id, is_open=True))


async def any_open(work: Work, campaign_id: UUID) -> bool:
    """Whether a dispute of the campaign is open."""
    await work.session.flush()
    found = await work.session.execute(
        select(Dispute.dispute_id).where(Dispute.campaign_id == campaign_id, Dispute.ended_at.is_(None)).limit(1)
    )
    return found.scalar_one_or_none() is not None


async def decisions_owed(work: Work, commitment_id: UUID) -> list[RefundDecision]:
    """Refunds of a commitment that are decided and not paid, the oldest first."""
    await work.session.flush()
    found = await work.session.execute(
        select(RefundDecision)
        .where(
            RefundDecision.commitment_id == commitment_id,
            RefundDecision.state.in_(UNPAID),
        )
        .order_by(RefundDecision.decided_at, RefundDecision.decision_id)
    )
    return list(found.scalars())


async def charge_owner(work: Work, charge_id: str) -> PspObject | None:
    """Whose money the charge brought, also when this very transaction learnt it."""
    known = objects_of(work).known.get(charge_id)
    if known is not None:
        return known
    return (await objects_by_id(work.connection, [charge_id])).get(charge_id)


async def still_held(connection: AsyncConnection, campaign_id: UUID, without: Collection[UUID]) -> list[UUID]:
    """Commitments with a dispute, open or over, that hold funds beside these ones."""
    found = await connection.execute(
        text(
            """
            SELECT DISTINCT d.commitment_id
            FROM dispute d
            JOIN reservation r ON r.commitment_id = d.commitment_id
            WHERE d.campaign_id = :campaign_id AND r.state = 'held'
                AND d.commitment_id <> ALL (CAST(:without AS uuid[]))
            ORDER BY d.commitment_id
            """
        ),
        {"campaign_id": campaign_id, "without": list(without)},
    )
    return [row.commitment_id for row in found]


async def uncovered_minor(connection: AsyncConnection, scope: str) -> int:
    """What chargebacks of a campaign cost the platform beyond what is kept in its reserve, minor units."""
    found = await connection.execute(
        text(
            """
            SELECT COALESCE(-SUM(balance_minor) FILTER (WHERE class = 'dispute_loss'), 0)::bigint
                - COALESCE(SUM(balance_minor) FILTER (WHERE class = 'reserve'), 0)::bigint AS uncovered
            FROM ledger_account
            WHERE scope = :scope
            """
        ),
        {"scope": scope},
    )
    return max(int(found.scalar_one()), 0)


# -- for the loop ------------------------------------------------------------------------------------------------------


async def known_readings(engine: AsyncEngine, ids: Sequence[str]) -> Mapping[str, tuple[str, frozenset[str]]]:
    """Status and posted movements of these disputes, by id: whether a reading says more costs no lock."""
    async with engine.connect() as connection:
        found = await connection.execute(
            text("SELECT dispute_id, status, movement_ids FROM dispute WHERE dispute_id = ANY (CAST(:ids AS text[]))"),
            {"ids": list(ids)},
        )
        return {row.dispute_id: (row.status, frozenset(row.movement_ids)) for row in found}


async def to_ask_about(engine: AsyncEngine, *, rows_max: int) -> list[str]:
    """Open disputes that were not read lately, oldest first. Marks them as asked about."""
    async with engine.begin() as connection:
        found = await connection.execute(
            text(
                """
                UPDATE dispute SET asked_at = stack_now()
                WHERE dispute_id IN (
                    SELECT dispute_id FROM dispute
                    WHERE ended_at IS NULL AND COALESCE(asked_at, changed_at) < (SELECT stack_now()) - CAST(:after AS interval)
                    ORDER BY changed_at
                    LIMIT :rows_max
                    FOR UPDATE SKIP LOCKED
                )
                RETURNING dispute_id
                """
            ),
            {"rows_max": rows_max, "after": ASKED_AGAIN_AFTER},
        )
        return [row.dispute_id for row in found]


async def activity(engine: AsyncEngine, *, within: timedelta) -> Activity:
    """Disputes (not inquiries) that came, and payments that succeeded, within so long before now (stack time)."""
    async with engine.connect() as connection:
        row = (
            await connection.execute(
                text(
                    """
                    SELECT
                        (SELECT count(*) FROM dispute
                         WHERE disputed_at > (SELECT stack_now()) - CAST(:within AS interval)) AS disputes,
                        (SELECT count(*) FROM payment
                         WHERE state = 'succeeded'
                             AND changed_at > (SELECT stack_now()) - CAST(:within AS interval)) AS payments
                    """
                ),
                {"within": within},
            )
        ).one()
    return Activity(row.disputes, row.payments)
