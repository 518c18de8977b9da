"""The rows of the campaigns service as classes, but for the commitments, which have their own module.

`CampaignRow` is the hot row: figures and states only, so that a batch of joins loads little; what is long (product,
readiness, terms in full) stands in `CampaignContentRow` and `TermsVersionRow`. No column has a server default, so that
inserts of one kind go to the database together. Every row of a campaign is changed under the lock of its stream head.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Integer, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.kit.schema import METADATA_NAMING


class Base(DeclarativeBase):
    """The registry of this service's tables."""

    metadata = MetaData(naming_convention=METADATA_NAMING)
    type_annotation_map = {
        str: Text,
        int: BigInteger,
        datetime: DateTime(timezone=True),
        UUID: Uuid(native_uuid=True),
        dict[str, Any]: JSONB(none_as_null=True),
        list[str]: JSONB(none_as_null=True),
    }


class CampaignRow(Base):
    """One campaign: its rules in figures, its counts, its state. Units are whole units, money is minor units.

    `held_units` and `held_commitments` count the commitments that are LOCKED now, `disputed_units` those of them that are
    in dispute; `reserved_units` and
    `open_reservations` count reservations whose end escrow has not told; `final_units` is the count at the close.
    """

    __tablename__ = "campaign"

    campaign_id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str]
    author_id: Mapped[str]
    terms_version: Mapped[int] = mapped_column(Integer)
    terms_hash: Mapped[str]
    target_units: Mapped[int]
    capacity_units: Mapped[int]
    min_units: Mapped[int]
    max_units: Mapped[int | None]
    unit_price_minor: Mapped[int]
    currency: Mapped[str]
    close_at: Mapped[datetime]
    held_units: Mapped[int]
    disputed_units: Mapped[int]
    reserved_units: Mapped[int]
    held_commitments: Mapped[int]
    open_reservations: Mapped[int]
    drafted_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    target_reached_at: Mapped[datetime | None]
    joining_ended_at: Mapped[datetime | None]
    joining_end_cause: Mapped[str | None]
    withdrawal_requested_at: Mapped[datetime | None]
    final_units: Mapped[int | None]
    final_commitments: Mapped[int | None]
    acceptance_requested_at: Mapped[datetime | None]
    supplier_id: Mapped[UUID | None]
    invitation_id: Mapped[UUID | None]
    accepted_at: Mapped[datetime | None]
    inspection_started_at: Mapped[datetime | None]
    sign_off_round: Mapped[int] = mapped_column(Integer)
    close_requested_at: Mapped[datetime | None]
    waiting_step: Mapped[dict[str, Any] | None]
    ended_at: Mapped[datetime | None]
    close_reason: Mapped[str | None]
    plan_id: Mapped[UUID | None]

    @property
    def counted_units(self) -> int:
        """Held units that count towards the target: those whose payment no bank disputes."""
        return self.held_units - self.disputed_units


class CampaignContentRow(Base):
    """What a campaign says in words: read when it is drafted, submitted and reviewed, never on the way of a join."""

    __tablename__ = "campaign_content"

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaign.campaign_id"), primary_key=True)
    product: Mapped[dict[str, Any]]
    supplier_ids: Mapped[list[str]]
    visibility: Mapped[str]
    readiness: Mapped[dict[str, Any] | None]


class TermsVersionRow(Base):
    """One version of a campaign's terms, in full, with the hash people accept. Never changed."""

    __tablename__ = "terms_version"

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaign.campaign_id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    terms: Mapped[dict[str, Any]]
    terms_hash: Mapped[str]
    author_id: Mapped[str]
    recorded_at: Mapped[datetime]


class ReviewRow(Base):
    """One decision of a gatekeeper on a campaign in review. Never changed."""

    __tablename__ = "review"

    review_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaign.campaign_id"))
    author_id: Mapped[str]
    reviewer_id: Mapped[str]
    decision: Mapped[str]
    reason: Mapped[str]
    answers: Mapped[dict[str, Any]]
    constraints: Mapped[list[str]]
    terms_hash: Mapped[str]
    decided_at: Mapped[datetime]


class SignOffRow(Base):
    """One of three sign-offs that a fulfillment failed. A denied close begins a new round; rows are never changed."""

    __tablename__ = "sign_off"

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaign.campaign_id"), primary_key=True)
    round: Mapped[int] = mapped_column(Integer, primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str]
    reason: Mapped[str]
    signed_at: Mapped[datetime]


class CommitmentRefusalRow(Base):
    """A refused join, kept so that a repeated request meets the first answer. Never changed."""

    __tablename__ = "commitment_refusal"

    commitment_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    participant_id: Mapped[UUID]
    quantity: Mapped[int]
    code: Mapped[str]
    facts: Mapped[dict[str, Any]]
    refused_at: Mapped[datetime]
