"""The rows of escrow outside the ledger: facts, reservations, payments, refund decisions, top-ups.

Mapped classes only; the tables are made by the migrations. A row is changed in memory under its scope's lock and written
once at the end of the batch. The ledger's tables are not here: they are written through its one posting function.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Integer, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.kit.schema import METADATA_NAMING


class Row(DeclarativeBase):
    """Base of escrow's mapped rows."""

    metadata = MetaData(naming_convention=METADATA_NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own way
        int: BigInteger(),
        str: Text(),
        UUID: Uuid(),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(),
        list[str]: JSONB(),
        list[dict[str, Any]]: JSONB(),
    }

    def __init__(self, **values: Any) -> None:
        """A new row. Defaults stand at once, not first when the row is written, because rules read rows in memory."""
        for name, default in _defaults(type(self)):
            if name not in values:
                setattr(self, name, default(None) if callable(default) else default)
        for name, value in values.items():
            setattr(self, name, value)


@cache
def _defaults(row_class: type[Row]) -> tuple[tuple[str, Any], ...]:
    columns = row_class.__mapper__.columns
    found = ((column.key, getattr(column.default, "arg", None)) for column in columns)
    return tuple((name, default) for name, default in found if default is not None)


class Scope(Row):
    """A scope's head in the ledger: lock, recorded campaign state, latch. The chain's columns belong to the ledger."""

    __tablename__ = "ledger_scope"

    stream: Mapped[str] = mapped_column(primary_key=True)
    currency: Mapped[str]
    campaign_state: Mapped[str | None]
    campaign_state_event_id: Mapped[UUID | None]
    paused: Mapped[bool]
    latch: Mapped[str | None]
    latch_plan_id: Mapped[UUID | None]
    settled_at: Mapped[datetime | None]


class Campaign(Row):
    """What escrow knows about a campaign: terms that bear on money, the evidence for a release, how far refunds are."""

    __tablename__ = "campaign_fact"

    campaign_id: Mapped[UUID] = mapped_column(primary_key=True)
    currency: Mapped[str]
    unit_price_minor: Mapped[int]
    fee_basis_points: Mapped[int] = mapped_column(Integer)
    terms_hash: Mapped[str]
    supplier_ids: Mapped[list[str]]
    opened_event_id: Mapped[UUID]
    supplier_id: Mapped[UUID | None]
    accepted_event_id: Mapped[UUID | None]
    delivery_event_id: Mapped[UUID | None]
    delivered: Mapped[int] = mapped_column(Integer, default=0)
    inspection_event_id: Mapped[UUID | None]
    verdict_event_id: Mapped[UUID | None]
    verdict: Mapped[str | None]
    open_issue_commitment_ids: Mapped[list[str]] = mapped_column(default=list)
    close_reason: Mapped[str | None]
    closed_event_id: Mapped[UUID | None]
    completed_event_id: Mapped[UUID | None]
    closing_done: Mapped[bool] = mapped_column(default=False)
    refunds_open: Mapped[int] = mapped_column(Integer, default=0)
    refunded_minor: Mapped[int] = mapped_column(default=0)
    cleared_minor: Mapped[int] = mapped_column(default=0)
    fee_taken_minor: Mapped[int] = mapped_column(default=0)


class Supplier(Row):
    """A supplier's verified payout account, with the event that told it."""

    __tablename__ = "supplier_fact"

    supplier_id: Mapped[UUID] = mapped_column(primary_key=True)
    payout_account_id: Mapped[str]
    tier: Mapped[str]
    event_id: Mapped[UUID]


class Issue(Row):
    """A reported fault and its decision."""

    __tablename__ = "issue_fact"

    issue_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    commitment_id: Mapped[UUID]
    reported_event_id: Mapped[UUID]
    decided_event_id: Mapped[UUID | None]
    verdict: Mapped[str | None]


