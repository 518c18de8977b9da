"""Commands to and events of the campaigns service: campaigns, terms, commitments (units and states)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from contracts.common import (
    Hash,
    ShortText,
    Text,
)
from contracts.envelope import Command, Event, register
from contracts.money import Currency, PositiveAmountMinor
from contracts.terms import (
    CampaignState,
    CloseReason,
    Product,
    Readiness,
    ReviewAnswers,
    SignOffRole,
    Terms,
    Units,
    Visibility,
)


@register
class DraftCampaign(Command):
    """Record a campaign draft. The sender is its author."""

    type: ClassVar[str] = "campaigns.draft_campaign.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    product: Product
    terms: Terms
    supplier_ids: tuple[UUID, ...]
    visibility: Visibility
    readiness: Readiness | None = None


@register
class ReviseDraft(Command):
    """Replace what an own draft says. `based_on` is the digest of the content that the author changed: when the draft says
    something else by now, nothing is changed. Without `readiness` the answers stay as they are."""

    type: ClassVar[str] = "campaigns.revise_draft.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    based_on: Hash
    product: Product
    terms: Terms
    supplier_ids: tuple[UUID, ...]
    visibility: Visibility
    readiness: Readiness | None = None


@register
class SubmitCampaign(Command):
    """Submit a draft for review (T1)."""

    type: ClassVar[str] = "campaigns.submit_campaign.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID


@register
class ReviewCampaign(Command):
    """Decide on a campaign in review (T2, T3). The reviewer is not the author."""

    type: ClassVar[str] = "campaigns.review_campaign.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    decision: Literal["accept", "accept_with_constraints", "defer", "reject"]
    reason: Text
    answers: ReviewAnswers
    constraints: tuple[ShortText, ...] = ()


@register
class CommitFunds(Command):
    """Join a campaign: reserve units for funds that follow. The commitment's id is chosen by the gateway."""

    type: ClassVar[str] = "campaigns.commit_funds.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    quantity: Units
    terms_hash: Hash


@register
class WithdrawCommitment(Command):
    """Leave a campaign before it closes for joining: full refund, at once, no question."""

    type: ClassVar[str] = "campaigns.withdraw_commitment.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID


@register
class SignOffFailure(Command):
    """One of three sign-offs that fulfillment failed (T11). The role is the actor's."""

    type: ClassVar[str] = "campaigns.sign_off_failure.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    role: SignOffRole
    reason: Text


@register
class CampaignDrafted(Event):
    """A draft was recorded."""

    type: ClassVar[str] = "campaigns.campaign_drafted.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    author_id: str
    product: Product
    terms: Terms
    terms_hash: Hash
    supplier_ids: tuple[UUID, ...]
    visibility: Visibility


@register
class DraftRevised(Event):
    """The author changed the draft. Whoever reads it from now on reads this."""

    type: ClassVar[str] = "campaigns.draft_revised.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    product: Product
    terms: Terms
    terms_hash: Hash
    supplier_ids: tuple[UUID, ...]
    visibility: Visibility


@register
class CampaignSubmitted(Event):
    """A draft went into review (T1); its terms are frozen by hash."""

    type: ClassVar[str] = "campaigns.campaign_submitted.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    terms_hash: Hash


@register
class CampaignReturned(Event):
    """The reviewer deferred the campaign: back to draft with what is missing (T3)."""

    type: ClassVar[str] = "campaigns.campaign_returned.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    reason: str


@register
class CampaignOpened(Event):
    """The campaign is active: people may join (T2). Carries all that other services need of it."""

    type: ClassVar[str] = "campaigns.campaign_opened.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    product: Product
    terms: Terms
    terms_hash: Hash
    supplier_ids: tuple[UUID, ...]
    visibility: Visibility
    opened_at: datetime
    constraints: tuple[str, ...] = ()


@register
class CommitmentReserved(Event):
    """Units are reserved; funds are awaited until `reserved_until` (escrow decides how the reservation ends)."""

    type: ClassVar[str] = "campaigns.commitment_reserved.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    quantity: Units
    amount_minor: PositiveAmountMinor
    currency: Currency
    terms_hash: Hash
    reference: ShortText
    reserved_until: datetime
    reserved_units: int
    held_units: int


