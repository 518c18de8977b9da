"""Commands to and events of the suppliers service: invitations, acceptance, fulfillment, inspection and its issues."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.common import (
    Hash,
    ShortText,
    Text,
)
from contracts.envelope import Command, Event, register
from contracts.money import Currency, PositiveAmountMinor


@register
class RegisterSupplier(Command):
    """Record a supplier with its verified payout account."""

    type: ClassVar[str] = "suppliers.register_supplier.v1"
    service: ClassVar[str] = "suppliers"
    supplier_id: UUID
    display_name: ShortText
    payout_account_id: ShortText
    tier: Literal["applicant", "provisional", "proven", "trusted"]

    @property
    def scope(self) -> str:
        """The message key: the supplier's id."""
        return str(self.supplier_id)


@register
class AcceptInvitation(Command):
    """The supplier accepts exactly the terms with this hash (T7)."""

    type: ClassVar[str] = "suppliers.accept_invitation.v1"
    service: ClassVar[str] = "suppliers"
    campaign_id: UUID
    invitation_id: UUID
    supplier_id: UUID
    terms_hash: Hash


@register
class DeclineInvitation(Command):
    """The supplier declines."""

    type: ClassVar[str] = "suppliers.decline_invitation.v1"
    service: ClassVar[str] = "suppliers"
    campaign_id: UUID
    invitation_id: UUID
    supplier_id: UUID
    reason: Text


@register
class RecordDispatch(Command):
    """The supplier has dispatched these commitments."""

    type: ClassVar[str] = "suppliers.record_dispatch.v1"
    service: ClassVar[str] = "suppliers"
    campaign_id: UUID
    supplier_id: UUID
    commitment_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=5000)]
    tracking: ShortText | None = None


@register
class RecordDelivery(Command):
    """These commitments are delivered, with evidence; each one's inspection starts now."""

    type: ClassVar[str] = "suppliers.record_delivery.v1"
    service: ClassVar[str] = "suppliers"
    campaign_id: UUID
    supplier_id: UUID
    commitment_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=5000)]
    evidence: Text


@register
class ReportIssue(Command):
    """A participant reports a fault inside the inspection window. The words stay with the gateway, which can erase them;
    here travels their SHA-256. `description` is empty in what is sent now; an older sender gave the words themselves."""

    type: ClassVar[str] = "suppliers.report_issue.v1"
    service: ClassVar[str] = "suppliers"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    issue_id: UUID
    description: Annotated[str, Field(max_length=4000)] = ""
    description_digest: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""
    photo_digests: tuple[Hash, ...] = ()


@register
class DecideIssue(Command):
    """Decide on a reported issue. Upheld: the participant is refunded in full from what is still kept."""

    type: ClassVar[str] = "suppliers.decide_issue.v1"
    service: ClassVar[str] = "suppliers"
    campaign_id: UUID
    issue_id: UUID
    verdict: Literal["upheld", "rejected"]
    reason: Text


@register
class SupplierRegistered(Event):
    """A supplier is known with its payout account."""

    type: ClassVar[str] = "suppliers.supplier_registered.v1"
    service: ClassVar[str] = "suppliers"
    supplier_id: UUID
    display_name: str
    payout_account_id: str
    tier: str

    @property
    def scope(self) -> str:
        """The message key: the supplier's id."""
        return str(self.supplier_id)


@register
class SupplierInvited(Event):
    """The target was reached: the supplier sees the terms and the quantity so far, and may decline already."""

    type: ClassVar[str] = "suppliers.supplier_invited.v1"
    service: ClassVar[str] = "suppliers"
    campaign_id: UUID
    invitation_id: UUID
    supplier_id: UUID
    units_so_far: int
    terms_hash: Hash


@register
class AcceptanceWindowOpened(Event):
    """The window is open with the final quantity, the unit price and the terms hash."""

    type: ClassVar[str] = "suppliers.acceptance_window_opened.v1"
    service: ClassVar[str] = "suppliers"
    campaign_id: UUID
    invitation_id: UUID
    supplier_id: UUID
    final_units: int
    unit_price_minor: PositiveAmountMinor
    currency: Currency
    terms_hash: Hash
    opens_at: datetime
    closes_at: datetime


@register
class CampaignAccepted(Event):
    """The supplier's own account accepted the exact terms inside the window."""

    type: ClassVar[str] = "suppliers.campaign_accepted.v1"
    service: ClassVar[str] = "suppliers"
    campaign_id: UUID
    invitation_id: UUID
    supplier_id: UUID
    terms_hash: Hash
    accepted_at: datetime


@register
class InvitationDeclined(Event):
    """The supplier declined. `no_supplier_left`: no alternate stands invited."""

    type: ClassVar[str] = "suppliers.invitation_declined.v1"
    service: ClassVar[str] = "suppliers"
    campaign_id: UUID
    invitation_id: UUID
    supplier_id: UUID
    reason: str
    no_supplier_left: bool


@register
class AcceptanceTimedOut(Event):
    """The window passed without an answer."""

    type: ClassVar[str] = "suppliers.acceptance_timed_out.v1"
    service: ClassVar[str] = "suppliers"
    campaign_id: UUID
    invitation_id: UUID
    supplier_id: UUID


@register
class InvitationWithdrawn(Event):
    """The open invitation was withdrawn at the campaigns service's word, before an acceptance."""

    type: ClassVar[str] = "suppliers.invitation_withdrawn.v1"
    service: ClassVar[str] = "suppliers"
    campaign_id: UUID
    invitation_id: UUID | None
    reason: str


@register
class CommitmentsDispatched(Event):
    """The supplier dispatched these commitments."""

    type: ClassVar[str] = "suppliers.commitments_dispatched.v1"
    service: ClassVar[str] = "suppliers"
    campaign_id: UUID
    supplier_id: UUID
    commitment_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=5000)]
    tracking: str | None = None


@register
class CommitmentsDelivered(Event):
    """These commitments are delivered; their inspection is open until `inspection_until`."""

    type: ClassVar[str] = "suppliers.commitments_delivered.v1"
    service: ClassVar[str] = "suppliers"
    campaign_id: UUID
    supplier_id: UUID
    commitment_ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=5000)]
    inspection_until: datetime
    evidence: str


@register
class DeliveryCompleted(Event):
    """Every deliverable commitment of the campaign is delivered."""

    type: ClassVar[str] = "suppliers.delivery_completed.v1"
    service: ClassVar[str] = "suppliers"
    campaign_id: UUID
    supplier_id: UUID
    delivered: int


@register
class IssueReported(Event):
    """A fault was reported in time."""

    type: ClassVar[str] = "suppliers.issue_reported.v1"
    service: ClassVar[str] = "suppliers"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    issue_id: UUID
    description_digest: Hash


@register
class IssueDecided(Event):
    """An issue is decided."""

    type: ClassVar[str] = "suppliers.issue_decided.v1"
    service: ClassVar[str] = "suppliers"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    issue_id: UUID
    verdict: Literal["upheld", "rejected"]


@register
class FulfillmentAccepted(Event):
    """Every inspection is over. The issue rate (basis points of delivered commitments with an open or upheld issue) decides: release, release less a reserve, or hold. After a hold it may be told again; the newer one stands."""

    type: ClassVar[str] = "suppliers.fulfillment_accepted.v1"
    service: ClassVar[str] = "suppliers"
    campaign_id: UUID
    supplier_id: UUID
    delivered: int
    issue_rate_basis_points: int
    verdict: Literal["release", "release_less_reserve", "hold"]
    open_issue_commitment_ids: tuple[UUID, ...] = ()
