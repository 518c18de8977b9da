"""A campaign's events folded through the state machine's own table, and its commitments' through theirs.

The tables are imported from the service, as data: what they do not have is no transition. A fold stops at the number
that the snapshot knows, so that it can be compared with rows of that moment. It keeps one small number per commitment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from contracts.campaigns import (
    CampaignClosed,
    CampaignCompleted,
    CampaignDrafted,
    CampaignOpened,
    CommitmentFundsFailed,
    CommitmentLocked,
    CommitmentReserved,
    CommitmentSettled,
    CommitmentWithdrawn,
    DraftRevised,
)
from deploy.audit.findings import Finding, Findings
from services.campaigns.domain.commitments import COMMITMENT_STATES, MOVES
from services.campaigns.domain.transitions import TRANSITIONS, Transition

_CODE = {state: number for number, state in enumerate(COMMITMENT_STATES)}
_LEGAL = frozenset((_CODE[move.source], _CODE[move.target]) for move in MOVES)
_LOCKED = _CODE["LOCKED"]

_ROWS: dict[str, tuple[Transition, ...]] = {}
for _row in TRANSITIONS:
    _ROWS[_row.event.type] = (*_ROWS.get(_row.event.type, ()), _row)

_STEPS = {
    CommitmentLocked.type: "LOCKED",
    CommitmentFundsFailed.type: "FUNDS_FAILED",
    CommitmentWithdrawn.type: "WITHDRAWN",
}
_OF_COMMITMENTS = frozenset({*_STEPS, CommitmentReserved.type, CommitmentSettled.type})
_OF_DRAFTS = frozenset({CampaignDrafted.type, DraftRevised.type})
FOLDED_TYPES = frozenset({*_ROWS, *_OF_COMMITMENTS, *_OF_DRAFTS})
"""Types of events that change a campaign's or a commitment's state."""


@dataclass(slots=True)
class Folded:
    """One campaign as its events tell it."""

    state: str | None = None
    capacity_units: int | None = None
    seq: int = 0
    commitments: dict[bytes, int] = field(default_factory=dict)


class CampaignFold:
    """The fold of all campaigns. `heads` are the snapshot's last numbers by stream."""

    def __init__(self, findings: Findings, heads: Mapping[str, int]) -> None:
        self.findings = findings
        self.heads = heads
        self.campaigns: dict[str, Folded] = {}

    def take(self, message_type: str, campaign_id: str, seq: int, body: bytes) -> None:
        """Fold one event, given in its place in the stream."""
        if seq > self.heads.get(f"campaigns:{campaign_id}", 0):
            return
        folded = self.campaigns.get(campaign_id)
        if folded is None:
            folded = self.campaigns[campaign_id] = Folded()
        folded.seq = seq
        if message_type not in FOLDED_TYPES:
            return
        event: dict[str, Any] = json.loads(body)
        if message_type in _OF_COMMITMENTS:
            self._commitment(folded, message_type, campaign_id, event)
        else:
            self._campaign(folded, message_type, campaign_id, event)

    # -- campaigns ----------------------------------------------------------------------------------------------

    def _campaign(self, folded: Folded, message_type: str, campaign_id: str, event: Mapping[str, Any]) -> None:
        if message_type in _OF_DRAFTS or message_type == CampaignOpened.type:
            folded.capacity_units = event["terms"]["capacity_units"]
        if message_type in _OF_DRAFTS:
            known = ("DRAFT",) if message_type == DraftRevised.type else (None, "DRAFT")
            if folded.state not in known:
                self._illegal(campaign_id, campaign_id, folded.state, message_type)
            folded.state = "DRAFT"
            return
        row = next(
            (
                each
                for each in _ROWS[message_type]
                if folded.state in each.sources and each.reason in (None, event.get("reason"))
            ),
            None,
        )
        if row is None or event.get("from_state", folded.state) != folded.state:
            self._illegal(campaign_id, campaign_id, folded.state, message_type)
        folded.state = row.target if row is not None else _ROWS[message_type][0].target
        if message_type == CampaignClosed.type:
            self._end_locked(folded, _CODE["REFUNDED"], frozenset())
        elif message_type == CampaignCompleted.type:
            kept = frozenset(_key(each) for each in event["reserve_commitment_ids"])
            self._end_locked(folded, _CODE["RELEASED"], kept)

    @staticmethod
    def _end_locked(folded: Folded, target: int, kept: frozenset[bytes]) -> None:
        for key, code in folded.commitments.items():
            if code == _LOCKED and key not in kept:
                folded.commitments[key] = target

    # -- commitments --------------------------------------------------------------------------------------------

    def _commitment(self, folded: Folded, message_type: str, campaign_id: str, event: Mapping[str, Any]) -> None:
        key = _key(event["commitment_id"])
        before = folded.commitments.get(key)
        if message_type == CommitmentReserved.type:
            if before is not None:
                self._illegal(campaign_id, event["commitment_id"], COMMITMENT_STATES[before], message_type)
            folded.commitments[key] = _CODE["PENDING_FUNDS"]
        else:
            target = _CODE[_STEPS.get(message_type) or event["state"]]
            told = event.get("was")
            if before is None or (before, target) not in _LEGAL or (told is not None and _CODE[told] != before):
                state = None if before is None else COMMITMENT_STATES[before]
                self._illegal(campaign_id, event["commitment_id"], state, message_type)
            folded.commitments[key] = target
        self._count(folded, campaign_id, event)

    def _count(self, folded: Folded, campaign_id: str, event: Mapping[str, Any]) -> None:
        taken = event.get("held_units", 0) + event.get("reserved_units", 0)
        if folded.capacity_units is not None and taken > folded.capacity_units:
            self.findings.add(
                "I6",
                Finding(
                    "an event tells more units than the capacity",
                    campaign_id,
                    event["commitment_id"],
                    {"units": taken, "capacity_units": folded.capacity_units},
                ),
            )

    def _illegal(self, campaign_id: str, subject: str, state: str | None, message_type: str) -> None:
        self.findings.add(
            "I12",
            Finding(
                "a transition that the table does not have",
                campaign_id,
                subject,
                {"from": state, "event": message_type},
            ),
        )

    # -- compared with rows -------------------------------------------------------------------------------------

    def is_level(self, campaign_id: str) -> bool:
        """Whether the fold has reached the snapshot, so that it can be compared with rows."""
        folded = self.campaigns.get(campaign_id)
        return folded is not None and folded.seq == self.heads.get(f"campaigns:{campaign_id}")

    def compare_campaign(self, campaign_id: str, state: str) -> None:
        """Compare a campaign's row."""
        if self.is_level(campaign_id) and self.campaigns[campaign_id].state != state:
            self._differs(campaign_id, campaign_id, state, self.campaigns[campaign_id].state)

    def compare_commitment(self, campaign_id: str, commitment_id: UUID, state: str) -> None:
        """Compare a commitment's row; what is compared is forgotten, so that what the rows lack is left over."""
        if not self.is_level(campaign_id):
            return
        code = self.campaigns[campaign_id].commitments.pop(commitment_id.bytes, None)
        told = None if code is None else COMMITMENT_STATES[code]
        if told != state:
            self._differs(campaign_id, str(commitment_id), state, told)

    def compare_rest(self) -> None:
        """What the events tell and no row has."""
        for campaign_id, folded in self.campaigns.items():
            if self.is_level(campaign_id):
                for key, code in folded.commitments.items():
                    self._differs(campaign_id, str(UUID(bytes=key)), None, COMMITMENT_STATES[code])

    def _differs(self, campaign_id: str, subject: str, row: str | None, told: str | None) -> None:
        self.findings.add(
            "I12",
            Finding("a row's state is not what its events tell", campaign_id, subject, {"row": row, "events": told}),
        )


def _key(identity: str) -> bytes:
    return bytes.fromhex(identity.replace("-", ""))
