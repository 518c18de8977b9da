"""What the events tell beside states: evidence for releases, answers to invitations, who approved plans, posted hashes.

Kept per campaign, invitation, plan and ledger scope, never per commitment. What is compared with rows stops at the
numbers that the snapshot knows; evidence does not, because another service may rely on an event that is newer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from contracts.campaigns import InspectionStarted
from contracts.clearing import ClearingPlanApproved, ClearingPlanSubmitted, PlanByHandSubmitted
from contracts.escrow import LedgerTransfersPosted
from contracts.suppliers import (
    AcceptanceTimedOut,
    AcceptanceWindowOpened,
    CampaignAccepted,
    DeliveryCompleted,
    FulfillmentAccepted,
    InvitationDeclined,
    InvitationWithdrawn,
)
from deploy.audit.topics import Record

EVIDENCE = {
    CampaignAccepted.type: "acceptance",
    DeliveryCompleted.type: "fulfillment",
    FulfillmentAccepted.type: "end of inspection",
    InspectionStarted.type: "inspection",
}
SUBMISSIONS = (ClearingPlanSubmitted.type, PlanByHandSubmitted.type)
ANSWERS = {
    CampaignAccepted.type: "accepted",
    InvitationDeclined.type: "declined",
    AcceptanceTimedOut.type: "timed_out",
    InvitationWithdrawn.type: "withdrawn",
}


@dataclass(slots=True)
class InvitationTold:
    """What the events tell of one invitation."""

    campaign_id: str
    window: tuple[datetime, datetime] | None = None
    answers: list[str] = field(default_factory=list)
    received_at: datetime | None = None


@dataclass(slots=True)
class PlanTold:
    """Who submitted and who approved a plan, each as (id, role)."""

    maker: tuple[str, str] | None = None
    approver: tuple[str, str] | None = None


class Evidence:
    """Collected in one walk over the topics."""

    def __init__(self, heads: Mapping[str, int]) -> None:
        self.heads = heads
        self.events: dict[UUID, tuple[str, str]] = {}
        self.invitations: dict[str, InvitationTold] = {}
        self.plans: dict[str, PlanTold] = {}
        self.posted: dict[str, tuple[int, str]] = {}

    def take(self, message_type: str, record: Record, *, seq: int) -> None:
        """Note one event, given for the first time and in its place."""
        body = record.body or b"{}"
        if message_type == LedgerTransfersPosted.type:
            last = json.loads(body)["transfers"][-1]
            self.posted[record.key] = (last["position"], last["hash"])
            return
        if message_type in EVIDENCE:
            self.events[UUID(record.header("ce_id"))] = (EVIDENCE[message_type], record.key)
        if seq > self.heads.get(record.header("stream"), 0):
            return
        if message_type in ANSWERS or message_type == AcceptanceWindowOpened.type:
            self._invitation(message_type, record, body)
        elif message_type in (*SUBMISSIONS, ClearingPlanApproved.type):
            self._plan(message_type, record, body)

    def _invitation(self, message_type: str, record: Record, body: bytes) -> None:
        event = json.loads(body)
        if event["invitation_id"] is None:
            return
        told = self.invitations.setdefault(event["invitation_id"], InvitationTold(record.key))
        if message_type == AcceptanceWindowOpened.type:
            told.window = (datetime.fromisoformat(event["opens_at"]), datetime.fromisoformat(event["closes_at"]))
            return
        told.answers.append(ANSWERS[message_type])
        if message_type == CampaignAccepted.type:
            received = record.header("received_at")
            told.received_at = datetime.fromisoformat(received) if received else None

    def _plan(self, message_type: str, record: Record, body: bytes) -> None:
        told = self.plans.setdefault(json.loads(body)["plan_id"], PlanTold())
        person = (record.header("actor_id"), record.header("actor_role"))
        if message_type in SUBMISSIONS:
            told.maker = person
        else:
            told.approver = person
