"""The bodies of answers about where money is: a commitment's movements, the escrow of a campaign and of the platform."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from services.gateway.schemas.answers import Answer, MoneyView


class TransferRef(Answer):
    """The ledger transfer behind a sentence. `seq` is its place in its campaign's ledger."""

    id: UUID
    kind: str
    amount: MoneyView
    seq: int | None
    hash: str


class NextStepView(Answer):
    """What comes next, and its latest moment where there is one."""

    words: str
    by: datetime | None


class MovementView(Answer):
    """One movement: what happened and why, when, who approved it by role, and its ledger transfer."""

    at: datetime
    sentence: str
    why: str
    approval: str
    approved_by: list[str]
    transfer: TransferRef
    trace_id: str | None
    next: NextStepView | None


class MoneyStoryView(Answer):
    """Where the money of one commitment is, the oldest movement first; the newest carries what comes next."""

    commitment_id: UUID
    reference: str | None
    campaign_id: UUID
    campaign_title: str
    currency: str
    pseudonym: str
    now: str
    movements: list[MovementView]


class TransferView(Answer):
    """A transfer without names: whose commitment it concerns is a pseudonym, who approved it are roles."""

    id: UUID
    at: datetime
    kind: str
    sentence: str
    amount: MoneyView
    reason: str | None
    approval: str
    approved_by: list[str]
    commitment: str | None
    campaign_id: UUID | None
    campaign_title: str | None
    seq: int | None
    hash: str


class TransferList(Answer):
    """A part of a list of transfers, the newest first."""

    data: list[TransferView]
    next_cursor: str | None


class FlowsView(Answer):
    """Sums of one currency, to the cent. What came in equals what is held, owed back and gone out."""

    currency: str
    received: MoneyView
    goodwill: MoneyView
    held: MoneyView
    frozen_by_disputes: MoneyView
    reserved_for_issues: MoneyView
    refund_owed: MoneyView
    cleared_not_sent: MoneyView
    refunded: MoneyView
    paid_outside: MoneyView
    released: MoneyView
    fees: MoneyView
    taken_by_disputes: MoneyView
    borne_by_platform: MoneyView
    at_processor: MoneyView
    owed: MoneyView
    transfers: int


class CheckView(Answer):
    """One comparison that was made, and whether it holds."""

    name: str
    words: str
    holds: bool


class EscrowView(Answer):
    """In, held, released, refunded and fees, with the comparison against the entries and when it was made."""

    campaign_id: UUID | None
    campaign_title: str | None
    sums: list[FlowsView]
    equal: bool
    checks: list[CheckView]
    checked_at: datetime
    head_hash: str | None
    explained: list[str]