@register
class CommitmentRefused(Event):
    """A join was refused; nothing was reserved and no money moved."""

    type: ClassVar[str] = "campaigns.commitment_refused.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    quantity: Units
    code: str
    facts: dict[str, Any] = {}


@register
class CommitmentLocked(Event):
    """The funds are held: the units count. `held_units` is the campaign's sum after this."""

    type: ClassVar[str] = "campaigns.commitment_locked.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    quantity: Units
    amount_minor: PositiveAmountMinor
    currency: Currency
    held_units: int
    reserved_units: int
    held_commitments: int


@register
class CommitmentFundsFailed(Event):
    """The reservation ended without funds; its units are free again."""

    type: ClassVar[str] = "campaigns.commitment_funds_failed.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    quantity: Units
    reason: str
    reserved_units: int


@register
class CommitmentWithdrawn(Event):
    """The participant left. `was` tells whether funds were held or still awaited; escrow refunds or cancels."""

    type: ClassVar[str] = "campaigns.commitment_withdrawn.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    was: Literal["PENDING_FUNDS", "LOCKED"]
    quantity: Units
    amount_minor: PositiveAmountMinor
    held_units: int
    reserved_units: int
    held_commitments: int


@register
class TargetReached(Event):
    """Held units reached the target (T4)."""

    type: ClassVar[str] = "campaigns.target_reached.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    held_units: int
    target_units: int


@register
class TargetLost(Event):
    """Withdrawals before the close brought held units below the target again; the state stays, the count decides at the close."""

    type: ClassVar[str] = "campaigns.target_lost.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    held_units: int
    target_units: int


@register
class JoiningEnded(Event):
    """Joining and withdrawal ended; the decision waits until no reservation is open."""

    type: ClassVar[str] = "campaigns.joining_ended.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    cause: Literal["close_date", "capacity"]
    held_units: int
    reserved_units: int


@register
class AcceptanceRequested(Event):
    """The count at the close met the target (T6): the supplier's window is to open with these final figures."""

    type: ClassVar[str] = "campaigns.acceptance_requested.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    final_units: int
    commitments: int
    unit_price_minor: PositiveAmountMinor
    currency: Currency
    terms_hash: Hash


@register
class InvitationWithdrawalRequested(Event):
    """Campaigns asks suppliers to withdraw the open invitation; it goes on only on that event."""

    type: ClassVar[str] = "campaigns.invitation_withdrawal_requested.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    reason: CloseReason


@register
class FulfillmentStarted(Event):
    """The supplier's acceptance binds the terms (T7)."""

    type: ClassVar[str] = "campaigns.fulfillment_started.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    supplier_id: UUID
    invitation_id: UUID


@register
class InspectionStarted(Event):
    """Delivery is confirmed for every deliverable commitment (T9)."""

    type: ClassVar[str] = "campaigns.inspection_started.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID


@register
class FailureSignedOff(Event):
    """One role signed off that fulfillment failed."""

    type: ClassVar[str] = "campaigns.failure_signed_off.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    role: SignOffRole
    reason: str
    missing_roles: tuple[SignOffRole, ...]


@register
class CloseRequested(Event):
    """All three roles signed off: campaigns asks escrow for the latch before it closes with refunds (T11)."""

    type: ClassVar[str] = "campaigns.close_requested.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    reason: CloseReason


@register
class CampaignClosed(Event):
    """The campaign ended without completion; every commitment with a balance is refunded by escrow. Final."""

    type: ClassVar[str] = "campaigns.campaign_closed.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    reason: CloseReason
    from_state: CampaignState
    held_units: int
    held_commitments: int


@register
class CampaignCompleted(Event):
    """Funds are released to the supplier (T10). Final. Commitments in `reserve_commitment_ids` stay locked until their issue is decided; all other locked ones are released."""

    type: ClassVar[str] = "campaigns.campaign_completed.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    plan_id: UUID
    supplier_id: UUID
    reserve_commitment_ids: tuple[UUID, ...] = ()


@register
class CommitmentSettled(Event):
    """One commitment is decided by itself: in reserve after completion, refunded before it (an upheld issue, a delay
    exit, a lost dispute), or held in the moment its campaign closed."""

    type: ClassVar[str] = "campaigns.commitment_settled.v1"
    service: ClassVar[str] = "campaigns"
    campaign_id: UUID
    commitment_id: UUID
    participant_id: UUID
    state: Literal["RELEASED", "REFUNDED"]