class Plan(Row):
    """A clearing plan: what two people approve, and how far it is."""

    __tablename__ = "clearing_plan"

    plan_id: Mapped[UUID] = mapped_column(primary_key=True)
    scope: Mapped[str]
    kind: Mapped[str]
    version: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(default="DRAFT")
    maker_id: Mapped[str]
    approver_id: Mapped[str | None]
    supplier_id: Mapped[UUID | None]
    plan_hash: Mapped[str]
    gross_minor: Mapped[int]
    reserve_minor: Mapped[int]
    fee_minor: Mapped[int]
    net_minor: Mapped[int]
    currency: Mapped[str]
    conditions: Mapped[list[dict[str, Any]]]
    reason: Mapped[str]
    reason_code: Mapped[str | None]
    evidence: Mapped[list[str]] = mapped_column(default=list)
    target_plan_id: Mapped[UUID | None]
    target_position: Mapped[int | None]
    lines_applied: Mapped[int] = mapped_column(Integer, default=0)
    lines_failed: Mapped[int] = mapped_column(Integer, default=0)
    calls_open: Mapped[int] = mapped_column(Integer, default=0)
    transfer_ordinal: Mapped[int] = mapped_column(Integer, default=1)
    transfer_id: Mapped[str | None]
    stop_code: Mapped[str | None]
    given_up_by: Mapped[str | None]
    given_up_approver: Mapped[str | None]
    submitted_event_id: Mapped[UUID | None]
    approved_event_id: Mapped[UUID | None]
    submitted_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]


class Reservation(Row):
    """Units that await funds, and what became of them."""

    __tablename__ = "reservation"

    commitment_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    participant_id: Mapped[UUID]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    reserved_until: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="open")
    end_reason: Mapped[str | None]
    reserved_event_id: Mapped[UUID]
    funded_by: Mapped[UUID | None]
    held_at: Mapped[datetime | None]


class Payment(Row):
    """One attempt to fund a reservation: one payment intent at Stripe. `payment_id` is the id of its first intent."""

    __tablename__ = "payment"

    payment_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    commitment_id: Mapped[UUID]
    attempt: Mapped[int] = mapped_column(Integer)
    amount_minor: Mapped[int]
    currency: Mapped[str]
    state: Mapped[str] = mapped_column(default="started")
    payment_intent_id: Mapped[str | None]
    charge_id: Mapped[str | None]
    decline_code: Mapped[str | None]
    started_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]


class WaitingMethod(Row):
    """A confirmation token that came before its reservation; the row goes when the reservation comes or is refused."""

    __tablename__ = "waiting_method"

    commitment_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    participant_id: Mapped[UUID]
    attempt: Mapped[int] = mapped_column(Integer)
    confirmation_token: Mapped[str]
    return_url: Mapped[str]


class RefundDecision(Row):
    """A refund that is owed; its attempts are intents with rising ordinals."""

    __tablename__ = "refund_decision"

    decision_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    commitment_id: Mapped[UUID]
    participant_id: Mapped[UUID]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    reason: Mapped[str]
    payment_intent_id: Mapped[str]
    plan_id: Mapped[UUID | None]
    outside_plan_id: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(default="decided")
    ordinal: Mapped[int] = mapped_column(Integer, default=1)
    refund_id: Mapped[str | None]
    decided_event_id: Mapped[UUID]
    decided_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]


class TopUp(Row):
    """The platform's own money on its way to Stripe's balance."""

    __tablename__ = "top_up"

    top_up_id: Mapped[UUID] = mapped_column(primary_key=True)
    amount_minor: Mapped[int]
    currency: Mapped[str]
    state: Mapped[str] = mapped_column(default="recorded")
    topup_id: Mapped[str | None]
    recorded_at: Mapped[datetime]


class FloatShare(Row):
    """A part of what the float can still carry. Whoever lets a payment in takes its worst-case fee out of shares."""

    __tablename__ = "float_share"

    share: Mapped[int] = mapped_column(Integer, primary_key=True)
    left_minor: Mapped[int]
