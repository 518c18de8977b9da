"""What the events tell beside states: evidence for releases, answers to invitations, who approved plans, posted hashes.

Kept per campaign, invitation, plan and ledger scope, never per commitment. What is compared with rows stops at the
numbers that the snapshot knows; evidence does not, because another service may rely on an event that is newer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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
from contracts.transparency import CheckpointSigned, PlatformCheckpointSigned
from deploy.audit.topics import Record

HASH_BYTES = 32

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
        self.checkpoints: dict[str, dict[int, str]] = {}
        self.platform: dict[str, dict[int, str]] = {}
        self._posted: dict[str, bytearray] = {}
        self._known: dict[str, int] = {}

    def take(self, message_type: str, record: Record, *, seq: int) -> None:
        """Note one event, given for the first time and in its place."""
        body = record.body or b"{}"
        if message_type == LedgerTransfersPosted.type:
            self._post(record, body, seq=seq)
            return
        if message_type in EVIDENCE:
            self.events[UUID(record.header("ce_id"))] = (EVIDENCE[message_type], record.key)
        if seq > self.heads.get(record.header("stream"), 0):
            return
        if message_type in ANSWERS or message_type == AcceptanceWindowOpened.type:
            self._invitation(message_type, record, body)
        elif message_type in (*SUBMISSIONS, ClearingPlanApproved.type):
            self._plan(message_type, record, body)
        elif message_type in (CheckpointSigned.type, PlatformCheckpointSigned.type):
            event = json.loads(body)
            signed = self.checkpoints if message_type == CheckpointSigned.type else self.platform
            signed.setdefault(record.key, {})[event["checkpoint"]["body"]["number"]] = event["hash"]

    def told_hash(self, scope: str, position: int) -> str | None:
        """The hash that was told of a transfer; None when none was, or it is newer than the snapshot."""
        told = self._posted.get(scope)
        if told is None or position > self._known.get(scope, 0):
            return None
        return bytes(told[(position - 1) * HASH_BYTES : position * HASH_BYTES]).hex()

    def told_counts(self) -> Iterator[tuple[str, int]]:
        """(scope, number of its transfers that were told, as far as the snapshot must have them)."""
        yield from self._known.items()

    def _post(self, record: Record, body: bytes, *, seq: int) -> None:
        """Note the hashes of transfers, which lie packed: a million of them are 32 megabytes."""
        told = self._posted.setdefault(record.key, bytearray())
        for transfer in json.loads(body)["transfers"]:
            if len(told) == (transfer["position"] - 1) * HASH_BYTES:
                told += bytes.fromhex(transfer["hash"])
        if seq <= self.heads.get(record.header("stream"), 0):
            self._known[record.key] = len(told) // HASH_BYTES

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
