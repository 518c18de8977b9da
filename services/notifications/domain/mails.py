"""Which mails there are: for each, its template, the template's current version, and the facts it is filled with.

A template's words change only through a new version; what was sent keeps the version it was sent with. Every mail tells
one event, to one person, over one channel, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from contracts.alerts import ClosesWithin, RefundUnsettled, StateReached, TargetPercent
from contracts.envelope import derived_id
from contracts.proofs.checkpoint import SHORT_CHARACTERS

Template = Literal["funds_held", "refund_sent", "refund_paid_outside", "funds_released", "alert"]

AlertRule = TargetPercent | ClosesWithin | StateReached | RefundUnsettled

VERSIONS: dict[Template, int] = {
    "funds_held": 2,
    "refund_sent": 2,
    "refund_paid_outside": 1,
    "funds_released": 2,
    "alert": 1,
}
"""The version of each template in use."""

CHANNEL: Literal["mail"] = "mail"


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """What a mail says of a campaign, as the campaign's opening told it."""

    campaign_id: UUID
    title: str
    product_name: str
    close_at: datetime


@dataclass(frozen=True, slots=True)
class HeldFunds:
    """The funds of one commitment, as escrow told when it held them. Amount in minor units."""

    commitment_id: UUID
    campaign_id: UUID
    participant_id: UUID
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class ProofHead:
    """The head of the public file of checkpoints, as escrow last told it: whoever has another hash under the same number
    was shown another history."""

    number: int
    hash: str

    @property
    def short(self) -> str:
        """What is printed, to be compared by eye."""
        return self.hash[:SHORT_CHARACTERS]


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to be written. `proper_names` stand as their bearers write them and are not read by the guard."""

    template: Template
    participant_id: UUID
    campaign_id: UUID
    facts: Mapping[str, Any]
    proper_names: tuple[str, ...]

    @property
    def version(self) -> int:
        """The version of the template in use."""
        return VERSIONS[self.template]


@dataclass(frozen=True, slots=True)
class Share:
    """What one participant's commitments in a release come to."""

    participant_id: UUID
    commitments: int
    amount_minor: int
    currency: str


def message_id(cause_id: UUID, participant_id: UUID) -> UUID:
    """The id of the mail that tells this event to this person: a function of both, so that a repeat is recognised."""
    return derived_id(cause_id, f"{CHANNEL}:{participant_id}")


def shares(released: Iterable[HeldFunds]) -> list[Share]:
    """One share per participant, so that a person with several commitments gets one mail. Sequence: first seen."""
    gathered: dict[UUID, Share] = {}
    for held in released:
        before = gathered.get(held.participant_id, Share(held.participant_id, 0, 0, held.currency))
        if before.currency != held.currency:
            raise ValueError(f"two currencies in campaign {held.campaign_id}")
        gathered[held.participant_id] = Share(
            held.participant_id, before.commitments + 1, before.amount_minor + held.amount_minor, held.currency
        )
    return list(gathered.values())


def funds_held(campaign: CampaignFacts, held: HeldFunds, *, happened_at: datetime) -> Mail:
    """The mail that tells a participant that funds are held."""
    facts = {
        "campaign_title": campaign.title,
        "close_at": campaign.close_at,
        "amount_minor": held.amount_minor,
        "currency": held.currency,
        "happened_at": happened_at,
    }
    return Mail("funds_held", held.participant_id, campaign.campaign_id, facts, (campaign.product_name,))


def refund_paid(
    campaign: CampaignFacts,
    participant_id: UUID,
    *,
    amount_minor: int,
    currency: str,
    reason: str,
    outside: bool,
    happened_at: datetime,
) -> Mail:
    """The mail that tells a participant that a refund is paid: to the card, or `outside` of it, another way."""
    facts = {
        "campaign_title": campaign.title,
        "amount_minor": amount_minor,
        "currency": currency,
        "reason": reason,
        "happened_at": happened_at,
    }
    template: Template = "refund_paid_outside" if outside else "refund_sent"
    return Mail(template, participant_id, campaign.campaign_id, facts, (campaign.product_name,))


def funds_released(
    campaign: CampaignFacts, share: Share, *, supplier_name: str, plan_kind: str, happened_at: datetime
) -> Mail:
    """The mail that tells a participant that the funds went to the supplier."""
    facts = {
        "campaign_title": campaign.title,
        "commitments": share.commitments,
        "amount_minor": share.amount_minor,
        "currency": share.currency,
        "supplier_name": supplier_name,
        "plan_kind": plan_kind,
        "happened_at": happened_at,
    }
    names = (campaign.product_name, supplier_name)
    return Mail("funds_released", share.participant_id, campaign.campaign_id, facts, names)


def alert(campaign: CampaignFacts, participant_id: UUID, rule: AlertRule, *, happened_at: datetime) -> Mail:
    """The mail that tells a person that a rule of theirs came true."""
    facts = {
        "campaign_title": campaign.title,
        "close_at": campaign.close_at,
        "happened_at": happened_at,
        **rule.model_dump(exclude={"campaign_id"}),
    }
    return Mail("alert", participant_id, campaign.campaign_id, facts, (campaign.product_name,))
