"""The rules of an invitation: its states, its window, and whether an answer counts.

One invitation has exactly one answer. Whether an answer was in time is decided by the moment the gateway received it,
never by the moment it is handled here; so a window's act waits a minute (the kit's grace), and an answer received in
time but handled after the act is `arrived_late`: refused, and a case for a person.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from contracts.envelope import derived_id
from contracts.errors import Rejected

ACCEPTANCE_WINDOW = timedelta(days=7)
"""How long a supplier has for its answer, from the close of joining."""

INVITE_AGAIN_AFTER = timedelta(days=1)
"""How long after a try without an eligible candidate the next one is made."""

UNINVITED_TIERS = frozenset({"applicant"})
"""Suppliers of these tiers get no invitation: their entity and payout account are not verified."""


class InvitationState(StrEnum):
    """What has become of an invitation."""

    INVITED = "invited"
    """The target was reached: the supplier sees terms and quantity so far and may decline."""
    OPEN = "open"
    """The window is open with the final quantity: the supplier may accept or decline."""
    ACCEPTED = "accepted"
    """The supplier accepted the exact terms inside the window."""
    DECLINED = "declined"
    """The supplier declined."""
    TIMED_OUT = "timed_out"
    """The window passed without an answer."""
    WITHDRAWN = "withdrawn"
    """The campaign ended before an acceptance."""


STANDING = frozenset({InvitationState.INVITED, InvitationState.OPEN})
"""States in which an answer is awaited."""

ENDED_WITHOUT_ANSWER = frozenset({InvitationState.TIMED_OUT, InvitationState.WITHDRAWN})
"""States in which an answer that was received earlier has arrived late."""


class ArrivedLate(Rejected):
    """An answer was received in time but is handled after the act that ended the waiting."""

    def __init__(self, **facts: object) -> None:
        super().__init__("arrived_late", **facts)


@dataclass(frozen=True, slots=True)
class Standing:
    """An invitation as the rules see it. `opens_at` and `closes_at` bound its window once that is open; `ended_at` is
    when it was answered, timed out or was withdrawn."""

    supplier_id: UUID
    state: InvitationState
    terms_hash: str
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    ended_at: datetime | None = None


def invitation_id(campaign_id: UUID, ordinal: int) -> UUID:
    """The id of a campaign's `ordinal`-th invitation, counted from 1."""
    return derived_id(campaign_id, f"invitation:{ordinal}")


def judge_acceptance(standing: Standing, *, supplier_id: UUID, terms_hash: str, received_at: datetime) -> None:
    """Pass when the acceptance counts. Raises Rejected: `invitation_not_yours`, `invitation_not_open`,
    `terms_hash_stale`; and ArrivedLate."""
    _require_own(standing, supplier_id)
    _require_not_late(standing, received_at)
    if standing.state is not InvitationState.OPEN or not _inside_window(standing, received_at):
        raise Rejected("invitation_not_open", state=str(standing.state))
    if terms_hash != standing.terms_hash:
        raise Rejected("terms_hash_stale", current=standing.terms_hash)


def judge_decline(standing: Standing, *, supplier_id: UUID, received_at: datetime) -> None:
    """Pass when the decline counts: from the invitation to the end of the window. Raises Rejected
    (`invitation_not_yours`, `invitation_not_open`) and ArrivedLate."""
    _require_own(standing, supplier_id)
    _require_not_late(standing, received_at)
    if standing.state not in STANDING or not _before_close(standing, received_at):
        raise Rejected("invitation_not_open", state=str(standing.state))


def next_candidate(candidates: Sequence[UUID], *, asked: Set[UUID], tiers: dict[UUID, str]) -> UUID | None:
    """The first candidate in the campaign's own sequence that was not asked yet and may be invited; None when none is
    left. A candidate without a tier is not registered and is passed over."""
    for candidate in candidates:
        tier = tiers.get(candidate)
        if candidate not in asked and tier is not None and tier not in UNINVITED_TIERS:
            return candidate
    return None


def _require_own(standing: Standing, supplier_id: UUID) -> None:
    if standing.supplier_id != supplier_id:
        raise Rejected("invitation_not_yours")


def _require_not_late(standing: Standing, received_at: datetime) -> None:
    if standing.state not in ENDED_WITHOUT_ANSWER or standing.ended_at is None:
        return
    if _before_close(standing, received_at) and received_at < standing.ended_at:
        raise ArrivedLate(state=str(standing.state))


def _inside_window(standing: Standing, received_at: datetime) -> bool:
    return standing.opens_at is not None and received_at >= standing.opens_at and _before_close(standing, received_at)


def _before_close(standing: Standing, received_at: datetime) -> bool:
    return standing.closes_at is None or received_at < standing.closes_at
