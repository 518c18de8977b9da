"""The rows of the suppliers service.

Every row belongs to one campaign (or is a supplier); the stream head of that campaign, locked by the kit for the whole
transaction, is the lock of all of them, so no row is locked by itself. The constraints behind these classes are in the
migrations: one standing invitation per campaign, an acceptance only inside its window. Facts of other services keep the
id of the event they came from.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.kit.schema import METADATA_NAMING


class Row(DeclarativeBase):
    """Base of the rows: one metadata, and the types of the columns by their Python types."""

    metadata = MetaData(naming_convention=METADATA_NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: DateTime(timezone=True),
        str: Text(),
        UUID: Uuid(),
        int: BigInteger(),
        list[UUID]: ARRAY(Uuid()),
        list[str]: ARRAY(Text()),
    }


class Supplier(Row):
    """A registered supplier with its verified payout account."""

    __tablename__ = "supplier"

    supplier_id: Mapped[UUID] = mapped_column(primary_key=True)
    display_name: Mapped[str]
    payout_account_id: Mapped[str]
    tier: Mapped[str]
    registered_at: Mapped[datetime]


class Campaign(Row):
    """What is known here of a campaign. The counts cover commitments: live (funds held, not ended), live but not yet
    delivered, and delivered (ended later or not)."""

    __tablename__ = "campaign"

    campaign_id: Mapped[UUID] = mapped_column(primary_key=True)
    phase: Mapped[str]
    terms_hash: Mapped[str]
    candidate_ids: Mapped[list[UUID]]
    opened_event_id: Mapped[UUID]
    live_units: Mapped[int]
    live_commitments: Mapped[int]
    awaiting_delivery: Mapped[int]
    delivered_commitments: Mapped[int]
    target_event_id: Mapped[UUID | None]
    requested_event_id: Mapped[UUID | None]
    final_units: Mapped[int | None]
    unit_price_minor: Mapped[int]
    currency: Mapped[str]
    window_opens_at: Mapped[datetime | None]
    window_closes_at: Mapped[datetime | None]
    supplier_id: Mapped[UUID | None]
    accepted_at: Mapped[datetime | None]
    last_update_at: Mapped[datetime | None]
    inspection_until: Mapped[datetime | None]
    issue_rate_basis_points: Mapped[int | None]
    verdict: Mapped[str | None]
    ended_event_id: Mapped[UUID | None]


class Invitation(Row):
    """One supplier's invitation to one campaign. `answered_at` is when the gateway received the answer."""

    __tablename__ = "invitation"

    invitation_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    supplier_id: Mapped[UUID]
    ordinal: Mapped[int]
    state: Mapped[str]
    terms_hash: Mapped[str]
    units_so_far: Mapped[int]
    invited_at: Mapped[datetime]
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    reason: Mapped[str | None]


class Commitment(Row):
    """One commitment by its random ids. Without `locked_event_id` only its end was heard of so far."""

    __tablename__ = "commitment"

    commitment_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    participant_id: Mapped[UUID]
    units: Mapped[int]
    locked_event_id: Mapped[UUID | None]
    ended_event_id: Mapped[UUID | None]
    ended_reason: Mapped[str | None]
    settled_event_id: Mapped[UUID | None]
    dispatched_at: Mapped[datetime | None]
    tracking: Mapped[str | None]
    delivered_at: Mapped[datetime | None]
    delivered_by: Mapped[UUID | None]
    inspection_until: Mapped[datetime | None]


class Milestone(Row):
    """One dispatch or delivery as the supplier recorded it, with its evidence. The id is the command's."""

    __tablename__ = "milestone"

    milestone_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    supplier_id: Mapped[UUID]
    kind: Mapped[str]
    commitments: Mapped[int]
    evidence: Mapped[str | None]
    received_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class Issue(Row):
    """A reported fault. The person's words stay with the gateway; here lies their digest."""

    __tablename__ = "issue"

    issue_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    commitment_id: Mapped[UUID]
    participant_id: Mapped[UUID]
    description_digest: Mapped[str]
    photo_digests: Mapped[list[str]]
    state: Mapped[str]
    received_at: Mapped[datetime]
    reported_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    reason: Mapped[str | None]
