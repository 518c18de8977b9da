"""The bodies of requests: exact fields, bounded lengths, nothing unknown. Business rules are not checked here."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from contracts.cases import CaseEvidence
from contracts.clearing import (
    PLAN_EVIDENCE_MAX,
    PLAN_LINES_BY_HAND_MAX,
    WANTED_AMOUNT_MAX,
    EvidenceReference,
    PlanReason,
)
from contracts.common import Hash, ShortText, Text
from contracts.ledger import AnyPlanKind
from contracts.money import PositiveAmountMinor
from contracts.terms import Product, Readiness, ReviewAnswers, SignOffRole, Terms, Units, Visibility

COMMITMENTS_PER_REQUEST_MAX = 5_000
PARTICIPANTS_PER_REQUEST_MAX = 1_000
SUPPLIERS_PER_CAMPAIGN_MAX = 20
RELEASES = ("release", "reserve_release")

Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}$", strip_whitespace=True)]
Token = Annotated[str, Field(min_length=1, max_length=255, repr=False)]
ReturnUrl = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^https?://[!-~]+$")]
"""An address of this site; the route checks that it is one."""
CommitmentIds = Annotated[tuple[UUID, ...], Field(min_length=1, max_length=COMMITMENTS_PER_REQUEST_MAX)]


class Body(BaseModel):
    """A request's body: unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class EmptyBody(Body):
    """An act that needs no further word."""


class SignInBody(Body):
    """Whose demo account to use."""

    email: Email


class DevParticipant(Body):
    """A participant as a script knows it."""

    external_id: ShortText
    email: Email | None = None


class DevParticipantsBody(Body):
    """Participants to be made or found."""

    participants: Annotated[tuple[DevParticipant, ...], Field(min_length=1, max_length=PARTICIPANTS_PER_REQUEST_MAX)]


class CampaignBody(Body):
    """A campaign draft. `terms` is the exact document whose hash people accept."""

    product: Product
    terms: Terms
    supplier_ids: Annotated[tuple[UUID, ...], Field(max_length=SUPPLIERS_PER_CAMPAIGN_MAX)]
    visibility: Visibility
    readiness: Readiness | None = None


class ReviewBody(Body):
    """A gatekeeper's decision with its four answers."""

    decision: Literal["accept", "accept_with_constraints", "defer", "reject"]
    reason: Text
    answers: ReviewAnswers
    constraints: Annotated[tuple[ShortText, ...], Field(max_length=20)] = ()


class SignOffBody(Body):
    """One of the three sign-offs that fulfillment was not completed; the role must be the sender's own."""

    role: SignOffRole
    reason: Text


class CommitBody(Body):
    """Join a campaign: units, the hash of the terms that were read, and the card's confirmation token. `address_id` names
    one of one's addresses where the terms deliver to it, and is left out where they do not."""

    quantity: Units
    terms_hash: Hash
    confirmation_token: Token
    return_url: ReturnUrl | None = None
    address_id: UUID | None = None


class PaymentBody(Body):
    """Another card for a reservation that still waits for its funds."""

    confirmation_token: Token
    return_url: ReturnUrl | None = None


class IssueBody(Body):
    """A fault found during the inspection; photos are named by the SHA-256 of their bytes."""

    description: Text
    photo_digests: Annotated[tuple[Hash, ...], Field(max_length=20)] = ()


class DecisionBody(Body):
    """A decision on a reported fault."""

    verdict: Literal["upheld", "rejected"]
    reason: Text


class SupplierBody(Body):
    """A supplier with its verified payout account."""

    supplier_id: UUID | None = None
    display_name: ShortText
    payout_account_id: ShortText
    tier: Literal["applicant", "provisional", "proven", "trusted"]


class AcceptanceBody(Body):
    """A supplier's acceptance of exactly these terms."""

    terms_hash: Hash


class DeclineBody(Body):
    """Why a supplier declines."""

    reason: Text


class DispatchBody(Body):
    """Which commitments are on their way."""

    commitment_ids: CommitmentIds
    tracking: ShortText | None = None


class DeliveryBody(Body):
    """Which commitments are delivered, and by what evidence."""

    commitment_ids: CommitmentIds
    evidence: Text


class PlanAmountBody(Body):
    """An amount as it is asked for; whether it can be given is escrow's to judge, and a refusal leaves a record."""

    amount: Annotated[int, Field(strict=True, ge=-WANTED_AMOUNT_MAX, le=WANTED_AMOUNT_MAX)]
    currency: Annotated[str, Field(pattern=r"^[A-Za-z]{3}$")]


class PlanLineBody(Body):
    """A commitment of the campaign, and the amount for it."""

    commitment_id: UUID
    amount: PlanAmountBody


class PlanBody(Body):
    """A plan for an act on money. A release is made from the records; an act by hand names its lines, a reason code, where
    the evidence lies, and the earlier plan or the ledger position that it is about."""

    kind: AnyPlanKind
    reason: Text
    reason_code: PlanReason | None = None
    lines: Annotated[tuple[PlanLineBody, ...], Field(max_length=PLAN_LINES_BY_HAND_MAX)] = ()
    evidence: Annotated[tuple[EvidenceReference, ...], Field(max_length=PLAN_EVIDENCE_MAX)] = ()
    target_plan_id: UUID | None = None
    target_position: Annotated[int, Field(strict=True, ge=1, le=2**53)] | None = None

    @model_validator(mode="after")
    def _release_comes_from_the_records(self) -> Self:
        by_hand = (self.reason_code, self.target_plan_id, self.target_position)
        if self.kind in RELEASES and (self.lines or self.evidence or any(each is not None for each in by_hand)):
            raise ValueError("the lines and the evidence of a release come from the records")
        return self

    @property
    def currency(self) -> str | None:
        """The lines' currency; of several the one that differs, which escrow refuses."""
        found = [line.amount.currency.lower() for line in self.lines]
        return next((each for each in found if each != found[0]), found[0]) if found else None


class ApprovalBody(Body):
    """The second approval, of exactly the plan with this hash."""

    plan_hash: Hash


class CaseResolutionBody(Body):
    """What was found about a case, and where that is written. It names objects, never a person."""

    resolution: Text
    evidence: CaseEvidence


class AmountBody(Body):
    """An amount above zero in minor units, with its ISO 4217 code."""

    amount: PositiveAmountMinor
    currency: Annotated[str, Field(pattern=r"^[A-Za-z]{3}$")]


class TopUpBody(Body):
    """The platform's own money to be added beside the participants' funds."""

    amount: AmountBody
